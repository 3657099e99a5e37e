"""HR rows to SCIM users: the feed's mapping, compiled once for the columns of one file.

Compiled means: every rule becomes one function from columns of cells to a column of values, and the users' JSON is put
together from these columns. Nothing is looked up by name for a row, and no tree is walked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from shared.inbound.feeds.feed_file import NewestBy
from shared.inbound.mapping.cell_problem import Problem, key_numbers
from shared.inbound.mapping.compiled_attribute import CompiledAttribute
from shared.inbound.mapping.compiled_date import as_declared
from shared.inbound.mapping.row_checks import error_cells, own_manager, wrong_width
from shared.inbound.mapping.row_filter import RowFilter
from shared.inbound.mapping.user_json import UserEncoder
from shared.inbound.reading.headers import check_header
from shared.inbound.reading.row_batch import MappedBatch, RowBatch, RowProblem
from shared.scim.attribute_path import EXTERNAL_ID, MANAGER, USER_NAME, AttributePath

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from shared.inbound.feeds.feed_file import Feed


class AttributeValue(NamedTuple):
    """What one attribute of one row is, for a person: the value, or why there is none."""

    path: AttributePath
    columns: tuple[str, ...]
    value: object


class AttributeMapping:
    """The compiled mapping: `map` turns a batch of rows into users, and names every problem that a row has."""

    def __init__(self, feed: Feed, columns: Sequence[str], today: date, *, typed_dates: bool = False) -> None:
        """Compiles.

        Args:
            feed: the feed's rules.
            columns: the file's header, in order.
            today: the day that decides conditions and `active`, in the feed's time zone.
            typed_dates: the file is a workbook.

        Raises:
            HrFileError: a mapped column is missing from the header, or stands in it twice.
        """
        mapped = feed.mapped_columns
        check_header([name for name in mapped if name not in feed.file.optional_columns or name in columns], columns)
        self._width = len(columns)
        names = [*columns, *(name for name in mapped if name not in columns)]
        position = {name: index for index, name in enumerate(names)}
        self._absent = len(names) - len(columns)
        self._mapped = [(position[name], name) for name in mapped]
        self._attributes = [
            CompiledAttribute(path, rule, position, today, typed_dates=typed_dates) for path, rule in feed.rules.items()
        ]
        index = {attribute.path: i for i, attribute in enumerate(self._attributes)}
        self._external_id, self._user_name = index[EXTERNAL_ID], index[USER_NAME]
        self._manager = index.get(MANAGER)
        self._encoder = UserEncoder([attribute.path for attribute in self._attributes])
        self._filter = RowFilter(feed.rows, position, today, typed_dates=typed_dates)
        newest_by = feed.rows.duplicates
        by_date = isinstance(newest_by, NewestBy) and newest_by.date
        self._newest_text = as_declared(by_date) if by_date and typed_dates else str
        self._newest_by = position[newest_by.newest_by] if isinstance(newest_by, NewestBy) else None

    def map(self, batch: RowBatch) -> MappedBatch:
        """Every row of the batch: a whole user, or every reason why it can't be one."""
        lines, rows, width = batch.lines, batch.rows, self._width
        cells = [orjson.dumps(row) for row in rows]
        problems: list[RowProblem] = []
        misfits = set[int]()
        if set(map(len, rows)) != {width}:
            misfits = {i for i, row in enumerate(rows) if len(row) != width}
            rows = [_cut_to(row, width) if i in misfits else row for i, row in enumerate(rows)]
        columns: list[Sequence[str]] = [*zip(*rows, strict=True), *[("",) * len(rows)] * self._absent]
        values = [attribute.values(columns, len(rows)) for attribute in self._attributes]
        external_ids = _texts(values[self._external_id])
        keys = key_numbers(external_ids)
        managers: list[int | None] = [None] * len(rows)
        if self._manager is not None:
            managers = key_numbers(_texts(values[self._manager]))
        for i in misfits:
            problems.append(wrong_width(lines[i], len(batch.rows[i]), width, external_ids[i]))
        excluded = self._filter.excluded(lines, columns, external_ids, misfits, problems)
        unreadable = list(error_cells(lines, cells, rows, self._mapped, external_ids, misfits))
        known = {(problem.line, problem.column) for problem in unreadable}
        problems += unreadable
        problems += (
            problem
            for problem in self._cell_problems(lines, values, external_ids, misfits)
            if not known or not known & {(problem.line, name) for name in (problem.column or "").split(", ")}
        )
        problems += own_manager(lines, external_ids, keys, managers, self._manager_columns, misfits)
        users = self._encoder.encode(values, len(rows))
        logins = key_numbers(_texts(values[self._user_name]))
        mapped = MappedBatch(lines, cells, external_ids, keys, logins, managers, users, problems, excluded)
        if self._newest_by is not None:
            mapped.newest_by = list(map(self._newest_text, columns[self._newest_by]))
        _strike_out(mapped)
        return mapped

    def explain(self, cells: Sequence[str]) -> list[AttributeValue]:
        """Attribute by attribute what becomes of one row of the right width."""
        whole = [*cells, *([""] * self._absent)]
        return [AttributeValue(a.path, a.rule.columns, a.value(whole)) for a in self._attributes]

    @property
    def _manager_columns(self) -> str | None:
        return self._attributes[self._manager].columns if self._manager is not None else None

    def _cell_problems(
        self, lines: list[int], values: list[list[Any]], external_ids: list[str], misfits: set[int]
    ) -> Iterable[RowProblem]:
        for attribute, column in zip(self._attributes, values, strict=True):
            if not attribute.problems:
                continue
            for i, value in enumerate(column):
                if isinstance(value, Problem) and i not in misfits:
                    where = value.column or attribute.columns
                    yield RowProblem(lines[i], where, *value[:3], external_id=external_ids[i] or None)


def _cut_to(row: list[str], width: int) -> list[str]:
    return [*row[:width], *([""] * (width - len(row)))]


def _texts(values: list[Any]) -> list[str]:
    """The values of an identifying attribute; "" where there is a problem or none."""
    return values if set(map(type, values)) == {str} else [v if isinstance(v, str) else "" for v in values]


def _strike_out(mapped: MappedBatch) -> None:
    """Rows that are set aside or excluded have no user; an excluded row has no other problem either."""
    if not mapped.problems and not mapped.excluded:
        return
    place = {line: i for i, line in enumerate(mapped.lines)}
    left_out = {problem.line for problem in mapped.excluded}
    mapped.problems = [problem for problem in mapped.problems if problem.line not in left_out]
    mapped.problems.sort(key=lambda problem: problem.line)
    for problem in (*mapped.problems, *mapped.excluded):
        mapped.users[place[problem.line]] = b""
