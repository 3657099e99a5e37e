"""Whether the objects of a file are SCIM users, and what of them could not be sent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from shared.inbound.drafting.draft_yaml import Line, comment, flow, quoted
from shared.inbound.mapping.scim_problems import MULTI_VALUED
from shared.inbound.mapping.scim_users import ScimUser, scim_user
from shared.scim.user import CORE_USER

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_NAMED = 20


def are_scim_users(objects: Iterable[dict[str, Any]]) -> bool:
    """Whether every object names the schema of the core user."""
    return all(isinstance(value.get("schemas"), list) and CORE_USER in value["schemas"] for value in objects)


def scim_lines(objects: Iterable[dict[str, Any]]) -> list[Line]:
    """What a feed file says under `file`."""
    read = [scim_user(value) for value in objects]
    problems = Counter((p.attribute, p.code) for user in read if not isinstance(user, ScimUser) for p in user)
    lines = [Line("format: scim", "sure: every object names the schema of SCIM users; they are sent as they are")]
    found = problems.most_common(_MAX_NAMED)
    lines += [comment(f"{quoted(name)}: {code}, in {count} users that are set aside") for (name, code), count in found]
    ignored = [
        f'{name}[type ne "work"]' if name in MULTI_VALUED else name
        for (name, code), _ in found
        if code == "notTaken" and "." not in name
    ]
    if ignored:
        remark = "decide: shall these be left out?"
        lines.append(Line(f"ignore_attributes: {flow(ignored)}", remark, is_active=False))
    return lines
