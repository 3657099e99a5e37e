"""A file was dropped: plan its run and those of older drops in its folder, then send what its job has to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import DropGoneError
from shared.run.drop import NO_FEED
from shared.run.run_state import UNSENT
from shared.workflows.apart import apart
from shared.workflows.missed_drops import missed_drops, plan_missed_drop
from shared.workflows.plan_drop import DropEvent
from shared.workflows.plan_run import plan_run
from shared.workflows.resume_uploads import EVENT_GRACE
from shared.workflows.run_store import RunStore
from shared.workflows.send_runs import send_job

if TYPE_CHECKING:
    from shared.ports import DropReader
    from shared.run.drop import Drop
    from shared.workflows.outside import Outside


def upload_hr_file(reader: DropReader, outside: Outside) -> None:
    """Handle one drop; the same drop again changes nothing and goes on with what is left.

    Bad data and bad configuration end in the run's record, not in an exception: a retry would not help them. What
    sending raises does not make the host plan again: `resume_uploads` goes on within a minute.
    """
    deadline = outside.clock.monotonic() + outside.limits.time_budget_seconds
    try:
        drop = reader.drop
    except DropGoneError:
        outside.events.info("drop.gone")
        return
    if drop.is_unfinished:
        outside.events.info("drop.leftAlone", feed=drop.feed)
        return
    _plan_older_drops(drop, outside)
    record = plan_run(reader, outside, DropEvent.CAME)
    if record and record.state in UNSENT and record.job_id:
        with apart("job.notSent", outside, job=record.job_id):
            send_job(record.job_id, outside, deadline=deadline)


def _plan_older_drops(drop: Drop, outside: Outside) -> None:
    """Events come in any order, and an older file must be planned before a newer one is sent."""
    if drop.feed == NO_FEED:
        return
    heads = RunStore(outside.store, outside.clock).heads()
    for older in missed_drops(heads, outside, until=drop.dropped_at, feeds={drop.feed}, but=drop.run_id):
        is_young = outside.clock.now() - older.dropped_at < EVENT_GRACE
        plan_missed_drop(older, outside, DropEvent.MAY_COME if is_young else DropEvent.NEVER_CAME)
