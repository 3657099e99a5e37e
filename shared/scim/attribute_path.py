"""Attribute paths as Entra's attribute-mapping page writes them.

    externalId                                              a simple attribute of the core user
    name.givenName                                          a sub-attribute
    emails[type eq "work"].value                            a sub-attribute of the one entry with that type
    urn:…:extension:enterprise:2.0:User:department          an attribute of the enterprise extension
    urn:…:extension:enterprise:2.0:User:manager.value       (also without `.value`)
    urn:…:extension:contoso:1.0:User:hireDate               an attribute of a custom extension

Source: RFC 7644 §3.5.2 (paths), RFC 7643 §10 (URNs), Entra's page on customizing attribute mappings.
"""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass

from pydantic import BaseModel

from shared.scim.user import CORE_USER, ENTERPRISE_USER, EnterpriseUser, User

_PATH = re.compile(
    r"""(?:(?P<urn>urn:[^\s\[\]"]+):)?
        (?P<attribute>[A-Za-z][A-Za-z0-9_$-]*)
        (?:\[(?P<filter>[^\]]*)\])?
        (?:\.(?P<sub>[A-Za-z][A-Za-z0-9_$-]*))?""",
    re.VERBOSE,
)
_WORK = re.compile(r'type\s+eq\s+"work"', re.IGNORECASE)
_IGNORED_BY_THE_API = {
    "password": "passwords can't be provisioned",
    "groups": "the API takes users only",
    "id": "Entra gives the id; the worker is found by externalId",
    "schemas": "the connector writes it",
    "meta": "it is the directory's own",
    "roles": "the API has no mapping for it",
    "entitlements": "the API has no mapping for it",
    "ims": "the API has no mapping for it",
    "photos": "the API has no mapping for it",
    "x509Certificates": "the API has no mapping for it",
}


@dataclass(frozen=True)
class AttributePath:
    """Where a value goes in the user.

    `container` is the member of the user that holds it (None: the user itself), `attribute` the member of that
    container, `multi_valued` true where the container is an array whose one entry has the type `work`.
    """

    container: str | None
    attribute: str
    sub_attribute: str | None = None
    multi_valued: bool = False

    @property
    def is_boolean(self) -> bool:
        """True for the one Boolean attribute of the core user."""
        return self.container is None and self.attribute == "active"

    @property
    def is_custom(self) -> bool:
        """True for an attribute of an extension other than the enterprise user."""
        return self.container is not None and self.container.startswith("urn:") and self.container != ENTERPRISE_USER


EXTERNAL_ID = AttributePath(None, "externalId")
USER_NAME = AttributePath(None, "userName")
ACTIVE = AttributePath(None, "active")
MANAGER = AttributePath(ENTERPRISE_USER, "manager", "value")


def parse_attribute_path(text: str) -> AttributePath:
    """Read one path.

    Raises:
        ValueError: it is no path, or names something that the API does not process; the text says why.
    """
    match = _PATH.fullmatch(text.strip())
    if not match:
        raise ValueError("is not an attribute path as Entra's attribute-mapping page writes them")
    urn, attribute, filter_, sub = match.group("urn", "attribute", "filter", "sub")
    if urn and urn != CORE_USER:
        return _of_extension(urn, attribute, filter_, sub)
    return _of_core(attribute, filter_, sub)


def _of_extension(urn: str, attribute: str, filter_: str | None, sub: str | None) -> AttributePath:
    known = (CORE_USER, ENTERPRISE_USER)
    if any(name.lower() in (urn.lower(), f"{urn}:{attribute}".lower()) for name in known) and urn not in known:
        raise ValueError(f"is not quite one of the known schemas, which are written {' and '.join(known)}")
    if urn.lower().startswith("urn:ietf:params:scim:schemas:core:") and urn != CORE_USER:
        raise ValueError("names a core schema other than the user's")
    if filter_ is not None:
        raise ValueError("has a filter, which attributes of extensions can't have")
    if urn != ENTERPRISE_USER:
        if sub:
            raise ValueError("has a sub-attribute, which custom extension attributes can't have")
        return AttributePath(urn, attribute)
    _named(attribute, EnterpriseUser, "the enterprise user")
    if attribute == "manager":
        if sub not in (None, "value"):
            raise ValueError(
                "names a part of manager that Entra sets itself; map manager.value, the manager's externalId"
            )
        return MANAGER
    if sub:
        raise ValueError(f"has a sub-attribute, but {attribute} is a simple attribute")
    return AttributePath(urn, attribute)


def _of_core(attribute: str, filter_: str | None, sub: str | None) -> AttributePath:
    if reason := _IGNORED_BY_THE_API.get(attribute):
        raise ValueError(f"can't be mapped: {reason}")
    model, many = _named(attribute, User, "the core user")
    if model is None:
        if filter_ is not None or sub:
            raise ValueError(f"has a filter or sub-attribute, but {attribute} is a simple attribute")
        return AttributePath(None, attribute)
    names = ", ".join(sorted(set(_aliases(model)) - {"type"}))
    if sub not in names.split(", "):
        raise ValueError(f"must end in one of these sub-attributes: {names}")
    if many and (filter_ is None or not _WORK.fullmatch(filter_.strip())):
        raise ValueError(f'must be {attribute}[type eq "work"].{sub}: the API ignores entries of every other type')
    if filter_ is not None and not many:
        raise ValueError(f"has a filter, but {attribute} is not multi-valued")
    return AttributePath(attribute, sub, multi_valued=many)


def _aliases(model: type[BaseModel]) -> dict[str, typing.Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _named(attribute: str, model: type[BaseModel], owner: str) -> tuple[type[BaseModel] | None, bool]:
    """The model of a complex attribute (None: a simple one) and whether it is multi-valued."""
    aliases = _aliases(model)
    if attribute not in aliases or attribute.startswith("urn:"):
        close = [name for name in aliases if name.lower() == attribute.lower()]
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"names no attribute of {owner}{hint}")
    annotation = aliases[attribute]
    for part in typing.get_args(annotation) or (annotation,):
        inner = typing.get_args(part)
        if typing.get_origin(part) is list and isinstance(inner[0], type) and issubclass(inner[0], BaseModel):
            return inner[0], True
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part, False
    return None, False
