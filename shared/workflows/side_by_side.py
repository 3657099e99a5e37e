"""Runs of different jobs go side by side: a thread for each job, all of them within the tenant's shared pace.

What a job's thread has to tell is told by the caller's: the Functions worker drops what other threads log.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self

from shared.workflows.apart import apart
from shared.workflows.send_runs import send_job

if TYPE_CHECKING:
    from types import TracebackType

    from shared.workflows.outside import Outside

_MOST_JOBS = 8
Event = tuple[str, str, dict[str, str | int | None]]


class _Forwarded:
    """An `EventLog` whose events are told by another thread."""

    def __init__(self, queue: SimpleQueue[Event]) -> None:
        self._queue = queue

    def info(self, event: str, **fields: str | int | None) -> None:
        self._queue.put(("info", event, fields))

    def warning(self, event: str, **fields: str | int | None) -> None:
        self._queue.put(("warning", event, fields))

    def error(self, event: str, **fields: str | int | None) -> None:
        self._queue.put(("error", event, fields))


class SideBySide:
    """Senders of several jobs; leaving the context waits for all of them."""

    def __init__(self, outside: Outside, deadline: float) -> None:
        """`deadline` as for `send_job`."""
        self._outside = outside
        self._deadline = deadline
        self._queue: SimpleQueue[Event] = SimpleQueue()
        self._pool = ThreadPoolExecutor(_MOST_JOBS, "job")
        self._running: dict[str, Future[None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        self._tell(0.0)
        for future in self._running.values():
            future.result()

    @property
    def is_idle(self) -> bool:
        """No sender is at work."""
        return all(future.done() for future in self._running.values())

    def begin(self, job_id: str) -> None:
        """Send what this job has left, unless a sender of ours is at it."""
        if job_id not in self._running or self._running[job_id].done():
            self._running[job_id] = self._pool.submit(self._send, job_id)

    def wait(self, seconds: float) -> None:
        """Until the senders are through, at most that long, telling what they have to tell."""
        until = self._outside.clock.monotonic() + seconds
        while not self.is_idle and self._outside.clock.monotonic() < until:
            self._tell(0.1)
        self._tell(0.0)

    def _send(self, job_id: str) -> None:
        inside = replace(self._outside, events=_Forwarded(self._queue))
        with apart("job.notSent", inside, job=job_id):
            send_job(job_id, inside, deadline=self._deadline)

    def _tell(self, seconds: float) -> None:
        try:
            while True:
                level, event, fields = self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
                getattr(self._outside.events, level)(event, **fields)
                seconds = 0.0
        except Empty:
            pass
