"""Newer wins: what an older run still has to send is not sent for workers of whom a newer run speaks.

A newer run of the same feed speaks once it is planned, since its file says all that this one says and later. A run of
another feed of the job speaks for the workers that it has posted: sending older data after them could turn them back.
A run that is held speaks of what it has posted too; the rest of it may never be sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import RunDamagedError
from shared.inbound.planning.bulk_request import IndexedRow, read_row_index
from shared.inbound.sending.ledger_entry import SupersededEntry
from shared.inbound.sending.unsent_workers import UnsentWorkers
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.inbound.sending.ledger import Ledger
    from shared.run.record import RunRecord
    from shared.workflows.ledger_log import LedgerLog
    from shared.workflows.run_store import RunHead, RunStore
    from shared.workflows.sending import Sending

_SPEAKS_WHEN_PLANNED = frozenset(
    {RunState.PLANNED, RunState.SENDING, RunState.BLOCKED, RunState.SENT, RunState.SETTLED}
)


def supersede_older_rows(
    head: RunHead, record: RunRecord, log: LedgerLog, heads: list[RunHead], sending: Sending
) -> None:
    """Put down which operations of this run are not sent any more. Raises LeaseLostError."""
    newer = [other for other in heads if other.job_id == head.job_id and other.order > head.order and other.state]
    if not newer or log.ledger.is_complete:
        return
    runs, at = sending.runs, sending.outside.clock.now()
    with UnsentWorkers(_unsent(record, log.ledger, runs)) as unsent:
        for other in sorted(newer, key=lambda one: one.order, reverse=True):
            if unsent.is_empty:
                break
            sending.lease.keep()
            unsent.newer(other.run, _spoken_of(other, record.feed, sending))
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


def _unsent(record: RunRecord, ledger: Ledger, runs: RunStore) -> Iterator[tuple[str, int, int]]:
    parts_of, request, operations, rows = ledger.may_be_posted(), 0, set[int](), 0
    for row in _index(record, runs):
        rows += 1
        if row.request != request:
            request = row.request
            operations = {place for part in parts_of(request) for place in ledger.operations_of(part)}
        if row.operation in operations:
            yield row.external_id, row.request, row.operation
    if rows != record.operations:
        raise RunDamagedError(f"rows.ndjson names {rows} rows, the plan {record.operations}")


def _index(record: RunRecord, runs: RunStore) -> Iterator[IndexedRow]:
    try:
        yield from read_row_index(runs.lines(record, "rows.ndjson"))
    except (ValueError, KeyError, TypeError):
        raise RunDamagedError("a line of rows.ndjson can't be read") from None


def _spoken_of(other: RunHead, feed: str, sending: Sending) -> Iterator[str]:
    """The workers of whom a newer run speaks; a run that can't be read speaks of nobody."""
    runs = sending.runs
    try:
        record = runs.load(other.feed, other.run)
        if record is None or not record.plan:
            return
        ledger = runs.ledger(record)
    except RunDamagedError:
        return
    every_row = record.feed == feed and record.state in _SPEAKS_WHEN_PLANNED and not record.cancelled_by
    try:
        yield from _spoken(record, ledger, runs, every_row=every_row)
    except RunDamagedError:
        if ledger.last_sent_at:  # nobody can tell any more whom it has posted
            raise


def _spoken(record: RunRecord, ledger: Ledger, runs: RunStore, *, every_row: bool) -> Iterator[str]:
    for row in _index(record, runs):
        if (every_row or ledger.begun(row.request)) and row.operation not in ledger.superseded(row.request):
            yield row.external_id
