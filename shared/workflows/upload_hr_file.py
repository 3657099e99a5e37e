"""A file was dropped: plan its run and those of older drops in its folder, then send what its job has to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import DropGoneError
from shared.run.drop import NO_FEED
from shared.run.record import UNSENT
from shared.workflows.missed_drops import plan_missed_drops
from shared.workflows.plan_run import plan_run
from shared.workflows.run_store import RunStore
from shared.workflows.send_runs import send_job

if TYPE_CHECKING:
    from shared.ports import DropReader
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside


def upload_hr_file(reader: DropReader, outside: Outside) -> None:
    """Handle one drop; the same drop again changes nothing and goes on with what is left.

    Bad data and bad configuration end in the run's record, not in an exception: a retry would not help them.
    """
    deadline = outside.clock.monotonic() + outside.limits.time_budget_seconds
    try:
        if reader.drop.is_unfinished:
            outside.events.info("drop.leftAlone", feed=reader.drop.feed)
            return
        record = _planned_in_turn(reader, outside)
    except DropGoneError:
        outside.events.info("drop.gone")
        return
    if record.state in UNSENT and record.job_id:
        send_job(record.job_id, outside, deadline=deadline)


def _planned_in_turn(reader: DropReader, outside: Outside) -> RunRecord:
    """The drop's run. Events come in any order, and an older file must be planned before a newer one is sent."""
    drop, runs = reader.drop, RunStore(outside.store, outside.clock)
    if drop.feed != NO_FEED:
        known = {(head.feed, head.run) for head in runs.heads()} | {(drop.feed, drop.run_id)}
        plan_missed_drops(known, outside, until=drop.dropped_at, folder=f"{drop.feed}/")
    return plan_run(reader, outside)
