"""What a person should know of other runs before they act on one. Reads; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import FeedFileError, RunDamagedError
from shared.inbound.feeds.feed_file import parse_feed
from shared.ports import FEEDS
from shared.run.drop import dropped_at
from shared.run.row_state import RowState
from shared.run.run_state import UNSENT, RunState

if TYPE_CHECKING:
    from shared.ports import BlobStore
    from shared.run.record import RunRecord
    from shared.workflows.run_heads import RunHead
    from shared.workflows.run_store import RunStore

_NAMED = 3


@dataclass(frozen=True)
class GivenUp:
    """How many rows of a run are not sent any more, since another run spoke of the same workers."""

    run: RunRecord
    rows: int


def given_up_for(record: RunRecord, runs: RunStore) -> list[GivenUp]:
    """What other runs have given up for this one, oldest drop first; a run that can't be read is left out."""
    found = []
    for head in runs.heads():
        # Nothing was given up for a run before its file was there. Both times are storage's.
        if head.job_id != record.job_id or head.written_at < record.dropped_at:
            continue
        try:
            other = runs.load(head.feed, head.run)
            if other and other.counts[RowState.SUPERSEDED] and (rows := _rows_given_up(other, record.run, runs)):
                found.append(GivenUp(other, rows))
        except RunDamagedError:
            continue
    return found


def _rows_given_up(other: RunRecord, by_run: str, runs: RunStore) -> int:
    ledger = runs.ledger(other)
    entries = (entry for number in range(1, ledger.requests + 1) for entry in ledger.superseded(number).values())
    return sum(entry.by_run == by_run for entry in entries)


def ahead_of(record: RunRecord, runs: RunStore) -> RunRecord | None:
    """A run of the same job that this one has to wait for: it waits itself, or a person has to see to it."""
    if record.state not in UNSENT or record.not_before or record.cancelled_by:
        return None
    for head in runs.heads():
        if head.job_id == record.job_id and head.state in UNSENT and head.run != record.run:
            other = runs.load(head.feed, head.run)
            if other and other.not_before and not other.cancelled_by:
                return other
    return None


def taken_since(record: RunRecord, runs: RunStore) -> list[RunRecord]:
    """The newest files of the feed that were taken after this one, newest first and a few at most.

    To drop this one again would put its data over theirs.
    """
    # Rows that were sent again have no digest of a file, nor has what was refused.
    newer = [head for head in _behind(record, runs) if head.content_sha256 and head.state is not RunState.REFUSED]
    found: list[RunRecord] = []
    for head in reversed(newer):
        if len(found) == _NAMED:
            break
        try:
            other = runs.load(head.feed, head.run)
        except RunDamagedError:
            continue
        if other and not other.cancelled_by:
            found.append(other)
    return found


def is_of_another_job(record: RunRecord, store: BlobStore) -> bool:
    """Whether the feed file names another job by now: what is resent goes to the one that the run was planned for."""
    found = store.read(FEEDS, f"{record.feed}.yaml")
    try:
        job = parse_feed(found.content).job if found else None
    except FeedFileError:
        return False
    return job is not None and (job.jobId, job.servicePrincipalId) != (record.job_id, record.service_principal_id)


def resent_by(record: RunRecord, runs: RunStore) -> list[str]:
    """The runs that send rows of this one again, oldest first."""
    if not any(action.action == "resend" for action in record.actions):
        return []
    behind = [head for head in _behind(record, runs) if dropped_at(head.run) == dropped_at(record.run)]
    return [head.run for head in behind if _origin(head, runs) == record.run]


def _origin(head: RunHead, runs: RunStore) -> str | None:
    try:
        record = runs.load(head.feed, head.run)
    except RunDamagedError:
        return None
    return record.resend_of if record else None


def _behind(record: RunRecord, runs: RunStore) -> list[RunHead]:
    """The later runs of the feed, oldest drop first."""
    heads = [head for head in runs.heads() if head.feed == record.feed]
    place = next((place for place, head in enumerate(heads) if head.run == record.run), len(heads))
    return heads[place + 1 :]
