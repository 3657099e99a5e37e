"""The plan's working set: every row of one file in a temporary SQLite database.

Duplicates, managers first and the set-aside list are queries, and memory stays flat whatever the file. The database
is private to the object, lives in SQLite's temporary space and is gone with it.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple, Self

import orjson

from shared.inbound.attribute_mapping import MappedRow, RowProblem
from shared.inbound.compiled_rule import same_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

_SCHEMA = """
CREATE TABLE worker (
    seq INTEGER PRIMARY KEY, line INTEGER NOT NULL, external_id TEXT NOT NULL, key TEXT NOT NULL, manager TEXT,
    level INTEGER);
CREATE TABLE body (seq INTEGER PRIMARY KEY, user BLOB NOT NULL);
CREATE TABLE problem (
    line INTEGER NOT NULL, column_name TEXT, code TEXT NOT NULL, message TEXT NOT NULL, advice TEXT NOT NULL,
    external_id TEXT, key TEXT);
CREATE TABLE circle (line INTEGER PRIMARY KEY);
"""
_BATCH = 2000
_LINES_NAMED = 5


class PlannedRow(NamedTuple):
    """A row that will be sent; `user` is its SCIM User as JSON."""

    line: int
    external_id: str
    user: bytes


class WorkingSet:
    """Filled once by `load`, put in order by `arrange`, then read."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._seq = 1
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;" + _SCHEMA
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def load(self, rows: Iterable[MappedRow | list[RowProblem]]) -> None:
        """Take in every row of the file, in the file's order."""
        db = self._db
        workers: list[MappedRow] = []
        problems: list[RowProblem] = []
        db.execute("BEGIN")
        for row in rows:
            if isinstance(row, MappedRow):
                workers.append(row)
                if len(workers) == _BATCH:
                    self._insert_workers(workers)
                    workers = []
            else:
                problems += row
                if len(problems) >= _BATCH:
                    self._insert_problems(problems)
                    problems = []
        self._insert_workers(workers)
        self._insert_problems(problems)
        db.execute("CREATE INDEX by_key ON worker (key)")
        db.execute("COMMIT")

    def arrange(self, still_alive: Callable[[], None] = lambda: None) -> None:
        """Set doubled workers aside, then give every other a level: managers have a lower one than their reports.

        Where managers form a circle, one of its members goes before its own manager; `in_circles` tells of them.

        Args:
            still_alive: called every now and then; what it raises ends the work.
        """
        self._db.execute("BEGIN")
        self._set_half_known_aside()
        self._set_doubles_aside()
        still_alive()
        self._db.execute("CREATE INDEX by_manager ON worker (manager)")
        self._db.execute("CREATE INDEX by_level ON worker (level, seq)")
        self._level_roots()
        while not self._descend(still_alive):
            self._break_circles()
        self._db.execute("COMMIT")

    def planned(self) -> Iterator[PlannedRow]:
        """Rows to send, managers first, otherwise in the file's order."""
        query = "SELECT line, external_id, user FROM worker JOIN body USING (seq) ORDER BY level, worker.seq"
        return (PlannedRow(*row) for row in self._db.execute(query))

    def planned_keys(self) -> Iterator[tuple[int, str]]:
        """Line and externalId of the rows to send, in the order of `planned`."""
        return iter(self._db.execute("SELECT line, external_id FROM worker ORDER BY level, seq"))

    def problems(self) -> Iterator[RowProblem]:
        """Every problem of every row that is set aside, by line."""
        query = "SELECT line, column_name, code, message, advice, external_id FROM problem ORDER BY line, rowid"
        return (RowProblem(*row) for row in self._db.execute(query))

    def planned_count(self) -> int:
        """How many rows will be sent."""
        return self._number("SELECT count(*) FROM worker")

    def set_aside_count(self) -> int:
        """How many rows are set aside (a row can have several problems)."""
        return self._number("SELECT count(DISTINCT line) FROM problem")

    def in_circles(self) -> list[int]:
        """Lines of the rows that had to go before their manager because the managers form a circle."""
        return [line for (line,) in self._db.execute("SELECT line FROM circle ORDER BY line")]

    def manager_not_in_file(self) -> tuple[int, list[int]]:
        """How many planned rows name a manager that is not planned in this file, and the first ten lines."""
        orphans = """FROM worker w WHERE manager IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM worker m WHERE m.key = w.manager)"""
        lines = [line for (line,) in self._db.execute(f"SELECT line {orphans} ORDER BY line LIMIT 10")]
        return self._number(f"SELECT count(*) {orphans}"), lines

    def _insert_workers(self, workers: list[MappedRow]) -> None:
        """Bodies apart from keys: whatever sorts and sets levels then touches few pages."""
        first, self._seq = self._seq, self._seq + len(workers)
        keys = (
            (seq, w.line, w.external_id, same_key(w.external_id), w.manager and same_key(w.manager))
            for seq, w in enumerate(workers, first)
        )
        self._db.executemany("INSERT INTO worker (seq, line, external_id, key, manager) VALUES (?, ?, ?, ?, ?)", keys)
        bodies = ((seq, orjson.dumps(w.user)) for seq, w in enumerate(workers, first))
        self._db.executemany("INSERT INTO body VALUES (?, ?)", bodies)

    def _insert_problems(self, problems: Iterable[RowProblem]) -> None:
        rows = (
            (p.line, p.column, p.code, p.message, p.advice, p.external_id, p.external_id and same_key(p.external_id))
            for p in problems
        )
        self._db.executemany("INSERT INTO problem VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def _set_half_known_aside(self) -> None:
        """A worker of whom another row is set aside already: the good row alone may say the opposite of the bad one."""
        self._db.execute("CREATE INDEX problem_by_key ON problem (key, line)")
        found = self._db.execute(
            """SELECT seq, line, external_id, (SELECT min(line) FROM problem p WHERE p.key = w.key) FROM worker w
               WHERE key IN (SELECT key FROM problem)"""
        ).fetchall()
        self._insert_problems(_contradicting(line, [other], 1, key) for _, line, key, other in found)
        self._delete(seq for seq, *_ in found)

    def _set_doubles_aside(self) -> None:
        """Rows that say the same of a worker count once; rows that differ are all set aside, as none is known true."""
        doubled = "SELECT key FROM worker GROUP BY key HAVING count(*) > 1"
        for (key,) in self._db.execute(doubled).fetchall():
            rows = self._db.execute("SELECT seq, line, external_id FROM worker WHERE key = ? ORDER BY seq", [key])
            found = rows.fetchall()
            bodies = "SELECT count(DISTINCT user) FROM body JOIN worker USING (seq) WHERE key = ?"
            (variants,) = self._db.execute(bodies, [key]).fetchone()
            if variants == 1:
                first, *extra = found
                self._insert_problems(_repeated(line, first[1], external_id) for _, line, external_id in extra)
                self._delete(seq for seq, *_ in extra)
            else:
                lines = [line for _, line, _ in found[: _LINES_NAMED + 1]]
                others = len(found) - 1
                self._insert_problems(_contradicting(line, lines, others, key) for _, line, key in found)
                self._delete(seq for seq, *_ in found)

    def _delete(self, seqs: Iterable[int]) -> None:
        self._db.executemany("DELETE FROM worker WHERE seq = ?", ((seq,) for seq in seqs))

    def _level_roots(self) -> None:
        self._db.execute("UPDATE worker SET level = 0 WHERE manager IS NULL OR manager NOT IN (SELECT key FROM worker)")
        self._deepest = 0

    def _descend(self, still_alive: Callable[[], None]) -> bool:
        """Give levels downwards as far as they reach; True when everybody has one."""
        step = """UPDATE worker SET level = ? WHERE seq IN (
                  SELECT report.seq FROM worker manager JOIN worker report ON report.manager = manager.key
                  WHERE manager.level = ? AND report.level IS NULL)"""
        while self._db.execute(step, [self._deepest + 1, self._deepest]).rowcount:
            self._deepest += 1
            still_alive()
        return not self._number("SELECT EXISTS (SELECT 1 FROM worker WHERE level IS NULL)")

    def _break_circles(self) -> None:
        """Everybody without a level is in a circle or below one; free the first row of each circle."""
        manager_of = dict(
            self._db.execute(
                """SELECT w.seq, m.seq FROM worker w JOIN worker m ON m.key = w.manager WHERE w.level IS NULL"""
            ).fetchall()
        )
        done: set[int] = set()
        for start in sorted(manager_of):
            path: dict[int, None] = {}
            seq = start
            while seq not in done and seq not in path:
                path[seq] = None
                seq = manager_of[seq]
            if seq in path:
                members = list(path)[list(path).index(seq) :]
                first = min(members)
                self._db.execute("UPDATE worker SET level = ? WHERE seq = ?", [self._deepest + 1, first])
                self._db.execute("INSERT INTO circle SELECT line FROM worker WHERE seq = ?", [first])
            done.update(path)
        self._deepest += 1

    def _number(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])


def _repeated(line: int, first: int, external_id: str) -> RowProblem:
    return RowProblem(
        line,
        None,
        "repeatedRow",
        f"The row says the same as line {first}, which is sent.",
        "Nothing has to be done; remove the repetition from the export if you can.",
        external_id,
    )


def _contradicting(line: int, lines: list[int], others: int, external_id: str) -> RowProblem:
    """`lines`: the first few on which the worker stands; `others`: how many lines there are beside this one."""
    named = [str(other) for other in lines if other != line][:_LINES_NAMED]
    more = f" and {others - len(named)} more lines" if others > len(named) else ""
    return RowProblem(
        line,
        None,
        "duplicateExternalId",
        f"The same worker also stands, with other data, on line{'s' if others > 1 else ''} {', '.join(named)}{more}; "
        "none of these rows is sent.",
        "Export one row for each worker.",
        external_id,
    )
