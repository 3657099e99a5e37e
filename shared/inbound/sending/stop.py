"""Why a run stops before its end, and what comes of two reasons at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.errors import Reason
from shared.inbound.sending import advice
from shared.run.run_state import RunState

_TIME_BUDGET = "timeBudget"
_RUN_REASONS = (advice.DAILY_QUOTA, advice.EVERYTHING_REJECTED, advice.NOT_FOUND, advice.NEWER_RUN_UNREADABLE)
OF_ONE_RUN = frozenset({advice.PLAN_DAMAGED, *(reason.code for reason in _RUN_REASONS)})
"""Codes of what one run of a job waits for and another may not; everything else concerns the job."""


@dataclass(frozen=True)
class Stop:
    """Why, and the state in which the run waits. `seconds` 0: only this session is over.

    `yields`: it waits for nothing; another run of the job may come first now. `error`: what was raised.
    """

    seconds: float = 0.0
    reason: Reason | None = None
    state: RunState = RunState.SENDING
    yields: bool = False
    error: Exception | None = None

    @property
    def code(self) -> str:
        """The reason's code; that of a session whose time was over where there is none."""
        return self.reason.code if self.reason else _TIME_BUDGET

    @property
    def holds_job(self) -> bool:
        """Whether the job's other runs have to wait as well."""
        return self.code not in OF_ONE_RUN if self.reason else self.seconds > 0

    def together(self, other: Stop) -> Stop:
        """What comes of both: what holds the job, then what needs a repair, then what has a reason; the longer wait."""
        heavier = max(self, other, key=_weight)
        if self.holds_job is other.holds_job:
            return replace(heavier, seconds=max(self.seconds, other.seconds))
        return heavier

    def no_sooner(self, seconds: float) -> Stop:
        """The same, but for a job that has to rest for so long (0 or less: not at all)."""
        return self.together(Stop(seconds)) if seconds > 0 else self


def _weight(stop: Stop) -> tuple[bool, bool, bool, float]:
    return stop.holds_job, stop.state is not RunState.SENDING, stop.reason is not None, stop.seconds
