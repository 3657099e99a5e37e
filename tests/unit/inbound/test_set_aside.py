"""`set_aside.csv`: opens in a spreadsheet as text, and as nothing else."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.attribute_mapping import RowProblem
from shared.inbound.set_aside import set_aside_csv
from tests.unit.builders import PROPERTY, problem


def table(*problems: RowProblem) -> list[list[str]]:
    content = b"".join(set_aside_csv(problems))
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_it_begins_with_one_byte_order_mark_so_that_excel_reads_utf_8():
    content = b"".join(set_aside_csv([problem(), problem()]))
    assert content.startswith(b"\xef\xbb\xbfline,")
    assert content.count(b"\xef\xbb\xbf") == 1


HEADER = ["line", "column", "reason", "problem", "what to do", "externalId"]


def test_a_run_that_sets_nothing_aside_has_a_header_all_the_same():
    assert table() == [HEADER]


def test_every_row_has_one_line_with_all_of_its_problems():
    header, *lines = table(
        problem(2, "A", "blank", external_id="W2"),
        problem(2, "B", "dateFormat", external_id="W2"),
        problem(2, "A", "unknownStatus", external_id="W2"),
        problem(9, None, "tooFewCells"),
    )
    assert header == HEADER
    assert lines == [
        ["2", "A; B", "blank; dateFormat; unknownStatus", "blank. dateFormat. unknownStatus.", "Correct it.", "W2"],
        ["9", "", "tooFewCells", "tooFewCells.", "Correct it.", ""],
    ]


FORMULAS = pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"], ids=repr)
PLAIN = pytest.mark.parametrize("text", ["Worker, ID", 'the "real" ID', "Worker\nID", "Größe", "a=b", "007"], ids=repr)


@FORMULAS
def test_neither_a_columns_name_nor_a_key_is_a_formula(text: str):
    line = table(problem(column=text, external_id=text))[1]
    assert (line[1], line[5]) == (f"'{text}", f"'{text}")


@PLAIN
def test_any_other_text_stays_as_it_is(text: str):
    line = table(problem(column=text, external_id=text))[1]
    assert (line[1], line[5]) == (text, text)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@PROPERTY
@given(st.lists(TEXT, min_size=1, max_size=3), TEXT)
def test_no_text_makes_a_formula_or_another_line(columns: list[str], key: str):
    (line,) = table(*(problem(column=name, external_id=key) for name in columns))[1:]
    assert line[5].removeprefix("'") == key.removeprefix("'")
    assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
