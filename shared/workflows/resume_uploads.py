"""Every minute: plan the drops whose event never came, and go on with every run that has something left to send."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.run.record import UNSENT
from shared.workflows.apart import apart
from shared.workflows.missed_drops import missed_drops, plan_missed_drop
from shared.workflows.run_store import RunStore
from shared.workflows.send_runs import send_job

if TYPE_CHECKING:
    from shared.workflows.outside import Outside

EVENT_GRACE = timedelta(minutes=5)
"""A younger drop's event is still on its way."""


def resume_uploads(outside: Outside) -> None:
    """Safe to call at any time, also while other calls plan and send."""
    deadline = outside.clock.monotonic() + outside.limits.time_budget_seconds
    runs = RunStore(outside.store, outside.clock)
    for drop in missed_drops(runs.heads(), outside, until=outside.clock.now() - EVENT_GRACE):
        plan_missed_drop(drop, outside)
    jobs = {head.job_id for head in runs.heads() if head.state in UNSENT}
    for job_id in sorted(filter(None, jobs)):
        with apart("job.notSent", outside, job=job_id):
            send_job(job_id, outside, deadline=deadline)
