"""`set_aside.csv`: the rows that are not sent, and why; for HR to open in Excel.

UTF-8 with a BOM, since Excel takes it for something else without. The only texts from outside are columns' names and
the worker's key, and neither can become a formula.
"""

from __future__ import annotations

import csv
import io
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.inbound.attribute_mapping import RowProblem

_HEADER = ("line", "column", "reason", "problem", "what to do", "externalId")


def set_aside_csv(problems: Iterable[RowProblem]) -> Iterator[bytes]:
    """The file in pieces: one line for every row, with all of its problems. `problems` come by line."""
    yield b"\xef\xbb\xbf" + _line(_HEADER)
    for line, group in groupby(problems, key=lambda problem: problem.line):
        of_row = list(group)
        columns = "; ".join(dict.fromkeys(problem.column for problem in of_row if problem.column))
        codes = "; ".join(problem.code for problem in of_row)
        messages = " ".join(problem.message for problem in of_row)
        advice = " ".join(dict.fromkeys(problem.advice for problem in of_row))
        key = _no_formula(of_row[0].external_id or "")
        yield _line((str(line), _no_formula(columns), codes, messages, advice, key))


def _no_formula(text: str) -> str:
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()
