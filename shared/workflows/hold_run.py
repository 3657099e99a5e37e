"""A run whose ledger can't be read is held: nobody can tell any more what of it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import RunDamagedError
from shared.inbound.sending.advice import PLAN_DAMAGED, WAITS, plan_damaged
from shared.run.record import reason_record
from shared.run.run_state import RunState
from shared.workflows.ledger_log import LedgerLog
from shared.workflows.run_heads import LEDGER

if TYPE_CHECKING:
    from shared.run.record import RunRecord
    from shared.workflows.sending import Sending


def ledger_or_hold(record: RunRecord, sending: Sending) -> LedgerLog | None:
    """The run's ledger; None where it can't be read, and the run is held. Raises LeaseLostError."""
    outside = sending.outside
    try:
        return LedgerLog(record, sending.runs, outside.clock, outside.new_id())
    except RunDamagedError:
        _hold(record, sending)
        return None


def _hold(record: RunRecord, sending: Sending) -> None:
    """Its record stays as it is but for the state; an alert once. A wait that the API asked for is the job's."""
    reason = reason_record(plan_damaged(LEDGER))
    rests = record.not_before if record.reason_code in {None, PLAN_DAMAGED, *WAITS} else None
    sending.lease.keep(surely=True)
    sending.runs.update(
        record.feed,
        record.run,
        lambda newest: newest.changed(state=RunState.HELD, reason=reason, not_before=rests),
    )
    if record.state is not RunState.HELD or record.reason != reason:
        ids = {"run": record.run, "feed": record.feed, "job": record.job_id}
        sending.outside.events.error("run.held", code=reason.code, **ids)
