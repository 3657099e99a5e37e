"""A file was dropped: plan its run, then send what its job has to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import DropGoneError
from shared.run.record import UNSENT
from shared.workflows.plan_run import plan_run
from shared.workflows.send_runs import send_job

if TYPE_CHECKING:
    from shared.ports import DropReader
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
        record = plan_run(reader, outside)
    except DropGoneError:
        outside.events.info("drop.gone")
        return
    if record.state in UNSENT and record.job_id:
        send_job(record.job_id, outside, deadline=deadline)
