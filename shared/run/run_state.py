"""Where a run can be, and every way from one state to another: the whole state machine of a run.

`docs/architecture.md` draws it; a test holds the drawing against this table.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class RunState(StrEnum):
    """Where a run is."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    SETTLED = "settled"
    HELD = "held"
    BLOCKED = "blocked"
    REFUSED = "refused"


UNSENT = frozenset({RunState.PLANNED, RunState.SENDING, RunState.BLOCKED})
"""Runs that `resume_uploads` goes on with."""

FIRST_STATES = MappingProxyType(
    {
        RunState.PLANNED: "every request is stored",
        RunState.SETTLED: "nothing is to be sent",
        RunState.HELD: "too many rows are set aside",
        RunState.REFUSED: "the file or its feed file can't be used",
        RunState.BLOCKED: "planning failed again and again",
    }
)
"""What a drop becomes."""

TRANSITIONS = MappingProxyType(
    {
        (RunState.PLANNED, RunState.SENDING): "a sender has the job",
        (RunState.PLANNED, RunState.BLOCKED): "the job is not fit, or a newer run can't be read",
        (RunState.PLANNED, RunState.HELD): "the plan is damaged",
        (RunState.PLANNED, RunState.SENT): "cancelled, or every row is superseded",
        (RunState.SENDING, RunState.SENT): "every request is answered",
        (RunState.SENDING, RunState.BLOCKED): "an administrator has to repair something, or it waits for long",
        (RunState.SENDING, RunState.HELD): "the plan is damaged",
        (RunState.BLOCKED, RunState.SENDING): "tried again",
        (RunState.BLOCKED, RunState.SENT): "cancelled, or every row is superseded",
        (RunState.BLOCKED, RunState.HELD): "the plan is damaged",
        (RunState.BLOCKED, RunState.PLANNED): "planned after all",
        (RunState.BLOCKED, RunState.SETTLED): "planned after all, and nothing is to be sent",
        (RunState.BLOCKED, RunState.REFUSED): "planned after all, and the file can't be used",
        (RunState.HELD, RunState.PLANNED): "a person resumes it",
        (RunState.HELD, RunState.SENT): "a person cancels it",
        (RunState.SENT, RunState.SETTLED): "every row is in a final state",
    }
)
"""From, to: why."""


def may_become(before: RunState, after: RunState) -> bool:
    """Whether a run may go from one state to the other; it may always stay where it is."""
    return before is after or (before, after) in TRANSITIONS
