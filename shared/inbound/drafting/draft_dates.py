"""Which declared formats every date of a column fits. Two that read other days are a matter for a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.inbound.drafting.draft_guess import UNDECIDED, Guess, Level
from shared.inbound.mapping.cell_problem import CellProblem
from shared.inbound.mapping.compiled_date import date_reader, with_typed_dates

if TYPE_CHECKING:
    from collections.abc import Collection

    from shared.inbound.drafting.draft_table import Column
    from shared.inbound.drafting.draft_yaml import Node

_DAYS = (
    *("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d", "%d%m%Y", "%m%d%Y"),
)
_TIMES = (" %H:%M:%S", " %H:%M")
_MOMENTS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%fZ")
_FORMATS = (*_DAYS, *_MOMENTS, *(day + time for day in _DAYS[:8] for time in _TIMES))
_COMPACT = re.compile(r"\d{8}", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}", re.ASCII)


def fitting_formats(cells: Collection[str], *, typed_dates: bool) -> list[str]:
    """The formats that every cell fits; of those under which all days are the same, only the first.

    Args:
        cells: none of them blank.
        typed_dates: they are a workbook's, whose date cells read as ISO 8601.
    """
    found: dict[tuple[object, ...], str] = {}
    for layout in _FORMATS:
        if _is_compact(layout) and not all(map(_COMPACT.fullmatch, cells)):
            continue
        read = date_reader(with_typed_dates((layout,), typed_dates=typed_dates))
        try:
            moments = tuple(read(cell) for cell in cells)
        except CellProblem:
            continue
        found.setdefault(moments, layout)
    return list(found.values())


def _is_compact(layout: str) -> bool:
    return re.sub(r"%[Ymd]", "", layout) == ""


def date_guesses(path: str, hits: list[Column], *, typed_dates: bool) -> list[Guess]:
    """An attribute with a date, from the columns with such a name."""
    found = [
        (column, layout)
        for column in hits
        for layout in (fitting_formats(column.words, typed_dates=typed_dates) if column.words else ())
    ]
    if len(found) == 1 and len(hits) == 1:
        remark = "decide: register the attribute under a schema of your own in Entra, and write that here."
        return [_guess(path, *found[0], Level.SURE, "name and cells fit", remark)]
    if found:
        why = "the cells fit other columns or formats too; decide: which one is it?"
        return [_guess(path, column, layout, Level.LIKELY, why) for column, layout in found]
    return [_guess(path, column, UNDECIDED, Level.LIKELY, f"the name fits, but {_misfit(column)}") for column in hits]


def _guess(path: str, column: Column, layout: str, level: Level, why: str, *remarks: str) -> Guess:
    rule: dict[str, Node] = {"column": column.name, "date": layout}
    return Guess(path, rule, level, why, (column.name,), list(remarks))


def _misfit(column: Column) -> str:
    if not column.words:
        return "every cell is blank; decide: how are its dates written?"
    if any(map(_SHORT_YEAR.fullmatch, column.words)):
        return "years have two digits, which leaves the century open; decide: can HR export four?"
    return "there is no one format that all cells fit; decide: how are its dates written?"
