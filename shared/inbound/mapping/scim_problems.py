"""What is wrong with a SCIM User for the API: every problem with its path, never a value.

Nothing is guessed and nothing is lost on the way: what the API would ignore is a problem. An explicit null clears a
value (where the job lets null flow) and is kept.

Sources: RFC 7643 §2.5, §3.1, §4.1 and §4.3, Entra's pages on API-driven provisioning and on clearing attribute values.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from shared.inbound.mapping.cell_problem import same_key
from shared.inbound.reading.json_decoding import JsonNumber
from shared.scim.attribute_path import parse_attribute_path
from shared.scim.user import (
    CORE_USER,
    ENTERPRISE_USER,
    Address,
    Email,
    EnterpriseUser,
    Manager,
    Name,
    PhoneNumber,
    User,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pydantic import BaseModel

_MANAGER = f"{ENTERPRISE_USER}:manager"
MULTI_VALUED: dict[str, type[BaseModel]] = {"emails": Email, "phoneNumbers": PhoneNumber, "addresses": Address}
_NO_NULL = ("name", ENTERPRISE_USER, *MULTI_VALUED)
KEYS = ("externalId", "userName")
_NULL = "is null, and the API clears single values only"
_MAX_NAME = 200
_TYPES = {
    "string_type": ("wrongType", "must be text, in quotes"),
    "bool_type": ("wrongType", "must be true or false, without quotes"),
    "list_type": ("wrongType", "must be an array"),
    "model_type": ("wrongType", "must be an object"),
    "string_too_short": ("blank", "is blank"),
    "string_unicode": ("notText", "has half of a surrogate pair, which is no character"),
    "missing": ("blank", "is missing"),
}
"""pydantic's types of errors, as a code and words."""
_ADVICE = {
    "blank": "Fill it in for the worker in the HR system; another attribute than a key can be left out, or be null.",
    "blankStatus": "Fill in the worker's status in the HR system: active is true or false.",
    "invisibleCharacter": "Type the value anew in the HR system.",
    "managerIsSelf": "Put the manager's externalId there, or leave it out for somebody without a manager.",
    "notTaken": "Take it out of the export, or have it left out if nobody needs it in Entra.",
    "notText": "Correct the text in the HR system.",
    "nullValue": "Leave it out, or make its parts null if they are to be cleared.",
    "wrongType": "Have the export write it as RFC 7643 has it.",
}


class ScimProblem(NamedTuple):
    """Why a user can't be sent; `attribute` is a path as the attribute-mapping page writes it. Never holds a value."""

    attribute: str
    code: str
    message: str
    advice: str


def scim_problems(user: dict[str, Any]) -> Iterator[ScimProblem]:
    """Everything that is wrong with a user whose `schemas` is taken off."""
    known = _names(User)
    for name, inner in user.items():
        if name.startswith("urn:") and name != ENTERPRISE_USER:
            yield from _extension_problems(name, inner)
        elif name not in known:
            yield _not_taken(name, name, known)
    for start, parts, model in _complex(user):
        for part in parts if isinstance(parts, dict) else ():
            if part not in _names(model):
                yield _not_taken(start + part, part, _names(model))
    for name in MULTI_VALUED:
        if sum(isinstance(entry, dict) and entry.get("type") == "work" for entry in _entries(user, name)) > 1:
            yield _problem(name, "notTaken", "has several entries of type work, and the API processes one")
    yield from _value_problems({name: _checkable(inner) for name, inner in user.items() if name in known})
    yield from _key_problems(user)


def _complex(user: dict[str, Any]) -> Iterator[tuple[str, Any, type[BaseModel]]]:
    """What should be an object, with how the paths of its parts begin."""
    enterprise = user.get(ENTERPRISE_USER)
    yield "name.", user.get("name"), Name
    yield f"{ENTERPRISE_USER}:", enterprise, EnterpriseUser
    yield f"{_MANAGER}.", enterprise.get("manager") if isinstance(enterprise, dict) else None, Manager
    for name, model in MULTI_VALUED.items():
        for entry in _entries(user, name):
            yield f'{name}[type eq "work"].', entry, model


def _entries(user: dict[str, Any], name: str) -> list[Any]:
    entries = user.get(name)
    return entries if isinstance(entries, list) else []


def _not_taken(path: str, name: str, known: Collection[str]) -> ScimProblem:
    """The reason why a mapping can't name it either, and the name that could be meant."""
    # What stands beside the manager's value need not be a name that a path can have, such as $ref.
    asked = f"{_MANAGER}.displayName" if path.startswith(f"{_MANAGER}.") else path
    reason = _reason(asked, name) or "is not written as the schema has it"
    close = next((other for other in known if other.lower() == name.strip().lower()), None)
    hint = f"; did you mean {close}?" if close and "did you mean" not in reason else ""
    return _problem(path, "notTaken", reason + hint)


def _reason(path: str, name: str) -> str | None:
    """Why the path is none that the API processes; `name` is the attribute as the file writes it."""
    try:
        parsed = parse_attribute_path(path)
    except ValueError as error:
        return str(error)
    return None if parsed.attribute == name else "is not written as the schema has it"


