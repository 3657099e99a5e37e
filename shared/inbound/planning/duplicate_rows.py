"""Rows that name the same worker, or claim the same login: which of them are sent, and which are set aside.

Keys are compared as numbers first (Python's own hash, with a secret of this process), then as what they are: two keys
that share a number by chance are not one worker.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.inbound.feeds.feed_file import NewestBy
from shared.inbound.mapping.cell_problem import CellProblem
from shared.inbound.mapping.compiled_date import date_reader
from shared.inbound.reading.row_batch import RowProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.inbound.feeds.feed_file import Rows

_LINES_NAMED = 5
_ISO = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class SameWorker:
    """One of several rows of a worker; `user` is what would be sent."""

    number: int
    line: int
    external_id: str
    user: bytes
    newest_by: str = ""


def set_aside_of(rows: Sequence[SameWorker], policy: Rows) -> list[tuple[int, RowProblem]]:
    """Which of a worker's rows are not sent, by number, and why. `rows` are in the file's order."""
    if all(row.user == rows[0].user for row in rows):
        first = rows[0].line
        return [(row.number, _repeated(row, first)) for row in rows[1:]]
    taken = _taken(rows, policy)
    if taken is None and isinstance(policy.duplicates, NewestBy):
        return _unknown_age(rows, policy.duplicates)
    if taken is None:
        lines = [row.line for row in rows]
        return [(row.number, contradicting(row.line, lines, row.external_id)) for row in rows]
    return [(row.number, _not_taken(row, taken.line)) for row in rows if row is not taken]


def _taken(rows: Sequence[SameWorker], policy: Rows) -> SameWorker | None:
    """The row that the feed's rule picks; None where none is, or where the rule can't tell."""
    rule = policy.duplicates
    if rule == "first":
        return rows[0]
    if rule == "last":
        return rows[-1]
    if isinstance(rule, NewestBy):
        ages = [_age(row.newest_by, rule) for row in rows]
        known = [age for age in ages if age is not None]
        if len(known) < len(rows) or len({type(age) for age in known}) > 1:
            return None
        newest = [row for row, age in zip(rows, ages, strict=True) if age == max(known)]
        return newest[0] if all(row.user == newest[0].user for row in newest) else None
    return None


def _age(text: str, rule: NewestBy) -> datetime | int | None:
    text = text.strip()
    if rule.date is None and text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    try:
        return date_reader(tuple(rule.date or _ISO))(text)
    except CellProblem:
        return None


def _unknown_age(rows: Sequence[SameWorker], rule: NewestBy) -> list[tuple[int, RowProblem]]:
    lines = [row.line for row in rows]
    return [
        (
            row.number,
            RowProblem(
                row.line,
                rule.newest_by,
                "newestUnknown",
                f"The same worker also stands, with other data, on {_others(row.line, lines)}, and this column does "
                "not tell which row is newest: a cell is blank, is not written as the feed file says, or is the same.",
                "Correct the cell in the HR system, or rows.duplicates in the feed file.",
                row.external_id,
            ),
        )
        for row in rows
    ]


def contradicting(line: int, lines: Sequence[int], external_id: str) -> RowProblem:
    """A row whose worker stands on other lines too, with other data. `lines`: all of the worker's."""
    return RowProblem(
        line,
        None,
        "duplicateExternalId",
        f"The same worker also stands, with other data, on {_others(line, lines)}; none of these rows is sent.",
        "Export one row for each worker, or say in the feed file under rows.duplicates which one counts.",
        external_id,
    )


def same_login(line: int, lines: Sequence[int], external_id: str) -> RowProblem:
    """A row whose userName another worker of the file has too."""
    return RowProblem(
        line,
        None,
        "duplicateUserName",
        f"Another worker has the same userName, on {_others(line, lines)}; none of these rows is sent, since nobody "
        "knows whose it is.",
        "Give each worker a userName of their own in the HR system.",
        external_id,
    )


def _others(line: int, lines: Sequence[int]) -> str:
    """`lines` in ascending order, with that of the row itself or without; only the first few are looked at."""
    named = [other for other in lines[: _LINES_NAMED + 1] if other != line][:_LINES_NAMED]
    count = len(lines) - (lines[bisect_left(lines, line, hi=len(lines))] == line if line <= lines[-1] else 0)
    more = f" and {count - len(named)} more lines" if count > len(named) else ""
    return f"line{'s' if count > 1 else ''} {', '.join(map(str, named))}{more}"


def _repeated(row: SameWorker, first: int) -> RowProblem:
    return RowProblem(
        row.line,
        None,
        "repeatedRow",
        f"The row says the same as line {first}, which counts.",
        "Nothing has to be done; remove the repetition from the export if you can.",
        row.external_id,
    )


def _not_taken(row: SameWorker, taken: int) -> RowProblem:
    return RowProblem(
        row.line,
        None,
        "otherRowTaken",
        f"The worker stands on several lines; by rows.duplicates of the feed file, line {taken} counts.",
        "Nothing has to be done, if that is the row that counts.",
        row.external_id,
    )
