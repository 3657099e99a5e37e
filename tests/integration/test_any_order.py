"""Drops, overwrites, lost and doubled events, faults, kills, ticks, permission changes, in any order.

A hypothesis state machine drives the real functions against Azurite and the simulator. At every moment each run's
counts add up and no worker's older state was taken after a newer one; in the end everything is sent, every row is
accounted for, and each account is as the newest file that names the worker says.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import hypothesis.strategies as st
import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobLeaseClient
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from shared.bootstrap import connector
from tests.integration.conftest import World
from tests.platform.accounting import faults, run_blob
from tests.platform.hr_files import hr_csv, hr_row
from tests.platform.processes import connector_environment
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

UPLOAD, LOGS, HEALTH = "SynchronizationData-User.Upload", "ProvisioningLog.Read.All", "Synchronization.Read.All"
WORKERS = st.sets(st.integers(1, 170), min_size=1, max_size=150)
FAULT = st.sampled_from(
    [
        {"status": 429, "headers": {"Retry-After": "3.5"}},
        {"status": 429},
        {"status": 503},
        {"status": 504, "processed": True},
        {"status": 413},
        {"status": 401},
        {"disconnect": "beforeReading"},
        {"disconnect": "afterProcessing"},
        {"disconnect": "halfAnswer"},
        {"status": 500, "body": {"error": {"code": "x", "message": "The bucket that stores the data is full"}}},
    ]
)
FINAL = ("sent", "settled", "refused")


class Killed(BaseException):
    """What a killed process would not live to see."""


class Mortal:
    """Cuts this process off from storage and HTTP at a chosen call: from then on nothing it does has an effect."""

    def __init__(self) -> None:
        self.calls_left: int | None = None

    def passes(self) -> None:
        if self.calls_left is None:
            return
        if self.calls_left <= 0:
            raise Killed
        self.calls_left -= 1


class AnyOrder(RuleBasedStateMachine):
    storage: Any
    entra: Any
    environment: Any
    mortal: Mortal

    def __init__(self) -> None:
        super().__init__()
        self.entra.post("reset")
        self.world = World(self.storage, self.entra, None)
        for name, value in connector_environment(self.world.connection_string, self.entra.settings).items():
            self.environment.setenv(name, value)
        connector.cache_clear()
        self.world.put_feed()
        self.stack = contextlib.ExitStack()
        self.clock = self.stack.enter_context(virtual_clock(self.entra))
        self.version = 0
        self.files: dict[tuple[str, str], str] = {}
        self.undelivered: list[str] = []
        self.is_fit = True

    @rule(name=st.sampled_from(["a.csv", "b.csv"]), workers=WORKERS, lost=st.booleans())
    def drop(self, name: str, workers: set[int], lost: bool) -> None:
        self.version += 1
        title = f"v{self.version}"
        text = hr_csv(*(hr_row(f"W{number:05d}", JobTitle=title) for number in sorted(workers)))
        blob = self.world.drop(text, name)
        self.files[name, self.etag(blob)] = text
        self.undelivered.append(blob)
        if not lost:
            self.deliver()

    @precondition(lambda self: self.undelivered)
    @rule()
    def deliver(self) -> None:
        self.attempt(lambda: self.world.host.blob_created(self.undelivered[-1]))

    @rule(calls=st.integers(0, 60), lost=st.booleans())
    def be_killed(self, calls: int, lost: bool) -> None:
        """In the middle of a tick or of an event; its leases run out, a new process takes over."""
        self.mortal.calls_left = calls
        with contextlib.suppress(Killed):
            if lost or not self.undelivered:
                self.attempt(self.world.resume)
            else:
                self.deliver()
        self.mortal.calls_left = None
        connector.cache_clear()
        self.break_leases()

    @rule(fault=FAULT, after=st.integers(0, 3), times=st.integers(1, 4))
    def something_goes_wrong(self, fault: dict[str, Any], after: int, times: int) -> None:
        self.entra.post("faults", {"on": "bulkUpload", "after": after, "times": times, **fault})

    @rule(granted=st.booleans())
    def permissions_change(self, granted: bool) -> None:
        self.entra.change(permissions=[LOGS, HEALTH, *([UPLOAD] if granted else [])])
        self.is_fit = granted
        connector.cache_clear()

    @rule(status=st.sampled_from(["Active", "Paused", "Quarantine"]))
    def the_job_changes(self, status: str) -> None:
        self.entra.change(jobStatus=status)

    @rule(seconds=st.sampled_from([1, 70, 700, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    @rule()
    def tick(self) -> None:
        self.attempt(self.world.resume)

    @rule()
    def report(self) -> None:
        self.attempt(self.world.report)

    @invariant()
    def counts_add_up(self) -> None:
        for run in self.world.runs():
            assert sum(run["counts"].values()) == run["rows"]

    @invariant()
    def no_older_state_was_taken_after_a_newer_one(self) -> None:
        order, of_bulk_id = self.runs_by_bulk_id()
        taken: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for post in self.world.posts():
            if post["accepted"]:
                for worker, bulk_id in zip(post["externalIds"], post["bulkIds"], strict=True):
                    taken[worker].append(order[of_bulk_id[bulk_id]])
        assert [worker for worker, runs in taken.items() if runs != sorted(runs)] == []

    def teardown(self) -> None:
        """Everything is repaired; whatever was left open comes to its end."""
        try:
            self.repair()
            self.come_to_an_end()
            self.check_the_end()
        finally:
            self.stack.close()
            connector.cache_clear()

    def repair(self) -> None:
        self.mortal.calls_left = None
        self.entra.control.delete("faults").raise_for_status()
        self.entra.change(permissions=[UPLOAD, LOGS, HEALTH], jobStatus="Active")
        connector.cache_clear()
        self.break_leases()

    def come_to_an_end(self) -> None:
        for _ in range(12):
            self.clock.sleep(4000)
            self.world.resume()
            runs = self.world.runs()
            if len(runs) >= bool(self.files) and all(run["state"] in FINAL for run in runs):
                break
        self.entra.post("process")
        self.world.report()

    def check_the_end(self) -> None:
        runs = self.world.runs()
        assert [run["state"] for run in runs if run["state"] not in FINAL] == []
        newest: dict[str, str] = {}
        for run in sorted(runs, key=in_order):
            if run["state"] == "refused":
                assert run["reason"]["code"] in ("dropGone", "repeatedContent")
                continue
            text = self.files[run["file"], run["etag"].strip('"')]
            assert faults(self.world.service, run, text) == []
            for line in text.splitlines()[1:]:
                newest[line.split(",")[0]] = line
        accounts = self.world.accounts()
        titles = {worker: account["attributes"]["jobTitle"] for worker, account in accounts.items()}
        assert titles == {worker: next(c for c in line.split(",") if c[:1] == "v") for worker, line in newest.items()}
        self.no_older_state_was_taken_after_a_newer_one()

    def attempt(self, act: Any) -> None:
        """As the host would: an exception ends this call, and there will be another."""
        try:
            act()
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001
            pytest.fail(f"a function raised {type(error).__name__}: {error}")

    def etag(self, blob: str) -> str:
        return self.world.service.get_blob_client("hr-drop", blob).get_blob_properties().etag.strip('"')

    def runs_by_bulk_id(self) -> tuple[dict[str, tuple[str, str, str]], dict[str, str]]:
        order, of_bulk_id = {}, {}
        for run in self.world.runs():
            order[run["run"]] = in_order(run)
            for line in run_blob(self.world.service, run, "rows.ndjson").splitlines():
                of_bulk_id[json.loads(line)["bulkId"]] = run["run"]
        return order, of_bulk_id

    def break_leases(self) -> None:
        for container in ("runs", "state"):
            client = self.world.service.get_container_client(container)
            for name in client.list_blob_names():
                if name.endswith("lock"):
                    with contextlib.suppress(HttpResponseError):
                        BlobLeaseClient(client.get_blob_client(name)).break_lease(lease_break_period=0)


def in_order(run: dict[str, Any]) -> tuple[str, str, str]:
    return run["run"].partition("-")[0], datetime.fromisoformat(run["plannedAt"]).isoformat(), run["run"]


@pytest.fixture
def mortal(monkeypatch) -> Iterator[Mortal]:
    """Every storage call and every HTTP call of the connector asks first whether the process still lives."""
    life = Mortal()
    send, handle = RequestsTransport.send, httpx.HTTPTransport.handle_request

    def storage_call(self, request, **options):
        life.passes()
        return send(self, request, **options)

    def graph_call(self, request):
        if "/control/" not in str(request.url):
            life.passes()
        return handle(self, request)

    monkeypatch.setattr(RequestsTransport, "send", storage_call)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", graph_call)
    return life


def test_in_any_order_nothing_is_lost_doubled_or_turned_back(storage, entra, monkeypatch, mortal):
    members = {"storage": storage, "entra": entra, "environment": monkeypatch, "mortal": mortal}
    machine = type("Machine", (AnyOrder,), members)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=18,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
