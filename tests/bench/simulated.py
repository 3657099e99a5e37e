"""A simulated tenant and storage with a plan in it, and what the tenant saw of a client that sent the plan."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.files import LEFT_OUT, write_csv
from tests.bench.process import cpu_seconds_of_child
from tests.platform.accounting import run_records
from tests.platform.feeds import sample_feed
from tests.platform.processes import ROOT, azurite, connector_environment, simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobServiceClient

    from tests.platform.processes import Simulator

_BLOB = "contoso/workers.csv"
_CALLS, _SECONDS = 40, 5.0
_TRUE_CYCLE_SECONDS = "2400"
"""As in Entra: what is accepted waits for the job's next cycle, so that the simulator does nothing but accept."""
_NO_LIMIT = {"BULK_REQUESTS_PER_5_SECONDS": "500", "BULK_REQUESTS_PER_DAY": "1000000"}
"""More than the plan's requests, so that whatever slows the connector is not its own limit."""


@dataclass(frozen=True)
class Sent:
    """One client's work. `elapsed`: from the first POST that arrived to the last 202; `seconds`: its whole session.

    `users`: those that the tenant accepted; `doubled`: those of them that it was sent more than once.
    """

    requests: int
    throttled: int
    users: int
    doubled: int
    elapsed: float
    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float
    megabytes_before: float
    peak_megabytes: float

    @property
    def beside_floor(self) -> float:
        """NaN for a plan that the API would take all at once."""
        return self.elapsed / self.floor if self.floor > 0 else float("nan")

    @property
    def per_second(self) -> float:
        return self.requests / self.elapsed

    @property
    def cpu_per_1000_users(self) -> float:
        return self.cpu_seconds * 1000 / self.users

    @property
    def floor(self) -> float:
        """Seconds below which the API's limit allows nobody to be: 40 requests at once, then 8 a second."""
        return (self.requests - _CALLS) / (_CALLS / _SECONDS)


@dataclass(frozen=True)
class Prepared:
    """A plan that is ready to be sent, by the connector from storage or by another client from a file of its bodies."""

    storage: BlobServiceClient
    entra: Simulator
    environment: dict[str, str]
    bodies: Path
    latency_seconds: float

    def connector(self) -> Sent:
        return self._sent("tests.bench.send", "send", _BLOB)

    def sequential(self) -> Sent:
        known = self.entra.settings
        path = f"/v1.0/servicePrincipals/{known['SERVICE_PRINCIPAL_ID']}/synchronization/jobs/{known['JOB_ID']}"
        return self._sent("tests.bench.sequential", f"{known['GRAPH_ENDPOINT']}{path}/bulkUpload", str(self.bodies))

    def forget(self) -> None:
        """The tenant has seen nothing again."""
        self.entra.post("reset")

    def run(self) -> dict[str, Any]:
        """The connector's own account of what it has sent."""
        return run_records(self.storage)[-1]

    def _sent(self, *command: str) -> Sent:
        before = cpu_seconds_of_child("tests.simulator")
        told = in_a_process(self.environment, *command)
        server = cpu_seconds_of_child("tests.simulator") - before
        posts = self.entra.get("requests", on="bulkUpload")
        accepted = [post for post in posts if post["status"] == 202]
        times = [worker["times"] for worker in self.entra.get("operations").values()]
        last = max(post["epoch"] for post in accepted) + self.latency_seconds
        return Sent(
            requests=len(accepted),
            throttled=sum(post["status"] == 429 for post in posts),
            users=len(times),
            doubled=sum(count > 1 for count in times),
            elapsed=last - min(post["epoch"] for post in posts),
            seconds=told["seconds"],
            cpu_seconds=told["cpuSeconds"],
            server_cpu_seconds=server,
            megabytes_before=told["megabytesBefore"],
            peak_megabytes=told["peakMegabytes"],
        )


@contextlib.contextmanager
def prepared(users: int, *options: str, latency_ms: int = 0, limits: bool = True) -> Iterator[Prepared]:
    """Storage with a planned run of that many users, and a tenant that has seen nothing; `options`: the simulator's."""
    options = (*options, "--cycle-seconds", _TRUE_CYCLE_SECONDS, "--latency-ms", str(latency_ms))
    options += () if limits else ("--no-limits",)
    with azurite() as running, simulator(*options) as entra, tempfile.TemporaryDirectory() as folder:
        account = running.accounts[0]
        storage = running.account_with_containers(account)
        environment = connector_environment(running.connection_string(account), entra.settings)
        environment |= {} if limits else _NO_LIMIT
        _drop(storage, entra, users, Path(folder))
        in_a_process(environment, "tests.bench.send", "plan", _BLOB)
        bodies = Path(folder) / "bodies.ndjson"
        bodies.write_bytes(_planned_bodies(storage))
        yield Prepared(storage, entra, environment, bodies, latency_ms / 1000)


def in_a_process(environment: dict[str, str], module: str, *arguments: str) -> dict[str, float]:
    """What the module printed last."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _drop(storage: BlobServiceClient, entra: Simulator, users: int, folder: Path) -> None:
    """One row in a hundred can't be sent, so the file has a few more rows than users."""
    feed = sample_feed(entra.settings["SERVICE_PRINCIPAL_ID"], entra.settings["JOB_ID"]).decode()
    kept = [line for line in feed.splitlines() if not re.search(rf": ({'|'.join(LEFT_OUT)})\b", line)]
    storage.get_blob_client("feeds", "contoso.yaml").upload_blob("\n".join(kept).encode())
    file = folder / "workers.csv"
    write_csv(file, users + (users - 1) // 99)
    storage.get_blob_client("hr-drop", _BLOB).upload_blob(file.read_bytes())


def _planned_bodies(storage: BlobServiceClient) -> bytes:
    run, container = run_records(storage)[-1], storage.get_container_client("runs")
    names = [f"{run['feed']}/{run['run']}/{part['name']}" for part in run["plan"]]
    return b"".join(gzip.decompress(container.download_blob(name).readall()) for name in names)
