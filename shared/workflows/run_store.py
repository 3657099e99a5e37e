"""Runs in storage: `runs/<feed>/<run id>/…`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.errors import BlobChangedError, RunDamagedError
from shared.inbound.planning.bulk_request import read_row_index
from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import read_ledger
from shared.ports import RUNS
from shared.run.record import RunRecord
from shared.run.row_state import RowState
from shared.scim.bulk import MAX_OPERATIONS
from shared.workflows.run_heads import LEDGER, RUN_JSON, RunHead, head_metadata, run_heads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.inbound.planning.bulk_request import IndexedRow
    from shared.ports import BlobStore, Clock

ROWS = "rows.ndjson"
_MAX_RACES = 20


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
        """The record, or None where the run has not been planned.

        Raises:
            RunDamagedError: what lies there is no record.
        """
        found = self._store.read(RUNS, self.name(feed, run, RUN_JSON))
        return _record(found.content, feed, run) if found else None

    def create(self, record: RunRecord) -> RunRecord:
        """Write a new record; where the run has one already, that one stands and is returned."""
        name = self.name(record.feed, record.run, RUN_JSON)
        try:
            self._store.create(RUNS, name, _json(record), head_metadata(record))
        except BlobChangedError:
            existing = self.load(record.feed, record.run)
            return existing or record
        return record

    def update(self, feed: str, run: str, change: Callable[[RunRecord], RunRecord]) -> RunRecord:
        """Apply a change to the newest version, again and again until nobody came in between.

        Raises:
            BlobChangedError: it never succeeded, or the record is gone.
        """
        name = self.name(feed, run, RUN_JSON)
        for _ in range(_MAX_RACES):
            found = self._store.read(RUNS, name)
            if found is None:
                break
            before = _record(found.content, feed, run)
            after = change(before)
            if after == before:
                return before
            after = after.changed(updated_at=self._clock.now())
            try:
                self._store.replace(RUNS, name, _json(after), found.etag, head_metadata(after))
            except BlobChangedError:
                continue
            return after
        raise BlobChangedError(f"run.json of run {run} could not be updated")

    def heads(self) -> list[RunHead]:
        """Every run, oldest drop first; what has only lost its record is a run too."""
        return run_heads(self._store.list(RUNS), self.load)

    def ledger(self, record: RunRecord) -> Ledger:
        """What happened so far.

        Raises:
            RunDamagedError: the ledger can't be read, or says less than the record does.
        """
        return self.ledger_and_length(record)[0]

    def ledger_and_length(self, record: RunRecord) -> tuple[Ledger, int]:
        """The same, and how long the blob was when it was read. Raises what `ledger` does."""
        found = self._store.read(RUNS, self.name(record.feed, record.run, LEDGER))
        content = found.content if found else b""
        try:
            ledger = Ledger(request_sizes(record), read_ledger(content), barriers=record.barriers)
        except ValueError as error:
            raise RunDamagedError(str(error)) from None
        if _says_less(ledger, record):
            raise RunDamagedError(f"the ledger of run {record.run} is gone or cut: run.json says more of what was sent")
        return ledger, len(content)

    def append(self, record: RunRecord, content: bytes, at: int) -> int:
        """Add lines to a ledger of that length; returns its new length.

        Raises:
            BlobChangedError: somebody else has added to it since.
        """
        return self._store.append(RUNS, self.name(record.feed, record.run, LEDGER), content, at)

    def rows(self, record: RunRecord) -> Iterator[IndexedRow]:
        """The rows that the run sends, in the plan's order.

        Raises:
            RunDamagedError: at a line that can't be read, or at the end where there are more or fewer than planned.
        """
        found = 0
        try:
            for row in read_row_index(self.lines(record, ROWS)):
                found += 1
                yield row
        except (ValueError, KeyError, TypeError):
            raise RunDamagedError(f"line {found + 1} of {ROWS} of run {record.run} names no row") from None
        if found != record.operations:
            raise RunDamagedError(f"{ROWS} of run {record.run} has {found} rows, the plan {record.operations}")

    def missing_blobs(self, record: RunRecord) -> list[str]:
        """Names of blobs of the run's plan that are not there any more."""
        if not record.plan:
            return []
        folder = self.name(record.feed, record.run, "")
        there = {blob.name.removeprefix(folder) for blob in self._store.list(RUNS, folder)}
        return [name for name in (*(file.name for file in record.plan), ROWS) if name not in there]

    def lines(self, record: RunRecord, blob: str) -> Iterator[bytes]:
        """The lines of one of a run's text blobs; none where it is missing."""
        return self._store.lines(RUNS, self.name(record.feed, record.run, blob))


def _says_less(ledger: Ledger, record: RunRecord) -> bool:
    """The record is written from the ledger, so it never knows of anything that was not put down."""
    told = record.counts
    return (
        (record.last_sent_at is not None and (ledger.last_sent_at is None or ledger.last_sent_at < record.last_sent_at))
        or record.accepted_in_all > ledger.accepted_operations
        or told[RowState.REJECTED] > ledger.rejected_operations
        or told[RowState.SUPERSEDED] > ledger.superseded_operations
    )


def request_sizes(record: RunRecord) -> list[int]:
    """Operations in request 1, 2, …: all are full but the plan's last."""
    full, rest = divmod(record.operations, MAX_OPERATIONS)
    return [MAX_OPERATIONS] * full + ([rest] if rest else [])


def _json(record: RunRecord) -> bytes:
    return record.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def _record(content: bytes, feed: str, run: str) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(content)
    except ValidationError:
        raise RunDamagedError(f"run.json of run {run} is not a record of a run") from None
    if (record.feed, record.run) != (feed, run):
        raise RunDamagedError(f"run.json of run {run} is another run's")
    return record
