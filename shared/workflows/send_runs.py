"""Send the runs of one provisioning job: one sender at a time, oldest drop first, each from where its ledger ends.

A run that has to wait makes every later run of its job wait, and so does an older drop that is not planned yet: a
newer file's data must never be overwritten by an older one's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, LeaseLostError, Reason, RunDamagedError
from shared.inbound.sending.answer import EVERYTHING_REJECTED, JOB_NOT_FOUND
from shared.ports import STATE
from shared.run.drop import dropped_at
from shared.run.record import UNSENT, RunRecord, RunState, reason_record
from shared.workflows.missed_drops import missed_drops
from shared.workflows.run_store import RunStore
from shared.workflows.send_run import RunSender, Stop

if TYPE_CHECKING:
    from shared.ports import Lease
    from shared.workflows.outside import Outside
    from shared.workflows.run_store import RunHead


def send_job(job_id: str, outside: Outside, *, deadline: float) -> None:
    """Send what this job's runs have left to send, until it is done, has to wait, or the deadline comes.

    Args:
        job_id: the provisioning job.
        outside: the world.
        deadline: on the monotonic clock; no request is begun after it.
    """
    with outside.store.lease(STATE, f"jobs/{job_id}/lock") as lease:
        if lease is None:
            outside.events.info("job.busy", job=job_id)
            return
        try:
            _send_in_order(job_id, lease, outside, deadline)
        except LeaseLostError:
            outside.events.info("job.leaseLost", job=job_id)


def _send_in_order(job_id: str, lease: Lease, outside: Outside, deadline: float) -> None:
    runs = RunStore(outside.store, outside.clock)
    heads = runs.heads()
    feeds = {head.feed for head in heads if head.job_id == job_id}
    missed = missed_drops(heads, outside, until=outside.clock.now(), feeds=feeds)
    not_found: set[str | None] = set()
    for head in heads:
        if head.job_id != job_id or head.state not in UNSENT:
            continue
        record = _record(head, runs, outside)
        if record is None or record.state not in UNSENT or record.service_principal_id in not_found:
            continue
        if any(drop.dropped_at <= record.dropped_at for drop in missed):
            outside.events.info("run.waitsForOlderDrop", run=record.run, feed=record.feed, job=job_id)
            return
        waits_for = _send_one(head, record, runs, outside, lease, deadline)
        if waits_for == JOB_NOT_FOUND:
            not_found.add(record.service_principal_id)
        elif waits_for not in (None, EVERYTHING_REJECTED):
            return


def _send_one(
    head: RunHead, record: RunRecord, runs: RunStore, outside: Outside, lease: Lease, deadline: float
) -> str | None:
    """Send one run in its turn; None if nothing of it is left for now, else the code of what it waits for.

    Newer runs wait with it, but for two codes: a job that does not exist under one service principal may under
    another; and a run of which row after row is rejected may never get further.
    """
    if record.not_before and outside.clock.now() < record.not_before:
        return record.reason.code if record.reason else "notBefore"
    if not _is_newest(head, outside) and not _is_complete(record, runs):
        lease.keep(surely=True)
        _hold_overtaken(record, runs, outside)
        return None
    stop = RunSender(record, runs, outside, lease, deadline).send()
    if stop is None:
        return None
    lease.keep(surely=True)
    _put_off(record, stop, runs, outside)
    if stop.state is RunState.HELD:
        return None
    return stop.reason.code if stop.reason else "timeBudget"


def _record(head: RunHead, runs: RunStore, outside: Outside) -> RunRecord | None:
    """The record, or None where it is damaged. Storage that does not answer is no reason to skip it: order matters."""
    try:
        return runs.load(head.feed, head.run)
    except RunDamagedError as error:
        outside.events.error("run.unreadable", run=head.run, feed=head.feed, error=type(error).__name__)
    return None


def _is_complete(record: RunRecord, runs: RunStore) -> bool:
    """Everything was answered, only the record does not say so yet."""
    try:
        return runs.ledger(record).is_complete
    except RunDamagedError:
        return False


def _put_off(record: RunRecord, stop: Stop, runs: RunStore, outside: Outside) -> None:
    """Say in run.json and to operators why the run stopped and when it goes on."""
    until = outside.clock.now() + timedelta(seconds=stop.seconds) if stop.seconds else None
    reason = reason_record(stop.reason) if stop.reason else None
    after = runs.update(
        record.feed, record.run, lambda newest: newest.changed(state=stop.state, reason=reason, not_before=until)
    )
    fields: dict[str, str | int | None] = {"run": after.run, "feed": after.feed, "job": after.job_id}
    code = stop.reason.code if stop.reason else "timeBudget"
    if stop.state is RunState.SENDING:
        outside.events.info("run.putOff", code=code, seconds=round(stop.seconds), **fields)
    else:
        outside.events.error(f"run.{stop.state}", code=code, **fields)


def _is_newest(head: RunHead, outside: Outside) -> bool:
    """Whether no newer run of this job was begun; notes that this one now is. Only called under the job's lease.

    Two drops of one second have no order, so neither overtakes the other.
    """
    name = f"jobs/{head.job_id}/newest-run"
    found = outside.store.read(STATE, name)
    newest = found.content.decode() if found else ""
    if dropped_at(newest) > dropped_at(head.run):
        return False
    if newest < head.run:
        try:
            if found:
                outside.store.replace(STATE, name, head.run.encode(), found.etag)
            else:
                outside.store.create(STATE, name, head.run.encode())
        except BlobChangedError:
            raise LeaseLostError("another sender has marked a newer run") from None
    return True


def _hold_overtaken(record: RunRecord, runs: RunStore, outside: Outside) -> None:
    reason = Reason(
        "overtaken",
        "Sending of a newer file for this provisioning job has begun; sending this one now would put older data over "
        "newer.",
        "If this file's data still hold, drop the file again.",
    )
    runs.update(
        record.feed,
        record.run,
        lambda newest: newest.changed(state=RunState.HELD, reason=reason_record(reason), not_before=None),
    )
    outside.events.error("run.held", code=reason.code, run=record.run, feed=record.feed, job=record.job_id)
