"""What a workflow is given: the ports, and the limits that it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.inbound.reading.hr_file import ReadWorkbook, no_workbooks
from shared.inbound.sending.pacing import SlidingWindow

if TYPE_CHECKING:
    from shared.ports import BlobStore, Clock, Drops, EventLog, ProvisioningApi, ProvisioningLogs


@dataclass(frozen=True)
class Limits:
    """Numbers that settings or tests may change."""

    requests_per_day: int = 2000
    time_budget_seconds: float = 20 * 60
    """One function call's own time limit, well below `functionTimeout` in host.json."""
    settling: timedelta = timedelta(hours=24)
    """After this an accepted row of which the log never spoke is `unaccounted`."""


@dataclass(frozen=True)
class Outside:
    """The world as the workflows see it."""

    store: BlobStore
    drops: Drops
    api: ProvisioningApi
    logs: ProvisioningLogs
    events: EventLog
    clock: Clock
    read_workbook: ReadWorkbook = no_workbooks
    limits: Limits = Limits()
    window: SlidingWindow = field(default_factory=lambda: SlidingWindow(40, 5.0))
