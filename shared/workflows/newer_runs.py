"""Newer wins: what an older run still has to send is not sent for workers of whom a newer run speaks.

A newer run of the same feed speaks once it is planned, since its file says all that this one says and later. A run of
another feed of the job speaks for the workers that it has posted: sending older data after them could turn them back.
A run that is held or cancelled speaks of what it has posted too; the rest of it may never be sent. What the API refused
was never taken, so it speaks for no other feed, unless it was posted before and got no answer.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from shared.errors import NewerRunUnreadableError, RunDamagedError
from shared.inbound.sending.ledger_entry import SupersededEntry
from shared.inbound.sending.unsent_workers import UnsentWorkers
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.inbound.sending.ledger import Ledger
    from shared.inbound.sending.ledger_entry import Part
    from shared.ports import Lease
    from shared.run.record import RunRecord
    from shared.workflows.ledger_log import LedgerLog
    from shared.workflows.run_heads import RunHead
    from shared.workflows.run_store import RunStore
    from shared.workflows.sending import Sending

_KEEP_EVERY_ROWS = 1000
_T = TypeVar("_T")
_SPEAKS_WHEN_PLANNED = frozenset(
    {RunState.PLANNED, RunState.SENDING, RunState.BLOCKED, RunState.SENT, RunState.SETTLED}
)


def supersede_older_rows(
    head: RunHead, record: RunRecord, log: LedgerLog, heads: list[RunHead], sending: Sending
) -> None:
    """Put down which operations of this run are not sent any more.

    Raises:
        LeaseLostError: another sender has the job.
        RunDamagedError: the rows of this run can't be told any more.
        NewerRunUnreadableError: those of a newer run can't.
    """
    newer = newer_heads(head, heads)
    if not newer or log.ledger.is_complete:
        return
    runs, at = sending.runs, sending.outside.clock.now()
    rows = rows_of_parts(record, log.ledger, log.ledger.may_be_posted(), runs)
    with closing(UnsentWorkers(_with_lease(rows, sending.lease))) as unsent:
        for other in newer:
            if unsent.is_empty:
                break
            unsent.newer(other.run, _with_lease(_spoken_of(other, record.feed, runs), sending.lease))
        entries = [
            SupersededEntry(request=request, operations=operations, by_run=run, at=at)
            for request, run, operations in unsent.superseded()
        ]
    log.add(entries)


def supersede_everything(log: LedgerLog, sending: Sending) -> None:
    """The run is cancelled. Raises LeaseLostError."""
    at, ledger = sending.outside.clock.now(), log.ledger
    log.add(
        [
            SupersededEntry(request=part.request, operations=tuple(ledger.operations_of(part)), at=at)
            for part in ledger.left()
        ]
    )


def _with_lease(items: Iterator[_T], lease: Lease) -> Iterator[_T]:
    """A run can have a million rows, and to compare them takes longer than the lease lasts."""
    for number, item in enumerate(items):
        if number % _KEEP_EVERY_ROWS == 0:
            lease.keep()
        yield item


def newer_heads(head: RunHead, heads: list[RunHead]) -> list[RunHead]:
    """Newer runs of the same job, the newest first; one that can't be read and does not tell its job may be of any."""
    newer = [one for one in heads if one.order > head.order and _may_be_of(one, head.job_id)]
    return sorted(newer, key=lambda one: one.order, reverse=True)


def _may_be_of(head: RunHead, job_id: str | None) -> bool:
    """What was refused before anything was planned has no ledger; what was refused as sent in part has one."""
    return head.job_id == job_id or (head.job_id is None and (head.state is None or head.was_begun))


def rows_of_parts(
    record: RunRecord, ledger: Ledger, parts_of: Callable[[int], list[Part]], runs: RunStore
) -> Iterator[tuple[str, int, int]]:
    """externalId, request and operation of the run's rows that are in these parts of its requests.

    Raises:
        RunDamagedError: the rows can't be told any more.
    """
    request, operations = 0, set[int]()
    for row in runs.rows(record):
        if row.request != request:
            request = row.request
            operations = {place for part in parts_of(request) for place in ledger.operations_of(part)}
        if row.operation in operations:
            yield row.external_id, row.request, row.operation


def _spoken_of(other: RunHead, feed: str, runs: RunStore) -> Iterator[str]:
    """The workers of whom a newer run speaks."""
    try:
        record = runs.load(other.feed, other.run) if other.has_record else None
        if not other.has_record or (record and record.state is RunState.REFUSED):  # see deleted_record
            raise RunDamagedError("its record was deleted, so its ledger can't be read")
        if record is None or not record.plan:
            return
        ledger = runs.ledger(record)
        if not ledger.has_begun and record.feed != feed:
            return
        yield from _spoken(record, ledger, feed, runs)
    except RunDamagedError:
        raise NewerRunUnreadableError(other.feed, other.run) from None


def _spoken(record: RunRecord, ledger: Ledger, feed: str, runs: RunStore) -> Iterator[str]:
    every_row = record.feed == feed and record.state in _SPEAKS_WHEN_PLANNED and not record.cancelled_by
    for row in runs.rows(record):
        is_sent = every_row and row.operation not in ledger.superseded(row.request)
        if is_sent or ledger.may_be_taken(row.request, row.operation):
            yield row.external_id
