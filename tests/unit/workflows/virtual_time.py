"""Storage and clocks that time does not drive: what a real store does by itself is done by the test's hand here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError
from shared.inbound.sending.pacing import Go
from shared.ports import StoredBlob
from shared.workflows.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.workflows.pace import Calls

NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
LIMITS = {"per_5_seconds": 40, "per_day": 2000}


class Time:
    """Seconds since NOON, the same for everybody."""

    def __init__(self) -> None:
        self.seconds = 0.0


class VirtualClock:
    """The clock of one process: its wall clock can be ahead, its monotonic clock began somewhere."""

    def __init__(self, time: Time, *, ahead: float = 0.0, booted: float = 0.0) -> None:
        self.time = time
        self.ahead = ahead
        self._booted = booted

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.time.seconds + self.ahead)

    def monotonic(self) -> float:
        return self.time.seconds + self._booted

    def sleep(self, seconds: float) -> None:
        self.time.seconds += seconds

    def jitter(self) -> float:
        return 0.5


class MemoryStore:
    """Compare-and-swap as blob storage does it; only what pacing uses of a `BlobStore`."""

    def __init__(self) -> None:
        self.blobs: dict[str, StoredBlob] = {}
        self.operations: list[str] = []
        self.before_write: Callable[[str], None] = lambda name: None
        self._etags = 0

    def read(self, container: str, name: str) -> StoredBlob | None:
        self.operations.append(f"read {name}")
        return self.blobs.get(name)

    def create(self, container: str, name: str, content: bytes, metadata: Mapping[str, str] | None = None) -> str:
        return self._write("create", name, content, None)

    def replace(
        self, container: str, name: str, content: bytes, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        return self._write("replace", name, content, etag)

    def put(self, name: str, content: bytes) -> str:
        """Somebody else's write."""
        self._etags += 1
        self.blobs[name] = StoredBlob(content, f"etag{self._etags}")
        return self.blobs[name].etag

    def _write(self, verb: str, name: str, content: bytes, etag: str | None) -> str:
        self.operations.append(f"{verb} {name}")
        self.before_write(name)
        found = self.blobs.get(name)
        if (found.etag if found else None) != etag:
            raise BlobChangedError(name)
        return self.put(name, content)


class Tenant:
    """One storage account, and the processes that pace themselves by it."""

    def __init__(self) -> None:
        self.time = Time()
        self.store = MemoryStore()

    def pace(self, sender: str = "a", *, ahead: float = 0.0, clock: VirtualClock | None = None, **limits: int) -> Pace:
        clock = clock or VirtualClock(self.time, ahead=ahead, booted=len(sender) * 1000)
        return Pace(self.store, clock, sender=sender, **{**LIMITS, **limits})

    def blob(self, name: str) -> dict:
        return json.loads(self.store.blobs[name].content)

    def held(self) -> dict[str, int]:
        return {sender: share["slots"] for sender, share in self.blob("pace.json")["senders"].items()}

    def calls_of_the_day(self) -> int:
        return sum(self.blob("quota.json")["calls"].values())


def begin(calls: Calls, wanted: int = 1000) -> int:
    """How many calls may begin now. A larger share is asked for at the second try."""
    begun = waits = 0
    while begun < wanted and waits < 2:
        if isinstance(calls.ask(wanted - begun), Go):
            begun, waits = begun + 1, 0
        else:
            waits += 1
    return begun


def end(calls: Calls, number: int) -> None:
    for _ in range(number):
        calls.ended()
