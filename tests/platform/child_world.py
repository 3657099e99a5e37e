"""A storage account, a tenant, and function calls that each run in a process of their own.

Each process is a new instance of the function app. Where one was killed or paused, `time_passes` moves the wall clock
of those that come after it, and the tenant's; Azurite keeps the real time, so leases are broken, not waited for.
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobLeaseClient, BlobServiceClient

from tests.platform.accounting import faults, run_blob, run_records
from tests.platform.feeds import sample_feed
from tests.platform.processes import Azurite, Simulator, connector_environment

if TYPE_CHECKING:
    from tests.platform.fault_points import FaultPoint
    from tests.platform.forked_host import Child, ForkingHost

_VOLATILE = {"created", "updated", "objectId"}


class ChildWorld:
    """An empty account and an empty tenant."""

    def __init__(self, storage: Azurite, account: str, entra: Simulator, host: ForkingHost) -> None:
        entra.post("reset")
        self.entra, self.host = entra, host
        self.service: BlobServiceClient = storage.account_with_containers(account)
        self.environment = connector_environment(storage.connection_string(account), entra.settings)
        self.texts: dict[str, str] = {}
        self._ahead = 0.0
        feed = sample_feed(entra.settings["SERVICE_PRINCIPAL_ID"], entra.settings["JOB_ID"])
        self.service.get_blob_client("feeds", "contoso.yaml").upload_blob(feed)

    def drop(self, text: str, name: str = "workers.csv") -> str:
        self.texts[name] = text
        self.service.get_blob_client("hr-drop", f"contoso/{name}").upload_blob(text.encode(), overwrite=True)
        return f"contoso/{name}"

    def start_upload(self, blob: str, point: FaultPoint | None = None) -> Child:
        """Deliver an event; the process is left running, or ends or pauses at the point."""
        return self.host.start(
            "upload", blob, environment=self.environment, point=point, ahead_seconds=self._ahead
        )  # fmt: skip

    def upload(self, blob: str) -> Child:
        return self.host.run("upload", blob, environment=self.environment, ahead_seconds=self._ahead)

    def upload_killed_at(self, point: FaultPoint, blob: str) -> tuple[bool, Child]:
        """Whether it was killed, and the process.

        Then the leases run out, in half of the cases the event is delivered once more, and the timers fire.
        """
        child = self.start_upload(blob, point)
        status = child.wait()
        assert status in (0, -signal.SIGKILL), child.log.read_text()
        self.time_passes(400)
        if point.at % 2:
            self.upload(blob)
        self.tick()
        return status != 0, child

    def tick(self) -> Child:
        """What is left is sent, then the logs are read."""
        return self.host.run("tick", environment=self.environment, ahead_seconds=self._ahead)

    def time_passes(self, seconds: float) -> None:
        self._ahead += seconds
        self.entra.post("advance", {"seconds": seconds})
        break_leases(self.service)

    def runs(self) -> list[dict[str, Any]]:
        return run_records(self.service)

    def run(self, name: str = "workers.csv") -> dict[str, Any]:
        return [record for record in self.runs() if record["file"] == name][-1]

    def faults(self, name: str = "workers.csv") -> list[str]:
        return faults(self.service, self.run(name), self.texts[name])

    def ledger(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in run_blob(self.service, run, "ledger.ndjson").splitlines()]

    def posts(self) -> list[dict[str, Any]]:
        return self.entra.get("requests", on="bulkUpload")  # type: ignore[return-value]

    def accounts(self) -> dict[str, dict[str, Any]]:
        """The directory, without what differs from run to run."""
        accounts: list[dict[str, Any]] = self.entra.get("accounts")  # type: ignore[assignment]
        return {a["externalId"]: {k: v for k, v in a.items() if k not in _VOLATILE} for a in accounts}


def break_leases(service: BlobServiceClient) -> None:
    """A dead process's leases run out within a minute; a test does not wait for that."""
    for container in ("runs", "state"):
        client = service.get_container_client(container)
        for name in client.list_blob_names():
            if name.endswith("lock"):
                try:
                    BlobLeaseClient(client.get_blob_client(name)).break_lease(lease_break_period=0)
                except HttpResponseError as error:
                    assert error.status_code == 409, "no lease was held"  # noqa: PT017
