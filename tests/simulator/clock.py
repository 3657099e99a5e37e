"""The one clock of the simulator."""

import time
from datetime import UTC, datetime
from functools import lru_cache


class SimulatorClock:
    """Real time plus an offset that tests push forward.

    Token expiry, rate windows, cycles and logs all read this clock, so one push moves them together.
    """

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Push the clock forward; never back, because the logs are kept in order of time."""
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self.offset += seconds


def iso(seconds: float) -> str:
    """Render a time as Graph prints it in its examples: whole seconds, UTC, Z."""
    return _render(int(seconds))


@lru_cache(maxsize=1000)
def _render(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
