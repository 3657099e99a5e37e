"""`rows.include` and `rows.exclude`: who is not meant is counted and named, and never sent."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import HrFileError
from tests.unit.builders import COLUMNS, MappedRow, codes, hr_row, map_rows, mapping_of

DAY = {"date": "%d/%m/%Y"}


def outcome(rows: dict[str, Any], **cells: str) -> Any:
    """`sent`, or where and why not."""
    (found,) = map_rows(mapping_of(rows=rows), hr_row(**cells))
    return "sent" if isinstance(found, MappedRow) else codes(found)


SALES = {"include": {"Department": "Sales"}}


@pytest.mark.parametrize(
    ("rows", "cells", "expected"),
    [
        ({}, {}, "sent"),
        (SALES, {"Department": "Sales"}, "sent"),
        (SALES, {"Department": "IT"}, [("Department", "excluded")]),
        (SALES, {"Department": ""}, [("Department", "excluded")]),
        ({"include": [{"Department": "Sales"}, {"Department": "IT"}]}, {"Department": "IT"}, "sent"),
        ({"include": [{"Department": "Sales", "LastName": "Jensen"}]}, {"Department": "Sales"}, "sent"),
        (
            {"include": [{"Department": "Sales", "LastName": "X"}, {"Department": "IT"}]},
            {"Department": "Sales"},
            [("Department, LastName", "excluded")],
        ),
        ({"exclude": {"LastName": {"matches": "(?i)test.*"}}}, {"LastName": "Testperson"}, [("LastName", "excluded")]),
        ({"exclude": {"LastName": {"matches": "(?i)test.*"}}}, {"LastName": "Contest"}, "sent"),
        ({"exclude": [{"Department": "IT"}, {"LastName": "X"}]}, {"LastName": "X"}, [("LastName", "excluded")]),
        ({**SALES, "exclude": {"LastName": "X"}}, {"Department": "Sales", "LastName": "X"}, [("LastName", "excluded")]),
        ({"exclude": {"HireDate": {"after": "today", **DAY}}}, {"HireDate": "02/09/2026"}, [("HireDate", "excluded")]),
        ({"exclude": {"HireDate": {"after": "today", **DAY}}}, {"HireDate": "01/09/2026"}, "sent"),
        ({"exclude": {"HireDate": {"after": "today", **DAY}}}, {"HireDate": ""}, "sent"),
    ],
    ids=str,
)
def test_who_is_meant(rows: dict[str, Any], cells: dict[str, str], expected: Any):
    assert outcome(rows, **cells) == expected


def test_a_row_that_is_left_out_has_no_other_problem():
    assert outcome(SALES, WorkerStatus="?", UserID="", ManagerID="701984", Email="#N/A") == [("Department", "excluded")]


def test_a_row_that_is_left_out_says_whose_it_is_and_by_which_condition():
    rows = {"exclude": [{"Department": "IT"}, {"LastName": "Jensen"}]}
    ((found,),) = map_rows(mapping_of(rows=rows), hr_row(7))
    assert (found.line, found.external_id) == (7, "701984")
    assert "condition 2" in found.message
    assert found.advice


def test_a_row_without_a_key_is_left_out_all_the_same():
    ((found,),) = map_rows(mapping_of(rows=SALES), hr_row(WorkerID=""))
    assert (found.code, found.external_id) == ("excluded", None)


@pytest.mark.parametrize("rows", [{"include": {"HireDate": {"before": "today", **DAY}}}])
def test_where_the_filter_can_not_be_decided_the_row_is_set_aside(rows: dict[str, Any]):
    (found,) = map_rows(mapping_of(rows=rows), hr_row(HireDate="soon"))
    assert set(codes(found)) == {("HireDate", "dateFormat")}
    assert all("soon" not in f"{problem.message}{problem.advice}" for problem in found)


def test_a_date_that_decides_nothing_more_is_no_problem_of_the_filter():
    rows = {"exclude": [{"Department": "IT"}, {"HireDate": {"after": "today", **DAY}}]}
    assert outcome(rows, Department="IT", HireDate="soon") == [("Department", "excluded")]


@pytest.mark.parametrize("more", [-3, 2])
def test_a_row_of_another_width_is_set_aside_and_not_left_out(more: int):
    row = hr_row(Department="IT")
    row = row._replace(cells=[*row.cells, "", ""][: len(row.cells) + more])
    (found,) = map_rows(mapping_of(rows=SALES), row)
    assert codes(found) == [(None, "tooFewCells" if more < 0 else "tooManyCells")]


def test_rows_of_every_kind_in_one_batch_are_kept_apart():
    rows = [
        hr_row(2, Department="Sales"),
        hr_row(3, Department="IT", WorkerStatus="?"),
        hr_row(4, Department="Sales", WorkerStatus="?"),
        hr_row(5, Department="IT"),
        hr_row(6, Department="Sales", WorkerID="7"),
    ]
    first, *middle, last = map_rows(mapping_of(rows=SALES), *rows)
    assert [codes(found) for found in middle] == [
        [("Department", "excluded")],
        [("WorkerStatus", "unknownStatus")],
        [("Department", "excluded")],
    ]
    assert (first.external_id, last.external_id) == ("701984", "7")


def test_a_column_of_a_filter_must_be_in_the_file_as_a_mapped_one_must():
    rows = {"exclude": {"Country": "PT"}}
    with pytest.raises(HrFileError, match="Country") as refused:
        mapping_of(rows=rows)
    assert refused.value.reason.code == "missingColumns"
    mapping_of(rows=rows, columns=[*COLUMNS, "Country"])


def test_an_optional_column_that_the_file_lacks_is_blank_to_a_filter():
    rows = {"exclude": {"Country": {"blank": True}}}
    mapping = mapping_of(rows=rows, file={"optional_columns": ["Country"]})
    (found,) = map_rows(mapping, hr_row())
    assert codes(found) == [("Country", "excluded")]
