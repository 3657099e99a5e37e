"""Newer wins: what an older run still has to send is not sent for workers of whom a newer run speaks.

A newer run of the same feed speaks once it is planned, since its file says all that this one says and later. A run of
another feed of the job speaks for the workers that it has posted: sending older data after them could turn them back.
A run that is held speaks of what it has posted too; the rest of it may never be sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import RunDamagedError
from shared.inbound.planning.bulk_request import read_row_index
from shared.inbound.sending.ledger import SupersededEntry
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
    for row in read_row_index(runs.lines(record, "rows.ndjson")):
        left = ledger.left_of(row.request)
        if any(part.start <= row.operation < part.stop for part in left):
            yield row.external_id, row.request, row.operation


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
    every_row = record.feed == feed and record.state in _SPEAKS_WHEN_PLANNED
    for row in read_row_index(runs.lines(record, "rows.ndjson")):
        if (every_row or ledger.begun(row.request)) and row.operation not in ledger.superseded(row.request):
            yield row.external_id
