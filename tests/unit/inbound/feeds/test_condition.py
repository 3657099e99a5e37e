"""Conditions on columns: what a feed file can ask, and what each answer is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.errors import HrFileError
from shared.inbound.feeds.condition import Condition
from shared.inbound.mapping.cell_problem import CellProblem
from shared.inbound.mapping.compiled_condition import compile_condition
from shared.inbound.mapping.compiled_rule import Context
from tests.unit.builders import BLANKS

TODAY = date(2026, 9, 1)
CONDITION = TypeAdapter(Condition)
DAY = {"date": "%d/%m/%Y"}


def holds(condition: dict[str, Any], *cells: str, typed_dates: bool = False) -> bool:
    """Whether it holds for a row with columns A, B, ..."""
    context = Context({name: index for index, name in enumerate("ABC")}, TODAY, typed_dates)
    return compile_condition(CONDITION.validate_python(condition), context)(cells)


@pytest.mark.parametrize(
    ("test", "cell", "expected"),
    [
        ("x", "x", True),
        ("x", " x\t", True),
        (" x ", "x", True),
        ("x", "X", False),
        ("x", "", False),
        ("", "", True),
        ("", " ", True),
        ("", "x", False),
        ({"equals": "x"}, "x", True),
        ({"equals": "x"}, "xy", False),
        ({"not_equals": "x"}, "x", False),
        ({"not_equals": "x"}, " x ", False),
        ({"not_equals": "x"}, "y", True),
        ({"not_equals": "x"}, "", True),
        ({"not_equals": ""}, "", False),
        ({"in": ["x", "y "]}, "y", True),
        ({"in": ["x", "y"]}, "z", False),
        ({"in": ["x", "y"]}, "", False),
        ({"not_in": ["x", "y "]}, "y", False),
        ({"not_in": ["x", "y"]}, "z", True),
        ({"not_in": ["x", "y"]}, "", True),
        ({"matches": r"[A-Z]\d+"}, "A12", True),
        ({"matches": r"[A-Z]\d+"}, " A12 ", True),
        ({"matches": r"[A-Z]\d+"}, "A12x", False),
        ({"matches": r"[A-Z]\d+"}, "xA12", False),
        ({"matches": r"[A-Z]\d+"}, "", False),
        ({"matches": r"a|b"}, "ab", False),
        ({"blank": True}, "", True),
        ({"blank": True}, "\u00a0", True),
        ({"blank": True}, "x", False),
        ({"blank": False}, "", False),
        ({"blank": False}, "x", True),
        ({"before": "today", **DAY}, "31/08/2026", True),
        ({"before": "today", **DAY}, "01/09/2026", False),
        ({"before": "today", **DAY}, "02/09/2026", False),
        ({"after": "today", **DAY}, "31/08/2026", False),
        ({"after": "today", **DAY}, "01/09/2026", False),
        ({"after": "today", **DAY}, "02/09/2026", True),
        ({"before": "today", "days": 14, **DAY}, "14/09/2026", True),
        ({"before": "today", "days": 14, **DAY}, "15/09/2026", False),
        ({"after": "today", "days": -30, **DAY}, "02/08/2026", False),
        ({"after": "today", "days": -30, **DAY}, "03/08/2026", True),
        ({"before": "2020-01-01", **DAY}, "31/12/2019", True),
        ({"before": "2020-01-01", **DAY}, "01/01/2020", False),
        ({"before": date(2020, 1, 1), **DAY}, "31/12/2019", True),
        ({"after": "2020-01-01", **DAY}, " 02/01/2020 ", True),
        ({"after": "today", "date": ["%d/%m/%Y", "%Y-%m-%d"]}, "2026-09-02", True),
        ({"after": "today", "date": "%d/%m/%Y %H:%M"}, "01/09/2026 23:59", False),
    ],
)
def test_what_a_test_says_of_a_cell(test: Any, cell: str, expected: bool):
    assert holds({"A": test}, cell) is expected


@BLANKS
@pytest.mark.parametrize("bound", ["before", "after"])
def test_a_blank_date_is_neither_before_nor_after(bound: str, blank: str):
    assert not holds({"A": {bound: "today", **DAY}}, blank)


@pytest.mark.parametrize("cell", ["soon", "2026-09-01", "32/01/2026", "01/09/26"])
def test_a_date_that_can_not_be_read_is_no_answer(cell: str):
    with pytest.raises(CellProblem) as problem:
        holds({"A": {"before": "today", **DAY}}, cell)
    assert problem.value.problem.code == "dateFormat"
    assert cell not in "".join(problem.value.problem[:3])


@pytest.mark.parametrize(("cells", "expected"), [("xy", True), ("xz", False), ("zy", False), ("zz", False)])
def test_every_column_must_pass(cells: str, expected: bool):
    assert holds({"A": "x", "B": {"in": ["y"]}}, *cells) is expected


def test_a_date_cell_of_a_workbook_is_read_whatever_the_format():
    condition = {"A": {"after": "today", **DAY}}
    assert holds(condition, "2026-09-02", typed_dates=True)
    assert holds(condition, "2026-09-02T00:00:00", typed_dates=True)
    assert holds(condition, "02/09/2026", typed_dates=True)


def test_a_format_under_which_a_date_cell_is_another_day_refuses_the_workbook():
    condition = {"A": {"after": "today", "date": "%Y-%d-%m"}}
    assert holds(condition, "2026-02-09") is True
    with pytest.raises(HrFileError) as refused:
        holds(condition, "2026-02-09", typed_dates=True)
    assert refused.value.reason.code == "ambiguousDates"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({}, "names no column"),
        ([], "dict"),
        ({"": "x"}, "at least 1 character"),
        ({"A": None}, "dictionary"),
        ({"A": 5}, "dictionary"),
        ({"A": {}}, "needs exactly one of"),
        ({"A": {"equals": "x", "blank": True}}, "needs exactly one of"),
        ({"A": {"equal": "x"}}, "equal"),
        ({"A": {"equals": 5}}, "string"),
        ({"A": {"in": "x"}}, "tuple"),
        ({"A": {"blank": "yes"}}, "bool"),
        ({"A": {"matches": "("}}, "RE2"),
        ({"A": {"matches": r"(a)\1"}}, "RE2"),
        ({"A": {"matches": "(?=a)"}}, "RE2"),
        ({"A": {"matches": ""}}, "at least 1"),
        ({"A": {"before": "today"}}, "date goes with before or after"),
        ({"A": {"equals": "x", **DAY}}, "date goes with before or after"),
        ({"A": {"before": "soon", **DAY}}, "must be today, or a date"),
        ({"A": {"before": "2026-02-30", **DAY}}, "must be today, or a date"),
        ({"A": {"before": "2026-01-01", "days": 3, **DAY}}, "needs before: today"),
        ({"A": {"equals": "x", "days": 3}}, "needs before: today"),
        ({"A": {"before": "today", "days": 5000, **DAY}}, "3660"),
        ({"A": {"before": "today", "date": "%d/%m/%y"}}, "leaves something open"),
        ({"A": {"before": "today", "date": []}}, "must name a format"),
        ({"A": {"before": "today", "date": ["%d/%m/%Y", "%m/%d/%Y"]}}, "can be two days"),
        ({"A": {"before": "today", "date": ["%Y%m%d", "%Y%d%m"]}}, "can be two days"),
    ],
    ids=str,
)
def test_a_condition_that_can_not_be_is_refused(condition: Any, words: str):
    with pytest.raises(ValidationError, match=words):
        CONDITION.validate_python(condition)


@pytest.mark.parametrize(
    "formats",
    [("%d/%m/%Y", "%d.%m.%Y"), ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"), ("%d/%m/%Y", "%Y-%m-%d", "%d %b %Y")],
)
def test_formats_that_can_not_be_mistaken_for_each_other_go_together(formats: tuple[str, ...]):
    (test,) = CONDITION.validate_python({"A": {"before": "today", "date": list(formats)}}).values()
    assert test.date == formats
