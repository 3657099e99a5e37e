"""`rows.include` and `rows.exclude`: rows that the feed does not mean. They are counted and named, not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.inbound.mapping.cell_problem import CellProblem
from shared.inbound.mapping.compiled_condition import compile_condition
from shared.inbound.mapping.compiled_rule import Context
from shared.inbound.reading.row_batch import RowProblem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from shared.inbound.feeds.feed_file import Rows


class RowFilter:
    """The feed's filters, compiled for the columns of one file."""

    def __init__(self, rows: Rows, position: dict[str, int], today: date, *, typed_dates: bool) -> None:
        context = Context(position, today, typed_dates)
        self._include = [compile_condition(condition, context) for condition in rows.include]
        self._exclude = [compile_condition(condition, context) for condition in rows.exclude]
        self._include_columns = _columns(rows.include)
        self._exclude_columns = [_columns([condition]) for condition in rows.exclude]

    def excluded(
        self,
        lines: list[int],
        columns: Sequence[Sequence[str]],
        keys: list[str],
        misfits: set[int],
        problems: list[RowProblem],
    ) -> list[RowProblem]:
        """The rows that are left out. One whose date can't be read goes to `problems` instead: nobody knows."""
        if not self._include and not self._exclude:
            return []
        found = []
        for i, cells in enumerate(zip(*columns, strict=True)):
            if i in misfits:
                continue
            try:
                reason = self._reason(cells)
            except CellProblem as error:
                where = self._include_columns if self._include else ", ".join(self._exclude_columns)
                problems.append(RowProblem(lines[i], where, *error.problem[:3], external_id=keys[i] or None))
                continue
            if reason:
                found.append(RowProblem(lines[i], reason[0], "excluded", *reason[1:], external_id=keys[i] or None))
        return found

    def _reason(self, cells: Sequence[str]) -> tuple[str, str, str] | None:
        advice = "Nothing has to be done, if the worker is not meant to go to Entra by this feed."
        for number, (holds, columns) in enumerate(zip(self._exclude, self._exclude_columns, strict=True), start=1):
            if holds(cells):
                return columns, f"The row is left out by rows.exclude, condition {number}.", advice
        if self._include and not any(holds(cells) for holds in self._include):
            return self._include_columns, "The row is left out: it meets no condition of rows.include.", advice
        return None


def _columns(conditions: Sequence[dict[str, object]] | Sequence[object]) -> str:
    return ", ".join(dict.fromkeys(column for condition in conditions for column in condition))  # type: ignore[attr-defined]
