"""Time that passes in a moment: what the connector waits for is added to its clock and to the simulator's.

Round trips still take real time. Azurite keeps its own clock, so drops and leases are stamped by the real one.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

from shared import bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.platform.processes import Simulator


class VirtualClock:
    """A `Clock` for one test; several threads may share it."""

    def __init__(self, entra: Simulator, seed: int = 1) -> None:
        self._entra = entra
        self._ahead = 0.0
        self._lock = threading.Lock()
        self._random = random.Random(seed)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._ahead += seconds
            self._entra.post("advance", {"seconds": seconds})

    def jitter(self) -> float:
        return self._random.random()


@contextmanager
def virtual_clock(entra: Simulator) -> Iterator[VirtualClock]:
    """Every connector that is made inside waits by this clock."""
    clock = VirtualClock(entra)
    with patch.object(bootstrap, "SystemClock", lambda: clock):
        bootstrap.connector.cache_clear()
        yield clock
        bootstrap.connector.cache_clear()
