"""The length that each append names is a fence of its own: it holds where the lease is lost and nobody has asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobLeaseClient

from shared.adapters.blob_storage import AzureBlobStore
from shared.adapters.graph import BulkUpload
from shared.adapters.system_clock import SystemClock
from shared.errors import BlobChangedError, LeaseLostError
from shared.workflows import run_progress
from shared.workflows.ledger_log import LedgerLog
from shared.workflows.run_store import RunStore
from tests.integration.jobs import lock_of
from tests.platform.accounting import run_blob
from tests.platform.hr_files import hr_csv, workers
from tests.platform.storage_faults import SLOW, Calls, storage_fault

if TYPE_CHECKING:
    from tests.integration.conftest import World

THREE_REQUESTS = hr_csv(*workers(120))


@pytest.fixture
def store(world) -> AzureBlobStore:
    return AzureBlobStore(world.service)


def planned(world: World) -> None:
    """A run of three requests of which nothing is posted."""
    world.entra.change(jobStatus="Paused")
    world.upload(THREE_REQUESTS)


def written(world: World) -> list[str]:
    """Whose sessions' lines the ledger has; answers name none."""
    lines = map(json.loads, run_blob(world.service, world.run(), "ledger.ndjson").splitlines())
    return [line["session"] for line in lines if "session" in line]


@pytest.mark.parametrize("at", [0, 1, 3, 9], ids=["before the first", "within", "between", "beyond the end"])
def test_an_append_at_another_place_than_the_end_writes_nothing(world, store, at):
    end = store.append("runs", "a/ledger.ndjson", b"one", 0)
    end = store.append("runs", "a/ledger.ndjson", b"two", end)
    with pytest.raises(BlobChangedError):
        store.append("runs", "a/ledger.ndjson", b"new", at)
    assert world.blob("runs", "a/ledger.ndjson") == b"onetwo"
    assert store.append("runs", "a/ledger.ndjson", b"three", end) == len(b"onetwothree")


def test_a_session_that_another_one_has_overtaken_writes_nothing_more(world, store):
    planned(world)
    runs, clock = RunStore(store, SystemClock()), SystemClock()
    record = runs.load("contoso", world.run()["run"])
    assert record is not None
    older, idle = (LedgerLog(record, runs, clock, name) for name in ("older", "idle"))
    first, second, _ = older.ledger.left()
    older.begin([first])
    newer = LedgerLog(record, runs, clock, "newer")
    newer.begin([first])
    for overtaken in (older, idle):
        with pytest.raises(LeaseLostError):
            overtaken.begin([second])
    newer.begin([second])
    assert written(world) == ["older", "older", "newer", "newer", "newer"]


def test_a_sender_that_was_overtaken_and_has_not_asked_for_its_lease_posts_and_writes_nothing_more(world, monkeypatch):
    """Its lease was renewed a moment ago, so it does not ask again: the ledger alone tells it."""
    upload, left_by_the_other = BulkUpload.upload, []

    def overtaken(self, *args, **kwargs):
        answer = upload(self, *args, **kwargs)
        if not left_by_the_other:
            left_by_the_other.append(b"")
            BlobLeaseClient(lock_of(world)).break_lease(lease_break_period=0)
            world.resume()
            left_by_the_other[0] = run_blob(world.service, world.run(), "ledger.ndjson")
        return answer

    monkeypatch.setattr(BulkUpload, "upload", overtaken)
    world.upload(THREE_REQUESTS)
    assert run_blob(world.service, world.run(), "ledger.ndjson") == left_by_the_other[0]
    assert len(set(written(world))) == 2
    assert len(world.posts()) == 1 + 3
    assert "job.leaseLost" in world.event_names()
    world.report()
    assert world.faults() == []


def test_a_sender_that_was_overtaken_right_behind_its_line_leaves_the_record_as_its_successor_wrote_it(
    world, monkeypatch
):
    """The line is in time, and its writer learns of that late: no append stands between it and the record."""
    monkeypatch.setattr(run_progress, "_REPORT_EVERY_SECONDS", 0.0)
    by_the_other = []

    def overtaken() -> None:
        BlobLeaseClient(lock_of(world)).break_lease(lease_break_period=0)
        world.entra.post("faults", {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": "600"}})
        world.resume()
        by_the_other.append(world.run())

    its_first_answer = Calls("PUT", "comp=appendblock")
    with storage_fault(SLOW, its_first_answer, after=1, meanwhile=overtaken) as fault:
        world.upload(THREE_REQUESTS)
    assert fault.struck
    assert (by_the_other[0]["reason"]["code"], by_the_other[0]["counts"]["accepted"]) == ("throttled", 50)
    assert by_the_other == [world.run()]
    assert "job.leaseLost" in world.event_names()
