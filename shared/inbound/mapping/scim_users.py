"""One SCIM User of an HR file, checked as the API takes it: sent whole, or every reason why not.

What stands beside the manager's key (`displayName`, `$ref`) and the mark `primary` are decoration that the API has no
use for: they are left out and told, as `id` and `meta` are. For everything else see `scim_problems`.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from shared.inbound.mapping.scim_problems import KEYS, MULTI_VALUED, ScimProblem, is_text, manager_of, scim_problems
from shared.inbound.reading.json_decoding import as_it_is_written
from shared.scim.user import CORE_USER, ENTERPRISE_USER

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["ScimProblem", "ScimUser", "scim_user"]

_DIRECTORYS_OWN = ("id", "meta")
_MANAGERS_DECORATION = ("displayName", "$ref")
_MAX_PROBLEMS = 100


class ScimUser(NamedTuple):
    """A user that can be sent: `user` is its JSON, `dropped` the attributes that it had and that were left out."""

    external_id: str
    user_name: str
    manager: str | None
    user: bytes
    dropped: tuple[str, ...]


def scim_user(value: dict[str, Any], dropped: Collection[str] = ()) -> ScimUser | list[ScimProblem]:
    """One user of the file, whole, or everything that is wrong with it (up to 100 problems).

    Args:
        value: as `json_objects` gives it. Its `schemas` is written anew, with all that the user needs.
        dropped: attributes of the user itself that are left out, besides the directory's own `id` and `meta`.
    """
    left_out = [name for name in value if name in _DIRECTORYS_OWN or name in dropped]
    user = {name: inner for name, inner in value.items() if name != "schemas" and name not in left_out}
    user = _trimmed(_undecorated(_with_work_only(user, dropped, left_out), left_out))
    if problems := list(islice(scim_problems(user), _MAX_PROBLEMS)):
        return problems
    extensions = [name for name in user if name.startswith("urn:") and name != ENTERPRISE_USER]
    body = {"schemas": [CORE_USER, ENTERPRISE_USER, *extensions], **user}
    content = orjson.dumps(body, default=as_it_is_written, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    return ScimUser(user["externalId"], user["userName"], manager_of(user), content, tuple(left_out))


def _with_work_only(user: dict[str, Any], dropped: Collection[str], left_out: list[str]) -> dict[str, Any]:
    """A copy without entries of another type than work, where the feed file leaves them out."""
    kept = dict(user)
    for name in MULTI_VALUED:
        entries, path = user.get(name), f'{name}[type ne "work"]'
        if path in dropped and isinstance(entries, list):
            work = [one for one in entries if not isinstance(one, dict) or one.get("type") == "work"]
            if len(work) < len(entries):
                left_out.append(path)
                kept[name] = work
            if not work:
                del kept[name]
    return kept


def _undecorated(user: dict[str, Any], left_out: list[str]) -> dict[str, Any]:
    """A copy without decoration, which is added to `left_out`."""
    plain = dict(user)
    enterprise = user.get(ENTERPRISE_USER)
    manager = enterprise.get("manager") if isinstance(enterprise, dict) else None
    if isinstance(enterprise, dict) and isinstance(manager, dict):
        left_out += [f"manager.{name}" for name in _MANAGERS_DECORATION if name in manager]
        key = {name: inner for name, inner in manager.items() if name not in _MANAGERS_DECORATION}
        plain[ENTERPRISE_USER] = {**enterprise, "manager": key}
    for name in MULTI_VALUED:
        entries = user.get(name)
        if isinstance(entries, list) and any(isinstance(entry, dict) and "primary" in entry for entry in entries):
            left_out.append(f"{name}.primary")
            plain[name] = [_without_primary(entry) for entry in entries]
    return plain


def _without_primary(entry: Any) -> Any:
    return {k: v for k, v in entry.items() if k != "primary"} if isinstance(entry, dict) else entry


def _trimmed(user: dict[str, Any]) -> dict[str, Any]:
    """A copy in which spaces around what identifies a worker are cut off."""
    trimmed = {name: inner.strip() if name in KEYS and is_text(inner) else inner for name, inner in user.items()}
    if (manager := manager_of(user)) is not None:
        enterprise = user[ENTERPRISE_USER]
        trimmed[ENTERPRISE_USER] = {**enterprise, "manager": {**enterprise["manager"], "value": manager.strip()}}
    return trimmed
