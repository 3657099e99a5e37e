"""The pace of the whole tenant, kept by every process that sends: slots for 5 seconds, calls for 24 hours.

Who holds how many slots is in `state/pace.json`, the calls of the day are in `state/quota.json`; both are changed by
compare-and-swap. What holds the limits up:

- the wall clocks of two processes differ by less than a second. A process that sees its own clock jump rests for as
  long as a share can last;
- a process that was stopped and wakes up looks at its monotonic clock before each call, and renews its share first;
- a process that was killed has its slots for 14 seconds at most after it last renewed them. Its last calls have to be
  with the API 2.5 seconds after they began if no renewal of its last 6 seconds came through, and 6.5 seconds otherwise.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.inbound.sending.pacing import (
    SHARE_SECONDS,
    WINDOW_SECONDS,
    Go,
    NotBefore,
    Shares,
    Slots,
    Wait,
    all_occupied,
)
from shared.workflows.daily_quota import DailyCalls, stored_quota
from shared.workflows.state_document import StateDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.ports import BlobStore, Clock

_RENEW_SECONDS = 2.0
_UNSETTLED_SECONDS = 0.5
"""Between renewals while this process has not its fair share, or has more and gives it back."""
_FENCE_SECONDS = SHARE_SECONDS - 2.0
_REST_SECONDS = SHARE_SECONDS + WINDOW_SECONDS + 1.0
_MOST_SKEW_SECONDS = 1.0
_SHORTEST_WAIT = 0.005
_NEVER = float("-inf")


@dataclass(frozen=True)
class _Claim:
    began: float
    usable: int
    wanted: int
    is_settled: bool


class Pace:
    """One for each process; sessions of several threads share it. Thread-safe.

    `ask` raises whatever storage raises; what is counted stays counted, and no limit suffers.
    """

    def __init__(
        self, store: BlobStore, clock: Clock, *, per_5_seconds: int, per_day: int, reserved: int = 0, sender: str
    ) -> None:
        """`sender`: an id that no other process has. `reserved`: calls of the day that only urgent sessions get."""
        self._clock = clock
        self._sender = sender
        self._limit = per_5_seconds
        self._urgent, self._normal = per_day, max(0, per_day - reserved)
        self._quota = stored_quota(store, clock)
        self._shares = StateDocument(store, clock, "pace.json", self._parse_shares)
        self._renewing = Lock()
        self._state = Lock()  # what is below; never held while storage is asked
        self._slots = Slots()
        self._sessions: set[Calls] = set()
        self._claim = _Claim(_NEVER, 0, 0, is_settled=False)
        self._capacity = 0
        self._fence = self._renew_at = _NEVER
        self._ahead = 0.0
        self._has_claimed = False

    @contextmanager
    def session(self, *, urgent: bool) -> Iterator[Calls]:
        """Joins; on leaving, calls that have not ended count as ended, and what is not used goes back.

        What can't be given back frees itself: a share within seconds, a few calls within a day.
        """
        calls = Calls(self, DailyCalls(self._quota, self._clock, self._urgent if urgent else self._normal))
        self._join(calls)
        try:
            yield calls
        finally:
            with suppress(Exception):
                self._leave(calls)

    def renew(self) -> None:
        """Renew the share if that is due; waits for another thread that is at it only if there is no share to use."""
        now = self._clock.monotonic()
        if self._has_jumped(now) or now < self._renew_at:
            return
        if self._renewing.acquire(blocking=now >= self._fence):
            try:
                if self._clock.monotonic() >= self._renew_at:
                    self._renew()
            finally:
                self._renewing.release()

    def wait(self) -> float:
        """Seconds until it is worth while to ask again; 0.0 if a slot can be taken."""
        with self._state:
            return self._wait(self._clock.monotonic())

    def take(self) -> float:
        """Take a slot and return 0.0, or return what `wait` does. A share that is about to be over gives none."""
        with self._state:
            now = self._clock.monotonic()
            return 0.0 if now < self._fence and self._slots.take(now, self._capacity) else self._wait(now)

    def ended(self, calls: int = 1, at: float | None = None) -> None:
        """So many calls that took a slot have ended, just now or at that time of the monotonic clock."""
        with self._state:
            for _ in range(calls):
                self._slots.ended(self._clock.monotonic() if at is None else at)

    def _wait(self, now: float) -> float:
        seconds = float("inf")
        if now < self._fence:
            seconds = self._slots.wait(now, self._capacity)
            if seconds and self._wanted(now) > self._claim.wanted:
                self._renew_at = min(self._renew_at, now)
        if not seconds:
            return 0.0
        return min(max(min(seconds, self._renew_at - now), _SHORTEST_WAIT), _RENEW_SECONDS)

    def _wanted(self, now: float) -> int:
        """How many slots could be used: for the calls that are wanted, besides those that are hot."""
        return min(self._limit, self._slots.hot(now) + sum(calls.wanted for calls in self._sessions))

    def _renew(self) -> None:
        self._shares.change(self._claimed)
        self._has_claimed = True
        with self._state:
            claim = self._claim
            self._capacity = claim.usable
            self._fence = claim.began + _FENCE_SECONDS
            self._renew_at = claim.began + (_RENEW_SECONDS if claim.is_settled else _UNSETTLED_SECONDS)

    def _claimed(self, shares: Shares) -> Shares:
        """What is claimed becomes usable once it is written; what is given up is not used from now on."""
        with self._state:
            began, at = self._clock.monotonic(), self._clock.now()
            wanted, hot = self._wanted(began), self._slots.hot(began)
            after, fair = shares.claimed(self._sender, wanted=wanted, hot=hot, limit=self._limit, now=at)
            held = after.senders[self._sender].slots
            self._claim = _Claim(began, min(held, fair), wanted, is_settled=held == fair)
            self._capacity = min(self._capacity, self._claim.usable)
            return after

    def _has_jumped(self, now: float) -> bool:
        """Whether the wall clock has gone another way than the monotonic one, so that it tells nothing of others."""
        ahead = self._clock.now().timestamp() - now
        with self._state:
            if abs(ahead - self._ahead) <= _MOST_SKEW_SECONDS:
                return False
            self._ahead, self._fence, self._renew_at = ahead, _NEVER, now + _REST_SECONDS
            return True

    def _join(self, calls: Calls) -> None:
        with self._state:
            if not self._sessions:
                self._ahead = self._clock.now().timestamp() - self._clock.monotonic()
            self._sessions.add(calls)

    def _leave(self, calls: Calls) -> None:
        with self._state:
            self._sessions.discard(calls)
        try:
            calls.give_back()
        finally:
            self._leave_if_last()

    def _leave_if_last(self) -> None:
        with self._renewing:
            with self._state:
                if self._sessions or not self._has_claimed:
                    return
                self._capacity, self._fence, self._renew_at = 0, _NEVER, _NEVER
                self._claim = _Claim(_NEVER, 0, 0, is_settled=False)
                hot = self._slots.hot(self._clock.monotonic())
            self._shares.change(lambda shares: shares.left(self._sender, hot=hot, now=self._clock.now()))
            self._has_claimed = False

    def _parse_shares(self, content: bytes | None) -> Shares:
        """Where it can't be read, or was deleted while in use, all slots count as used a moment ago."""
        if content is None and not self._has_claimed:
            return Shares()
        try:
            return Shares.model_validate_json(content or b"")
        except ValidationError:
            return all_occupied(self._limit, self._clock.now())


