"""What the API and the network can do to a run, and what becomes of its rows."""

from __future__ import annotations

import json
import threading

from azure.storage.blob import BlobLeaseClient

from shared.bootstrap import connector
from tests.platform.accounting import run_blob
from tests.platform.answers import BUCKET_FULL
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, workers
from tests.platform.virtual_clock import virtual_clock

THREE_REQUESTS = hr_csv(*workers(120))


def test_the_wait_is_no_shorter_than_what_the_api_asks_for(world):
    world.entra.post("faults", {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": "1.7"}})
    world.upload(THREE_REQUESTS)
    first, second, *_ = world.posts()
    assert second["epoch"] - first["epoch"] >= 1.7
    assert world.run()["requests"]["throttled"] == 1


def test_a_400_costs_one_row_and_not_fifty(world):
    world.entra.change(rejectExternalIds=["W00033"])
    world.upload(THREE_REQUESTS)
    world.report()
    run = world.run()
    assert (run["counts"]["created"], run["counts"]["rejected"]) == (119, 1)
    assert world.faults() == []
    assert "W00033" not in world.accounts()
    ledger = map(json.loads, run_blob(world.service, run, "ledger.ndjson").splitlines())
    refused = [entry for entry in ledger if entry.get("verdict") == "rejected"]
    assert [(e["request"], e["start"], e["stop"], e["status"]) for e in refused] == [(1, 32, 33, 400)]
    assert refused[0]["message"]
    assert "rows.rejected" in world.event_names()


def test_a_missing_permission_blocks_the_run_and_the_grant_lets_it_go_on(world):
    world.entra.change(permissions=["ProvisioningLog.Read.All"])
    run = world.upload(THREE_REQUESTS)
    assert (run["state"], run["reason"]["code"]) == ("blocked", "forbidden")
    assert "SynchronizationData-User.Upload" in run["reason"]["advice"]
    assert run["counts"]["planned"] == 120
    world.entra.change(permissions=["SynchronizationData-User.Upload", "ProvisioningLog.Read.All"])
    world.resume()
    assert len(world.posts()) == 1, "it waits for an hour"
    world.advance(hours=1.3)
    connector.cache_clear()  # a grant shows in new tokens only
    world.resume()
    world.report()
    assert world.run()["counts"]["created"] == 120
    assert world.faults() == []


def test_an_unknown_job_blocks_the_run_with_advice(bare_world):
    feed_of_other_job(bare_world)
    run = bare_world.upload(THREE_REQUESTS)
    assert (run["state"], run["reason"]["code"]) == ("blocked", "jobNotFound")
    assert run["notBefore"]


def test_a_redirect_takes_the_token_nowhere(world):
    elsewhere = world.entra.settings["GRAPH_ENDPOINT"].replace("127.0.0.1", "localhost") + "/elsewhere"
    world.entra.post("faults", {"on": "bulkUpload", "redirect": elsewhere})
    run = world.upload(THREE_REQUESTS)
    assert (run["state"], run["reason"]["code"]) == ("blocked", "redirected")
    assert [request["path"] for request in world.entra.get("requests") if "elsewhere" in request["path"]] == []


def test_a_full_bucket_puts_the_run_off_for_minutes_and_says_until_when(world):
    world.entra.post("faults", {"on": "bulkUpload", "after": 1, "status": 500, "body": BUCKET_FULL})
    run = world.upload(THREE_REQUESTS)
    assert (run["state"], run["reason"]["code"]) == ("sending", "bucketFull")
    assert (run["counts"]["accepted"], run["counts"]["planned"]) == (70, 50)
    world.resume()
    assert len(world.posts()) == 3, "what was in flight beside it went through, nothing more is posted"
    world.advance(hours=0.2)
    world.resume()
    world.report()
    assert world.run()["counts"]["created"] == 120
    assert world.faults() == []


def test_trouble_that_lasts_is_left_to_the_next_tick(world):
    world.entra.post("faults", {"on": "bulkUpload", "status": 503, "times": 5})
    with virtual_clock(world.entra):
        run = world.upload(THREE_REQUESTS)
        assert (run["state"], run["reason"]["code"], run["counts"]["planned"]) == ("sending", "unavailable", 120)
    world.advance(hours=0.1)
    world.resume()
    world.report()
    assert world.faults() == []


def test_the_daily_quota_defers_the_rest_until_calls_free_up(world, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "2")
    connector.cache_clear()
    run = world.upload(THREE_REQUESTS)
    assert (run["state"], run["reason"]["code"]) == ("sending", "dailyQuota")
    assert (run["counts"]["accepted"], run["counts"]["planned"]) == (100, 20)
    assert len(world.posts()) == 2
    world.advance(hours=24.2)
    connector.cache_clear()
    world.resume()
    world.report()
    assert world.run()["counts"]["created"] == 120
    assert world.faults() == []


def test_the_window_of_five_seconds_is_kept(world, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_5_SECONDS", "2")
    connector.cache_clear()
    world.entra.change(callsPer5Seconds=2)
    world.upload(THREE_REQUESTS)
    assert [post["status"] for post in world.posts()] == [202, 202, 202]


def test_two_deliveries_of_one_event_at_once_send_each_worker_once(world):
    name = world.drop(THREE_REQUESTS)
    world.entra.change(latencyMs=100)
    threads = [threading.Thread(target=world.host.blob_created, args=[name]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.report()
    assert set(world.accepted().values()) == {1}
    assert len(world.runs()) == 1
    assert world.faults() == []


def test_while_another_sender_has_the_job_nothing_is_sent(world):
    job = world.entra.settings["JOB_ID"]
    lock = world.service.get_blob_client("state", f"jobs/{job}/lock")
    lock.upload_blob(b"")
    lease = lock.acquire_lease(lease_duration=15)
    run = world.upload(THREE_REQUESTS)
    assert (run["state"], world.posts()) == ("planned", [])
    assert "job.busy" in world.event_names()
    lease.release()
    world.resume()
    world.report()
    assert world.faults() == []


def test_a_sender_that_lost_its_lease_stops_before_its_next_request(world, monkeypatch):
    monkeypatch.setattr("shared.adapters.blob_storage._RENEW_AFTER_SECONDS", 0.0)
    world.entra.change(latencyMs=300)
    name = world.drop(THREE_REQUESTS)
    thread = threading.Thread(target=world.host.blob_created, args=[name])
    thread.start()
    while not world.posts():
        pass
    lock = world.service.get_blob_client("state", f"jobs/{world.entra.settings['JOB_ID']}/lock")
    BlobLeaseClient(lock).break_lease(lease_break_period=0)
    other = lock.acquire_lease(lease_duration=15)
    thread.join()
    assert "job.leaseLost" in world.event_names()
    assert len(world.posts()) < 3
    other.release()
    world.resume()
    world.report()
    assert world.faults() == []


def test_a_plan_that_somebody_changed_is_not_sent(world):
    world.entra.change(permissions=[])
    run = world.upload(THREE_REQUESTS)
    world.entra.change(permissions=["SynchronizationData-User.Upload"])
    blob = world.service.get_blob_client("runs", f"contoso/{run['run']}/requests/0001.ndjson.gz")
    blob.upload_blob(b"something else", overwrite=True)
    world.advance(hours=1.1)
    world.resume()
    assert (world.run()["state"], world.run()["reason"]["code"]) == ("held", "planDamaged")
    assert len(world.posts()) == 1


def test_an_older_file_whose_event_comes_late_is_sent_first_but_for_whom_the_newer_one_names(world):
    older = world.drop(hr_csv(*workers(3)), "older.csv")
    world.later()
    world.upload(hr_csv(*workers(2)), "newer.csv")
    world.host.blob_created(older)
    assert [post["externalIds"] for post in world.posts()] == [["W00003"], ["W00001", "W00002"]]
    world.report()
    assert world.run("older.csv")["counts"]["superseded"] == 2
    assert (world.faults("older.csv"), world.faults("newer.csv")) == ([], [])


def feed_of_other_job(world) -> None:
    other = "API2AAD.00000000000000000000000000000000.00000000-0000-0000-0000-000000000000"
    world.put_feed(sample_feed(world.entra.settings["SERVICE_PRINCIPAL_ID"], other))
