"""What the sender of one provisioning job works with while it holds the job's lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.inbound.sending.job_health import block_for, unknown_code
from shared.inbound.sending.stop import Stop
from shared.ports import STATE
from shared.run.run_state import RunState
from shared.workflows.run_store import RunStore

if TYPE_CHECKING:
    from shared.ports import Lease
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside

_ASK_EVERY_SECONDS = 300.0


def order_marker(job_id: str) -> str:
    """The blob in `state` that is written whenever a run of the job was planned, resumed or cancelled."""
    return f"jobs/{job_id}/planned"


def job_lock(job_id: str) -> str:
    """The blob in `state` whose lease makes a sender the only one of its job."""
    return f"jobs/{job_id}/lock"


class Sending:
    """One stay of one sender at one job."""

    def __init__(self, job_id: str, outside: Outside, lease: Lease, deadline: float) -> None:
        """`deadline` is on the monotonic clock; no request is begun after it."""
        self.job_id = job_id
        self.outside = outside
        self.lease = lease
        self.deadline = deadline
        self.runs = RunStore(outside.store, outside.clock)
        self._order: str | None = None
        self._asked: dict[str, tuple[float, Stop | None]] = {}

    @property
    def time_is_up(self) -> bool:
        """The deadline has come, or the process was told to end."""
        return self.outside.clock.monotonic() >= self.deadline or self.outside.stopping()

    def look(self) -> None:
        """From here on the runs are as they are now."""
        self._order = self._order_marker()

    def order_has_changed(self) -> bool:
        """Whether a run was planned, resumed or cancelled since `look`."""
        return self._order != self._order_marker()

    def _order_marker(self) -> str | None:
        found = self.outside.store.read(STATE, order_marker(self.job_id))
        return found.etag if found else None

    def trouble(self, record: RunRecord) -> Stop | None:
        """Why the job should not be given data now; asks Graph at most every five minutes."""
        if not self.outside.limits.check_job_health:
            return None
        now, principal = self.outside.clock.monotonic(), record.service_principal_id or ""
        asked_at, stop = self._asked.get(principal, (float("-inf"), None))
        if now - asked_at >= _ASK_EVERY_SECONDS:
            stop = self._ask(principal)
            self._asked[principal] = (now, stop)
        return stop

    def _ask(self, service_principal_id: str) -> Stop | None:
        status = self.outside.api.job_status(service_principal_id, self.job_id)
        if code := unknown_code(status):
            self._warn_once(code)
        block = block_for(status)
        return Stop(block.seconds, block.reason, RunState.BLOCKED) if block else None

    def _warn_once(self, code: str) -> None:
        warning = f"{self.job_id} {code}"
        if warning not in self.outside.told_once:
            self.outside.told_once.add(warning)
            self.outside.events.warning("job.healthUnknown", job=self.job_id, code=code)
