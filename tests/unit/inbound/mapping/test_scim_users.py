"""SCIM Users in an HR file: sent whole, or set aside with every reason; nothing is lost or guessed on the way."""

from __future__ import annotations

import json
import typing
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.inbound.mapping import scim_problems
from shared.inbound.mapping.scim_users import ScimProblem, ScimUser, scim_user
from shared.inbound.reading.json_values import JsonNumber, json_objects
from shared.scim.user import User
from tests.unit.builders import CONTOSO, CORE, ENTERPRISE, PROPERTY

LEAST: dict[str, Any] = {"externalId": "701984", "userName": "bjensen@example.com", "active": True}
FULL: dict[str, Any] = {
    **LEAST,
    "displayName": "Barbara Jensen",
    "title": "Tour Guide",
    "name": {"familyName": "Jensen", "givenName": "Barbara"},
    "emails": [{"type": "work", "value": "bjensen@example.com"}],
    "phoneNumbers": [{"type": "work", "value": "555-555-5555"}],
    "addresses": [{"type": "work", "locality": "Hollywood", "country": "USA"}],
    ENTERPRISE: {"department": "Tour Operations", "manager": {"value": "89607"}},
    CONTOSO: {"hireDate": "2021-05-01T00:00:00Z"},
}
MANAGER = f"{ENTERPRISE}:manager"
SECRET = "Jensen"


def sent(dropped: tuple[str, ...] = (), /, **members: Any) -> ScimUser:
    """The default user with other members; as JSON text and back, so that it is what a file would hold."""
    ((_, value),) = json_objects([json.dumps([{**LEAST, **members}]).encode()])
    found = scim_user(value, dropped)
    assert isinstance(found, ScimUser), found
    return found


def problems(without: str | None = None, /, **members: Any) -> list[ScimProblem]:
    value = {name: inner for name, inner in {**LEAST, **members}.items() if name != without}
    ((_, value),) = json_objects([json.dumps([value]).encode()])
    found = scim_user(value)
    assert isinstance(found, list), found
    assert all(p.advice and SECRET not in p.message + p.attribute + p.advice for p in found), found
    return found


def codes(found: list[ScimProblem]) -> list[tuple[str, str]]:
    return [(problem.attribute, problem.code) for problem in found]


def test_a_whole_user_is_sent_as_it_is_with_all_its_schemas():
    user = sent(**FULL)
    assert orjson.loads(user.user) == {"schemas": [CORE, ENTERPRISE, CONTOSO], **FULL}
    assert user[:3] == ("701984", "bjensen@example.com", "89607")
    assert user.dropped == ()


def test_every_user_that_is_sent_is_one_that_a_plan_can_hold():
    for members in ({}, FULL, {"title": None}, {"name": {"givenName": None}}, {"emails": []}, {CONTOSO: {}}):
        User.model_validate_json(sent(**members).user)


@pytest.mark.parametrize("schemas", [None, [], "x", [CORE], ["urn:other"], {"a": 1}, [CONTOSO, CORE]], ids=str)
def test_schemas_is_completed_and_a_wrong_one_is_repaired(schemas: object):
    assert orjson.loads(sent(schemas=schemas).user)["schemas"] == [CORE, ENTERPRISE]
    assert orjson.loads(sent(schemas=schemas, **{CONTOSO: {"x": "1"}}).user)["schemas"] == [CORE, ENTERPRISE, CONTOSO]


def test_what_is_the_directorys_own_or_declared_is_left_out_and_told():
    user = sent(("password", "title", "nickName"), id="1", meta={"location": "x"}, password="x", title="x")
    assert orjson.loads(user.user) == {"schemas": [CORE, ENTERPRISE], **LEAST}
    assert sorted(user.dropped) == ["id", "meta", "password", "title"]


@pytest.mark.parametrize("name", LEAST)
def test_what_a_user_can_not_be_without_is_missed_if_it_is_left_out(name: str):
    assert [p.attribute for p in scim_user(LEAST, [name])] == [name]


@pytest.mark.parametrize(("name", "code"), [("externalId", "blank"), ("userName", "blank"), ("active", "blankStatus")])
def test_what_a_user_can_not_be_without_is_neither_missing_nor_null_nor_blank(name: str, code: str):
    assert codes(problems(name)) == [(name, code)]
    assert codes(problems(**{name: None})) == [(name, code)]
    if name != "active":
        for blank in ("", " ", "\u00a0\t"):
            assert codes(problems(**{name: blank})) == [(name, code)]


