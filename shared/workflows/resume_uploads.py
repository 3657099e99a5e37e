"""Every minute: plan the drops whose event never came, and go on with every run that has something left to send."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import DropGoneError, Reason
from shared.ports import HR_DROP
from shared.run.drop import Drop
from shared.run.record import UNSENT
from shared.workflows.plan_run import plan_run, refuse_run
from shared.workflows.run_store import RunStore
from shared.workflows.send_runs import send_job

if TYPE_CHECKING:
    from shared.workflows.outside import Outside

EVENT_GRACE = timedelta(minutes=5)
"""A younger drop's event is still on its way."""
OLDEST_DROP = timedelta(days=7)
"""An older file without a run was there before the connector was, or its run's record has expired: it may be stale."""


def resume_uploads(outside: Outside) -> None:
    """Safe to call at any time, also while other calls plan and send."""
    deadline = outside.clock.monotonic() + outside.limits.time_budget_seconds
    runs = RunStore(outside.store, outside.clock)
    _plan_missed_drops({(head.feed, head.run) for head in runs.heads()}, outside)
    jobs = {head.job_id for head in runs.heads() if head.state in UNSENT}
    for job_id in sorted(filter(None, jobs)):
        send_job(job_id, outside, deadline=deadline)


def _plan_missed_drops(known: set[tuple[str, str]], outside: Outside) -> None:
    now = outside.clock.now()
    for blob in outside.store.list(HR_DROP):
        drop = Drop(blob.name, blob.etag, blob.last_modified, blob.size)
        age = now - drop.dropped_at
        if drop.is_unfinished or age < EVENT_GRACE or (drop.feed, drop.run_id) in known:
            continue
        if age > OLDEST_DROP:
            refuse_run(drop, outside, _TOO_OLD)
            continue
        outside.events.info("drop.eventMissed", feed=drop.feed, run=drop.run_id)
        try:
            plan_run(outside.drops.open(drop), outside)
        except DropGoneError:
            outside.events.info("drop.gone", feed=drop.feed, run=drop.run_id)


_TOO_OLD = Reason(
    "dropTooOld",
    f"The file was dropped more than {OLDEST_DROP.days} days ago and has no run; its data may be out of date.",
    "If its data still hold, drop the file again.",
)
