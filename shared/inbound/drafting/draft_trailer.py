"""Whether the last row of a file is its trailer: HR's own word on how many rows there are."""

from __future__ import annotations

from typing import NamedTuple

from shared.inbound.drafting.draft_yaml import Line, comment, flow

_ALSO = ("", "[header]", "[header, trailer]")
"""What HR counts besides the rows, by how many that is."""
_MAX_MARK = 40
_MAX_FILLED = 3
"""A trailer that is filled up to the width of the rows has no more cells with something in them."""


class Trailer(NamedTuple):
    """What a feed file says of the last row, and the number of rows that are workers."""

    lines: list[Line]
    rows: int


def trailer_of(rows: list[list[str]], width: int, *, is_whole: bool) -> Trailer:
    """Look at the last row: a trailer has other cells than the rest, and a number in one of them."""
    if not is_whole:
        words = "Only the first rows were looked at. decide: does the file end with a line that counts its rows?"
        return Trailer(
            [comment(words), Line("trailer: {first_cell: TRAILER, count_cell: 2}", is_active=False)], len(rows)
        )
    last = [cell.strip() for cell in rows[-1]] if len(rows) > 1 else []
    if not last or (len(last) == width and sum(map(bool, last)) > min(_MAX_FILLED, width // 2)):
        return Trailer([], len(rows))
    others = len(rows) - 1
    for place, cell in enumerate(last[1:], start=2):
        also = int(cell) - others if cell.isascii() and cell.isdigit() and len(cell) < 10 else -1
        if 0 <= also < len(_ALSO) and _is_mark(last[0], rows):
            counts = f", also_counts: {_ALSO[also]}" if also else ""
            text = f"trailer: {{first_cell: {flow(last[0])}, count_cell: {place}{counts}}}"
            return Trailer([Line(text, f"sure: the last line counts {others} rows")], others)
    if len(last) == width:
        return Trailer([], len(rows))
    words = "decide: the last line has other cells than the rest, and would be set aside. Is it a trailer?"
    return Trailer([comment(words), Line("trailer: {first_cell: TRAILER, count_cell: 2}", is_active=False)], others)


def _is_mark(cell: str, rows: list[list[str]]) -> bool:
    """A word that is in no other row's first cell, and no number."""
    if not 0 < len(cell) <= _MAX_MARK or not any(map(str.isalpha, cell)) or "@" in cell:
        return False
    return not any(row[:1] and row[0].strip() == cell for row in rows[:-1])