@pytest.mark.parametrize("active", ["true", "True", "", 1, 0, [True], {"value": True}], ids=repr)
def test_only_true_and_false_say_whether_a_worker_is_active(active: object):
    assert codes(problems(active=active)) == [("active", "wrongType")]


def test_false_is_sent_as_false():
    assert orjson.loads(sent(active=False).user)["active"] is False


def test_spaces_around_keys_are_cut_off_and_no_others():
    user = sent(
        externalId=" 701984\u00a0", userName="\tb@e.com ", title=" x ", **{ENTERPRISE: {"manager": {"value": " 8 "}}}
    )
    assert user[:3] == ("701984", "b@e.com", "8")
    held = orjson.loads(user.user)
    assert (held["externalId"], held["userName"], held["title"]) == ("701984", "b@e.com", " x ")
    assert held[ENTERPRISE]["manager"]["value"] == "8"


@pytest.mark.parametrize("hidden", ["a\u200bb", "a\nb", "a\u00a0b", "a\u202eb"], ids=ascii)
def test_a_key_with_a_character_that_can_not_be_seen_is_a_problem(hidden: str):
    assert codes(problems(externalId=hidden)) == [("externalId", "invisibleCharacter")]
    assert codes(problems(userName=hidden)) == [("userName", "invisibleCharacter")]
    found = problems(**{ENTERPRISE: {"manager": {"value": hidden}}})
    assert codes(found) == [(f"{MANAGER}.value", "invisibleCharacter")]


def test_nobody_is_their_own_manager():
    found = problems(externalId="A1", **{ENTERPRISE: {"manager": {"value": " a1 "}}})
    assert codes(found) == [(f"{MANAGER}.value", "managerIsSelf")]


@pytest.mark.parametrize(
    ("members", "path", "reason"),
    [
        ({"password": "Jensen"}, "password", "passwords can't be provisioned"),
        ({"groups": []}, "groups", "users only"),
        ({"roles": None}, "roles", "no mapping"),
        ({"ims": [{"value": "Jensen"}]}, "ims", "no mapping"),
        ({"firstName": "Jensen"}, "firstName", "no attribute of the core user"),
        ({"Title": "Jensen"}, "Title", "did you mean title?"),
        ({"display_name": "Jensen"}, "display_name", "no attribute of the core user"),
        ({"enterprise": {}}, "enterprise", "no attribute of the core user"),
        ({"title ": "Jensen"}, "title ", "did you mean title?"),
        ({"name.givenName": "Jensen"}, "name.givenName", "not written as"),
        ({'emails[type eq "work"].value': "Jensen"}, 'emails[type eq "work"].value', "not written as"),
        ({"": "Jensen"}, "", "not an attribute path"),
        ({"name": {"givenname": "Jensen"}}, "name.givenname", "did you mean givenName?"),
        ({"name": {"given_name": "Jensen"}}, "name.given_name", "must end in one of"),
        ({"name": {"lastName": "Jensen"}}, "name.lastName", "familyName"),
        ({"emails": [{"type": "work", "verified": True}]}, 'emails[type eq "work"].verified', "must end in one of"),
        ({"emails": [{"type": "work"}, {"type": "work"}]}, "emails", "several entries"),
        ({"emails": [{"type": "home", "value": "Jensen"}]}, "emails", "number 1"),
        ({"emails": [{"type": "work"}, {"type": "Jensen"}]}, "emails", "number 2"),
        ({"emails": [{"value": "Jensen"}]}, "emails", "ignores all others"),
        ({"emails": ["Jensen"]}, "emails", "ignores all others"),
        ({"phoneNumbers": [{"type": "mobile", "value": "5"}]}, "phoneNumbers", "ignores all others"),
        ({"addresses": [{"type": "Work"}]}, "addresses", "ignores all others"),
        ({"addresses": [{"type": "work", "town": "Jensen"}]}, 'addresses[type eq "work"].town', "locality"),
        ({ENTERPRISE: {"Department": "Jensen"}}, f"{ENTERPRISE}:Department", "did you mean department?"),
        ({ENTERPRISE: {"salary": 5}}, f"{ENTERPRISE}:salary", "no attribute of the enterprise user"),
        ({ENTERPRISE: {"manager": {"value": "8", "employeeId": "Jensen"}}}, f"{MANAGER}.employeeId", "sets itself"),
        ({ENTERPRISE.lower(): {"department": "Jensen"}}, ENTERPRISE.lower(), "known schema"),
        ({f"{ENTERPRISE}:department": "Jensen"}, f"{ENTERPRISE}:department", "known schema"),
        ({f"{ENTERPRISE}:manager": {"value": "8"}}, MANAGER, "known schema"),
        ({CORE: {"title": "Jensen"}}, CORE, "known schema"),
        ({f"{CORE}:title": "Jensen"}, f"{CORE}:title", "known schema"),
        ({"urn:ietf:params:scim:schemas:core:2.0:Group": {}}, "urn:ietf:params:scim:schemas:core:2.0:Group", "core"),
        ({"urn:a b": {}}, "urn:a b", "not an attribute path"),
        ({CONTOSO: {"hire date": "Jensen"}}, f"{CONTOSO}:hire date", "not an attribute path"),
        ({CONTOSO: {"a.b": "Jensen"}}, f"{CONTOSO}:a.b", "sub-attribute"),
        ({CONTOSO: {"a:b": "Jensen"}}, f"{CONTOSO}:a:b", "not written as"),
        ({CONTOSO: {"a ": "Jensen"}}, f"{CONTOSO}:a ", "not written as"),
    ],
    ids=str,
)
def test_what_the_api_would_ignore_is_a_problem_with_its_reason(members: dict[str, Any], path: str, reason: str):
    (found,) = problems(**members)
    assert (found.attribute, found.code, reason in found.message) == (path, "notTaken", True), found


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"title": 5}, "title"),
        ({"title": True}, "title"),
        ({"title": {"x": [[[["Jensen"]]]]}}, "title"),
        ({"externalId": 701984}, "externalId"),
        ({"userName": ["Jensen"]}, "userName"),
        ({"name": "Jensen"}, "name"),
        ({"name": []}, "name"),
        ({"name": {"givenName": 5}}, "name.givenName"),
        ({"emails": {"type": "work"}}, "emails"),
        ({"emails": "Jensen"}, "emails"),
        ({"emails": [{"type": "work", "value": 5}]}, 'emails[type eq "work"].value'),
        ({ENTERPRISE: ["Jensen"]}, ENTERPRISE),
        ({ENTERPRISE: {"costCenter": 4130}}, f"{ENTERPRISE}:costCenter"),
        ({ENTERPRISE: {"manager": "Jensen"}}, MANAGER),
        ({ENTERPRISE: {"manager": {"value": 89607}}}, f"{MANAGER}.value"),
        ({CONTOSO: "Jensen"}, CONTOSO),
        ({CONTOSO: {"a": {"b": "Jensen"}}}, f"{CONTOSO}:a"),
        ({CONTOSO: {"a": ["Jensen"]}}, f"{CONTOSO}:a"),
    ],
    ids=str,
)
def test_a_value_of_another_type_is_a_problem_and_never_converted(members: dict[str, Any], path: str):
    assert codes(problems(**members)) == [(path, "wrongType")]