def _value_problems(core: dict[str, Any]) -> Iterator[ScimProblem]:
    """What the model of the user has against the values; only the place and the kind of each error are used."""
    for name in _NO_NULL:
        if name in core and core[name] is None:
            yield _problem(name, "nullValue", _NULL)
    try:
        User.model_validate({**core, "schemas": [CORE_USER, ENTERPRISE_USER]})
    except ValidationError as error:
        for found in error.errors(include_url=False, include_context=False):
            if found["type"] != "extra_forbidden":
                yield _value_problem(found["loc"], found["type"], is_null=found["input"] is None)


def _value_problem(place: tuple[int | str, ...], kind: str, *, is_null: bool) -> ScimProblem:
    path = _path(place)
    if place[0] in MULTI_VALUED and (len(place) == 2 or place[-1] == "type"):
        words = f"has an entry (number {int(place[1]) + 1}) that is not of type work: the API ignores all others"
        return _problem(path, "notTaken", words)
    if path == "active" and (is_null or kind == "missing"):
        return _problem(path, "blankStatus", "is missing or null")
    if is_null:
        return _problem(path, "blank", "is null") if path in KEYS else _problem(path, "nullValue", _NULL)
    return _problem(path, *_TYPES.get(kind, ("wrongType", "is not as the schema has it")))


def _path(place: tuple[int | str, ...]) -> str:
    first, *rest = map(str, place)
    if first in MULTI_VALUED:
        return f'{first}[type eq "work"].{rest[1]}' if rest[1:] and rest[1] != "type" else first
    return first + (":" if first == ENTERPRISE_USER else ".") + ".".join(rest) if rest else first


def _checkable(value: Any, depth: int = 3) -> Any:
    """A copy for the model: no number is text, what is blank is empty, and nothing is nested deeper than the schema."""
    if isinstance(value, str):
        return 0 if isinstance(value, JsonNumber) else value.strip() and value
    if not isinstance(value, dict | list):
        return value
    if not depth:
        return 0
    if isinstance(value, list):
        return [_checkable(inner, depth - 1) for inner in value]
    return {name: _checkable(inner, depth - 1) for name, inner in value.items() if name.isascii()}


def _key_problems(user: dict[str, Any]) -> Iterator[ScimProblem]:
    """A key with an invisible character in it looks like another worker's and is not."""
    manager = manager_of(user)
    for path, key in [*((name, user.get(name)) for name in KEYS), (f"{_MANAGER}.value", manager)]:
        if isinstance(key, str) and not key.isprintable():
            words = "has a character that can't be seen, such as a zero-width space or a line break"
            yield _problem(path, "invisibleCharacter", words)
    if manager and same_key(manager) == same_key(str(user.get("externalId"))):
        yield _problem(f"{_MANAGER}.value", "managerIsSelf", "is the worker's own externalId")


def _extension_problems(urn: str, attributes: Any) -> Iterator[ScimProblem]:
    """An extension of one's own: an object of simple attributes."""
    if f"{urn}:".lower().startswith((f"{CORE_USER}:".lower(), f"{ENTERPRISE_USER}:".lower())):
        words = "is a known schema's and no extension of its own; its attributes belong to the user or to the schema"
        yield _problem(urn, "notTaken", words)
    elif reason := _reason(f"{urn}:x", "x"):
        yield _problem(urn, "notTaken", reason)
    elif not isinstance(attributes, dict):
        yield _problem(urn, *(("nullValue", _NULL) if attributes is None else _TYPES["model_type"]))
    else:
        for name, inner in attributes.items():
            if found := _simple_problem(f"{urn}:{name}", name, inner):
                yield _problem(f"{urn}:{name}", *found)


def _simple_problem(path: str, name: str, value: Any) -> tuple[str, str] | None:
    if reason := _reason(path, name):
        return "notTaken", reason
    if value is None or isinstance(value, bool | JsonNumber):
        return None
    if not isinstance(value, str):
        return "wrongType", "must be a simple value: text, a number, true, false or null"
    if not value.strip():
        return _TYPES["string_too_short"]
    is_text = value.encode(errors="ignore").decode() == value
    return None if is_text else _TYPES["string_unicode"]


@cache
def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _problem(path: str, code: str, words: str) -> ScimProblem:
    shown = (path if path.isprintable() else ascii(path)[1:-1])[:_MAX_NAME]
    return ScimProblem(shown, code, f"{shown} {words}.".replace("?.", "?"), _ADVICE[code])


def is_text(value: Any) -> bool:
    """True for text, which a number as it is written is not."""
    return isinstance(value, str) and not isinstance(value, JsonNumber)


def manager_of(user: dict[str, Any]) -> str | None:
    """The manager's externalId, if that is what stands there."""
    enterprise = user.get(ENTERPRISE_USER)
    manager = enterprise.get("manager") if isinstance(enterprise, dict) else None
    value = manager.get("value") if isinstance(manager, dict) else None
    return value if is_text(value) else None
