"""What a sender does next with one run: from plan, ledger, what is in flight and what was answered. No I/O, no clock.

The order is the plan's, with these exceptions: a request whose answer was no verdict is posted again before any newer
one; the parts of a split request follow each other; nothing passes a barrier while something before it waits to be
posted. After a setback (throttled, unavailable, unanswered) the whole job rests, then one request goes ahead alone; so
does the first of a session, so that a missing permission or an outage costs one call and not as many as may be in
flight. Where something before a barrier has to be posted once more, the ledger has what passed it posted again too, and
until that is done nothing more passes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shared.inbound.sending.advice import EVERYTHING_REJECTED
from shared.inbound.sending.answer import Again, Block, Done, FreshToken, Later, Split, Step
from shared.inbound.sending.ledger_entry import Verdict
from shared.inbound.sending.stop import Stop
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.inbound.sending.ledger import Ledger
    from shared.inbound.sending.ledger_entry import Part

_REJECTED_WHERE_DOUBTED = 2
_REJECTED_AT_FIRST = 10
_REJECTED_IN_A_ROW = 50
_REJECTED_OF_ONE_REQUEST = 10
_SPLITS = 100
_SPLITS_PER_REQUEST = 6
"""So many find one bad operation of fifty; more than that in request after request is too dear."""
EVERYTHING_REJECTED_SECONDS = 3600.0


@dataclass(frozen=True)
class Posted:
    """What has to be remembered of a part in flight. Times are a monotonic clock's; `token` counts fetched tokens."""

    begun: float
    token: int


class Course:
    """One session of one run."""

    def __init__(self, ledger: Ledger, barriers: Sequence[int], limit: int, *, was_refused: bool = False) -> None:
        """Takes the ledger, which the caller keeps up to date, and how many parts may be in flight at most.

        `was_refused`: the run stopped since row after row was refused. Then, and where the ledger says so, this session
        looks with few rows whether that is over.
        """
        self._ledger = ledger
        self._barriers = sorted(barriers)
        self._limit = limit
        self._first_open = 1
        self.in_flight: dict[Part, Posted] = {}
        self.stop: Stop | None = None
        self.setbacks = 0
        self._is_doubted = was_refused or ledger.rejected_in_a_row >= _REJECTED_AT_FIRST
        self._probe: Part | None = None
        self._is_tried = False
        self.resting_until = 0.0
        self._setback_at = float("-inf")
        self.token = 0
        self._splits = 0
        self._rejected_in_a_row = 0
        self._rejected: Counter[int] = Counter()
        self._accepted: Counter[int] = Counter()

    def next_part(self) -> Part | None:
        """The part to post next; None while it has to wait for what is in flight, or where nothing is left."""
        is_tried = self._is_tried and not self.setbacks
        if self.stop or len(self.in_flight) >= (self._limit if is_tried else 1):
            return None
        first, last = self._span()
        busy = {part.request for part in self.in_flight}
        free = (left for n in range(first, last) if n not in busy and (left := self._ledger.left_of(n)))
        if self._is_doubted:
            return self._surest([part for left in islice(free, 2 * self._limit) for part in left])
        return next((left[0] for left in free), None)

    def _surest(self, left: list[Part]) -> Part | None:
        """Where row after row was refused: the largest part of the request with the fewest refused rows.

        Until something is accepted it is looked through from its beginning, and nothing else, so that few rows tell.
        """
        within = [part for part in left if self._probe and not self._is_tried and _holds(self._probe, part)]
        if within:
            return within[0]
        self._probe = max(left, key=self._promise, default=None)
        return self._probe

    def _promise(self, part: Part) -> tuple[int, int]:
        refused = sum(entry.verdict is Verdict.REJECTED for _, entry in self._ledger.answered(part.request))
        return -refused, part.stop - part.start

    def _span(self) -> tuple[int, int]:
        """The requests that may be begun: from the first that is not done with up to the barrier that holds."""
        while self._first_open <= self._ledger.requests and not self._ledger.left_of(self._first_open):
            self._first_open += 1
        end = self._ledger.requests + 1
        last = end if self._is_doubted else min(self._first_open + 2 * self._limit, end)
        waiting = next((number for number in range(self._first_open, last) if self._waits(number)), last)
        place = bisect_right(self._barriers, waiting)
        return self._first_open, min(last, self._barriers[place] if place < len(self._barriers) else last)

    def _waits(self, number: int) -> bool:
        """Whether some part of the request is neither settled nor in flight."""
        left = self._ledger.left_of(number)
        return any(part not in self.in_flight for part in left) or (bool(left) and self._ledger.repeats_order)

    def begin(self, part: Part, now: float) -> None:
        """The part is posted."""
        self.in_flight[part] = Posted(now, self.token)

    def tries(self, part: Part) -> int:
        """Setbacks in a row, the answer to this part included: answers to what was posted before the last are one."""
        return max(1, self.setbacks + (self.in_flight[part].begun > self._setback_at))

    def answered(self, part: Part, step: Step, now: float) -> bool:
        """Take in what an answer leads to, the ledger having it already; True where a new token has to be fetched."""
        posted = self.in_flight.pop(part)
        match step:
            case Done(verdict=verdict) | Split(verdict=verdict):
                self._is_tried |= verdict is Verdict.ACCEPTED
                if posted.begun > self._setback_at:
                    self.setbacks = 0
                self._count(part, verdict)
            case Again(seconds=seconds):
                self._rest(posted, seconds, now)
            case FreshToken():
                if posted.token == self.token:
                    self.token += 1
                    return True
            case Later(seconds=seconds, reason=reason):
                self.end(Stop(seconds, reason))
            case Block(seconds=seconds, reason=reason):
                self.end(Stop(seconds, reason, RunState.BLOCKED))
        return False

    def end(self, stop: Stop) -> None:
        """Begin nothing more; what is in flight is waited for."""
        self.stop = self.stop.together(stop) if self.stop else stop

    def _rest(self, posted: Posted, seconds: float, now: float) -> None:
        if posted.begun > self._setback_at:
            self.setbacks += 1
            self._setback_at = now
        self.resting_until = max(self.resting_until, now + seconds)

    def _count(self, part: Part, verdict: Verdict) -> None:
        """Row after row refused is no matter of rows (a proxy, the job, the mapping), and halving spends the quota."""
        size = len(self._ledger.operations_of(part))
        if verdict is Verdict.SPLIT:
            self._splits += 1
        elif verdict is Verdict.REJECTED:
            self._rejected_in_a_row += size
            self._rejected[part.request] += size
        else:
            self._rejected_in_a_row = 0
            self._accepted[part.request] += size
        rejected = self._rejected[part.request]
        if self._ledger.is_complete:
            return
        if (
            self._rejected_in_a_row >= self._most_in_a_row()
            or (rejected >= _REJECTED_OF_ONE_REQUEST and rejected > self._accepted[part.request])
            or self._splits > _SPLITS + _SPLITS_PER_REQUEST * len(self._accepted)
        ):
            self.end(Stop(EVERYTHING_REJECTED_SECONDS, EVERYTHING_REJECTED, RunState.BLOCKED))

    def _most_in_a_row(self) -> int:
        if self._is_doubted and not self._is_tried:
            return _REJECTED_WHERE_DOUBTED
        return _REJECTED_IN_A_ROW if self._ledger.accepted_operations else _REJECTED_AT_FIRST


def _holds(whole: Part, part: Part) -> bool:
    return whole.request == part.request and whole.start <= part.start and part.stop <= whole.stop
