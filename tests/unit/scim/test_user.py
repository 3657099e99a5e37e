"""The SCIM user: what a planned operation may hold."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.scim.user import User
from tests.unit.builders import CONTOSO, CORE, ENTERPRISE


def scim_user(**members: Any) -> dict[str, Any]:
    """The least that a user can be, with further members."""
    user = {"schemas": [CORE, ENTERPRISE], "externalId": "701984", "userName": "bjensen@example.com", "active": True}
    return {name: value for name, value in {**user, **members}.items() if value is not None}


def test_microsofts_sample_worker_is_a_user():
    user = scim_user(
        name={"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara"},
        displayName="Babs Jensen",
        emails=[{"type": "work", "value": "bjensen@example.com"}],
        addresses=[{"type": "work", "streetAddress": "234300 Universal City Plaza", "country": "USA"}],
        phoneNumbers=[{"type": "work", "value": "555-555-5555"}],
        userType="Employee",
        title="Tour Guide",
        preferredLanguage="en-US",
        **{ENTERPRISE: {"employeeNumber": "701984", "costCenter": "4130", "manager": {"value": "89607"}}},
    )
    assert User.model_validate(user).model_dump(by_alias=True, exclude_none=True) == user


@pytest.mark.parametrize("name", ["externalId", "userName", "active", "schemas"])
def test_without_it_nobody_is_a_user(name: str):
    with pytest.raises(ValidationError, match=name):
        User.model_validate(scim_user(**{name: None}))


@pytest.mark.parametrize(
    "members",
    [
        {"active": "True"},
        {"active": 1},
        {"externalId": ""},
        {"externalId": 701984},
        {"userName": ""},
        {"title": ""},
        {"title": 5},
        {"name": {"firstName": "Barbara"}},
        {"name": "Barbara"},
        {"emails": {"type": "work", "value": "b@example.com"}},
        {"emails": [{"type": "home", "value": "b@example.com"}]},
        {"emails": [{"value": "b@example.com"}]},
        {"phoneNumbers": [{"type": "mobile", "value": "5"}]},
        {"addresses": [{"type": "work", "town": "Hollywood"}]},
        {ENTERPRISE: {"manager": "89607"}},
        {ENTERPRISE: {"manager": {"value": ""}}},
        {ENTERPRISE: {"manager": {"displayName": "Ann"}}},
        {ENTERPRISE: {"salary": "5"}},
        {"firstName": "Barbara"},
        {"userType ": "Employee"},
    ],
    ids=str,
)
def test_what_the_schema_does_not_know_is_no_user(members: dict[str, Any]):
    with pytest.raises(ValidationError):
        User.model_validate(scim_user(**members))


def test_a_custom_extension_is_an_object_under_its_urn():
    user = scim_user(schemas=[CORE, ENTERPRISE, CONTOSO], **{CONTOSO: {"hireDate": "2021-05-13T00:00:00Z"}})
    assert User.model_validate(user).model_dump(by_alias=True, exclude_none=True) == user


@pytest.mark.parametrize("value", ["2021-05-13", [1], None], ids=["text", "list", "null"])
def test_a_custom_extension_that_is_no_object_is_refused(value: object):
    user = scim_user(schemas=[CORE, ENTERPRISE, CONTOSO])
    with pytest.raises(ValidationError, match="neither a User attribute nor a schema extension"):
        User.model_validate({**user, CONTOSO: value})


@pytest.mark.parametrize("missing", [CORE, ENTERPRISE, CONTOSO])
def test_every_schema_that_is_used_is_declared(missing: str):
    schemas = [urn for urn in (CORE, ENTERPRISE, CONTOSO) if urn != missing]
    user = scim_user(schemas=schemas, **{CONTOSO: {"hireDate": "x"}})
    with pytest.raises(ValidationError, match="schemas lacks"):
        User.model_validate(user)
