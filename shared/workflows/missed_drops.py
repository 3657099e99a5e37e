"""Drops without a run: an event is a hint, the container is the truth.

Event Grid can lose an event and gives them in any order, so whoever plans a drop sees to the older ones first, and
nothing is sent past an older drop that is not planned yet.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import Reason
from shared.inbound.sending.advice import DROPPING_AGAIN
from shared.ports import HR_DROP, RUNS
from shared.run.drop import NO_FEED, Drop
from shared.run.run_state import RunState
from shared.workflows.apart import apart
from shared.workflows.attempts import ATTEMPTS, begun_drop
from shared.workflows.plan_drop import DropEvent
from shared.workflows.plan_run import plan_run, refuse_run
from shared.workflows.run_store import RunStore

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from shared.workflows.outside import Outside
    from shared.workflows.run_heads import RunHead

OLDEST_DROP = timedelta(days=7)
"""An older file without a run was there before the connector was, or its run's record has expired: it may be stale."""


def missed_drops(
    heads: Collection[RunHead],
    outside: Outside,
    *,
    until: datetime,
    feeds: Collection[str] | None = None,
    but: str = "",
) -> list[Drop]:
    """Every finished drop that has no run, oldest first.

    Args:
        heads: every run that there is.
        outside: the world.
        until: drops of that moment and earlier.
        feeds: only drops of these; None for all.
        but: a run id to leave out.
    """
    known = {(head.feed, head.run) for head in heads if head.has_record}
    folders = [""] if feeds is None else [f"{feed}/" for feed in sorted(feeds)]
    blobs = (blob for folder in folders for blob in outside.store.list(HR_DROP, folder) if not blob.is_folder)
    drops = (Drop(blob.name, blob.etag, blob.last_modified, blob.size) for blob in blobs)
    missed = [
        drop
        for drop in drops
        if drop.dropped_at <= until
        and not drop.is_unfinished
        and drop.run_id != but
        and (drop.feed, drop.run_id) not in known
    ]
    return sorted(missed, key=lambda drop: drop.run_id)


def drops_begun(heads: Collection[RunHead], outside: Outside, *, until: datetime) -> list[Drop]:
    """Drops of which planning was begun and that have no run, oldest first.

    One that was overwritten or deleted since its planner was killed is in no listing of drops: what it said is lost,
    and its run has to say so. Of what is older than a drop may be, the run's record may have expired.
    """
    since = outside.clock.now() - OLDEST_DROP
    known, found = {(head.feed, head.run) for head in heads if head.has_record}, []
    for blob in outside.store.list(RUNS):
        feed, _, rest = blob.name.partition("/")
        run, _, file = rest.partition("/")
        if file == ATTEMPTS and (feed, run) not in known and (attempts := outside.store.read(RUNS, blob.name)):
            drop = begun_drop(attempts.content)
            if drop and since <= drop.dropped_at <= until:
                found.append(drop)
    return sorted(found, key=lambda drop: drop.run_id)


def drops_to_plan_anew(heads: Collection[RunHead], outside: Outside) -> list[Drop]:
    """Drops whose planning failed and was put off; what has become of the blob since shows when it is opened."""
    runs, found = RunStore(outside.store, outside.clock), []
    for head in heads:
        if head.state is RunState.BLOCKED and head.job_id is None:
            with apart("run.unreadable", outside, run=head.run, feed=head.feed):
                record = runs.load(head.feed, head.run)
                if record and record.has_no_plan_yet:
                    name = record.file if record.feed == NO_FEED else f"{record.feed}/{record.file}"
                    found.append(Drop(name, record.etag, record.dropped_at, 0))
    return found


def plan_missed_drop(drop: Drop, outside: Outside, event: DropEvent = DropEvent.NEVER_CAME) -> None:
    """Plan a drop whose event did not come, or not yet; one that is too old is refused, not sent.

    What goes wrong with it stays with it: it is reported, and tried again at the next tick.
    """
    with apart("drop.notPlanned", outside, feed=drop.feed, run=drop.run_id):
        if outside.clock.now() - drop.dropped_at > OLDEST_DROP:
            refuse_run(drop, outside, _TOO_OLD)
        else:
            plan_run(outside.drops.open(drop), outside, event)


_TOO_OLD = Reason(
    "dropTooOld",
    f"The file was dropped more than {OLDEST_DROP.days} days ago and has no run; its data may be out of date.",
    f"If its data still hold, drop the file again. {DROPPING_AGAIN}",
)
