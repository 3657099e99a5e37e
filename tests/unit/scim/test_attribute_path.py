"""Attribute paths as Entra's attribute-mapping page writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scim.attribute_path import ACTIVE, EXTERNAL_ID, MANAGER, USER_NAME, AttributePath, parse_attribute_path
from tests.unit.builders import CONTOSO, CORE, ENTERPRISE, PROPERTY


@pytest.mark.parametrize(
    "name",
    [
        *("externalId", "userName", "active", "displayName", "nickName", "profileUrl", "title", "userType"),
        *("preferredLanguage", "locale", "timezone"),
    ],
)
def test_a_simple_attribute_of_the_core_user_lies_in_the_user_itself(name: str):
    assert parse_attribute_path(name) == AttributePath(None, name)


@pytest.mark.parametrize(
    "sub", ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"]
)
def test_a_part_of_the_name_lies_in_name(sub: str):
    assert parse_attribute_path(f"name.{sub}") == AttributePath("name", sub)


@pytest.mark.parametrize(
    ("container", "sub"),
    [
        *(("emails", sub) for sub in ("value", "display")),
        *(("phoneNumbers", sub) for sub in ("value", "display")),
        *(("addresses", sub) for sub in ("formatted", "streetAddress", "locality", "region", "postalCode", "country")),
    ],
)
def test_a_part_of_a_work_entry_lies_in_a_multi_valued_attribute(container: str, sub: str):
    path = parse_attribute_path(f'{container}[type eq "work"].{sub}')
    assert path == AttributePath(container, sub, multi_valued=True)


@pytest.mark.parametrize("name", ["employeeNumber", "costCenter", "organization", "division", "department"])
def test_an_attribute_of_the_enterprise_user_lies_in_its_extension(name: str):
    assert parse_attribute_path(f"{ENTERPRISE}:{name}") == AttributePath(ENTERPRISE, name)


@pytest.mark.parametrize("name", ["hireDate", "HireDate", "cost_center", "extension-1", "x$y"])
def test_any_attribute_of_a_custom_extension_is_taken_as_it_is_written(name: str):
    path = parse_attribute_path(f"{CONTOSO}:{name}")
    assert path == AttributePath(CONTOSO, name)
    assert path.is_custom


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"{ENTERPRISE}:manager", MANAGER),
        (f"{ENTERPRISE}:manager.value", MANAGER),
        (f"{CORE}:externalId", EXTERNAL_ID),
        (f"{CORE}:userName", USER_NAME),
        (f"{CORE}:active", ACTIVE),
        (f"{CORE}:name.givenName", AttributePath("name", "givenName")),
        (f'{CORE}:emails[type eq "work"].value', AttributePath("emails", "value", multi_valued=True)),
        ('emails[ type  EQ "Work" ].value', AttributePath("emails", "value", multi_valued=True)),
        ("  externalId  ", EXTERNAL_ID),
    ],
)
def test_two_ways_to_write_a_path_are_one_path(text: str, path: AttributePath):
    assert parse_attribute_path(text) == path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not an attribute path"),
        ("given name", "not an attribute path"),
        ("name.givenName.first", "not an attribute path"),
        ("name..givenName", "not an attribute path"),
        ("1title", "not an attribute path"),
        ("title;", "not an attribute path"),
        ('emails[type eq "work"', "not an attribute path"),
        ("urn:", "not an attribute path"),
        ("firstName", "names no attribute of the core user"),
        ("username", "did you mean userName"),
        ("EXTERNALID", "did you mean externalId"),
        ("enterprise", "names no attribute of the core user"),
        (f"{ENTERPRISE}:salary", "names no attribute of the enterprise user"),
        (f"{ENTERPRISE}:costcenter", "did you mean costCenter"),
        (f"{ENTERPRISE}:department.name", "simple attribute"),
        (f"{ENTERPRISE}:manager.displayName", "manager.value"),
        (f"{ENTERPRISE}:manager.$ref", "not an attribute path"),
        (f'{ENTERPRISE}:department[type eq "work"]', "filter"),
        (f"{CONTOSO}:hire.date", "sub-attribute"),
        (f'{CONTOSO}:phones[type eq "work"]', "filter"),
        ("title.value", "simple attribute"),
        ('title[type eq "work"]', "simple attribute"),
        ("name", "must end in one of these sub-attributes"),
        ("name.nickName", "givenName"),
        ('name[type eq "work"].givenName', "not multi-valued"),
        ("emails.value", 'must be emails[type eq "work"].value'),
        ('emails[type eq "work"]', "must end in one of these sub-attributes"),
        ('emails[type eq "work"].type', "must end in one of these sub-attributes"),
        ('emails[type eq "home"].value', "ignores entries of every other type"),
        ("emails[primary eq true].value", 'must be emails[type eq "work"].value'),
        ("emails[].value", 'must be emails[type eq "work"].value'),
        ('phoneNumbers[type eq "mobile"].value', 'must be phoneNumbers[type eq "work"].value'),
        ('addresses[type eq "work"].value', "streetAddress"),
        ("password", "passwords can't be provisioned"),
        ("groups", "users only"),
        ("id", "externalId"),
        ("schemas", "the connector writes it"),
        ("meta", "directory's own"),
        *((f"{name}.value", "no mapping for it") for name in ("roles", "entitlements", "ims", "photos")),
        ("x509Certificates", "no mapping for it"),
    ],
)
def test_what_the_api_does_not_process_is_refused_with_its_reason(text: str, reason: str):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the words are checked below
        parse_attribute_path(text)
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "urn:ietf:params:scim:schemas:extension:Enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:core:2.0:user:displayName",
        "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
        CORE,
        ENTERPRISE,
    ],
)
def test_a_near_miss_of_a_known_schema_is_no_custom_extension(text: str):
    with pytest.raises(ValueError, match=r"known schemas|core schema"):
        parse_attribute_path(text)


def test_only_active_is_boolean():
    assert ACTIVE.is_boolean
    assert not any(path.is_boolean for path in (EXTERNAL_ID, MANAGER, AttributePath(CONTOSO, "active")))


def test_only_extensions_of_ones_own_are_custom():
    assert AttributePath(CONTOSO, "hireDate").is_custom
    assert not any(path.is_custom for path in (EXTERNAL_ID, MANAGER, AttributePath("name", "givenName")))


@PROPERTY
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                [
                    *("urn:", CORE, ENTERPRISE, CONTOSO, ":", ".", "[", "]", 'type eq "work"', "name", "emails"),
                    *("manager", "value", "givenName", "title", " ", '"', "$ref", "é", "2.0"),
                ]
            )
        ).map("".join),
    )
)
def test_any_text_is_a_path_or_is_refused_with_words(text: str):
    try:
        words = parse_attribute_path(text).attribute
    except ValueError as refusal:
        words = str(refusal)
    assert words
