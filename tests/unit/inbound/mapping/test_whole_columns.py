"""A column with many different cells is worked on all at once; what comes out must be what each cell alone gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.mapping.column_memo import ColumnMemo
from shared.inbound.reading.row_batch import RowBatch
from tests.unit.builders import CELLS, CONTOSO, EMAIL, ENTERPRISE, PROPERTY, codes, hr_row, map_rows, mapping_of

COLUMNS = [*CELLS, "A", "B"]
RULES: list[tuple[str, Any]] = [
    ("externalId", {"column": "A", "transforms": ["lower"]}),
    ("externalId", {"column": "A", "check": "none", "pattern": r"\w+"}),
    ("userName", {"column": "A", "transforms": ["trim", "lower"]}),
    ("userName", {"template": "{A}.{B}@example.com", "transforms": ["lower"]}),
    ("userName", {"template": "{A}{B}", "check": "none"}),
    (f"{ENTERPRISE}:manager.value", "A"),
    (f"{ENTERPRISE}:manager.value", {"column": "A", "required": True}),
    ("title", "A"),
    ("title", {"column": "A", "transforms": ["upper", "trim"]}),
    ("title", {"column": "A", "required": True}),
    ("title", {"column": "A", "blank": "null", "pattern": "a|b|ab"}),
    ("title", {"column": "A", "check": "email"}),
    ("title", {"template": "{B}{A}%s%%"}),
    ("title", {"template": "{B} {A} {B}", "transforms": ["trim"]}),
    ("title", {"template": "{A} {B}", "partly_blank": "omit"}),
    ("title", {"template": "{A} {B}", "partly_blank": "set_aside", "blank": "null"}),
    ("title", {"column": "A", "when": {"B": {"blank": False}}}),
    ("title", {"first_of": ["A", "B"], "transforms": ["collapse_spaces"]}),
    ("title", {"column": "A", "split": {"by": "a", "part": 1}}),
    ("title", {"column": "A", "values": {"a": "x"}}),
    (EMAIL, "A"),
    (EMAIL, {"template": "{A}@{B}.com"}),
    ('addresses[type eq "work"].country', {"column": "A", "transforms": ["upper"]}),
    (f"{CONTOSO}:n", {"column": "A", "type": "Integer"}),
    (f"{CONTOSO}:b", {"column": "A", "true_when": ["a"], "false_when": ["b"]}),
    (f"{CONTOSO}:d", {"column": "A", "date": "%d%m%Y"}),
    ("active", {"column": "A", "true_when": ["a"], "false_when": ["b"]}),
    (f"{ENTERPRISE}:department", "A"),
]
CELL = st.one_of(
    st.sampled_from(
        ["", " ", "\t", "a", " a ", "b", "A", "a\n", "\u200b", "PT", "pt", "7", " 7", "13052021", "u@x.com"]
    ),
    st.sampled_from(
        ["a" * 63, "a" * 65, "b" * 129, "ß" * 64, "İ" * 64, "a@b", "A@B.com ", "%s", "é", "x\u00a0y", "+1"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
)


def many_were_met(function: Any) -> ColumnMemo:
    """The memory of a column that has turned out to have many different cells."""
    memo = ColumnMemo(function, 0)
    memo._remembers = False
    assert not memo.is_worth_it
    return memo


@PROPERTY
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
@pytest.mark.parametrize(("path", "rule"), RULES, ids=str)
def test_a_column_that_is_not_remembered_gives_what_each_cell_gives(path: str, rule: Any, pairs: list[tuple[str, str]]):
    rows = [hr_row(n, A=a, B=b) for n, (a, b) in enumerate(pairs)]
    mapping = mapping_of({path: rule}, COLUMNS)
    one_by_one = [map_rows(mapping_of({path: rule}, COLUMNS), row)[0] for row in rows]
    assert map_rows(mapping, *rows) == one_by_one, "remembered"
    for attribute in mapping._attributes:
        attribute._memo = many_were_met(attribute._guarded)
    assert map_rows(mapping, *rows) == one_by_one, "not remembered"
    assert map_rows(mapping, *rows) == one_by_one, "not remembered, again"


@pytest.mark.parametrize("bad", [0, 1023, 1024, 4000, 6000])
def test_a_problem_is_found_wherever_it_stands_in_a_large_file(bad: int):
    mapping = mapping_of()
    found = []
    for start in range(0, 6144, 1024):
        rows = [
            hr_row(
                n, WorkerID=f"W{n}", UserID="?" if n == bad else f"u{n}@example.com", HireDate="x" if n == bad else ""
            )
            for n in range(start, start + 1024)
        ]
        found += map_rows(mapping, *rows)
    assert codes(found.pop(bad)) == [("UserID", "invalidUserName"), ("HireDate", "dateFormat")]
    assert [row.user["userName"] for row in found] == [f"u{n}@example.com" for n in range(6144) if n != bad]


def test_what_is_remembered_of_one_attribute_is_nothing_to_another():
    both = {"title": {"column": "A", "transforms": ["upper"]}, "nickName": {"column": "A", "transforms": ["lower"]}}
    for row in map_rows(mapping_of(both, COLUMNS), *(hr_row(n, A="Ab", B="") for n in range(3))):
        assert (row.user["title"], row.user["nickName"]) == ("AB", "ab")


def test_one_row_can_be_explained_attribute_by_attribute():
    mapping = mapping_of({"title": {"column": "A", "values": {"x": "X"}}, "nickName": "B"}, COLUMNS)
    explained = {value.path.attribute: value for value in mapping.explain(hr_row(A="?", B="").cells)}
    assert explained["title"].value.code == "unknownValue"
    assert explained["title"].columns == ("A",)
    assert explained["nickName"].value == ""
    assert explained["userName"].value == "bjensen@example.com"
    assert mapping.map(RowBatch([2], [hr_row(A="x", B="").cells])).users[0]


def test_the_memory_of_a_column_is_bounded():
    mapping = mapping_of()
    for start in range(0, 20_480, 1024):
        mapping.map(RowBatch([*range(1024)], [hr_row(UserID=f"u{start + n}@x.com").cells for n in range(1024)]))
    assert max(len(attribute._memo) for attribute in mapping._attributes) <= 16_384
