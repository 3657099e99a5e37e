"""`set_aside.csv`, repaired and dropped: read as HR's own file, whatever the feed's layout."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.planning.set_aside import set_aside_csv
from shared.inbound.planning.working_set import SetAsideRow
from shared.inbound.reading.hr_file import HrFile
from shared.inbound.reading.own_set_aside import is_own_set_aside, no_formula, without_formula_mark
from tests.unit.builders import PROPERTY, problem

COLUMNS = ["Id", "Name", "Salary"]
MAPPED = ["Id", "Name"]


def written(*rows: list[str], columns: list[str] = COLUMNS) -> bytes:
    """The file that a run writes for these rows."""
    aside = [SetAsideRow([problem(line)], cells) for line, cells in enumerate(rows, start=2)]
    return b"".join(set_aside_csv(aside, columns))


def read(content: bytes, mapped: list[str] | None = None, **layout: Any) -> tuple[HrFile, list[list[str]]]:
    hr_file = HrFile([content], FileLayout.model_validate(layout), MAPPED if mapped is None else mapped)
    return hr_file, [row.cells for row in hr_file.rows()]


LAYOUTS = [
    {},
    {"format": "csv", "separator": "semicolon", "encoding": "windows-1252", "header_row": 3},
    {"trailer": {"first_cell": "T"}, "comment": "l"},
    {"format": "json"},
    {"format": "workbook"},
    {"encoding": "utf-16-le"},
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_it_is_read_whatever_the_feeds_layout_is(layout: dict[str, Any]):
    rows = [["1", "Zoë", "9"], ["2", 'a "b"\r\n', ""]]
    hr_file, found = read(written(*rows), **layout)
    assert hr_file.is_own_set_aside
    assert hr_file.columns == COLUMNS
    assert found == rows
    assert hr_file.header.ignored == ["Salary"]


def test_its_rows_have_the_lines_on_which_they_now_stand():
    hr_file = HrFile([written(["1", "a\nb", ""], ["2", "c", ""])], None, MAPPED)
    assert [row.line for row in hr_file.rows()] == [2, 4]


@pytest.mark.parametrize("mark", [";", "\t", "|"], ids=["semicolon", "tab", "bar"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["no mark", "mark"])
def test_it_is_known_when_a_spreadsheet_program_has_saved_it_again(mark: str, start: str):
    text = written(["1", "Zoë", "9"]).decode("utf-8-sig").replace(",", mark)
    hr_file, found = read((start + text).encode())
    assert hr_file.is_own_set_aside
    assert found == [["1", "Zoë", "9"]]


@pytest.mark.parametrize("start", [b"line,column,problem\n", b"lines,column,problem,what to do,Id", b"Id,Name\n", b""])
def test_another_header_is_another_file(start: bytes):
    assert not is_own_set_aside(start)


def test_it_is_known_where_its_cells_are_in_quotes():
    assert is_own_set_aside(b'"line";"column";"problem";"what to do";"Id"\n')


@pytest.mark.parametrize("text", ["=1", "+49", "-1", "@x", "\tx", "\rx", "'=1", "''-", "'x", "'", "", "x=1", "\n="])
def test_a_cell_comes_back_as_hr_wrote_it(text: str):
    assert without_formula_mark(no_formula(text)) == text
    assert read(written([text, "x", text]))[1] == [[text, "x", text]]


@pytest.mark.parametrize("name", ["=Id", "+Id", "-Id", "@Id"])
def test_a_column_whose_name_could_be_a_formula_is_found_again(name: str):
    hr_file, found = read(written(["1", "x"], columns=[name, "Name"]), [name, "Name"])
    assert (hr_file.columns, found) == ([name, "Name"], [["1", "x"]])


@pytest.mark.parametrize("name", ["line", "column", "problem", "what to do", "Line"])
def test_a_column_of_hrs_own_that_is_named_as_one_of_the_files_is_hrs(name: str):
    hr_file, found = read(written(["1", "x"], columns=[name, "Name"]), [name, "Name"])
    assert (hr_file.columns, found) == ([name, "Name"], [["1", "x"]])


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | st.text(
    st.sampled_from("'=+-@\t\r\n,\""), max_size=5
)


@PROPERTY
@given(TEXT)
def test_no_cell_is_changed_by_going_out_and_in(text: str):
    safe = no_formula(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert without_formula_mark(safe) == text


@PROPERTY
@given(st.lists(st.lists(TEXT, min_size=3, max_size=3).filter(lambda row: any(map(str.strip, row))), min_size=1))
def test_any_rows_that_were_set_aside_can_be_dropped_again(rows: list[list[str]]):
    assert read(written(*rows))[1] == rows
