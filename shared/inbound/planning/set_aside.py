"""`set_aside.csv` and `excluded.csv`: the rows that are not sent, and why; for HR to open in Excel.

In HR's own layout: the file's own columns and cells after four more, so that a person can repair the cells and drop
this very file. UTF-8 with a BOM, since Excel takes it for something else without; no cell can become a formula.
"""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING

from shared.inbound.reading.own_set_aside import EXCLUDED_COLUMNS, OWN_COLUMNS, no_formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shared.inbound.planning.working_set import SetAsideRow

_LINES = 500


def set_aside_csv(rows: Iterable[SetAsideRow], columns: Sequence[str]) -> Iterator[bytes]:
    """The file in pieces: one line for every row, with all of its problems. `columns` are those of HR's file."""
    return _csv(OWN_COLUMNS, rows, columns)


def excluded_csv(rows: Iterable[SetAsideRow], columns: Sequence[str]) -> Iterator[bytes]:
    """As `set_aside_csv`, for rows that are left out on purpose: such a file is not to be dropped."""
    return _csv(EXCLUDED_COLUMNS, rows, columns)


def _csv(own: Sequence[str], rows: Iterable[SetAsideRow], columns: Sequence[str]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _lines([[*own, *map(no_formula, columns)]])
    iterator = iter(rows)
    while some := list(islice(iterator, _LINES)):
        yield _lines([_cells(row) for row in some])


def _cells(row: SetAsideRow) -> list[str]:
    problems = row.problems
    columns = "; ".join(dict.fromkeys(problem.column for problem in problems if problem.column))
    messages = " ".join(f"{problem.message} [{problem.code}]" for problem in problems)
    advice = " ".join(dict.fromkeys(problem.advice for problem in problems))
    return [str(problems[0].line), no_formula(columns), messages, advice, *map(no_formula, row.cells)]


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
