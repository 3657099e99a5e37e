"""The plan's working set: every row of one file, on temporary disk, so that memory stays flat whatever the file.

A private SQLite database has what rows are compared and ordered by, as numbers; two spools have what is only carried
along, the user's JSON and the row's own cells. All of it is gone with the object.
"""

from __future__ import annotations

import sqlite3
from array import array
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, Self

import orjson

from shared.inbound.feeds.feed_file import Rows
from shared.inbound.mapping.cell_problem import key_numbers
from shared.inbound.planning.doubtful_rows import Aside, DoubtfulRows
from shared.inbound.planning.manager_order import NOBODY, NOT_SENT, give_levels, in_order_of_levels, level_starts
from shared.inbound.planning.row_spool import RowSpool
from shared.inbound.reading.row_batch import RowProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from shared.inbound.reading.row_batch import MappedBatch

_SCHEMA = """
CREATE TABLE worker (row INTEGER PRIMARY KEY, key INTEGER, login INTEGER, manager INTEGER);
CREATE TABLE problem (
    row INTEGER NOT NULL, line INTEGER NOT NULL, column_name TEXT, code TEXT NOT NULL, message TEXT NOT NULL,
    advice TEXT NOT NULL, external_id TEXT, key INTEGER, login INTEGER);
CREATE TABLE excluded (
    row INTEGER NOT NULL, line INTEGER NOT NULL, column_name TEXT, code TEXT NOT NULL, message TEXT NOT NULL,
    advice TEXT NOT NULL, external_id TEXT);
CREATE TABLE newest_by (row INTEGER PRIMARY KEY, cell TEXT);
"""
_SETTINGS = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192; PRAGMA temp_store = FILE;"
_FIRST_LINES = 10
HARMLESS = ("repeatedRow", "otherRowTaken")
"""Codes of rows that are left out although nothing is wrong: another row of the worker counts."""
_BREATHE = 500

PlannedRow = tuple[int, int, bytes, bytes]
"""A row that will be sent: its number among all rows of the file, from 0; its line; externalId and user as JSON."""


class SetAsideRow(NamedTuple):
    """A row that is not sent: every problem that it has, and its own cells."""

    problems: list[RowProblem]
    cells: list[str]


