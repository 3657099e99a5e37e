"""Plan one drop: from its bytes to a durable, complete plan, or to a refusal that says why.

The order of writing is the promise: everything that the plan consists of first, `run.json` last and only if there is
none yet. A crash before that leaves a drop without a run, which is planned again; the feed file that the first try
read is kept beside the plan, and the day of the drop is its `today`, so that every try plans the same bytes. A lease
keeps two planners of one drop apart.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import ConfigurationError, LeaseLostError
from shared.ports import RUNS
from shared.run.record import RunRecord
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.apart import apart
from shared.workflows.attempts import RETRY_SECONDS, Attempts
from shared.workflows.deleted_record import refused_as_sent_in_part, was_sent_in_part
from shared.workflows.operate_run import tell_sender
from shared.workflows.plan_drop import DropEvent, EventMayCome, plan_or_refuse, refused, without_plan
from shared.workflows.run_store import RunStore

if TYPE_CHECKING:
    from shared.errors import Reason
    from shared.ports import DropReader, Lease
    from shared.run.drop import Drop
    from shared.workflows.outside import Outside


def plan_run(reader: DropReader, outside: Outside, event: DropEvent) -> RunRecord | None:
    """The run of this drop: the one there is, or a new one, planned or refused.

    None while somebody else plans it, and while only its event can tell whether old data were dropped again.

    Args:
        reader: the drop.
        outside: the world.
        event: where it has not come, the drop was found in the container.

    Raises:
        LeaseLostError: planning took longer than its lease could be kept; somebody else may be at it.
    """
    drop, runs = reader.drop, RunStore(outside.store, outside.clock)
    existing = runs.load(drop.feed, drop.run_id)
    if existing and not _is_to_be_planned_anew(existing, outside):
        return existing
    with outside.store.lease(RUNS, f"{drop.feed}/{drop.run_id}/planning.lock") as lease:
        if lease is None:
            if event is DropEvent.CAME:
                Attempts(drop, outside.store, outside.clock).remember_event()
            return None
        existing = runs.load(drop.feed, drop.run_id)
        if existing and not _is_to_be_planned_anew(existing, outside):
            return existing
        if was_sent_in_part(drop, outside):
            return _put(refused_as_sent_in_part(reader, outside), runs, outside)
        try:
            record = _attempt(reader, existing, runs, outside, lease, event)
        except EventMayCome:
            outside.events.info("drop.waitsForEvent", feed=drop.feed, run=drop.run_id)
            return None
        return _put(record, runs, outside)


def refuse_run(drop: Drop, outside: Outside, reason: Reason) -> RunRecord:
    """A run for a drop that is not even opened."""
    return _put(refused(drop, outside, reason), RunStore(outside.store, outside.clock), outside)


def _is_to_be_planned_anew(record: RunRecord, outside: Outside) -> bool:
    """Planning failed before, and its wait is over."""
    is_due = record.not_before is None or record.not_before <= outside.clock.now()
    return record.has_no_plan_yet and is_due


def _attempt(
    reader: DropReader, existing: RunRecord | None, runs: RunStore, outside: Outside, lease: Lease, event: DropEvent
) -> RunRecord:
    """One attempt at planning; the last one that fails becomes a blocked run instead of an exception.

    Raises:
        ConfigurationError: the deployment is at fault; that counts as no attempt.
        EventMayCome: it is too early; that counts as none either.
        LeaseLostError: somebody else may be at it.
    """
    drop, attempts = reader.drop, Attempts(reader.drop, outside.store, outside.clock)
    if existing:
        # Before it is tried: a process that dies of this file must not do so every minute.
        later = outside.clock.now() + timedelta(seconds=RETRY_SECONDS)
        runs.update(drop.feed, drop.run_id, lambda newest: newest.changed(not_before=later))
    elif attempts.are_used_up:
        return _blocked(drop, attempts, outside)
    attempts.begin(by_event=event is DropEvent.CAME)
    try:
        return plan_or_refuse(reader, runs, outside, lease, lambda: DropEvent.CAME if attempts.event_came() else event)
    except (ConfigurationError, EventMayCome, LeaseLostError):
        attempts.does_not_count()
        raise
    except Exception as error:
        attempts.failed(error)
        if not (existing or attempts.are_used_up):
            raise
        return _blocked(drop, attempts, outside)


def _blocked(drop: Drop, attempts: Attempts, outside: Outside) -> RunRecord:
    later = outside.clock.now() + timedelta(seconds=RETRY_SECONDS)
    return without_plan(drop, outside, RunState.BLOCKED, attempts.reason()).changed(not_before=later)


def _put(record: RunRecord, runs: RunStore, outside: Outside) -> RunRecord:
    """Write the record, unless the run has one that says more; tell who has to know."""
    created = runs.create(record)
    if created.has_no_plan_yet and not record.has_no_plan_yet:
        created = runs.update(
            record.feed,
            record.run,
            lambda newest: record.changed(actions=newest.actions) if newest.has_no_plan_yet else newest,
        )
    if created.state is record.state and created.planned_at == record.planned_at:
        _tell(created, outside)
        if created.job_id:
            with apart("job.notTold", outside, job=created.job_id):
                tell_sender(created, outside.store)
    return created


def _tell(record: RunRecord, outside: Outside) -> None:
    """One event for a new run; a person has something to do unless every row is planned."""
    fields: dict[str, str | int | None] = {"run": record.run, "feed": record.feed, "rows": record.rows}
    if record.reason:
        outside.events.error(f"run.{record.state}", code=record.reason.code, **fields)
        return
    set_aside = record.counts[RowState.SET_ASIDE]
    excluded = record.counts[RowState.EXCLUDED]
    outside.events.info(
        "run.planned", requests=record.requests.planned, setAside=set_aside, excluded=excluded, **fields
    )
    if set_aside:
        outside.events.error("rows.setAside", setAside=set_aside, **fields)
