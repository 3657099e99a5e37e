"""What one worker's events come to: a state, the code behind it, and when the log said so.

Folding is incremental, in the order of time, and taking the same event in twice changes nothing, so that windows of
the log may overlap and a stored outcome goes on where it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.run.row_state import RowState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from shared.monitoring.provisioning_log import ProvisioningEvent

_DONE = {
    "create": RowState.CREATED,
    "update": RowState.UPDATED,
    "disable": RowState.DISABLED,
    "delete": RowState.DELETED,
}
_HELD_BACK = "stageddelete"
UNRESOLVED_MANAGER = "UnableToResolveReferenceAttributeValue"
"""The worker is done, their manager isn't. Source: Q&A 5830481 on learn.microsoft.com."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state` is the row's state as far as the log has spoken; `code` an errorCode or SkipReason.

    `created`: some event said that the account was made. The service makes the account first and sets the manager by a
    second update, and the log shows the two in any order, so an update of a worker who was created counts as that.
    """

    state: RowState
    code: str | None
    at: datetime
    event_id: str
    created: bool = False


def fold(outcome: Outcome | None, events: Iterable[ProvisioningEvent]) -> Outcome | None:
    """Take further events into an outcome; events older than it are already in it."""
    for event in sorted(events, key=_order):
        if outcome is None or (event.at >= outcome.at and event.id != outcome.event_id):
            outcome = _next(outcome, event)
        elif _state(event) is RowState.CREATED:
            outcome = _as_created(replace(outcome, created=True))
    return outcome


def first_outcome(events: Iterable[ProvisioningEvent]) -> Outcome | None:
    """What the oldest event that says anything comes to."""
    outcomes = (fold(None, [event]) for event in sorted(events, key=_order))
    return next(filter(None, outcomes), None)


def _order(event: ProvisioningEvent) -> tuple[datetime, int, str]:
    """By time; the log's times are coarse, so in one moment a create comes first and a skip last."""
    rank = 2 if event.status == "skipped" else 1 if event.action != "create" else 0
    return event.at, rank, event.id


def _next(outcome: Outcome | None, event: ProvisioningEvent) -> Outcome | None:
    """One event on top of what was known; one that can't be read leaves it as it was."""
    state = _state(event)
    if state is None:
        return outcome
    if outcome is None:
        return Outcome(state, event.code, event.at, event.id, created=state is RowState.CREATED)
    if state is RowState.SKIPPED and outcome.state is not RowState.SKIPPED:
        # A skip after something happened adds a remark (the manager could not be set); it undoes nothing.
        code = event.code if event.code == UNRESOLVED_MANAGER else outcome.code
        return replace(outcome, code=code, at=event.at, event_id=event.id)
    created = outcome.created or state is RowState.CREATED
    return _as_created(Outcome(state, event.code, event.at, event.id, created))


def _as_created(outcome: Outcome) -> Outcome:
    is_second_step = outcome.created and outcome.state is RowState.UPDATED
    return replace(outcome, state=RowState.CREATED) if is_second_step else outcome


def _state(event: ProvisioningEvent) -> RowState | None:
    """None where the log says something that this connector doesn't know: the row stays open, nothing is guessed."""
    if event.action == _HELD_BACK or event.status == "failure":
        return RowState.FAILED
    if event.status == "skipped":
        return RowState.SKIPPED
    if event.status in ("success", "warning"):
        return _DONE.get(event.action)
    return None