class WorkingSet:
    """Filled once by `load`, put in order by `arrange`, then read."""

    def __init__(self, policy: Rows | None = None) -> None:
        """`policy` says what several rows of one worker mean."""
        self._policy = policy or Rows()
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SETTINGS + _SCHEMA)
        self._users, self._cells = RowSpool(), RowSpool()
        self._lines = array("I")
        self._order: array[int] = array("i")
        self._level_starts: array[int] = array("i")
        self._in_circles: list[int] = []
        self._orphans: tuple[int, list[int]] = (0, [])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._users.close()
        self._cells.close()
        self._db.close()

    @property
    def row_count(self) -> int:
        """How many rows the file has."""
        return len(self._lines)

    def load(self, batches: Iterable[MappedBatch], still_alive: Callable[[], None] = lambda: None) -> None:
        """Take in every row of the file, in the file's order. `still_alive` as for `arrange`."""
        self._db.execute("BEGIN")
        for batch in batches:
            self._take_in(batch)
            still_alive()
        self._users.finish()
        self._cells.finish()
        self._db.execute("CREATE INDEX by_key ON worker (key)")
        self._db.execute("COMMIT")

    def arrange(self, still_alive: Callable[[], None] = lambda: None) -> None:
        """Set doubled workers and logins aside, then put every other row after its manager.

        Args:
            still_alive: called every now and then; what it raises ends the work.
        """
        self._db.execute("BEGIN")
        doubtful = DoubtfulRows(self._db, self._users, self._lines, self._policy)
        for step in doubtful.steps:
            for turn, problems in enumerate(step()):
                self._put_aside(problems)
                if turn % _BREATHE == _BREATHE - 1:
                    still_alive()
            still_alive()
        rows = self._manager_rows()
        self._in_circles = sorted(self._lines[row] for row in give_levels(rows, still_alive))
        self._order = in_order_of_levels(rows)
        self._level_starts = level_starts(rows)
        self._db.execute("COMMIT")

    def planned(self) -> Iterator[PlannedRow]:
        """Rows to send, managers first, otherwise in the file's order."""
        get, lines = self._users.get, self._lines
        for row in self._order:
            external_id, _, user = get(row).partition(b"\t")
            yield row, lines[row], external_id, user

    def level_starts(self) -> array[int]:
        """The places in the order of `planned` at which rows begin whose managers all come before that place."""
        return self._level_starts[1:-1]

    def set_aside(self) -> Iterator[SetAsideRow]:
        """Every row that is set aside, by line."""
        return self._with_cells("problem")

    def excluded(self) -> Iterator[SetAsideRow]:
        """Every row that is left out on purpose, by the feed's filters or behind another row of the worker, by line."""
        return self._with_cells("excluded")

    def planned_count(self) -> int:
        """How many rows will be sent."""
        return len(self._order)

    def set_aside_count(self) -> int:
        """How many rows are set aside (a row can have several problems)."""
        return self._number("SELECT count(DISTINCT row) FROM problem")

    def excluded_count(self) -> int:
        """How many rows are left out on purpose."""
        return self._number("SELECT count(*) FROM excluded")

    def problem_kinds(self) -> list[tuple[str, str | None, int, int, str, str]]:
        """Code, column, rows, first line, message and advice of each kind of problem, most frequent first."""
        query = """SELECT code, column_name, count(*), min(line), message, advice FROM problem
                   GROUP BY code, column_name ORDER BY count(*) DESC, code"""
        return list(self._db.execute(query))

    def in_circles(self) -> list[int]:
        """Lines of the rows that had to go before their manager because the managers form a circle."""
        return self._in_circles

    def manager_not_in_file(self) -> tuple[int, list[int]]:
        """How many planned rows name a manager that is not planned in this file, and the first ten lines."""
        return self._orphans

    def _take_in(self, batch: MappedBatch) -> None:
        first = len(self._lines)
        self._lines.extend(batch.lines)
        numbers = range(first, len(self._lines))
        rows = zip(numbers, batch.keys, batch.logins, batch.managers, strict=True)
        workers = (
            [row for row, user in zip(rows, batch.users, strict=True) if user]
            if batch.problems or batch.excluded
            else rows
        )
        self._db.executemany("INSERT INTO worker VALUES (?, ?, ?, ?)", workers)
        ids = map(orjson.dumps, batch.external_ids)
        self._users.extend(list(map(b"\t".join, zip(ids, batch.users, strict=True))))
        self._cells.extend(batch.cells)
        if batch.newest_by:
            self._db.executemany("INSERT INTO newest_by VALUES (?, ?)", enumerate(batch.newest_by, first))
        if batch.problems or batch.excluded:
            place = {line: first + index for index, line in enumerate(batch.lines)}
            self._insert_problems(
                (place[problem.line], problem, batch.logins[place[problem.line] - first]) for problem in batch.problems
            )
            self._insert_excluded((place[problem.line], problem) for problem in batch.excluded)

    def _insert_problems(self, problems: Iterable[tuple[int, RowProblem, int | None]]) -> None:
        """Row, problem, and the number of the login that the row claims."""
        rows = (
            (row, p.line, p.column, p.code, p.message, p.advice, p.external_id, _key(p.external_id), login)
            for row, p, login in problems
        )
        self._db.executemany("INSERT INTO problem VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _insert_excluded(self, problems: Iterable[tuple[int, RowProblem]]) -> None:
        rows = ((row, p.line, p.column, p.code, p.message, p.advice, p.external_id) for row, p in problems)
        self._db.executemany("INSERT INTO excluded VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def _put_aside(self, problems: Aside) -> None:
        login = "SELECT login FROM worker WHERE row = ?"
        wrong = [
            (row, p, self._db.execute(login, [row]).fetchone()[0]) for row, p in problems if p.code not in HARMLESS
        ]
        self._insert_problems(wrong)
        self._insert_excluded((row, p) for row, p in problems if p.code in HARMLESS)
        self._db.executemany("DELETE FROM worker WHERE row = ?", [(row,) for row, _ in problems])

    def _manager_rows(self) -> array[int]:
        """For each row that of its manager; notes which managers are not there."""
        manager_of = array("i", [NOT_SENT]) * len(self._lines)
        orphans, first_lines = 0, list[int]()
        query = """SELECT w.row, m.row, w.manager FROM worker w LEFT JOIN worker m ON m.key = w.manager
                   ORDER BY w.row"""
        for row, manager, named in self._db.execute(query):
            manager_of[row] = NOBODY if manager is None else manager
            if manager is None and named is not None:
                orphans += 1
                if len(first_lines) < _FIRST_LINES:
                    first_lines.append(self._lines[row])
        self._orphans = orphans, first_lines
        return manager_of

    def _with_cells(self, table: str) -> Iterator[SetAsideRow]:
        query = f"SELECT row, line, column_name, code, message, advice, external_id FROM {table} ORDER BY row, rowid"
        for row, group in groupby(self._db.execute(query), key=itemgetter(0)):
            problems = [RowProblem(*rest) for _, *rest in group]
            yield SetAsideRow(problems, orjson.loads(self._cells.get(row)))

    def _number(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])


def _key(external_id: str | None) -> int | None:
    return key_numbers([external_id or ""])[0]
