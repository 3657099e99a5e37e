"""JSON objects as rows: which column a value is, and that no renamed column reads as blank."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import HrFileError
from shared.inbound.reading.headers import MAX_COLUMNS
from shared.inbound.reading.json_rows import JsonRows, flatten
from shared.inbound.reading.json_values import JsonNumber, JsonObject, json_objects
from tests.unit.builders import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def objects(*values: dict[str, Any]) -> Iterator[JsonObject]:
    """As json_objects gives them, one on each line."""
    return json_objects([json.dumps(value).encode() + b"\n" for value in values])


def table(
    mapped: list[str], *values: dict[str, Any], optional: Collection[str] = ()
) -> tuple[list[str], list[list[str]], JsonRows]:
    rows = JsonRows(objects(*values), mapped, optional)
    return rows.columns, [cells for _, cells in rows.rows()], rows


def refusal(mapped: list[str], *values: dict[str, Any], optional: Collection[str] = ()) -> tuple[str, str]:
    with pytest.raises(HrFileError) as refused:
        table(mapped, *values, optional=optional)
    assert refused.value.reason.advice
    assert "Jensen" not in refused.value.reason.message
    return refused.value.reason.code, refused.value.reason.message


def test_a_column_is_the_path_of_a_value():
    value = {"name": {"first": "Zoë", "more": {"x": "1"}}, "phones": [{"value": "5"}, "6"], "": {"": "e"}}
    assert flatten(value) == {
        "name.first": "Zoë",
        "name.more.x": "1",
        "phones.0.value": "5",
        "phones.1": "6",
        ".": "e",
    }
    assert list(flatten(value)) == ["name.first", "name.more.x", "phones.0.value", "phones.1", "."]


@pytest.mark.parametrize(
    ("value", "cell"), [(True, "true"), (False, "false"), (None, ""), ({}, ""), ([], "")], ids=repr
)
def test_what_is_no_text_and_no_number_has_a_cell_too(value: Any, cell: str):
    assert flatten({"a": value, "b": {"c": [value]}}) == {"a": cell, "b.c.0": cell}


@pytest.mark.parametrize("text", ["", " x ", "1e3", "701984.0", "\u0000", "true", "a\nb"], ids=repr)
def test_text_is_left_as_it_is(text: str):
    assert flatten({"a": text}) == {"a": text}


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("701984", "701984"),
        ("701984.0", "701984"),
        ("701984.000", "701984"),
        ("7.01984e5", "701984"),
        ("1e3", "1000"),
        ("1E+3", "1000"),
        ("100e-1", "10"),
        ("-5.0", "-5"),
        ("0", "0"),
        ("-0.0", "0"),
        ("0e5", "0"),
        ("0.0e-5", "0"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1.10", "1.10"),
        ("1.5e-7", "1.5e-7"),
        ("5e-1", "5e-1"),
        ("0.5e30", "5" + "0" * 29),
        ("1e30", "1" + "0" * 30),
        ("1e31", "1e31"),
        ("1e-31", "1e-31"),
        ("1e999999999999", "1e999999999999"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_whole_number_is_digits_and_every_other_is_as_it_is_written(written: str, cell: str):
    assert flatten({"n": JsonNumber(written)}) == {"n": cell}


@pytest.mark.parametrize("value", [{"a.b": "Jensen", "a": {"b": "Jensen"}}, {"a": ["1"], "a.0": None}], ids=repr)
def test_two_values_of_the_same_column_are_refused(value: dict[str, Any]):
    for order in (value, dict(reversed(value.items()))):
        code, message = refusal([], {"x": 1}, order)
        assert (code, "line 2 " in message) == ("repeatedKey", True)


def test_an_object_has_so_many_columns_and_no_more():
    most = {f"c{number}": "x" for number in range(MAX_COLUMNS)}
    assert len(flatten(most)) == MAX_COLUMNS
    for more in ({**most, "d": None}, {"a": ["x"] * (MAX_COLUMNS + 1)}, {"a": most, "b": [[], "x"]}):
        code, message = refusal([], {"x": 1}, more)
        assert (code, "line 2 " in message) == ("tooManyColumns", True)


def test_long_names_over_many_values_are_refused_before_they_fill_the_memory():
    value: Any = ["x"] * 30
    with pytest.raises(HrFileError) as refused:
        flatten({"n" * 400_000: value})
    assert refused.value.reason.code == "tooManyColumns"


def test_an_object_that_is_nested_deeply_is_flattened():
    deep: dict[str, Any] = {"a": "x"}
    for _ in range(700):
        deep = {"a": deep}
    assert list(flatten(deep).values()) == ["x"]


# Rows


def test_mapped_columns_come_first_and_whatever_else_there_is_after_them():
    columns, cells, rows = table(["b", "a.x"], {"c": "1", "a": {"x": "2"}, "b": "3"}, {"d": "4", "b": "5"})
    assert columns == ["b", "a.x", "c", "d"]
    assert cells == [["3", "2", "1", ""], ["5", "", "", "4"]]
    assert (rows.ignored, rows.loosely) == (["c", "d"], {})


def test_lines_are_those_of_the_objects():
    rows = JsonRows(json_objects([b'[\n{"a": 1},\n\n{"a": 2}]']), ["a"])
    assert list(rows.rows()) == [(2, ["1"]), (4, ["2"])]


@pytest.mark.parametrize("before", [0, 98, 99, 100, 250])
def test_rows_have_one_width_and_what_comes_late_is_no_column(before: int):
    columns, cells, rows = table(["a"], *[{"a": "x"}] * before, {"a": "1", "late": "2"})
    assert len(cells) == before + 1
    assert {len(row) for row in cells} == {len(columns)}
    assert rows.ignored == (["late"] if before < 100 else [])


def test_the_first_objects_are_kept_only_as_far_as_they_are_small():
    taken = []

    def large() -> Iterator[JsonObject]:
        for number in range(100):
            taken.append(number)
            yield JsonObject(number, {"a": "x" * 500_000})

    rows = JsonRows(large(), ["a"])
    assert len(taken) < 5
    assert sum(1 for _ in rows.rows()) == 100


def test_no_more_columns_than_a_file_may_have_are_shown():
    columns, _, _ = table(["a"], *({"a": "x", **{f"c{n}-{k}": "" for k in range(600)}} for n in range(3)))
    assert len(columns) == MAX_COLUMNS


def test_a_mapped_column_that_no_object_has_refuses_the_file_at_its_end():
    code, message = refusal(["id", "title", "dept"], *[{"id": "Jensen", "Titel": "x"}] * 3)
    assert (code, "title, dept" in message, "id," in message) == ("missingColumns", True, False)
    rows = JsonRows(objects({"id": "1"}, {"id": "2"}), ["id", "title"])
    given = rows.rows()
    assert [next(given), next(given)] == [(1, ["1", ""]), (2, ["2", ""])]
    with pytest.raises(HrFileError):
        next(given)


def test_a_mapped_column_that_any_object_has_is_there():
    _, cells, _ = table(["id", "title"], *[{"id": "1"}] * 150, {"id": "2", "title": None})
    assert cells[-1] == ["2", ""]


def test_an_optional_column_may_be_absent_from_the_whole_file():
    columns, cells, _ = table(["id", "title"], {"id": "1"}, optional=["title"])
    assert (columns, cells) == (["id", "title"], [["1", ""]])
    assert refusal(["id", "title"], {"title": "1"}, optional=["title"])[0] == "missingColumns"


def test_a_parent_that_is_null_is_not_the_column_below_it():
    assert refusal(["manager.id"], {"manager": None}, {"manager": {}})[0] == "missingColumns"


def test_a_column_is_found_where_only_its_look_differs():
    columns, cells, rows = table(["WorkerID", "name.first"], {"worker id": "1", "Name": {"First": "Ana"}, "x": "2"})
    assert (columns, cells) == (["WorkerID", "name.first", "x"], [["1", "Ana", "2"]])
    assert rows.loosely == {"WorkerID": "worker id", "name.first": "Name.First"}
    assert rows.ignored == ["x"]


def test_a_look_alike_beside_the_column_itself_is_another_column():
    columns, cells, rows = table(["ID"], {"id": "guid", "ID": "1"}, {"ID": "2"})
    assert (columns, cells, rows.loosely) == (["ID", "id"], [["1", "guid"], ["2", ""]], {})


@pytest.mark.parametrize(
    ("mapped", "values"),
    [
        (["ID"], [{"id": "1"}, {"ID": "2"}]),
        (["ID"], [{"ID": "1"}, {"id": "2"}]),
        (["ID"], [{"ID": "1", "id": "x"}, {"id": "2"}]),
        (["ID"], [{"id": "1"}, {"Id": "2"}]),
        (["ID"], [{"id": "1", "Id": "2"}]),
        (["ID", "id"], [{"ID": "1", "id": "2"}, {"ID": "1", "Id": "3"}]),
        (["ID", "id"], [{"id": "2", "Id": "3"}]),
        (["ID"], [{"id": "1"}] * 150 + [{"ID": "2"}]),
        (["ID"], [{"ID": "1"}] * 150 + [{"i d": "2"}]),
    ],
)
def test_a_column_that_is_written_in_several_ways_refuses_the_file(mapped: list[str], values: list[dict[str, Any]]):
    code, message = refusal(mapped, *values)
    assert (code, "column I" in message or "column i" in message) == ("ambiguousColumns", True)


LEAVES = st.none() | st.booleans() | st.text() | st.integers().map(lambda number: JsonNumber(str(number)))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=15
)


@PROPERTY
@given(st.dictionaries(st.text(), VALUES), st.lists(st.text(), max_size=3))
def test_any_object_becomes_cells_or_is_refused(value: dict[str, Any], mapped: list[str]):
    rows = JsonRows(iter([JsonObject(1, value)] * 2), mapped, mapped)
    try:
        cells = [row for _, row in rows.rows()]
    except HrFileError as refused:
        code, cells = refused.reason.code, []
    if not cells:
        assert code in ("repeatedKey", "ambiguousColumns")
        return
    assert {len(row) for row in cells} == {len(rows.columns)}


@PROPERTY
@given(st.dictionaries(st.text(st.characters(exclude_characters=".")), st.text(), min_size=1))
def test_every_text_is_in_the_cell_of_its_column(value: dict[str, str]):
    rows = JsonRows(iter([JsonObject(1, value)]), sorted(value))
    ((_, cells),) = rows.rows()
    assert dict(zip(rows.columns, cells, strict=True)) == value
