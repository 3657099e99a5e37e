"""Managers first: who is sent before whom, from nothing but who reports to whom.

Works on arrays of numbers, a few bytes a row, so that a million rows need no more memory than the file's name.
"""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = -1
"""The row has no manager among the rows that are sent."""
NOT_SENT = -2
"""The row itself is not sent."""
_ON_THE_WAY = -(2**31)
_LEVELLED = -3
"""While levels are given, a row that has one holds it below this number: no other array is needed."""
_BREATHE = 100_000


def give_levels(rows: array[int], still_alive: Callable[[], None] = lambda: None) -> list[int]:
    """A level for each row, 1 for the topmost; every manager has a lower one than their reports.

    Where managers form a circle, its first row goes before its own manager: such rows are the result.

    Args:
        rows: for each row the row of its manager, NOBODY or NOT_SENT; holds the levels afterwards, and NOT_SENT.
        still_alive: called every now and then; what it raises ends the work.
    """
    freed: list[int] = []
    for start in range(len(rows)):
        if start % _BREATHE == 0:
            still_alive()
        path: list[int] = []
        row = start
        while rows[row] > _LEVELLED and rows[row] != NOT_SENT:
            above = rows[row]
            rows[row] = _ON_THE_WAY
            path.append(row)
            row = above
            if above == NOBODY:
                break
        if not path:
            continue
        if row != NOBODY and rows[row] == _ON_THE_WAY:
            circle = path[path.index(row) :]
            del path[-len(circle) :]
            freed.append(_level_circle(circle, rows))
        depth = _LEVELLED - rows[row] if row != NOBODY else 0
        for row in reversed(path):
            depth += 1
            rows[row] = _LEVELLED - depth
    _unveil(rows)
    return freed


def _level_circle(circle: list[int], rows: array[int]) -> int:
    """`circle`: each row is followed by its manager, the last one's is the first. Its lowest row goes first."""
    place = circle.index(min(circle))
    in_order = [*reversed(circle[: place + 1]), *reversed(circle[place + 1 :])]
    for depth, row in enumerate(in_order, start=1):
        rows[row] = _LEVELLED - depth
    return in_order[0]


def _unveil(rows: array[int]) -> None:
    for row, value in enumerate(rows):
        if value < _LEVELLED:
            rows[row] = _LEVELLED - value


def level_starts(levels: array[int]) -> array[int]:
    """For each level, from 1, its first place in the order of `in_order_of_levels`; at last how many rows there are."""
    sizes = array("i", [0]) * (max(levels, default=0) + 1)
    for depth in levels:
        if depth > 0:
            sizes[depth] += 1
    return array("i", accumulate(sizes[1:], initial=0))


def in_order_of_levels(levels: array[int]) -> array[int]:
    """The rows that have a level, by level and then by number."""
    starts = level_starts(levels)
    next_place = array("i", [0]) + starts
    order = array("i", bytes(4 * starts[-1]))
    for row, depth in enumerate(levels):
        if depth > 0:
            order[next_place[depth]] = row
            next_place[depth] += 1
    return order
