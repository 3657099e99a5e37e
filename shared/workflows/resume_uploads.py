"""Every minute: plan the drops whose event never came, and go on with every run that has something left to send."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.run.run_state import UNSENT, RunState
from shared.workflows.missed_drops import drops_begun, drops_to_plan_anew, missed_drops, plan_missed_drop
from shared.workflows.run_store import RunStore
from shared.workflows.side_by_side import SideBySide

if TYPE_CHECKING:
    from shared.workflows.outside import Outside

EVENT_GRACE = timedelta(minutes=5)
"""A younger drop's event is still on its way."""
_LOOK_EVERY_SECONDS = 60.0


def resume_uploads(outside: Outside) -> None:
    """Safe to call at any time, also while other calls plan and send.

    While one job is sent, other jobs are not left to wait for the next tick: the timer does not fire meanwhile.
    """
    deadline = outside.clock.monotonic() + outside.limits.time_budget_seconds
    with SideBySide(outside, deadline) as senders:
        while True:
            _plan_missed_drops(outside)
            for job_id in _jobs_with_work(outside):
                senders.begin(job_id)
            senders.wait(_LOOK_EVERY_SECONDS)
            if senders.is_idle or outside.clock.monotonic() >= deadline:
                return


def _plan_missed_drops(outside: Outside) -> None:
    heads = RunStore(outside.store, outside.clock).heads()
    until = outside.clock.now() - EVENT_GRACE
    missed = missed_drops(heads, outside, until=until)
    begun = [drop for drop in drops_begun(heads, outside, until=until) if drop.run_id not in {m.run_id for m in missed}]
    for drop in [*missed, *begun, *drops_to_plan_anew(heads, outside)]:
        plan_missed_drop(drop, outside)


def _jobs_with_work(outside: Outside) -> list[str]:
    """Runs that are held count too: a person may have cancelled one."""
    heads = RunStore(outside.store, outside.clock).heads()
    return sorted({head.job_id for head in heads if head.job_id and head.state in (*UNSENT, RunState.HELD)})
