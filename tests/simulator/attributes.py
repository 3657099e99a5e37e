"""A SCIM user's attributes as the job's default mapping sees them."""

import json
from functools import lru_cache
from typing import Any

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORK_ONLY = ("emails", "phoneNumbers", "addresses")
# Handled by name elsewhere, or of no meaning to a mapping.
NOT_MAPPED = {"schemas", "id", "meta", "externalId", "userName", "active", "password"}

_WORK_ADDRESS = 'addresses[type eq "work"].'
# Confirmed: title and department. Guess: open question 11, the rest is what Microsoft's sample client assumes.
# A path that is not here keeps its SCIM name, so that a test can see that it arrived.
TARGETS = {
    "name.givenName": "givenName",
    "name.familyName": "surname",
    "title": "jobTitle",
    f"{ENTERPRISE}:department": "department",
    f"{ENTERPRISE}:organization": "companyName",
    'phoneNumbers[type eq "work"].value': "telephoneNumber",
    f"{_WORK_ADDRESS}streetAddress": "streetAddress",
    f"{_WORK_ADDRESS}locality": "city",
    f"{_WORK_ADDRESS}region": "state",
    f"{_WORK_ADDRESS}postalCode": "postalCode",
    f"{_WORK_ADDRESS}country": "country",
}
PATHS = {target: path for path, target in TARGETS.items()}


def mapped_attributes(user: dict[str, Any]) -> dict[str, Any]:
    """Target attribute -> value as sent (null and "" included) for everything the user carries.

    Of emails, phoneNumbers and addresses only entries of type "work" count.
    Source: "issues" page, 2026-07-07.
    """
    mapped: dict[str, Any] = {}
    for name, value in user.items():
        if name in NOT_MAPPED:
            continue
        if name in WORK_ONLY:
            for part, inner in work_entry(value).items():
                if part not in ("type", "primary"):
                    mapped[_target(f'{name}[type eq "work"].', part)] = inner
        elif isinstance(value, dict):
            container = f"{name}:" if name.startswith("urn:") else f"{name}."
            for part, inner in value.items():
                if part != "manager" or name != ENTERPRISE:
                    mapped[_target(container, part)] = _scalar(inner)
        else:
            mapped[_target("", name)] = _scalar(value)
    return mapped


@lru_cache(maxsize=10_000)
def _target(container: str, name: str) -> str:
    path = container + name
    return TARGETS.get(path, path)


def work_entry(entries: Any) -> dict[str, Any]:
    """The first entry of type "work", or an empty one."""
    if not isinstance(entries, list):
        return {}
    return next((e for e in entries if isinstance(e, dict) and e.get("type") == "work"), {})


def container_is_sent(target: str, user: dict[str, Any]) -> bool:
    """Whether the object or array entry that would hold this attribute is part of the user.

    With "Flow null values" an omitted sub-attribute is cleared only then. Source: "clear attribute values" page.
    """
    path = PATHS.get(target, target)
    name, bracket, _ = path.partition("[")
    if bracket:
        return bool(work_entry(user.get(name)))
    if path.startswith("urn:"):
        return path.rpartition(":")[0] in user
    name, dot, _ = path.partition(".")
    return not dot or name in user


def manager_of(user: dict[str, Any]) -> tuple[bool, str | None]:
    """Whether the enterprise object is there at all, and the externalId in manager.value if one is given."""
    enterprise = user.get(ENTERPRISE)
    if not isinstance(enterprise, dict):
        return False, None
    manager = enterprise.get("manager")
    value = manager.get("value") if isinstance(manager, dict) else None
    return True, str(value) if value not in (None, "") else None


def as_text(value: Any) -> str | None:
    """A value as the logs print it: modifiedProperty holds strings or null."""
    if value is None or isinstance(value, str):
        return value
    return str(value)


def _scalar(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
