"""Send the runs of one provisioning job: one sender at a time, urgent feeds first, then oldest drop first.

A run that has to wait makes every later run of its job wait, and so does an older drop that is not planned yet. Where
a newer run went ahead all the same, what it says is not overwritten: see `newer_runs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import (
    ConfigurationError,
    LeaseLostError,
    NewerRunUnreadableError,
    Reason,
    RunDamagedError,
    error_kind,
)
from shared.inbound.sending.advice import NEWER_RUN_UNREADABLE, NOT_FOUND, WAITS
from shared.inbound.sending.stop import OF_ONE_RUN, Stop
from shared.ports import STATE
from shared.run.run_state import UNSENT, RunState
from shared.workflows.apart import error_once
from shared.workflows.cancelled_runs import close_cancelled
from shared.workflows.hold_run import ledger_or_hold
from shared.workflows.ledger_log import LedgerLog
from shared.workflows.missed_drops import missed_drops
from shared.workflows.newer_runs import supersede_older_rows
from shared.workflows.operate_run import tell_decision
from shared.workflows.planned_bodies import damaged
from shared.workflows.run_progress import RunProgress
from shared.workflows.run_store import ROWS
from shared.workflows.send_run import RunSender
from shared.workflows.sending import Sending, job_lock

if TYPE_CHECKING:
    from shared.run.drop import Drop
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside
    from shared.workflows.run_heads import RunHead

_YIELDED = "yielded"
_LOOK_AGAIN_SECONDS = 600.0


def send_job(job_id: str, outside: Outside, *, deadline: float) -> None:
    """Send what this job's runs have left to send, until it is done, has to wait, or the deadline comes.

    Args:
        job_id: the provisioning job.
        outside: the world.
        deadline: on the monotonic clock; no request is begun after it.
    """
    with outside.store.lease(STATE, job_lock(job_id)) as lease:
        if lease is None:
            outside.events.info("job.busy", job=job_id)
            return
        try:
            sending = Sending(job_id, outside, lease, deadline)
            again = True
            while again and not sending.time_is_up:
                code = _send_in_order(sending)
                again = code == _YIELDED or (code is None and sending.order_has_changed())
        except LeaseLostError:
            outside.events.info("job.leaseLost", job=job_id)


def _send_in_order(sending: Sending) -> str | None:
    """Every run in its turn; the code of what the job waits for, None if nothing is left for now."""
    sending.look()
    heads = sending.runs.heads()
    ours = [head for head in heads if head.job_id == sending.job_id]
    outside, now = sending.outside, sending.outside.clock.now()
    missed = missed_drops(heads, outside, until=now, feeds={head.feed for head in ours})
    due = [(head, record) for head in ours if (record := _record(head, sending)) and record.needs_sender]
    for record in [record for _, record in due if record.cancelled_by]:
        close_cancelled(record, sending)
    if code := _job_waits([record for _, record in due], ours, sending):
        return code
    something_was_sent, not_found = False, set[str | None]()
    for head, record in sorted(due, key=lambda pair: (not pair[0].is_urgent, pair[0].order)):
        if record.cancelled_by or record.service_principal_id in not_found:
            continue
        if something_was_sent and sending.order_has_changed():
            return _YIELDED
        if _waits_for_older_drop(record, missed):
            outside.events.info("run.waitsForOlderDrop", run=record.run, feed=record.feed, job=record.job_id)
            return "olderDrop"
        something_was_sent |= _waits_for(record, sending) is None
        code = _send_apart(head, record, heads, sending)
        if code == NOT_FOUND.code:
            not_found.add(record.service_principal_id)
        elif code is not None and code not in OF_ONE_RUN:
            return code
    return None


def _job_waits(records: list[RunRecord], heads: list[RunHead], sending: Sending) -> str | None:
    """What the whole job waits for, whichever of its runs met it: also one that is cancelled, or over since."""
    asking = [record for record in records if not record.cancelled_by or record.reason_code in {None, *WAITS}]
    codes = [code for record in asking if (code := _waits_for(record, sending)) and code not in OF_ONE_RUN]
    if codes:
        return codes[0]
    now = sending.outside.clock.now()
    rest = max((head.job_rests_until for head in heads if head.job_rests_until), default=now)
    if rest <= now:
        return None
    sending.outside.events.info("job.rests", job=sending.job_id, seconds=round((rest - now).total_seconds()))
    return Stop().code


def _waits_for(record: RunRecord, sending: Sending) -> str | None:
    """The code of what the run waits for; None if its time has come."""
    if record.not_before is None or sending.outside.clock.now() >= record.not_before:
        return None
    return record.reason_code or Stop().code


def _waits_for_older_drop(record: RunRecord, missed: list[Drop]) -> bool:
    """An urgent run waits for older drops of its own feed only."""
    return any(
        drop.dropped_at <= record.dropped_at and (record.priority == "normal" or drop.feed == record.feed)
        for drop in missed
    )


def _send_apart(head: RunHead, record: RunRecord, heads: list[RunHead], sending: Sending) -> str | None:
    """As `_send_one`; a record that contradicts what was sent stops its own run and no other."""
    try:
        return _send_one(head, record, heads, sending)
    except (RunDamagedError, ValueError) as error:
        error_once(sending.outside, "run.damaged", error, run=record.run, feed=record.feed)
        return None


def _send_one(head: RunHead, record: RunRecord, heads: list[RunHead], sending: Sending) -> str | None:
    """Send one run in its turn; None if nothing of it is left, else the code of what it waits for."""
    if code := _waits_for(record, sending):
        return code
    if (log := ledger_or_hold(record, sending)) is None:
        return None
    tell_decision(record, sending.outside)
    progress = RunProgress(record, sending.runs, sending.outside, sending.lease)
    try:
        supersede_older_rows(head, record, log, heads, sending)
        stop = None if log.ledger.is_complete else sending.trouble(record) or _send(record, log, progress, sending)
    except RunDamagedError:
        stop = damaged(ROWS)
    except NewerRunUnreadableError as error:
        stop = _unreadable(error, record, sending)
    except (LeaseLostError, ConfigurationError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person has to see it, and later runs wait
        stop = _failed(error)
    if stop is None:
        progress.finish(log.ledger)
        return None
    if stop.yields:
        progress.report(log.ledger)
        return _YIELDED
    progress.put_off(log.ledger, stop)
    return None if stop.state is RunState.HELD else stop.code


def _unreadable(error: NewerRunUnreadableError, record: RunRecord, sending: Sending) -> Stop:
    """The event names the newer run, once for each time the older one begins to wait."""
    if record.reason_code != NEWER_RUN_UNREADABLE.code:
        sending.outside.events.error("run.unreadable", run=error.run, feed=error.feed, error=type(error).__name__)
    return Stop(_LOOK_AGAIN_SECONDS, NEWER_RUN_UNREADABLE, RunState.BLOCKED)


def _failed(error: Exception) -> Stop:
    kind = error_kind(error)
    reason = Reason(
        "sendingFailed",
        f"Sending ended with an unexpected error, {kind}; nothing is lost.",
        "The run goes on by itself every minute. If this lasts, look at the state of the storage account; the "
        "events run.blocked and run.stillWaits have the line of code. InvalidBlobType: ledger.ndjson was put back as "
        'another kind of blob; docs/reasons.md, "Bring a blob back", has the command.',
    )
    return Stop(60.0, reason, RunState.BLOCKED, error=error)


def _send(record: RunRecord, log: LedgerLog, progress: RunProgress, sending: Sending) -> Stop | None:
    progress.begin(log.ledger)
    sender = RunSender(record, log, progress, sending)
    try:
        return sender.send()
    except (LeaseLostError, ConfigurationError):
        raise
    except Exception as error:  # noqa: BLE001 - what was answered before may ask for a longer wait
        return sender.stopped_by(_failed(error))


def _record(head: RunHead, sending: Sending) -> RunRecord | None:
    """The record, or None where it is damaged. Storage that does not answer is no reason to skip it: order matters."""
    if head.state not in UNSENT and head.state is not RunState.HELD:
        return None
    try:
        return sending.runs.load(head.feed, head.run)
    except RunDamagedError as error:
        sending.outside.events.error("run.unreadable", run=head.run, feed=head.feed, error=type(error).__name__)
    return None
