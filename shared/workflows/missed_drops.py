"""Drops without a run: an event is a hint, the container is the truth.

Event Grid can lose an event and gives them in any order, so whoever plans a drop sees to the older ones first, and
nothing is sent past an older drop that is not planned yet.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import DropGoneError, LeaseLostError, Reason
from shared.ports import HR_DROP
from shared.run.drop import Drop
from shared.workflows.plan_run import plan_run, refuse_run

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from shared.workflows.outside import Outside
    from shared.workflows.run_store import RunHead

OLDEST_DROP = timedelta(days=7)
"""An older file without a run was there before the connector was, or its run's record has expired: it may be stale."""


def missed_drops(
    heads: Collection[RunHead], outside: Outside, *, until: datetime, folder: str = "", but: str = ""
) -> list[Drop]:
    """Every finished drop that has no run, oldest first.

    Args:
        heads: every run that there is.
        outside: the world.
        until: drops of that moment and earlier.
        folder: only names that begin so.
        but: a run id to leave out.
    """
    known = {(head.feed, head.run) for head in heads}
    drops = (Drop(b.name, b.etag, b.last_modified, b.size) for b in outside.store.list(HR_DROP, folder))
    missed = [
        drop
        for drop in drops
        if drop.dropped_at <= until
        and not drop.is_unfinished
        and drop.run_id != but
        and (drop.feed, drop.run_id) not in known
    ]
    return sorted(missed, key=lambda drop: drop.run_id)


def plan_missed_drop(drop: Drop, outside: Outside) -> None:
    """Plan a drop whose event did not come, or not yet; one that is too old is refused, not sent."""
    if outside.clock.now() - drop.dropped_at > OLDEST_DROP:
        refuse_run(drop, outside, _TOO_OLD)
        return
    try:
        plan_run(outside.drops.open(drop), outside)
    except (DropGoneError, LeaseLostError):
        outside.events.info("drop.notPlanned", feed=drop.feed, run=drop.run_id)


_TOO_OLD = Reason(
    "dropTooOld",
    f"The file was dropped more than {OLDEST_DROP.days} days ago and has no run; its data may be out of date.",
    "If its data still hold, drop the file again.",
)
