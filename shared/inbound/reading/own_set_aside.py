"""`set_aside.csv` as a file that somebody repairs and drops: it is known by its header, whatever the feed's layout.

Its own four columns come first. A cell that a spreadsheet program would take for a formula has an apostrophe before it,
which is taken off again here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.text.text_encoding import BOMS

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN_COLUMNS = ("line", "column", "problem", "what to do")
EXCLUDED_COLUMNS = ("line", "column", "reason", "what to do")
"""Those of `excluded.csv`: its rows were left out on purpose, so it is no file to drop."""
OWN_LAYOUT = {"encoding": "auto", "header_row": "auto", "comment": None, "trailer": None}
"""What of the feed's layout does not hold for it."""

_OWN_START = re.compile(r'"?line"?([,;\t|])"?column"?\1"?problem"?\1"?what to do"?\1')
_EXCLUDED_START = re.compile(r'"?line"?([,;\t|])"?column"?\1"?reason"?\1"?what to do"?\1')
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(r"'+[=+\-@\t\r]")


def separator_of_own(start: bytes) -> str | None:
    """What separates the cells of a `set_aside.csv` that starts so, also of one that a spreadsheet program saved again.

    None for any other file.
    """
    found = _OWN_START.match(_text(start))
    return found[1] if found else None


def refuse_excluded(start: bytes) -> None:
    """Refuse an `excluded.csv`.

    Raises:
        HrFileError: it is one.
    """
    if _EXCLUDED_START.match(_text(start)):
        raise HrFileError(
            "ownExcluded",
            "The file is an excluded.csv of the connector: its rows were left out on purpose.",
            "Change rows in the feed file if they are meant, and drop HR's own file again.",
        )


def _text(start: bytes) -> str:
    for mark, encoding in BOMS.items():
        if start.startswith(mark):
            return start[len(mark) :].decode(encoding, errors="ignore")
    return start.decode("latin-1")


def is_own_set_aside(start: bytes) -> bool:
    """Whether a file that starts so is a `set_aside.csv`."""
    return separator_of_own(start) is not None


def no_formula(text: str) -> str:
    """The cell with an apostrophe before it where it could be taken for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def own_cells(row: Sequence[str]) -> list[str]:
    """HR's own cells of a row of `set_aside.csv`, as they were."""
    return [without_formula_mark(cell) for cell in row[len(OWN_COLUMNS) :]]


def without_formula_mark(cell: str) -> str:
    """The cell as it was before `no_formula`."""
    return cell[1:] if _MARKED.match(cell) else cell
