"""What a cancelled run has not sent becomes superseded, by whoever has the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import ConfigurationError, LeaseLostError
from shared.ports import STATE
from shared.workflows.apart import error_once
from shared.workflows.hold_run import ledger_or_hold
from shared.workflows.ledger_log import LedgerLog
from shared.workflows.newer_runs import supersede_everything
from shared.workflows.operate_run import tell_decision
from shared.workflows.run_progress import RunProgress
from shared.workflows.sending import Sending, job_lock

if TYPE_CHECKING:
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside


def finish_cancelled(record: RunRecord, outside: Outside) -> RunRecord | None:
    """Put down that what a cancelled run has not sent is superseded; None while a sender has the job, which will do it.

    The rest is left to the next sender: it closes the run and tells operators.

    Raises:
        RunDamagedError: the run's ledger can't be read.
    """
    job_id = record.job_id or ""
    with outside.store.lease(STATE, job_lock(job_id)) as lease:
        if lease is None:
            return None
        try:
            sending = Sending(job_id, outside, lease, outside.clock.monotonic())
            newest = sending.runs.load(record.feed, record.run)
            return _give_up(newest, sending) if newest and newest.needs_sender else newest
        except LeaseLostError:
            return None


def _give_up(record: RunRecord, sending: Sending) -> RunRecord:
    log = LedgerLog(record, sending.runs, sending.outside.clock, sending.outside.new_id())
    supersede_everything(log, sending)
    sent = {"accepted": log.ledger.accepted_operations, "rejected": log.ledger.rejected_operations}
    gone = log.ledger.superseded_operations
    sending.lease.keep(surely=True)
    return sending.runs.update(record.feed, record.run, lambda newest: newest.with_answers(**sent, superseded=gone))


def close_cancelled(record: RunRecord, sending: Sending) -> None:
    """What can't be marked as not sent is not sent either; the job's other runs go on."""
    try:
        _cancel(record, sending)
    except (LeaseLostError, ConfigurationError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person has to see it
        error_once(sending.outside, "run.notCancelled", error, run=record.run, feed=record.feed)


def _cancel(record: RunRecord, sending: Sending) -> None:
    if log := ledger_or_hold(record, sending):
        supersede_everything(log, sending)
        RunProgress(record, sending.runs, sending.outside, sending.lease).finish(log.ledger)
        tell_decision(record, sending.outside)
