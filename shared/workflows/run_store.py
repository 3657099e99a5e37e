"""Runs in storage: `runs/<feed>/<run id>/…`.

`run.json` carries its state and job as blob metadata too, so that one listing tells which runs need work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError
from shared.inbound.ledger import Ledger, ledger_line, read_ledger
from shared.ports import RUNS
from shared.run.record import RunRecord, RunState
from shared.scim.bulk import MAX_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from shared.inbound.ledger import LedgerEntry
    from shared.ports import BlobStore, Clock

_RUN_JSON = "run.json"
_MAX_RACES = 20


@dataclass(frozen=True, order=True)
class RunHead:
    """A run as the listing shows it. Sorts by time of drop, since the run id begins with it."""

    run: str
    feed: str
    state: RunState
    job_id: str | None
    written_at: datetime


class RunStore:
    """Reads and writes runs; every change of a record starts from its newest version."""

    def __init__(self, store: BlobStore, clock: Clock) -> None:
        """Takes the blobs and the clock that stamps `updatedAt`."""
        self._store = store
        self._clock = clock

    def name(self, feed: str, run: str, blob: str) -> str:
        """The name of one of a run's blobs."""
        return f"{feed}/{run}/{blob}"

    def load(self, feed: str, run: str) -> RunRecord | None:
        """The record, or None where the run has not been planned."""
        found = self._store.read(RUNS, self.name(feed, run, _RUN_JSON))
        return RunRecord.model_validate_json(found.content) if found else None

    def create(self, record: RunRecord) -> RunRecord:
        """Write a new record; where the run has one already, that one stands and is returned."""
        name = self.name(record.feed, record.run, _RUN_JSON)
        try:
            self._store.create(RUNS, name, _json(record), _metadata(record))
        except BlobChangedError:
            existing = self.load(record.feed, record.run)
            return existing or record
        return record

    def update(self, feed: str, run: str, change: Callable[[RunRecord], RunRecord]) -> RunRecord:
        """Apply a change to the newest version, again and again until nobody came in between.

        Raises:
            BlobChangedError: it never succeeded, or the record is gone.
        """
        name = self.name(feed, run, _RUN_JSON)
        for _ in range(_MAX_RACES):
            found = self._store.read(RUNS, name)
            if found is None:
                break
            before = RunRecord.model_validate_json(found.content)
            after = change(before)
            if after == before:
                return before
            after = after.changed(updated_at=self._clock.now())
            try:
                self._store.replace(RUNS, name, _json(after), found.etag, _metadata(after))
            except BlobChangedError:
                continue
            return after
        raise BlobChangedError(f"run.json of run {run} could not be updated")

    def heads(self) -> list[RunHead]:
        """Every run, oldest drop first."""
        heads = []
        for blob in self._store.list(RUNS):
            feed, _, rest = blob.name.partition("/")
            run, _, file = rest.partition("/")
            if file == _RUN_JSON and "state" in blob.metadata:
                state, job = RunState(blob.metadata["state"]), blob.metadata.get("jobid")
                heads.append(RunHead(run, feed, state, job, blob.last_modified))
        return sorted(heads)

    def ledger(self, record: RunRecord) -> Ledger:
        """The answers so far.

        Raises:
            ValueError: the ledger can't be read.
        """
        found = self._store.read(RUNS, self.name(record.feed, record.run, "ledger.ndjson"))
        return Ledger(request_sizes(record), read_ledger(found.content) if found else ())

    def append(self, record: RunRecord, entry: LedgerEntry) -> None:
        """Put one answer down, durably."""
        self._store.append(RUNS, self.name(record.feed, record.run, "ledger.ndjson"), ledger_line(entry))

    def lines(self, record: RunRecord, blob: str) -> Iterator[bytes]:
        """The lines of one of a run's text blobs; none where it is missing."""
        return self._store.lines(RUNS, self.name(record.feed, record.run, blob))


def request_sizes(record: RunRecord) -> list[int]:
    """Operations in request 1, 2, …: all are full but the plan's last."""
    full, rest = divmod(record.operations, MAX_OPERATIONS)
    return [MAX_OPERATIONS] * full + ([rest] if rest else [])


def _json(record: RunRecord) -> bytes:
    return record.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def _metadata(record: RunRecord) -> dict[str, str]:
    return {"state": record.state.value, **({"jobid": record.job_id} if record.job_id else {})}