@pytest.mark.parametrize("blank", ["", " ", "\u00a0"], ids=ascii)
def test_a_blank_value_is_a_problem_since_it_may_clear_or_not(blank: str):
    assert codes(problems(title=blank)) == [("title", "blank")]
    assert codes(problems(name={"givenName": blank})) == [("name.givenName", "blank")]
    assert codes(problems(**{CONTOSO: {"a": blank}})) == [(f"{CONTOSO}:a", "blank")]
    assert codes(problems(**{ENTERPRISE: {"manager": {"value": blank}}})) == [(f"{MANAGER}.value", "blank")]
    assert codes(problems(**{ENTERPRISE: {"manager": {}}})) == [(f"{MANAGER}.value", "blank")]


@pytest.mark.parametrize(
    "members",
    [
        {"title": None},
        {"name": {"givenName": None, "familyName": "Jensen"}},
        {"emails": [{"type": "work", "value": None}]},
        {ENTERPRISE: {"department": None, "manager": None}},
        {CONTOSO: {"hireDate": None}},
    ],
    ids=str,
)
def test_null_is_kept_where_it_clears_a_single_value(members: dict[str, Any]):
    held = orjson.loads(sent(**members).user)
    assert {name: held[name] for name in members} == members


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"emails": None}, "emails"),
        ({"phoneNumbers": None}, "phoneNumbers"),
        ({"addresses": None}, "addresses"),
        ({"name": None}, "name"),
        ({ENTERPRISE: None}, ENTERPRISE),
        ({ENTERPRISE: {"manager": {"value": None}}}, f"{MANAGER}.value"),
        ({CONTOSO: None}, CONTOSO),
    ],
    ids=str,
)
def test_null_is_a_problem_where_the_api_clears_nothing(members: dict[str, Any], path: str):
    assert codes(problems(**members)) == [(path, "nullValue")]


