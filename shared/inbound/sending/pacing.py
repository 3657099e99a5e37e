"""How fast, and how many in a day: the API's limits as values that say when the next call may begin.

Source: Entra's concepts page for API-driven provisioning: 40 calls in any 5 seconds, 2,000 (P1, P2) or 6,000
(Governance) in 24 hours, the latter for the whole tenant. Whether the day slides or resets is not documented: a
sliding window keeps to both.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field, NonNegativeInt

from shared.run.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW_SECONDS = 5.0
SHARE_SECONDS = 8.0
"""For how long a share of the slots is held without being renewed."""
_COOLING_SECONDS = WINDOW_SECONDS + 0.02
"""The margin is for grains of the clocks only: a call is counted from its end, and the API saw it before that."""
_SKEW = timedelta(seconds=1)
"""By how much the wall clocks of two processes may differ."""
_KEPT = timedelta(seconds=WINDOW_SECONDS) + _SKEW
_DAY = timedelta(hours=24)
_MINUTE = timedelta(minutes=1)
_MARGIN_SECONDS = 0.05
"""Clocks are grainy and the server stamps a call a little after we do."""


@dataclass(frozen=True)
class Go:
    """One call may begin at once; it is counted."""


@dataclass(frozen=True)
class Wait:
    """Ask again after that many seconds (more than 0)."""

    seconds: float


@dataclass(frozen=True)
class NotBefore:
    """The daily quota is used up until then (UTC)."""

    at: datetime


class SlidingWindow:
    """At most `limit` calls in any `seconds`, one after the other, counted from when each call ended."""

    def __init__(self, limit: int, seconds: float) -> None:
        """Takes the documented limit; a margin is added."""
        self._limit = limit
        self._seconds = seconds + _MARGIN_SECONDS
        self._ended: deque[float] = deque()
        self._lock = Lock()

    def wait(self, now: float) -> float:
        """Seconds until the next call may begin; 0.0 for at once. `now` is a monotonic clock's."""
        with self._lock:
            while self._ended and self._ended[0] + self._seconds <= now:
                self._ended.popleft()
            if len(self._ended) < self._limit:
                return 0.0
            return self._ended[len(self._ended) - self._limit] + self._seconds - now

    def ended(self, now: float) -> None:
        """A call ended just now."""
        with self._lock:
            self._ended.append(now)


class Slots:
    """A call takes one before it begins, and the slot stays hot until 5 seconds after the call's end.

    Two calls on one slot are thus seen by the API more than 5 seconds apart, whenever between its begin and its end it
    sees each, and calls that overlap are on different slots. Times are a monotonic clock's. Not thread-safe.
    """

    def __init__(self) -> None:
        self._in_use = 0
        self._free_at: deque[float] = deque()

    def hot(self, now: float) -> int:
        """How many are in use or cooling."""
        while self._free_at and self._free_at[0] <= now:
            self._free_at.popleft()
        return self._in_use + len(self._free_at)

    def take(self, now: float, capacity: int) -> bool:
        """Take one, unless so many are hot already."""
        if self.hot(now) >= capacity:
            return False
        self._in_use += 1
        return True

    def ended(self, at: float) -> None:
        """A call that took one has ended, just now or a moment ago."""
        self._in_use -= 1
        insort(self._free_at, at + _COOLING_SECONDS)

    def wait(self, now: float, capacity: int) -> float:
        """Seconds until one can be taken; infinite where that depends on the end of a call or on a larger capacity."""
        too_many = self.hot(now) - capacity
        if too_many < 0:
            return 0.0
        return self._free_at[too_many] - now if capacity and too_many < len(self._free_at) else float("inf")


class Share(Record):
    """What one sending process holds of the tenant's slots until a time, and how many it could use."""

    slots: NonNegativeInt
    wanted: NonNegativeInt = 0
    until: AwareDatetime

    def is_over(self, now: datetime) -> bool:
        """Whether its slots are free: every call that its holder may have begun is out of the window."""
        return self.until <= (now - _KEPT if self.slots else now)


