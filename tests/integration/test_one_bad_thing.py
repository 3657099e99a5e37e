"""One bad drop, run, job or log record stays alone: the others go on, and it is reported."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.storage.blob import BlobLeaseClient

from shared.adapters.graph import BulkUpload
from shared.bootstrap import connector
from shared.workflows import run_progress
from shared.workflows.run_store import RunStore
from shared.workflows.send_run import RunSender
from tests.integration.jobs import lock_of, other_job
from tests.platform.accounting import outcomes
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, hr_row, workers
from tests.platform.virtual_clock import virtual_clock


@pytest.fixture
def quick(world, monkeypatch):
    """Waits pass at once, the SDK's own among them: clients that a service client makes sleep by the base class."""
    monkeypatch.setattr(HttpTransport, "sleep", lambda _self, _seconds: None)
    with virtual_clock(world.entra) as clock:
        yield clock


def test_a_drop_that_can_not_be_opened_stops_its_own_feed_only(world):
    other_job(world)
    archived = world.drop(hr_csv(*workers(3)), "archived.csv")
    world.service.get_blob_client("hr-drop", archived).set_standard_blob_tier("Archive")
    world.later()
    world.upload(hr_csv(*workers(3)), "newer.csv")
    world.drop(hr_csv(*workers(3, first=50)), "elsewhere.csv", feed="other")
    world.advance(hours=0.2)
    world.resume()
    assert {run["file"]: run["state"] for run in world.runs()} == {"newer.csv": "planned", "elsewhere.csv": "sent"}
    assert "run.waitsForOlderDrop" in world.event_names()
    told = [e for e in world.events() if e["event"] == "drop.notPlanned"]
    assert {(e["level"], e["feed"]) for e in told} == {("error", "contoso")}


def test_a_damaged_ledger_stops_its_own_run_only(world):
    other_job(world)
    run = world.upload(hr_csv(*workers(3)))
    world.service.get_blob_client("runs", f"contoso/{run['run']}/ledger.ndjson").append_block(b"what?\n")
    world.upload(hr_csv(*workers(3, first=50)), "elsewhere.csv", feed="other")
    world.report()
    assert world.run("elsewhere.csv")["counts"]["created"] == 3
    assert world.run()["counts"]["accepted"] == 3
    assert [e["run"] for e in world.events() if e["event"] == "run.damaged"] == [run["run"]]


def test_an_unreadable_record_stops_its_own_run_only_and_tells_nothing_of_it(world, caplog):
    world.entra.change(permissions=[])
    run = world.upload(hr_csv(*workers(3)), "Ana Secret.csv")
    blob = world.service.get_blob_client("runs", f"contoso/{run['run']}/run.json")
    metadata = blob.get_blob_properties().metadata
    blob.upload_blob(json.dumps({**run, "remark": "Ana Secret"}), overwrite=True, metadata=metadata)
    world.entra.change(permissions=["SynchronizationData-User.Upload", "ProvisioningLog.Read.All"])
    world.advance(hours=1.2)
    connector.cache_clear()
    world.later()
    world.upload(hr_csv(*workers(3)), "newer.csv")
    world.resume()
    world.report()
    assert world.run("newer.csv")["counts"]["created"] == 3
    assert "run.unreadable" in world.event_names()
    assert "Secret" not in caplog.text


def test_a_record_without_metadata_is_known_all_the_same(world):
    run = world.upload(hr_csv(*workers(3)), "older.csv")
    blob = world.service.get_blob_client("runs", f"contoso/{run['run']}/run.json")
    blob.upload_blob(blob.download_blob().readall(), overwrite=True)
    world.later()
    world.upload(hr_csv(*workers(3)), "newer.csv")
    assert world.run("newer.csv")["state"] == "sent"


def test_a_lost_row_index_overwrites_no_outcome(world):
    world.entra.change(loseLogsOfExternalIds=["W00002"])
    run = world.upload(hr_csv(*workers(3)))
    world.report()
    before = outcomes(world.service, run)
    world.service.get_blob_client("runs", f"contoso/{run['run']}/rows.ndjson").delete_blob()
    world.report()
    assert outcomes(world.service, run) == before
    assert world.run()["counts"]["created"] == 2


def test_a_wrong_service_principal_blocks_its_own_run_only(world):
    job = world.entra.settings["JOB_ID"]
    world.put_feed(sample_feed("11111111-1111-1111-1111-111111111111", job))
    world.upload(hr_csv(*workers(3)), "first.csv")
    world.put_feed()
    world.later()
    world.upload(hr_csv(*workers(3)), "repaired.csv")
    assert (world.run("first.csv")["state"], world.run("repaired.csv")["state"]) == ("blocked", "sent")
    world.advance(hours=1.2)
    connector.cache_clear()
    world.resume()
    assert (world.run("first.csv")["state"], world.run("first.csv")["counts"]["superseded"]) == ("sent", 3)
    assert len(world.accounts()) == 3
    world.report()
    assert (world.run("first.csv")["state"], world.faults("first.csv")) == ("settled", [])


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 200, "body": "<html>"},
        {"status": 200, "body": {"a": 1}},
        {"disconnect": "halfAnswer"},
        {"disconnect": "beforeReading"},
    ],
    ids=["500", "a page", "no token in it", "half", "broken"],
)
def test_without_a_token_the_run_says_so(world, quick, fault):
    world.entra.post("faults", {"on": "token", "times": None, **fault})
    run = world.upload(hr_csv(*workers(3)))
    assert (run["state"], run["reason"]["code"], run["counts"]["planned"]) == ("blocked", "noToken", 3)
    assert world.posts() == []


