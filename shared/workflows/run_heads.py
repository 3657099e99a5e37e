"""Runs as one listing shows them: `run.json` carries its state and job as blob metadata too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.errors import RunDamagedError
from shared.run.drop import dropped_at
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.ports import BlobListing
    from shared.run.record import RunRecord

    Load = Callable[[str, str], RunRecord | None]

RUN_JSON = "run.json"
LEDGER = "ledger.ndjson"
_WAITS_FOR_ITS_JOB = (RunState.SENT, RunState.SETTLED, RunState.HELD)
"""In these the time that a run waits for is not its own."""


@dataclass(frozen=True)
class RunHead:
    """A run as the listing shows it. `state` None: its record can't be read, so it is known and nothing more.

    `has_record` False: its ledger is there and `run.json` is not, since somebody deleted that. `was_begun`: there is a
    ledger. `job_rests_until`: of a run that is over or held, until when the API wanted no call.
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


def run_heads(listing: Iterable[BlobListing], load: Load) -> list[RunHead]:
    """Every run, oldest drop first; what has only lost its record is a run too.

    Args:
        listing: all blobs of the container `runs`.
        load: reads the record of a feed's run; None where there is none, RunDamagedError where it is none.
    """
    records: dict[tuple[str, str], BlobListing] = {}
    ledgers: dict[tuple[str, str], BlobListing] = {}
    for blob in listing:
        feed, _, rest = blob.name.partition("/")
        run, _, file = rest.partition("/")
        if file in (RUN_JSON, LEDGER):
            (records if file == RUN_JSON else ledgers)[feed, run] = blob
    heads = [_head(*name, blob, load, was_begun=name in ledgers) for name, blob in records.items()]
    heads += [_without_record(*name, blob) for name, blob in ledgers.items() if name not in records]
    return sorted(heads, key=lambda head: head.order)


def _head(feed: str, run: str, blob: BlobListing, load: Load, *, was_begun: bool) -> RunHead:
    """From the blob's metadata, or from the record where somebody has rewritten it without them."""
    metadata = dict(blob.metadata)
    try:
        if "state" not in metadata and (record := load(feed, run)):
            metadata = head_metadata(record)
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


def head_metadata(record: RunRecord) -> dict[str, str]:
    """What a record's blob says of it in a listing."""
    metadata = {"state": record.state, "plannedat": record.planned_at.isoformat(), "priority": record.priority}
    rests = record.not_before if record.state in _WAITS_FOR_ITS_JOB else None
    optional = {
        "jobid": record.job_id,
        "contentsha256": record.content_sha256,
        "jobrestsuntil": rests.isoformat() if rests else None,
    }
    return metadata | {name: value for name, value in optional.items() if value}


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
