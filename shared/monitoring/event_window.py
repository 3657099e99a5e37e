"""The events of one reading of the log, by worker, in a temporary SQLite database.

A reading can bring a hundred thousand events, some of them twice (windows overlap, pages can shift); memory stays
flat, and each event counts once.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.monitoring.provisioning_log import ProvisioningEvent

if TYPE_CHECKING:
    from collections.abc import Iterable


class EventWindow:
    """Filled once, then asked for one worker at a time."""

    def __init__(self, events: Iterable[ProvisioningEvent]) -> None:
        """Takes in every event; the same id twice is one event."""
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute(
            """CREATE TABLE event (id TEXT PRIMARY KEY, at TEXT, external_id TEXT, status TEXT, action TEXT, code TEXT,
               cycle_id TEXT) WITHOUT ROWID"""
        )
        self._db.execute("BEGIN")
        rows = ((e.id, _sortable(e.at), e.external_id, e.status, e.action, e.code, e.cycle_id) for e in events)
        self._db.executemany("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.execute("CREATE INDEX by_worker ON event (external_id, at, id)")
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Free the disk."""
        self._db.close()

    def of(self, external_id: str, since: datetime) -> list[ProvisioningEvent]:
        """A worker's events from that moment on, by time."""
        query = """SELECT id, at, external_id, status, action, code, cycle_id FROM event
                   WHERE external_id = ? AND at >= ? ORDER BY at, id"""
        found = self._db.execute(query, [external_id, _sortable(since)])
        return [ProvisioningEvent(i, datetime.fromisoformat(at), *rest) for i, at, *rest in found]

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])


def _sortable(moment: datetime) -> str:
    """Text that sorts as the time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