@pytest.mark.parametrize("header", ["1e308", "Wed, 21 Oct 9999 07:28:00 GMT", "86400000", "nan", "-5"])
def test_no_retry_after_puts_a_run_off_for_more_than_a_day(world, header):
    world.entra.post("faults", {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": header}})
    run = world.upload(hr_csv(*workers(3)))
    world.advance(hours=24.1)
    connector.cache_clear()
    world.resume()
    world.report()
    assert run["state"] in ("sent", "sending")
    assert world.faults() == []


def test_two_runs_of_a_job_that_is_not_found_keep_their_order(world):
    world.entra.post("faults", {"on": "bulkUpload", "status": 404})
    world.upload(hr_csv(hr_row("W1", JobTitle="old")), "older.csv")
    world.later()
    world.upload(hr_csv(hr_row("W1", JobTitle="new")), "newer.csv")
    assert len(world.posts()) == 1
    world.advance(hours=1.2)
    connector.cache_clear()
    world.resume()
    assert (world.run("older.csv")["state"], world.run("newer.csv")["state"]) == ("sent", "sent")
    assert "new" in json.dumps(world.accounts()["W1"])


def test_storage_that_does_not_answer_lets_no_newer_run_pass(world, monkeypatch):
    world.entra.change(permissions=[])
    world.upload(hr_csv(hr_row("W1", JobTitle="old")), "older.csv")
    world.later()
    world.upload(hr_csv(hr_row("W1", JobTitle="new")), "newer.csv")
    world.entra.change(permissions=["SynchronizationData-User.Upload"])
    world.advance(hours=1.2)
    connector.cache_clear()
    load, failed = RunStore.load, []

    def once(self, feed, run):
        if not failed:
            failed.append(run)
            raise ServiceResponseError("the connection broke")
        return load(self, feed, run)

    monkeypatch.setattr(RunStore, "load", once)
    world.resume()
    assert "job.notSent" in world.event_names()
    world.resume()
    assert (world.run("older.csv")["state"], world.run("newer.csv")["state"]) == ("sent", "sent")
    assert "new" in json.dumps(world.accounts()["W1"])


def test_a_quota_that_can_not_be_written_is_told_and_not_tried_for_ever(world, quick):
    world.drop(hr_csv(*workers(3)))
    quota = world.service.get_blob_client("state", "quota.json")
    quota.upload_blob(b'{"calls":{}}')
    quota.acquire_lease(lease_duration=60)
    world.advance(hours=0.2)
    world.resume()
    assert (world.run()["state"], world.run()["reason"]["code"]) == ("blocked", "sendingFailed")
    assert "BlobChangedError" in world.run()["reason"]["message"]
    (told,) = [event for event in world.events() if event["event"] == "run.blocked"]
    assert (told["error"], told["at"].partition(":")[0]) == ("BlobChangedError", "shared.workflows.state_document")
    assert world.posts() == []


def test_each_error_that_nobody_foresaw_is_told_with_its_line_of_code(world, quick, monkeypatch):
    for error in (OSError, KeyError):

        def fail(*_: object, kind: type[Exception] = error) -> None:
            raise kind

        monkeypatch.setattr(RunSender, "send", fail)
        world.resume() if world.runs() else world.upload(hr_csv(*workers(3)))
        assert error.__name__ in world.run()["reason"]["message"]
        world.advance(hours=0.1)
    told = [event for event in world.events() if event.get("code") == "sendingFailed"]
    assert [(event["event"], event["error"]) for event in told] == [
        ("run.blocked", "OSError"),
        ("run.stillWaits", "KeyError"),
    ]
    assert {event["at"].partition(":")[0] for event in told} == {"shared.workflows.send_runs"}


def test_an_outage_does_not_eat_the_daily_quota(world, quick):
    world.entra.post("faults", {"on": "bulkUpload", "status": 503, "times": 5})
    world.upload(hr_csv(*workers(1000)))
    counted = json.loads(world.blob("state", "quota.json"))["calls"]
    assert sum(counted.values()) == len(world.posts()) == 5


def test_two_feeds_of_one_job_wait_for_each_other(world):
    world.put_feed(name="small")
    world.upload(hr_csv(*workers(1)), "before.csv")
    world.upload(hr_csv(*workers(1)), "before.csv", feed="small")
    world.later()
    world.drop(hr_csv(*workers(3)), "big.csv")
    world.later()
    world.upload(hr_csv(*workers(3, first=50)), "small.csv", feed="small")
    assert world.run("small.csv")["state"] == "planned"
    world.host.blob_created("contoso/big.csv")
    world.resume()
    assert (world.run("big.csv")["state"], world.run("small.csv")["state"]) == ("sent", "sent")


def test_a_sender_whose_post_outlasts_its_lease_turns_no_record_back(world, monkeypatch):
    monkeypatch.setattr(run_progress, "_REPORT_EVERY_SECONDS", 0.0)
    upload, finished_by_the_other = BulkUpload.upload, []

    def slow(self, *args, **kwargs):
        answer = upload(self, *args, **kwargs)
        if not finished_by_the_other:
            finished_by_the_other.append(None)
            BlobLeaseClient(lock_of(world)).break_lease(lease_break_period=0)
            world.resume()
            world.report()
            finished_by_the_other[0] = world.run()
        return answer

    monkeypatch.setattr(BulkUpload, "upload", slow)
    world.upload(hr_csv(*workers(120)))
    (finished,) = finished_by_the_other
    assert (finished["state"], finished["counts"]["created"]) == ("settled", 120)
    assert world.run() == finished
    assert "job.leaseLost" in world.event_names()
