"""Azurite and the simulator, once a session; an empty storage account and an empty tenant for each test."""

from __future__ import annotations

import itertools
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

from shared.bootstrap import connector
from tests.integration.operators import Terminal
from tests.platform.accounting import faults, run_records
from tests.platform.feeds import SAMPLES, sample_feed
from tests.platform.functions_host import FunctionsHost
from tests.platform.processes import Azurite, Simulator, azurite, connector_environment, simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobServiceClient

_accounts = itertools.count()


class World:
    """What a test acts on: drop files, fire triggers, look at storage, at the tenant, at the events."""

    def __init__(self, storage: Azurite, entra: Simulator, caplog: pytest.LogCaptureFixture) -> None:
        self.account = storage.accounts[next(_accounts)]
        self.connection_string = storage.connection_string(self.account)
        self.service: BlobServiceClient = storage.account_with_containers(self.account)
        self.entra = entra
        self.host = FunctionsHost()
        self.texts: dict[str, str] = {}
        self._caplog = caplog
        self._travels: list[time_machine.travel] = []

    def advance(self, *, hours: float) -> None:
        """Let that much time pass, here and in the tenant; Azurite keeps its own clock."""
        travel = time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=True)
        travel.start()
        self._travels.append(travel)
        self.entra.post("advance", {"seconds": hours * 3600})

    def end(self) -> None:
        while self._travels:
            self._travels.pop().stop()

    def feed(self, *more_lines: str) -> bytes:
        """The sample feed file for the tenant's job, with some lines more."""
        settings = self.entra.settings
        feed = sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"])
        return b"\n".join([feed, *(line.encode() for line in more_lines)]) + b"\n"

    def put_feed(self, content: bytes | None = None, name: str = "contoso") -> None:
        content = content or self.feed()
        self.service.get_blob_client("feeds", f"{name}.yaml").upload_blob(content, overwrite=True)

    def drop(self, content: bytes | str, name: str = "workers.csv", feed: str = "contoso") -> str:
        data = content.encode() if isinstance(content, str) else content
        self.texts[name] = data.decode("utf-8", errors="replace")
        self.service.get_blob_client("hr-drop", f"{feed}/{name}").upload_blob(data, overwrite=True)
        return f"{feed}/{name}"

    def later(self) -> None:
        """The next drop is a later one: Azurite stamps whole seconds."""
        time.sleep(1.05)

    def upload(self, content: bytes | str, name: str = "workers.csv", feed: str = "contoso") -> dict[str, Any]:
        """Drop a file, deliver its event, return its run."""
        self.host.blob_created(self.drop(content, name, feed))
        return self.run(name)

    def resume(self) -> None:
        self.host.fire("resume_uploads")

    def report(self) -> None:
        """What the job has taken is processed, then the logs are read."""
        self.entra.post("process")
        self.host.fire("report_provisioning")

    def runs(self) -> list[dict[str, Any]]:
        return run_records(self.service)

    def run(self, name: str = "workers.csv") -> dict[str, Any]:
        """The newest run of a file."""
        return [record for record in self.runs() if record["file"] == name][-1]

    def change_record(self, run: dict[str, Any], **members: Any) -> None:
        """Write some members of a run.json anew, as another program could."""
        blob = self.service.get_blob_client("runs", f"{run['feed']}/{run['run']}/run.json")
        metadata = blob.get_blob_properties().metadata
        blob.upload_blob(json.dumps({**run, **members}), overwrite=True, metadata=metadata)

    def calls_of_the_day(self) -> int:
        """How many calls count towards the daily quota."""
        return sum(json.loads(self.blob("state", "quota.json"))["calls"].values())

    def faults(self, name: str = "workers.csv", *, all_final: bool = True) -> list[str]:
        return faults(self.service, self.run(name), self.texts[name], all_final=all_final)

    def posts(self) -> list[dict[str, Any]]:
        return self.entra.get("requests", on="bulkUpload")

    def accepted(self) -> dict[str, int]:
        """How often the API has accepted each worker."""
        return {worker: told["times"] for worker, told in self.entra.get("operations").items()}

    def accounts(self) -> dict[str, dict[str, Any]]:
        """The directory, once the job has processed what it has taken."""
        self.entra.post("process")
        return {account["externalId"]: account for account in self.entra.get("accounts")}

    def events(self) -> list[dict[str, Any]]:
        """The connector's own log messages, each of which is one JSON object."""
        return [json.loads(r.getMessage()) for r in self._caplog.records if r.name == "hr_connector"]

    def event_names(self) -> list[str]:
        return [event["event"] for event in self.events()]

    def blob(self, container: str, name: str) -> bytes:
        return self.service.get_blob_client(container, name).download_blob().readall()


@pytest.fixture(scope="session")
def storage() -> Iterator[Azurite]:
    with azurite(accounts=1200) as running:
        yield running


@pytest.fixture(scope="session")
def entra() -> Iterator[Simulator]:
    # Requests that are in flight together are taken together, as by a job that works in cycles.
    with simulator("--cycle-seconds", "60") as running:
        yield running


@pytest.fixture
def bare_world(storage, entra, monkeypatch, caplog) -> Iterator[World]:
    """No feed file yet."""
    entra.post("reset")
    caplog.set_level(logging.INFO)
    world = World(storage, entra, caplog)
    for name, value in connector_environment(world.connection_string, entra.settings).items():
        monkeypatch.setenv(name, value)
    connector.cache_clear()
    yield world
    world.end()
    connector.cache_clear()


@pytest.fixture
def world(bare_world: World) -> World:
    bare_world.put_feed()
    return bare_world


@pytest.fixture
def tour_guides() -> str:
    return (Path(SAMPLES) / "tour-guides.csv").read_text(encoding="utf-8")


@pytest.fixture
def terminal(capsys, monkeypatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "300")
    return Terminal(capsys)
