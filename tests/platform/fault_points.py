"""End or pause this process at its n-th call to the outside world: points that are counted, not timed.

Every call of the Azure SDKs (storage, the identity endpoint) and of httpx (Graph) counts, in order of happening and
whichever thread makes it. Set by environment variables, so that any child process can be told:

- `KILL_AT`: the number of the call, from 1. Without it nothing happens but the counting.
- `KILL_WHEN`: `before` the call leaves this process, or `after` it has taken effect and before its answer is seen.
- `KILL_SIGNAL`: `SIGKILL` (the default) or `SIGSTOP`, from which SIGCONT wakes it in the very same place.
- `KILL_SLEPT`: seconds for which it seems to have been stopped when it wakes: both its clocks are ahead by so much.
- `KILL_LOG`: a file that gets one line a call, `<number> <method> <kind>`, before the call is made.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import time_machine
from azure.core.pipeline.transport import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ASKED_FOR = frozenset({"KILL_AT", "KILL_LOG"})
CONTAINERS = frozenset({"hr-drop", "feeds", "runs", "state", "summaries"})


@dataclass(frozen=True)
class FaultPoint:
    """Where a process is to end or to pause."""

    at: int
    when: str = "before"
    signal: str = "SIGKILL"
    slept_seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.signal} {self.when} call {self.at}"

    def environment(self) -> dict[str, str]:
        point = {"KILL_AT": self.at, "KILL_WHEN": self.when, "KILL_SIGNAL": self.signal}
        return {name: str(value) for name, value in {**point, "KILL_SLEPT": self.slept_seconds}.items()}

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> FaultPoint | None:
        if "KILL_AT" not in environ:
            return None
        return cls(
            int(environ["KILL_AT"]),
            environ.get("KILL_WHEN", "before"),
            environ.get("KILL_SIGNAL", "SIGKILL"),
            float(environ.get("KILL_SLEPT", "0")),
        )

    def strike(self) -> None:
        """Raise the signal; a process that is woken goes on from here, its clocks having gone on without it."""
        os.kill(os.getpid(), signal.Signals[self.signal])
        if self.slept_seconds:
            monotonic = time.monotonic
            time.monotonic = lambda: monotonic() + self.slept_seconds
            time_machine.travel(datetime.now(UTC) + timedelta(seconds=self.slept_seconds), tick=True).start()


class CallCounter:
    """Counts calls, notes each in a file, and strikes at one of them."""

    def __init__(self, point: FaultPoint | None, log: int | None) -> None:
        self._point, self._log = point, log
        self._numbers = itertools.count(1)
        self._lock = Lock()

    def around(self, method: str, kind: str, call: Callable[[], Any]) -> Any:
        """Make one call."""
        number = self._next(method, kind)
        self._strike_if(number, "before")
        try:
            return call()
        finally:
            self._strike_if(number, "after")

    def _next(self, method: str, kind: str) -> int:
        with self._lock:
            number = next(self._numbers)
            if self._log is not None:
                os.write(self._log, f"{number} {method} {kind}\n".encode())
            return number

    def _strike_if(self, number: int, when: str) -> None:
        if self._point and (number, when) == (self._point.at, self._point.when):
            self._point.strike()


def kind_of(url: str) -> str:
    """The container that a call is about, `service` for the account itself, `identity` or `graph`."""
    path = urlsplit(url).path
    if path.startswith("/msi/"):
        return "identity"
    if path.startswith(("/v1.0/", "/beta/")):
        return "graph"
    return next((part for part in path.split("/")[1:3] if part in CONTAINERS), "service")


def install(environ: Mapping[str, str]) -> None:
    """Count this process's calls from now on, for good; for child processes only."""
    path = environ.get("KILL_LOG")
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path else None
    counter = CallCounter(FaultPoint.from_environ(environ), log)
    send, handle = RequestsTransport.send, httpx.HTTPTransport.handle_request

    def counted_send(self: Any, request: Any, **options: Any) -> Any:
        return counter.around(request.method, kind_of(request.url), lambda: send(self, request, **options))

    def counted_handle(self: Any, request: httpx.Request) -> httpx.Response:
        return counter.around(request.method, kind_of(str(request.url)), lambda: handle(self, request))

    RequestsTransport.send = counted_send  # type: ignore[method-assign]
    httpx.HTTPTransport.handle_request = counted_handle  # type: ignore[method-assign]


def calls_made(log: Path) -> list[str]:
    """What a process has called, `<method> <kind>` each, in order."""
    return [line.partition(" ")[2] for line in log.read_text().splitlines()] if log.exists() else []
