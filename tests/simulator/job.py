"""A provisioning job: its queue, its state, and when its next cycle is due."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.settings import JobStatus


@dataclass
class Staged:
    """The operations of one accepted request, waiting for a cycle."""

    accepted: float
    request_number: int
    users: list[dict[str, Any]]


@dataclass
class Execution:
    """One finished cycle, as the job's status reports it."""

    cycle_id: str
    began: float
    ended: float
    imported: int
    exported: int
    failed: int


@dataclass
class Job:
    """One job of an "API-driven provisioning" application.

    202 is also given while the job is paused or quarantined; the operations queue up. Data that failed
    stays in the queue until a later cycle succeeds with it or the job is restarted.
    Source: "issues" page, 2026-07-07.
    """

    service_principal_id: str
    id: str
    status: JobStatus
    since: float  # when it was last put to work; cycles count from here
    staged: deque[Staged] = field(default_factory=deque)
    failed: set[str] = field(default_factory=set)  # externalIds that wait in the queue after a failure
    known: set[str] = field(default_factory=set)  # externalIds with an account, seen by this job
    executions: list[Execution] = field(default_factory=list)

    @property
    def queued(self) -> int:
        """Operations in the ingestion queue."""
        return sum(len(staged.users) for staged in self.staged) + len(self.failed)

    def set_status(self, status: JobStatus, now: float) -> None:
        """Change the state; a job put to work takes up at once what is staged."""
        if status == "Active" and self.status != "Active":
            self.since = now
        self.status = status

    def restart(self, reset_scope: str, now: float) -> None:
        """Purge what is staged, then work again.

        Source: FAQ (data uploaded before a restart and not yet processed is purged); Graph reference,
        synchronizationJob: restart (flags).
        """
        self.staged.clear()
        flags = {flag.strip() for flag in reset_scope.split(",")}
        if flags & {"Escrows", "Full"}:
            self.failed.clear()
        if self.status != "Quarantine" or flags & {"QuarantineState", "Full"}:
            self.set_status("Active", now)

    def next_due(self, cycle_seconds: float) -> float | None:
        """When the cycle runs that takes up the oldest staged request; None while the job does not work."""
        # A quarantined job really runs once a day; here it does not run at all.
        if self.status != "Active" or not self.staged:
            return None
        oldest = self.staged[0].accepted
        if oldest <= self.since:
            return self.since
        if cycle_seconds == 0:
            return oldest
        return self.since + math.ceil((oldest - self.since) / cycle_seconds) * cycle_seconds

    def take_batch(self, due: float, *, one_request: bool) -> list[dict[str, Any]]:
        """Take from the queue what was accepted by `due`; `one_request`: each request is a cycle of its own."""
        single = one_request and due == self.staged[0].accepted
        batch: list[dict[str, Any]] = []
        while self.staged and self.staged[0].accepted <= due:
            batch += self.staged.popleft().users
            if single:
                break
        return batch
