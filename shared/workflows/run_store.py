"""Runs in storage: `runs/<feed>/<run id>/…`.

`run.json` carries its state and job as blob metadata too, so that one listing tells which runs need work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.errors import BlobChangedError, RunDamagedError
from shared.inbound.planning.bulk_request import read_row_index
from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import read_ledger
from shared.ports import RUNS
from shared.run.drop import dropped_at
from shared.run.record import RunRecord
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.scim.bulk import MAX_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.inbound.planning.bulk_request import IndexedRow
    from shared.ports import BlobListing, BlobStore, Clock

_RUN_JSON = "run.json"
LEDGER = "ledger.ndjson"
ROWS = "rows.ndjson"
_MAX_RACES = 20


@dataclass(frozen=True)
class RunHead:
    """A run as the listing shows it. `state` None: its record can't be read, so it is known and nothing more.

    `has_record` False: its ledger is there and `run.json` is not, since somebody deleted that. `was_begun`: there is a
    ledger. `job_rests_until`: of a run that is over, until when the API wanted no call.
    """

    run: str
    feed: str
    state: RunState | None
    job_id: str | None
    planned_at: str
    content_sha256: str | None
    is_urgent: bool
    written_at: datetime
    was_begun: bool
    job_rests_until: datetime | None = None
    has_record: bool = True

    @property
    def order(self) -> tuple[str, str, str]:
        """Oldest drop first; drops of one second in the order in which they were planned, unreadable ones last."""
        return dropped_at(self.run), self.planned_at or "~", self.run


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
        found = self._store.read(RUNS, self.name(feed, run, _RUN_JSON))
        return _record(found.content, feed, run) if found else None

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
            before = _record(found.content, feed, run)
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
        """Every run, oldest drop first; what has only lost its record is a run too."""
        records: dict[tuple[str, str], BlobListing] = {}
        ledgers: dict[tuple[str, str], BlobListing] = {}
        for blob in self._store.list(RUNS):
            feed, _, rest = blob.name.partition("/")
            run, _, file = rest.partition("/")
            if file in (_RUN_JSON, LEDGER):
                (records if file == _RUN_JSON else ledgers)[feed, run] = blob
        heads = [self._head(feed, run, blob, (feed, run) in ledgers) for (feed, run), blob in records.items()]
        heads += [_without_record(*name, blob) for name, blob in ledgers.items() if name not in records]
        return sorted(heads, key=lambda head: head.order)

    def _head(self, feed: str, run: str, blob: BlobListing, was_begun: bool) -> RunHead:
        """From the blob's metadata, or from the record where somebody has rewritten it without them."""
        metadata = dict(blob.metadata)
        try:
            if "state" not in metadata and (record := self.load(feed, run)):
                metadata = _metadata(record)
            state = RunState(metadata.get("state", ""))
        except (RunDamagedError, ValueError):
            state = None
        return RunHead(
            run=run,
            feed=feed,
            state=state,
            job_id=metadata.get("jobid"),
            planned_at=metadata.get("plannedat", ""),
            content_sha256=metadata.get("contentsha256"),
            is_urgent=metadata.get("priority") == "urgent",
            written_at=blob.last_modified,
            was_begun=was_begun,
            job_rests_until=_moment(metadata.get("jobrestsuntil")),
        )

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

    def lines(self, record: RunRecord, blob: str) -> Iterator[bytes]:
        """The lines of one of a run's text blobs; none where it is missing."""
        return self._store.lines(RUNS, self.name(record.feed, record.run, blob))


def _without_record(feed: str, run: str, ledger: BlobListing) -> RunHead:
    return RunHead(
        run=run,
        feed=feed,
        state=None,
        job_id=None,
        planned_at="",
        content_sha256=None,
        is_urgent=False,
        written_at=ledger.last_modified,
        was_begun=True,
        has_record=False,
    )


def _says_less(ledger: Ledger, record: RunRecord) -> bool:
    """The record is written from the ledger, so it never knows of anything that was not put down."""
    told = record.counts
    return (
        (record.last_sent_at is not None and not ledger.has_begun)
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


def _metadata(record: RunRecord) -> dict[str, str]:
    metadata = {"state": record.state, "plannedat": record.planned_at.isoformat(), "priority": record.priority}
    rests = record.not_before if record.state in (RunState.SENT, RunState.SETTLED) else None
    optional = {
        "jobid": record.job_id,
        "contentsha256": record.content_sha256,
        "jobrestsuntil": rests.isoformat() if rests else None,
    }
    return metadata | {name: value for name, value in optional.items() if value}


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _record(content: bytes, feed: str, run: str) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(content)
    except ValidationError:
        raise RunDamagedError(f"run.json of run {run} is not a record of a run") from None
    if (record.feed, record.run) != (feed, run):
        raise RunDamagedError(f"run.json of run {run} is another run's")
    return record
