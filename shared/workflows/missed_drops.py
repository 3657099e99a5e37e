"""Drops without a run: an event is a hint, the container is the truth.

Event Grid can lose an event and gives them in any order, so whoever plans a drop sees to the older ones first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import DropGoneError, Reason
from shared.ports import HR_DROP
from shared.run.drop import Drop
from shared.workflows.plan_run import plan_run, refuse_run

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from shared.workflows.outside import Outside

OLDEST_DROP = timedelta(days=7)
"""An older file without a run was there before the connector was, or its run's record has expired: it may be stale."""


def plan_missed_drops(
    known: Collection[tuple[str, str]], outside: Outside, *, until: datetime, folder: str = ""
) -> None:
    """Plan every drop that has no run, oldest first.

    Args:
        known: feed and run id of every run that there is.
        outside: the world.
        until: drops of that moment and earlier.
        folder: only names that begin so.
    """
    drops = (Drop(b.name, b.etag, b.last_modified, b.size) for b in outside.store.list(HR_DROP, folder))
    missed = [
        drop
        for drop in drops
        if drop.dropped_at <= until and not drop.is_unfinished and (drop.feed, drop.run_id) not in known
    ]
    for drop in sorted(missed, key=lambda drop: drop.run_id):
        _plan(drop, outside)


def _plan(drop: Drop, outside: Outside) -> None:
    if outside.clock.now() - drop.dropped_at > OLDEST_DROP:
        refuse_run(drop, outside, _TOO_OLD)
        return
    try:
        plan_run(outside.drops.open(drop), outside)
    except DropGoneError:
        outside.events.info("drop.gone", feed=drop.feed, run=drop.run_id)


_TOO_OLD = Reason(
    "dropTooOld",
    f"The file was dropped more than {OLDEST_DROP.days} days ago and has no run; its data may be out of date.",
    "If its data still hold, drop the file again.",
)
