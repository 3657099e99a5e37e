"""The header among the first lines of a file whose columns nobody has named yet.

A line of data must never be taken for it: its cells would stand in the feed file as names of columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from shared.errors import HrFileError
from shared.inbound.drafting.draft_keys import column_keys
from shared.inbound.drafting.draft_names import all_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_LINES = 50
"""So far down a header is looked for."""
_CERTAIN = 3
"""So many usual names make a header, however many cells are blank."""
_DATA = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}.*")
_NUMBER = re.compile(r"[\d.,+-]*\d[\d.,]*")


class Place(NamedTuple):
    """Where the header is, and how many of its columns have a usual name."""

    line: int
    known: int


def header_place(records: Iterable[tuple[int, list[str]]], width: int) -> Place | None:
    """The header among the first records with so many cells: what has most usual names, else the first of them.

    None where there is none, or a line of data comes first.
    """
    best: Place | None = None
    for line, cells in records:
        filled = [cell.strip() for cell in cells if cell.strip()]
        known = len({key for cell in filled for key in column_keys(cell) & all_keys()})
        if len(cells) != width or not filled or (len(filled) * 2 < width and known < _CERTAIN):
            continue
        if _is_data(filled, known):
            break
        if best is None or known > best.known:
            best = Place(line, known)
    return best


def _is_data(cells: list[str], known: int) -> bool:
    if any(map(_DATA.fullmatch, cells)):
        return True
    return known * 2 <= len(cells) and any(map(_NUMBER.fullmatch, cells))


def no_header() -> HrFileError:
    """The refusal of a file without a header."""
    return HrFileError(
        "noHeaderRow",
        f"None of the first {FIRST_LINES} lines looks like a header: names of columns above the rows.",
        "Export the file with a header, one name for each column.",
    )