def test_all_problems_of_a_user_are_told_at_once():
    found = problems("externalId", externalid="1", active="true", password="x", title="", emails=None, name={"x": "1"})
    assert sorted(codes(found)) == [
        ("active", "wrongType"),
        ("emails", "nullValue"),
        ("externalId", "blank"),
        ("externalid", "notTaken"),
        ("name.x", "notTaken"),
        ("password", "notTaken"),
        ("title", "blank"),
    ]
    assert len(problems(**{f"x{number}": 1 for number in range(500)})) == 100


@pytest.mark.parametrize("number", ["12345678901234567890123", "1.10", "-0", "1e400"])
def test_numbers_and_booleans_of_an_extension_are_sent_exactly(number: str):
    content = json.dumps({**LEAST, CONTOSO: {"n": "number", "b": False}}).replace('"number"', number)
    ((_, value),) = json_objects([content.encode()])
    user = scim_user(value)
    assert isinstance(user, ScimUser)
    assert b'{"n":%b,"b":false}' % number.encode() in user.user


def test_half_a_surrogate_pair_is_a_problem_wherever_it_stands():
    half = "Jen\ud83d"
    user = {**LEAST, "title": half, "name": {"givenName": half}, CONTOSO: {"a": half}}
    assert sorted(codes(scim_user(user))) == [
        ("name.givenName", "notText"),
        ("title", "notText"),
        (f"{CONTOSO}:a", "notText"),
    ]
    odd = scim_user({**LEAST, half: 1, "name": {half: 1}, CONTOSO: {half: 1}, "emails": [{"type": "work", half: 1}]})
    assert [problem.code for problem in odd] == ["notTaken"] * 4
    assert all("\\ud83d" in problem.attribute for problem in odd)


def test_the_given_user_is_left_as_it_was():
    value = {**LEAST, "id": "1", "externalId": " 1 ", ENTERPRISE: {"manager": {"value": " 8 "}}}
    before = json.dumps(value)
    scim_user(value, ["title"])
    assert json.dumps(value) == before


def test_every_complex_attribute_of_the_user_is_looked_into():
    complex_attributes = set()
    for name, field in User.model_fields.items():
        parts = [part for one in typing.get_args(field.annotation) for part in (one, *typing.get_args(one))]
        if any(isinstance(part, type) and issubclass(part, BaseModel) for part in parts):
            complex_attributes.add(field.alias or name)
    assert complex_attributes == set(scim_problems._NO_NULL)
    assert complex_attributes == {"name", ENTERPRISE, *scim_problems.MULTI_VALUED}


def test_decoration_is_left_out_and_told():
    enterprise = {"manager": {"value": "89607", "displayName": "John Smith", "$ref": "../Users/89607"}}
    emails = [{"type": "work", "value": "b@example.com", "primary": True}]
    user = scim_user({**LEAST, ENTERPRISE: enterprise, "emails": emails})
    assert isinstance(user, ScimUser)
    sent = orjson.loads(user.user)
    assert sent[ENTERPRISE] == {"manager": {"value": "89607"}}
    assert sent["emails"] == [{"type": "work", "value": "b@example.com"}]
    assert set(user.dropped) == {"manager.displayName", "manager.$ref", "emails.primary"}


NAMES = st.sampled_from(
    [
        *LEAST,
        "schemas",
        "id",
        "title",
        "name",
        "givenName",
        "emails",
        "type",
        "value",
        "manager",
        ENTERPRISE,
        CONTOSO,
        CORE,
    ]
)
ANY = st.recursive(
    st.none() | st.booleans() | st.text() | st.just("work") | st.integers() | st.floats() | st.just(JsonNumber("1")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(), inner, max_size=4),
    max_leaves=15,
)


@PROPERTY
@given(st.dictionaries(NAMES | st.text(), ANY, max_size=8), st.booleans(), st.lists(NAMES, max_size=2))
def test_any_object_is_a_user_or_has_problems(value: dict[str, Any], complete: bool, dropped: list[str]):
    found = scim_user({**value, **LEAST} if complete else value, dropped)
    if isinstance(found, ScimUser):
        User.model_validate_json(found.user)
        assert set(orjson.loads(found.user)) == {*value, "schemas", *LEAST} - {*found.dropped}
    else:
        assert found
        assert all(problem.message and problem.advice for problem in found)
        json.dumps(found, ensure_ascii=False).encode()


@PROPERTY
@given(st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip))
def test_every_text_is_sent_as_it_is(text: str):
    members = {"title": text, "name": {"familyName": text}, CONTOSO: {"a": text}}
    held = orjson.loads(sent(**members).user)
    assert {name: held[name] for name in members} == members
