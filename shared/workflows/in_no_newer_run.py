"""How much would be lost with a run: rows still to be sent that no newer run of its job sends. Reads; changes nothing.

Workers are compared as the sender compares them. What a newer run holds back, or has given up, does not count as sent.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from shared.errors import RunDamagedError
from shared.inbound.sending.unsent_workers import UnsentWorkers
from shared.run.run_state import UNSENT, RunState
from shared.workflows.newer_runs import newer_heads, rows_of_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.run.record import RunRecord
    from shared.workflows.run_heads import RunHead
    from shared.workflows.run_store import RunStore

_SENDS = frozenset({*UNSENT, RunState.SENT, RunState.SETTLED})


def rows_in_no_newer_run(record: RunRecord, runs: RunStore) -> int:
    """How many of the rows that the run has yet to send are in no newer run that sends them, or has.

    Raises:
        RunDamagedError: nobody can tell, since blobs of this run or of a newer one can't be read.
    """
    ledger = runs.ledger(record)
    left = sum(len(ledger.operations_of(part)) for part in ledger.left())
    with closing(UnsentWorkers(rows_of_parts(record, ledger, ledger.left_of, runs))) as unsent:
        for head in _newer(record, runs):
            if unsent.is_empty:
                break
            unsent.newer(head.run, _sent_by(head, runs))
        return left - sum(len(operations) for _, _, operations in unsent.superseded())


def _newer(record: RunRecord, runs: RunStore) -> list[RunHead]:
    heads = runs.heads()
    own = next((head for head in heads if (head.feed, head.run) == (record.feed, record.run)), None)
    return newer_heads(own, heads) if own else []


def _sent_by(head: RunHead, runs: RunStore) -> Iterator[str]:
    try:
        other = runs.load(head.feed, head.run)
        if not head.has_record:
            raise RunDamagedError("its record was deleted")
        if other is None or not other.plan:
            return
        ledger, is_sent = runs.ledger(other), other.state in _SENDS and not other.cancelled_by
        for row in runs.rows(other):
            is_kept = is_sent and row.operation not in ledger.superseded(row.request)
            if is_kept or ledger.may_be_taken(row.request, row.operation):
                yield row.external_id
    except RunDamagedError:
        raise RunDamagedError(f"the blobs of run {head.run} can't be read") from None
