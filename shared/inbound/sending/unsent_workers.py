"""The workers of a run that are still to be sent, to be compared with the workers of newer runs.

On temporary disk, since a run can have a million rows.
"""

from __future__ import annotations

import sqlite3
from itertools import groupby
from typing import TYPE_CHECKING

from shared.inbound.mapping.cell_problem import same_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192; PRAGMA temp_store = FILE;
CREATE TABLE unsent (external_id TEXT, request INTEGER, operation INTEGER, by_run TEXT);
"""


class UnsentWorkers:
    """Filled once, then told who is in newer runs, newest first."""

    def __init__(self, rows: Iterable[tuple[str, int, int]]) -> None:
        """Takes externalId, request and operation of each row that the ledger says is left."""
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO unsent VALUES (?, ?, ?, NULL)",
            ((same_key(external_id), request, operation) for external_id, request, operation in rows),
        )

        self._db.execute("CREATE INDEX by_external_id ON unsent (external_id)")

    def close(self) -> None:
        """Free the disk."""
        self._db.close()

    @property
    def is_empty(self) -> bool:
        """Nobody is left of whom no newer run speaks."""
        return self._db.execute("SELECT 1 FROM unsent WHERE by_run IS NULL LIMIT 1").fetchone() is None

    def newer(self, run: str, external_ids: Iterable[str]) -> None:
        """A newer run speaks of these workers."""
        self._db.executemany(
            "UPDATE unsent SET by_run = ? WHERE external_id = ? AND by_run IS NULL",
            ((run, same_key(external_id)) for external_id in external_ids),
        )

    def superseded(self) -> Iterator[tuple[int, str, tuple[int, ...]]]:
        """Request, newer run, operations: in the plan's order."""
        found = self._db.execute(
            "SELECT request, by_run, operation FROM unsent WHERE by_run IS NOT NULL ORDER BY request, by_run, operation"
        )
        for (request, run), rows in groupby(found, key=lambda row: (row[0], row[1])):
            yield request, run, tuple(row[2] for row in rows)
