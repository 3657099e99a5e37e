"""The simulated tenant: everything the simulator knows, in one place."""

import secrets
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from tests.simulator.clock import SimulatorClock
from tests.simulator.directory import Directory
from tests.simulator.faults import Faults
from tests.simulator.identifiers import new_guid
from tests.simulator.job import Job
from tests.simulator.log_store import LogStore
from tests.simulator.provisioning_cycle import run_cycle
from tests.simulator.rate_limit import RateLimits
from tests.simulator.request_record import RequestRecord
from tests.simulator.settings import Settings
from tests.simulator.tokens import Issuer, Token, Tokens


@dataclass(kw_only=True)
class Identifiers:
    """Names and secrets of the tenant; random where a test does not say otherwise."""

    tenant_id: str = field(default_factory=new_guid)
    client_id: str = field(default_factory=new_guid)
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    identity_header: str = field(default_factory=new_guid)
    service_principal_id: str = field(default_factory=new_guid)
    job_id: str = ""

    def __post_init__(self) -> None:
        # Documented form: API2AAD.<32 hex>.<guid>; that the 32 hex digits are the tenant is inferred.
        self.job_id = self.job_id or f"API2AAD.{self.tenant_id.replace('-', '')}.{new_guid()}"


class Tenant:
    """State and the few acts that touch several parts of it.

    Nothing runs in the background: what should have happened by now is caught up at the start of every
    request, stamped with the time at which it was due. So the order of events depends on the clock alone.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        identifiers: Identifiers | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self._first_settings = settings or Settings()
        self.identifiers = identifiers or Identifiers()
        self.base_url = base_url
        self.tokens = Tokens()
        self.reset()

    def reset(self) -> None:
        """Back to the first settings and an empty directory; tokens held by clients stay valid."""
        self.clock = SimulatorClock()
        self.settings = deepcopy(self._first_settings)
        self.directory = Directory()
        self.logs = LogStore()
        self.limits = RateLimits()
        self.faults = Faults()
        self.requests: list[RequestRecord] = []
        self.received: dict[str, list[RequestRecord]] = {}  # by externalId, accepted only
        self.tokens.forget_record()
        self.jobs: dict[str, Job] = {}
        self.add_job(self.identifiers.service_principal_id, self.identifiers.job_id)

    def add_job(self, service_principal_id: str, job_id: str) -> Job:
        """Add a provisioning job in the state that the settings give."""
        job = Job(service_principal_id, job_id, status=self.settings.job_status, since=self.clock.now())
        self.jobs[job_id] = job
        return job

    def change_settings(self, values: dict[str, Any]) -> None:
        """Change settings by camelCase name; `jobStatus` goes to every job.

        Raises:
            ValueError: an unknown name or a value of the wrong type.
        """
        self.settings.change(values)
        if "jobStatus" in values:
            for job in self.jobs.values():
                job.set_status(self.settings.job_status, self.clock.now())

    def issue_token(self, issuer: Issuer, *, audience: str) -> Token:
        """A token with the permissions granted at this moment."""
        return self.tokens.issue(
            issuer=issuer,
            client_id=self.identifiers.client_id,
            audience=audience,
            roles=list(self.settings.permissions),
            now=self.clock.now(),
            lifetime=self.settings.token_lifetime_seconds,
        )

    def record_request(self, on: str, request: Request) -> RequestRecord:
        """Remember a request, in order of arrival."""
        record = RequestRecord.of(request, on=on, number=len(self.requests) + 1, now=self.clock.now())
        self.requests.append(record)
        return record

    def catch_up(self) -> None:
        """Run every cycle that was due by now, oldest first, so that the logs stay in order of time."""
        now = self.clock.now()
        while True:
            dues = [(job.next_due(self.settings.cycle_seconds), job) for job in self.jobs.values() if job.staged]
            ready = [(due, job) for due, job in dues if due is not None and due <= now]
            if not ready:
                return
            due, job = min(ready, key=lambda pair: pair[0])
            self._run(job, due)

    def process_now(self) -> int:
        """Run one cycle of every active job at once; returns the number of operations processed."""
        now = self.clock.now()
        return sum(self._run(job, now) for job in self.jobs.values() if job.staged and job.status == "Active")

    def _run(self, job: Job, due: float) -> int:
        batch = job.take_batch(due, one_request=self.settings.cycle_seconds == 0)
        run_cycle(
            job,
            batch,
            due=max(due, self.logs.latest()),  # a shorter interval set meanwhile would put it before what is logged
            tenant_id=self.identifiers.tenant_id,
            directory=self.directory,
            logs=self.logs,
            settings=self.settings,
        )
        return len(batch)
