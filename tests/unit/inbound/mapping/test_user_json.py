"""Columns of values to users as JSON: the same as if each user were built and written by itself."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.mapping.cell_problem import Problem
from shared.inbound.mapping.user_json import UserEncoder
from shared.scim.attribute_path import parse_attribute_path
from tests.unit.builders import CONTOSO, CORE, EMAIL, ENTERPRISE, PROPERTY

PATHS = [
    "externalId",
    "userName",
    "active",
    "displayName",
    "name.givenName",
    "name.familyName",
    EMAIL,
    'addresses[type eq "work"].locality',
    'addresses[type eq "work"].country',
    f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:manager.value",
    f"{CONTOSO}:grade",
    f"{CONTOSO}:hireDate",
]
PROBLEM = Problem("code", "message", "advice")


def users(paths: list[str], *rows: list[Any], encoder: UserEncoder | None = None) -> list[dict[str, Any]]:
    encoder = encoder or UserEncoder([parse_attribute_path(path) for path in paths])
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in paths]
    return [orjson.loads(text) for text in encoder.encode(columns, len(rows))]


def expected(row: list[Any]) -> dict[str, Any]:
    """The user of PATHS, built as a tree."""
    user: dict[str, Any] = {"schemas": [CORE, ENTERPRISE, CONTOSO]}
    for text, value in zip(PATHS, row, strict=True):
        path = parse_attribute_path(text)
        if isinstance(value, Problem) or value == "":
            continue
        if path.container is None:
            user[path.attribute] = value
            continue
        member = user.setdefault(path.container, [{"type": "work"}] if path.multi_valued else {})
        inner = member[0] if path.multi_valued else member
        inner[path.attribute] = {"value": value} if path.attribute == "manager" else value
    return user


def test_every_container_has_its_own_shape():
    row = ["7", "u@example.com", True, "U", "G", "F", "e@example.com", "L", "DE", "D", "1", 5, "2021-05-13"]
    assert users(PATHS, row) == [
        {
            "schemas": [CORE, ENTERPRISE, CONTOSO],
            "externalId": "7",
            "userName": "u@example.com",
            "active": True,
            "displayName": "U",
            "name": {"givenName": "G", "familyName": "F"},
            "emails": [{"type": "work", "value": "e@example.com"}],
            "addresses": [{"type": "work", "locality": "L", "country": "DE"}],
            ENTERPRISE: {"department": "D", "manager": {"value": "1"}},
            CONTOSO: {"grade": 5, "hireDate": "2021-05-13"},
        }
    ]


@pytest.mark.parametrize("nothing", ["", PROBLEM], ids=["blank", "problem"])
def test_what_has_no_value_says_nothing_and_an_empty_container_neither(nothing: Any):
    assert users(PATHS, ["7", *[nothing] * 12]) == [{"schemas": [CORE, ENTERPRISE, CONTOSO], "externalId": "7"}]


def test_an_explicit_null_is_said():
    assert users(["externalId", "title", EMAIL], ["7", None, None]) == [
        {"schemas": [CORE, ENTERPRISE], "externalId": "7", "title": None, "emails": [{"type": "work", "value": None}]}
    ]


def test_a_schema_is_declared_once_however_many_of_its_attributes_are_mapped():
    (user,) = users([f"{CONTOSO}:a", "externalId", f"{CONTOSO}:b"], ["", "7", ""])
    assert user == {"schemas": [CORE, ENTERPRISE, CONTOSO], "externalId": "7"}


def test_no_rows_are_no_users():
    assert users(PATHS) == []


def test_false_and_zero_are_values():
    paths = ["externalId", "active", f"{CONTOSO}:grade"]
    assert [user[CONTOSO]["grade"] for user in users(paths, ["7", False, 0], ["8", True, 1])] == [0, 1]
    assert [user["active"] for user in users(paths, ["7", False, 0], ["8", True, 1])] == [False, True]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.text(
    st.sampled_from('\\",%b{}[]:'), max_size=6
)
VALUE = TEXT | st.none() | st.just(PROBLEM)
ROW = st.tuples(*[VALUE] * 2, st.booleans() | st.just(PROBLEM), *[VALUE] * 8, st.integers() | st.just(""), VALUE)


@PROPERTY
@given(st.lists(ROW.map(list), max_size=4), st.booleans())
def test_any_values_become_the_user_that_a_tree_would_give(rows: list[list[Any]], remembers: bool):
    rows = [[v if not isinstance(v, int) or isinstance(v, bool) else v % 2**53 for v in row] for row in rows]
    encoder = UserEncoder([parse_attribute_path(path) for path in PATHS])
    if not remembers:
        users(PATHS, *([f"{n}"] * 11 + [n, f"{n}"] for n in range(5000)), encoder=encoder)
    assert users(PATHS, *rows, encoder=encoder) == [expected(row) for row in rows]


@PROPERTY
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_a_column_of_many_different_texts_is_written_as_one_of_few(texts: list[str]):
    encoder = UserEncoder([parse_attribute_path("title")])
    rows = [[text] for text in texts]
    before = users(["title"], *rows, encoder=encoder)
    users(["title"], *([str(n)] for n in range(5000)), encoder=encoder)
    assert users(["title"], *rows, encoder=encoder) == before
