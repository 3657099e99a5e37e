"""How fast, and how many in a day: the API's two limits as values that say how long to wait.

Source: Entra's concepts page for API-driven provisioning: 40 calls in any 5 seconds, 2,000 (P1, P2) or 6,000
(Governance) in 24 hours, the latter for the whole tenant. Whether the day slides or resets is not documented: a
sliding window keeps to both.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from pydantic import Field, NonNegativeInt

from shared.run.record import Record

_DAY = timedelta(hours=24)
_MARGIN_SECONDS = 0.05
"""Clocks are grainy and the server stamps a call a little after we do."""


class SlidingWindow:
    """At most `limit` calls in any `seconds`, counted from when each call ended: the server saw it before that."""

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


class DailyQuota(Record):
    """`state/quota.json`: calls in the last 24 hours, by the minute in which they were granted."""

    calls: dict[datetime, NonNegativeInt] = Field(default_factory=dict)

    def grant(self, wanted: int, limit: int, now: datetime) -> tuple[int, DailyQuota]:
        """How many of the wanted calls may be made now, and the quota with them counted."""
        recent = self._recent(now)
        granted = max(0, min(wanted, limit - sum(recent.values())))
        minute = now.replace(second=0, microsecond=0)
        if granted:
            recent[minute] = recent.get(minute, 0) + granted
        return granted, DailyQuota(calls=recent)

    def given_back(self, unused: int, granted_at: datetime) -> DailyQuota:
        """The quota without calls that were granted then and not made."""
        minute = granted_at.replace(second=0, microsecond=0)
        left = max(0, self.calls.get(minute, 0) - unused)
        return DailyQuota(calls={**self.calls, minute: left})

    def frees_at(self, limit: int, now: datetime) -> datetime:
        """When the next call may be made if none may now."""
        used = self._recent(now)
        left = sum(used.values())
        for minute in sorted(used):
            left -= used[minute]
            if left < limit:
                return minute + _DAY + timedelta(minutes=1)
        return now

    def _recent(self, now: datetime) -> dict[datetime, int]:
        """A minute counts until a day after its end."""
        return {minute: n for minute, n in self.calls.items() if minute + timedelta(minutes=1) + _DAY > now}
