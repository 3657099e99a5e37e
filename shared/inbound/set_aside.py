"""`set_aside.csv`: the rows that are not sent, and why; for HR to open in Excel.

UTF-8 with a BOM, since Excel takes it for something else without, and safe against formulas: the only text from
outside is a column's name.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.inbound.attribute_mapping import RowProblem

_HEADER = ("line", "column", "reason", "problem", "what to do")


def set_aside_csv(problems: Iterable[RowProblem]) -> Iterator[bytes]:
    """The file in pieces: one line for every problem, so a row with two problems has two lines."""
    yield b"\xef\xbb\xbf" + _line(_HEADER)
    for problem in problems:
        column = _no_formula(problem.column or "")
        yield _line((str(problem.line), column, problem.code, problem.message, problem.advice))


def _no_formula(text: str) -> str:
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()