class Shares(Record):
    """`state/pace.json`: how the tenant's slots are shared by sending processes."""

    senders: dict[str, Share] = Field(default_factory=dict)

    def claimed(self, sender: str, *, wanted: int, hot: int, limit: int, now: datetime) -> tuple[Shares, int]:
        """The shares once a sender has renewed its own and brought it as near to the fair one as can be; the fair one.

        A sender that holds more than is fair keeps what is hot. Others' shares are never taken, so the sum of all
        slots does not grow past the limit.
        """
        others = self._others(sender, now)
        held = self.senders[sender].slots if sender in self.senders else 0
        occupied = sum(share.slots for share in others.values())
        live = {name: share for name, share in others.items() if share.until > now}
        pool = limit - occupied + sum(share.slots for share in live.values())
        wants = {**{name: share.wanted for name, share in live.items()}, sender: wanted}
        fair = fair_shares(pool, wants)[sender]
        slots = min(max(fair, hot), max(held, limit - occupied))
        mine = Share(slots=slots, wanted=wanted, until=now + timedelta(seconds=SHARE_SECONDS))
        return Shares(senders={**others, sender: mine}), fair

    def left(self, sender: str, *, hot: int, now: datetime) -> Shares:
        """The shares once a sender has gone: what is hot stays occupied for a window, the rest is free at once."""
        held = self.senders[sender].slots if sender in self.senders else 0
        last = {sender: Share(slots=min(hot, held), until=now)} if min(hot, held) else {}
        return Shares(senders={**self._others(sender, now), **last})

    def _others(self, sender: str, now: datetime) -> dict[str, Share]:
        """Without those that are over. None can last longer than this, whatever a clock that was ahead put down."""
        latest = now + timedelta(seconds=SHARE_SECONDS) + _SKEW
        return {
            name: share if share.until <= latest else share.model_copy(update={"until": latest})
            for name, share in self.senders.items()
            if name != sender and not share.is_over(now)
        }


def all_occupied(limit: int, now: datetime) -> Shares:
    """What to go by where nobody knows who holds what: every slot may have been used just now."""
    return Shares(senders={"unknown": Share(slots=limit, until=now)})


def fair_shares(slots: int, wants: Mapping[str, int]) -> dict[str, int]:
    """Equal shares, except that nobody gets more than they want, which leaves more to the others; at least 1 each."""
    shares: dict[str, int] = {}
    for place, name in enumerate(sorted(wants, key=lambda name: (wants[name], name))):
        equal = (slots - sum(shares.values())) // (len(wants) - place)
        shares[name] = min(wants[name], max(1, equal))
    return shares


class DailyQuota(Record):
    """`state/quota.json`: calls in the last 24 hours, by the minute in which they were granted.

    A call that was granted has to begin within its minute, and the API sees it within the next one: a minute counts
    until a day after that.
    """

    calls: dict[AwareDatetime, NonNegativeInt] = Field(default_factory=dict)

    def grant(self, wanted: int, limit: int, now: datetime) -> tuple[int, DailyQuota]:
        """How many of the wanted calls may be made in this minute, and the quota with them counted."""
        recent = self._recent(now)
        granted = max(0, min(wanted, limit - sum(recent.values())))
        if granted:
            recent[minute_of(now)] = recent.get(minute_of(now), 0) + granted
        return granted, DailyQuota(calls=recent)

    def given_back(self, unused: int, granted_at: datetime) -> DailyQuota:
        """The quota without calls that were granted then and not made."""
        minute = minute_of(granted_at)
        left = max(0, self.calls.get(minute, 0) - unused)
        others = {at: calls for at, calls in self.calls.items() if at != minute}
        return DailyQuota(calls={**others, minute: left} if left else others)

    def frees_at(self, limit: int, now: datetime) -> datetime:
        """When the next call may be made if none may now."""
        used = self._recent(now)
        left = sum(used.values())
        for minute in sorted(used):
            left -= used[minute]
            if left < limit:
                return minute + 2 * _MINUTE + _DAY
        return now if limit > 0 else now + _DAY

    def _recent(self, now: datetime) -> dict[datetime, int]:
        """What counts. A minute that lies more than a day ahead is a broken clock's, and would count for ever."""
        return {at: n for at, n in self.calls.items() if now - _DAY - 2 * _MINUTE < at <= now + _DAY}


def minute_of(moment: datetime) -> datetime:
    """The minute that a call of that moment is counted in."""
    return moment.replace(second=0, microsecond=0)
