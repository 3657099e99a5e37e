"""Sliding windows of calls."""

import math
from collections import deque

DAY = 24 * 3600


class SlidingWindow:
    """Times of the calls let through, oldest first."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._times: deque[float] = deque()

    def wait(self, now: float, limit: int | None) -> float:
        """Seconds until one more call fits; 0 when it fits now. Rounded up to the millisecond."""
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        if limit is None or len(self._times) < limit:
            return 0
        if limit == 0:
            return self.seconds
        freed_by = self._times[len(self._times) - limit]
        return math.ceil((freed_by + self.seconds - now) * 1000) / 1000

    def add(self, now: float) -> None:
        """Count one call."""
        self._times.append(now)


class RateLimits:
    """The windows of one tenant, each made when first asked for.

    Source: "concepts" page (40 calls in any 5 seconds; 2,000 or 6,000 calls in 24 hours over the tenant);
    Graph throttling limits, identity and access reports (5 requests per 10 seconds per app per tenant).
    """

    # Guess: open question 2: the daily quota slides, and refused calls do not count against any window.

    def __init__(self) -> None:
        self._windows: dict[str, SlidingWindow] = {}

    def window(self, name: str, seconds: float) -> SlidingWindow:
        """The window of that name, for instance "uploads" or "logs of <client id>"."""
        return self._windows.setdefault(name, SlidingWindow(seconds))
