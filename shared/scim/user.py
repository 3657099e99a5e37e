"""The SCIM User resource with the enterprise extension: RFC 7643 §4.1, §4.3 and §8.7.

The models say which attributes a mapping may name and what a planned operation must look like. Attributes that the
API takes but does nothing with (passwords, groups, roles, certificates …) are left out on purpose.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

NonEmpty = Annotated[str, StringConstraints(min_length=1)]


class ScimModel(BaseModel):
    """Python names in, RFC names (camelCase) out; an unknown attribute is an error."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True)


class Name(ScimModel):
    """RFC 7643 §4.1.1, `name`."""

    formatted: NonEmpty | None = None
    family_name: NonEmpty | None = None
    given_name: NonEmpty | None = None
    middle_name: NonEmpty | None = None
    honorific_prefix: NonEmpty | None = None
    honorific_suffix: NonEmpty | None = None


class Email(ScimModel):
    """RFC 7643 §4.1.2, `emails`; the API processes entries of type `work` only."""

    type: Literal["work"]
    value: NonEmpty | None = None
    display: NonEmpty | None = None


class PhoneNumber(ScimModel):
    """RFC 7643 §4.1.2, `phoneNumbers`; the API processes entries of type `work` only."""

    type: Literal["work"]
    value: NonEmpty | None = None
    display: NonEmpty | None = None


class Address(ScimModel):
    """RFC 7643 §4.1.2, `addresses`; the API processes entries of type `work` only."""

    type: Literal["work"]
    formatted: NonEmpty | None = None
    street_address: NonEmpty | None = None
    locality: NonEmpty | None = None
    region: NonEmpty | None = None
    postal_code: NonEmpty | None = None
    country: NonEmpty | None = None


class Manager(ScimModel):
    """RFC 7643 §4.3, `manager`: `value` is the manager's own externalId in the same provisioning job."""

    value: NonEmpty


class EnterpriseUser(ScimModel):
    """RFC 7643 §4.3."""

    employee_number: NonEmpty | None = None
    cost_center: NonEmpty | None = None
    organization: NonEmpty | None = None
    division: NonEmpty | None = None
    department: NonEmpty | None = None
    manager: Manager | None = None


class User(ScimModel):
    """One worker, whole: `active`, `externalId` and `userName` are always there.

    Custom extensions are further members whose names are their URNs, each an object of simple attributes.
    """

    model_config = ConfigDict(extra="allow")

    schemas: list[str]
    external_id: NonEmpty
    user_name: NonEmpty
    active: bool
    display_name: NonEmpty | None = None
    nick_name: NonEmpty | None = None
    profile_url: NonEmpty | None = None
    title: NonEmpty | None = None
    user_type: NonEmpty | None = None
    preferred_language: NonEmpty | None = None
    locale: NonEmpty | None = None
    timezone: NonEmpty | None = None
    name: Name | None = None
    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None
    addresses: list[Address] | None = None
    enterprise: EnterpriseUser | None = Field(default=None, alias=ENTERPRISE_USER)

    @model_validator(mode="after")
    def _extensions_are_declared(self) -> User:
        extensions: dict[str, Any] = self.__pydantic_extra__ or {}
        for urn, attributes in extensions.items():
            if not urn.startswith("urn:") or not isinstance(attributes, dict):
                raise ValueError(f"{urn} is neither a User attribute nor a schema extension")
        missing = {CORE_USER, ENTERPRISE_USER, *extensions} - set(self.schemas)
        if missing:
            raise ValueError(f"schemas lacks {', '.join(sorted(missing))}")
        return self