class Calls:
    """The calls of one session, which is one thread's."""

    def __init__(self, pace: Pace, daily: DailyCalls) -> None:
        """Made by `Pace.session`."""
        self._pace, self._daily = pace, daily
        self._begun = 0
        self.wanted = 0

    def ask(self, wanted: int) -> Go | Wait | NotBefore:
        """One call, of about that many (1 or more) that this session still wants.

        Go: begin it at once, it is counted. Wait: there is no slot yet. NotBefore: the day's calls are used up.

        Raises:
            BlobChangedError: other processes always came in between.
        """
        self.wanted = max(1, wanted)
        self._pace.renew()
        if seconds := self._pace.wait():
            return Wait(seconds)
        if frees_at := self._daily.fetch(self.wanted):
            self.wanted = 0
            return NotBefore(frees_at)
        if seconds := self._pace.take():
            return Wait(seconds)
        self._daily.use()
        self._begun += 1
        self.wanted -= 1
        return Go()

    def ended(self, at: float | None = None) -> None:
        """One call for which `ask` said Go has ended: answered, or given up, or never begun.

        Args:
            at: when, on the monotonic clock; now if not given.
        """
        if self._begun:
            self._begun -= 1
            self._pace.ended(at=at)

    def not_begun(self) -> None:
        """One call for which `ask` said Go was never made: its slot and its call of the day are free again."""
        self.ended()
        self._daily.unused()

    def keep(self) -> None:
        """Renew the share while calls are in flight and none is asked for. Raises what `ask` does."""
        if self._begun:
            self._pace.renew()

    def give_back(self) -> None:
        """The session is over."""
        begun, self._begun = self._begun, 0
        self._pace.ended(begun)
        self._daily.give_back()
