"""`set_aside.csv`: opens in a spreadsheet as text, and as nothing else."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.planning.set_aside import set_aside_csv
from shared.inbound.planning.working_set import SetAsideRow
from tests.unit.builders import PROPERTY, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.inbound.reading.row_batch import RowProblem


COLUMNS = ["WorkerID", "Größe"]


def aside(*problems: RowProblem, cells: Sequence[str] = ("701984", "")) -> SetAsideRow:
    return SetAsideRow(list(problems), list(cells))


def table(*rows: SetAsideRow, columns: Sequence[str] = COLUMNS) -> list[list[str]]:
    content = b"".join(set_aside_csv(rows, columns))
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_it_begins_with_one_byte_order_mark_so_that_excel_reads_utf_8():
    content = b"".join(set_aside_csv([aside(problem())] * 2000, COLUMNS))
    assert content.startswith(b"\xef\xbb\xbfline,")
    assert content.count(b"\xef\xbb\xbf") == 1
    assert content.count(b"\r\n") == 2001


HEADER = ["line", "column", "problem", "what to do", *COLUMNS]


def test_a_run_that_sets_nothing_aside_has_a_header_all_the_same():
    assert table() == [HEADER]


def test_every_row_has_one_line_with_all_of_its_problems_and_hrs_own_cells():
    header, *lines = table(
        aside(problem(2, "A", "blank"), problem(2, "B", "dateFormat"), problem(2, "A", "unknownStatus")),
        aside(problem(9, None, "tooFewCells"), cells=["7"]),
    )
    assert header == HEADER
    words = "blank. [blank] dateFormat. [dateFormat] unknownStatus. [unknownStatus]"
    assert lines == [
        ["2", "A; B", words, "Correct it.", "701984", ""],
        ["9", "", "tooFewCells. [tooFewCells]", "Correct it.", "7"],
    ]


FORMULAS = pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"], ids=repr)
PLAIN = pytest.mark.parametrize("text", ["Worker, ID", 'the "real" ID', "Worker\nID", "Größe", "a=b", "007"], ids=repr)


@FORMULAS
def test_neither_a_columns_name_nor_a_cell_is_a_formula(text: str):
    header, line = table(aside(problem(column=text), cells=[text, "x"]), columns=[text, "X"])
    assert (header[4:], line[1], line[4:]) == ([f"'{text}", "X"], f"'{text}", [f"'{text}", "x"])


@PLAIN
def test_any_other_text_stays_as_it_is(text: str):
    header, line = table(aside(problem(column=text), cells=[text, "x"]), columns=[text, "X"])
    assert (header[4:], line[1], line[4:]) == ([text, "X"], text, [text, "x"])


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.text(
    st.sampled_from("'=+-@\t\r\n,\"a"), max_size=5
)


@PROPERTY
@given(st.lists(TEXT, min_size=1, max_size=3), TEXT)
def test_no_text_makes_a_formula_or_another_line(columns: list[str], cell: str):
    (line,) = table(aside(*(problem(column=name) for name in columns), cells=[cell]))[1:]
    assert line[4] in (cell, f"'{cell}")
    assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
