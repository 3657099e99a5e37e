"""Rows of the working set that can't be sent because of other rows: one worker twice, one login twice.

Rows are found by the numbers of their keys, then compared by what the keys are. Every step gives rows as it finds them,
and whoever takes them puts them aside before the next are asked for.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import orjson

from shared.inbound.mapping.cell_problem import same_key
from shared.inbound.planning.duplicate_rows import SameWorker, contradicting, same_login, set_aside_of
from shared.inbound.reading.row_batch import RowProblem

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Callable, Iterator

    from shared.inbound.feeds.feed_file import Rows
    from shared.inbound.planning.row_spool import RowSpool

_MOST_COMPARED = 1000
"""So many rows of one worker are compared with one another; more can only be a wrong key."""
Aside = list[tuple[int, RowProblem]]
"""Rows by number, and why they are not sent."""


class DoubtfulRows:
    """`steps` are to be taken in order: each step looks only at the rows that those before it have left."""

    def __init__(self, db: sqlite3.Connection, users: RowSpool, lines: array[int], policy: Rows) -> None:
        """Takes what the working set is made of; reads it only, but for temporary tables and indexes."""
        self._db = db
        self._users = users
        self._lines = lines
        self._policy = policy
        self.steps = (self._half_known, self._doubles, self._same_logins, self._claimed_logins)

    def _external_id(self, row: int) -> str:
        text: str = orjson.loads(self._users.get(row).partition(b"\t")[0])
        return text

    def _half_known(self) -> Iterator[Aside]:
        """A worker of whom another row is set aside already: the good row alone may say the opposite of the bad one."""
        self._db.execute("CREATE INDEX problem_by_key ON problem (key)")
        self._db.execute(
            "CREATE TEMP TABLE half AS SELECT key, row FROM worker WHERE key IN (SELECT key FROM problem) ORDER BY key"
        )
        bad = "SELECT DISTINCT line, external_id FROM problem WHERE key = ? ORDER BY line"
        for key, rows in self._grouped("SELECT key, row FROM half ORDER BY key, row"):
            lines: dict[str, list[int]] = {}
            for line, external_id in self._db.execute(bad, [key]).fetchall():
                lines.setdefault(same_key(external_id), []).append(line)
            for row in rows:
                external_id = self._external_id(row)
                if known := lines.get(same_key(external_id)):
                    yield [(row, contradicting(self._lines[row], known, external_id))]

    def _doubles(self) -> Iterator[Aside]:
        for group in self._groups("key"):
            for same in _apart(group, lambda row: same_key(self._external_id(row))):
                if len(same) > _MOST_COMPARED:
                    lines = [self._lines[row] for row in same]
                    for row in same:
                        yield [(row, contradicting(self._lines[row], lines, self._external_id(row)))]
                else:
                    yield set_aside_of([self._same_worker(row) for row in same], self._policy)

    def _same_logins(self) -> Iterator[Aside]:
        for group in self._groups("login"):
            for same in _apart(group, self._login):
                lines = [self._lines[row] for row in same]
                for row in same:
                    yield [(row, same_login(self._lines[row], lines, self._external_id(row)))]

    def _claimed_logins(self) -> Iterator[Aside]:
        """A login that a row claims which is set aside: nobody knows whose it is either."""
        self._db.execute("CREATE INDEX problem_by_login ON problem (login)")
        self._db.execute(
            """CREATE TEMP TABLE claimed AS SELECT login, row FROM worker
               WHERE login IN (SELECT login FROM problem) ORDER BY login"""
        )
        others = "SELECT DISTINCT line FROM problem WHERE login = ? ORDER BY line"
        for login, rows in self._grouped("SELECT login, row FROM claimed ORDER BY login, row"):
            lines = [line for (line,) in self._db.execute(others, [login]).fetchall()]
            for row in rows:
                yield [(row, same_login(self._lines[row], lines, self._external_id(row)))]

    def _grouped(self, query: str) -> Iterator[tuple[int, list[int]]]:
        for number, group in groupby(self._db.execute(query), key=itemgetter(0)):
            yield number, [row for _, row in group]

    def _groups(self, column: str) -> Iterator[list[int]]:
        """Rows that share a number in that column, a list for each number."""
        table = f"same_{column}"
        self._db.execute(
            f"""CREATE TEMP TABLE {table} AS SELECT {column}, row FROM worker WHERE {column} IN
                (SELECT {column} FROM worker GROUP BY {column} HAVING count(*) > 1) ORDER BY {column}, row"""
        )
        return (rows for _, rows in self._grouped(f"SELECT {column}, row FROM {table} ORDER BY {column}, row"))

    def _same_worker(self, row: int) -> SameWorker:
        user = self._users.get(row).partition(b"\t")[2]
        cell = self._db.execute("SELECT cell FROM newest_by WHERE row = ?", [row]).fetchone()
        return SameWorker(row, self._lines[row], self._external_id(row), user, cell[0] if cell else "")

    def _login(self, row: int) -> str:
        return same_key(str(orjson.loads(self._users.get(row).partition(b"\t")[2])["userName"]))


def _apart(rows: list[int], key: Callable[[int], str]) -> list[list[int]]:
    """The rows that really have the same key, a list for each key that several have."""
    same: dict[str, list[int]] = {}
    for row in rows:
        same.setdefault(key(row), []).append(row)
    return [group for group in same.values() if len(group) > 1]
