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
    """`state` is the row's state as far as the log has spoken; `code` an errorCode or SkipReason."""

    state: RowState
    code: str | None
    at: datetime
    event_id: str


def fold(outcome: Outcome | None, events: Iterable[ProvisioningEvent]) -> Outcome | None:
    """Take further events into an outcome; events older than it are already in it."""
    for event in sorted(events, key=_order):
        if outcome is None or (event.at >= outcome.at and event.id != outcome.event_id):
            outcome = _next(outcome, event)
        elif outcome.state is RowState.UPDATED and _state(event) is RowState.CREATED:
            # The log shows records late and in any order: this update was the second step of that create.
            outcome = replace(outcome, state=RowState.CREATED)
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
        return Outcome(state, event.code, event.at, event.id)
    if state is RowState.SKIPPED and outcome.state is not RowState.SKIPPED:
        # A skip after something happened adds a remark (the manager could not be set); it undoes nothing.
        code = event.code if event.code == UNRESOLVED_MANAGER else outcome.code
        return Outcome(outcome.state, code, event.at, event.id)
    if state is RowState.UPDATED and outcome.state is RowState.CREATED:
        # The service creates the user first and sets the manager by a second update.
        return Outcome(RowState.CREATED, event.code, event.at, event.id)
    return Outcome(state, event.code, event.at, event.id)


def _state(event: ProvisioningEvent) -> RowState | None:
    """None where the log says something that this connector doesn't know: the row stays open, nothing is guessed."""
    if event.action == _HELD_BACK or event.status == "failure":
        return RowState.FAILED
    if event.status == "skipped":
        return RowState.SKIPPED
    if event.status in ("success", "warning"):
        return _DONE.get(event.action)
    return None
