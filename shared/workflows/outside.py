"""What a workflow is given: the ports, and the limits that it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.inbound.reading.hr_file import ReadWorkbook, no_workbooks
from shared.inbound.sending.answer import BUCKET_FULL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from shared.ports import BlobStore, Clock, Drops, EventLog, InFlight, ProvisioningApi, ProvisioningLogs
    from shared.workflows.pace import Pace


@dataclass(frozen=True)
class Limits:
    """Numbers that settings or tests may change."""

    time_budget_seconds: float = 20 * 60
    """One function call's own time limit, well below `functionTimeout` in host.json."""
    settling: timedelta = timedelta(hours=24)
    """After this an accepted row of which the log never spoke is `unaccounted`."""
    in_flight: int = 40
    """Requests that may be in flight at the same time, for each job; also what a crash can send twice."""
    bucket_full_seconds: float = BUCKET_FULL_SECONDS
    """The shortest pause after "bucket is full"; the longest is twice as long."""
    check_job_health: bool = True
    """Ask before sending whether the job is paused, disabled or in quarantine."""


@dataclass(frozen=True)
class Outside:
    """The world as the workflows see it. All of it can be used by several threads at once."""

    store: BlobStore
    drops: Drops
    api: ProvisioningApi
    logs: ProvisioningLogs
    events: EventLog
    clock: Clock
    pace: Pace
    in_flight: Callable[[int], AbstractContextManager[InFlight]]
    """Makes room for that many calls at the same time."""
    new_id: Callable[[], str]
    """An id that nobody else has."""
    stopping: Callable[[], bool] = lambda: False
    """Whether this process was told to end."""
    read_workbook: ReadWorkbook = no_workbooks
    limits: Limits = Limits()
    told_once: set[str] = field(default_factory=set)
    """Warnings that this process has given."""
