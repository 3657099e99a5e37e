"""Which run goes first, whose word counts, and what makes all of a job's runs wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from shared.adapters.graph import BulkUpload
from shared.bootstrap import connector
from tests.platform.answers import BUCKET_FULL
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, hr_row, titled, workers
from tests.platform.processes import ROOT, connector_environment
from tests.platform.virtual_clock import virtual_clock

HEALTH = "Synchronization.Read.All"
UPLOAD, LOGS = "SynchronizationData-User.Upload", "ProvisioningLog.Read.All"


def test_a_newer_file_of_the_feed_supersedes_what_an_older_one_has_not_sent(world):
    world.entra.post("faults", {"on": "bulkUpload", "after": 1, "status": 500, "body": BUCKET_FULL, "times": 20})
    world.upload(titled(range(1, 201), "old"), "older.csv")
    assert world.run("older.csv")["reason"]["code"] == "bucketFull"
    world.later()
    world.upload(titled(range(120, 261), "new"), "newer.csv")
    world.entra.control.delete("faults")
    world.advance(hours=0.3)
    connector.cache_clear()
    world.resume()
    world.report()
    older, newer = world.run("older.csv"), world.run("newer.csv")
    assert (older["state"], newer["state"]) == ("settled", "settled")
    assert (older["counts"]["superseded"], newer["counts"]["superseded"]) == (81, 0)
    assert (world.faults("older.csv"), world.faults("newer.csv")) == ([], [])
    titles = {worker: account["attributes"]["jobTitle"] for worker, account in world.accounts().items()}
    assert titles == {f"W{n:05d}": "new" if n >= 120 else "old" for n in range(1, 261)}
    assert set(world.accepted().values()) == {1}


def test_an_urgent_file_goes_ahead_of_a_load_that_is_half_sent_and_is_not_overwritten_by_it(world, monkeypatch):
    """The load is slow, so the leaver's file comes in the middle of it."""
    monkeypatch.setattr("shared.workflows.send_run._LOOK_EVERY_SECONDS", 0.2)
    monkeypatch.setenv("BULK_REQUESTS_PER_5_SECONDS", "4")
    connector.cache_clear()
    world.put_feed(world.feed("priority: urgent"), "leavers")
    load = titled(range(1, 801), "load")
    name = world.drop(load, "load.csv")
    sender = threading.Thread(target=world.host.blob_created, args=[name])
    sender.start()
    while len(world.posts()) < 2:
        time.sleep(0.01)
    world.later()
    world.upload(hr_csv(hr_row("W00790", WorkerStatus="Terminated")), "leavers.csv", "leavers")
    sender.join()
    order = [worker for post in world.posts() for worker in post["externalIds"]]
    assert order.index("W00790") < order.index("W00701")
    assert order.count("W00790") == 1
    world.report()
    assert not world.accounts()["W00790"]["accountEnabled"]
    assert world.run("load.csv")["counts"]["superseded"] == 1
    assert (world.faults("load.csv"), world.faults("leavers.csv")) == ([], [])


def test_the_reserve_is_for_urgent_feeds_only(world, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "5")
    monkeypatch.setenv("BULK_REQUESTS_RESERVED_PER_DAY", "2")
    connector.cache_clear()
    world.put_feed(world.feed("priority: urgent"), "leavers")
    run = world.upload(hr_csv(*workers(400)), "load.csv")
    assert (run["reason"]["code"], run["counts"]["accepted"]) == ("dailyQuota", 150)
    world.later()
    leavers = world.upload(hr_csv(*workers(60, first=500)), "leavers.csv", "leavers")
    assert (leavers["state"], leavers["counts"]["accepted"]) == ("sent", 60)
    assert len(world.posts()) == 5
    assert "run.blocked" not in world.event_names(), "a load may take its days"


def test_an_urgent_run_for_which_no_call_is_left_needs_a_person_now(world, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "2")
    connector.cache_clear()
    world.put_feed(world.feed("priority: urgent"), "leavers")
    world.upload(hr_csv(*workers(400)), "load.csv")
    world.later()
    run = world.upload(hr_csv(hr_row("W00001", WorkerStatus="Terminated")), "leavers.csv", "leavers")
    assert (run["state"], run["reason"]["code"]) == ("blocked", "dailyQuota")
    assert "disable the account by hand" in run["reason"]["advice"]
    assert [event["run"] for event in world.events() if event["event"] == "run.blocked"] == [run["run"]]


@pytest.mark.parametrize(("status", "code"), [("Paused", "jobPaused"), ("Quarantine", "jobQuarantined")])
def test_a_job_that_is_not_fit_is_given_nothing_and_goes_on_when_it_is(world, status, code):
    world.entra.change(jobStatus=status)
    run = world.upload(hr_csv(*workers(60)))
    assert (run["state"], run["reason"]["code"], run["counts"]["planned"]) == ("blocked", code, 60)
    assert "CHECK_JOB_HEALTH" in run["reason"]["advice"]
    assert [event["code"] for event in world.events() if event["event"] == "run.blocked"] == [code]
    world.advance(hours=0.1)
    connector.cache_clear()
    world.resume()
    assert world.posts() == []
    assert world.event_names().count("run.blocked") == 1, "one alert for one reason"
    world.entra.change(jobStatus="Active")
    world.advance(hours=0.1)
    connector.cache_clear()
    world.resume()
    world.report()
    assert world.faults() == []
    assert world.run()["counts"]["created"] == 60


def test_a_job_that_is_paused_in_the_middle_of_a_run_stops_it(world, monkeypatch):
    monkeypatch.setattr("shared.workflows.sending._ASK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("shared.workflows.send_run._LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setenv("BULK_REQUESTS_PER_5_SECONDS", "2")
    connector.cache_clear()
    name = world.drop(hr_csv(*workers(400)))
    sender = threading.Thread(target=world.host.blob_created, args=[name])
    sender.start()
    while len(world.posts()) < 2:
        time.sleep(0.01)
    world.entra.change(jobStatus="Paused")
    sender.join()
    assert (world.run()["state"], world.run()["reason"]["code"]) == ("blocked", "jobPaused")
    assert len(world.posts()) < 8


def test_how_the_job_is_is_asked_again_every_five_minutes_of_a_long_run(world, monkeypatch):
    """Four waits of fifty seconds, a request that is accepted, four waits more; the job is paused meanwhile."""
    monkeypatch.setenv("BULK_REQUESTS_PER_5_SECONDS", "1")
    throttled = {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": "50"}, "times": 4}
    world.entra.post("faults", [throttled, {**throttled, "after": 1}])
    upload = BulkUpload.upload

    def pausing(self, *args):
        world.entra.change(jobStatus="Paused")
        return upload(self, *args)

    monkeypatch.setattr(BulkUpload, "upload", pausing)
    with virtual_clock(world.entra):
        run = world.upload(hr_csv(*workers(120)))
    assert (run["state"], run["reason"]["code"], run["counts"]["accepted"]) == ("blocked", "jobPaused", 50)
    first, second = (request["epoch"] for request in world.entra.get("requests", on="job"))
    assert 300 <= second - first < 360


def test_without_the_permission_to_look_there_is_one_warning_and_sending_goes_on(world):
    world.entra.change(permissions=[UPLOAD, LOGS], jobStatus="Paused")
    connector.cache_clear()
    world.upload(hr_csv(*workers(2)), "one.csv")
    world.later()
    world.upload(hr_csv(*workers(2, first=3)), "two.csv")
    assert [world.run(name)["state"] for name in ("one.csv", "two.csv")] == ["sent", "sent"]
    assert world.event_names().count("job.healthUnknown") == 1


def test_the_check_can_be_turned_off(world, monkeypatch):
    monkeypatch.setenv("CHECK_JOB_HEALTH", "false")
    connector.cache_clear()
    world.entra.change(jobStatus="Paused")
    assert world.upload(hr_csv(*workers(2)))["state"] == "sent"
    assert [request for request in world.entra.get("requests") if request["on"] == "job"] == []


def test_when_its_time_is_up_a_sender_stops_cleanly_and_the_next_tick_goes_on(world, monkeypatch):
    monkeypatch.setenv("TIME_BUDGET_MINUTES", "0.03")
    monkeypatch.setenv("BULK_REQUESTS_PER_5_SECONDS", "2")
    connector.cache_clear()
    run = world.upload(hr_csv(*workers(300)))
    assert (run["state"], run["reason"]) == ("sending", None)
    assert 0 < run["counts"]["accepted"] < 300
    assert run["counts"]["accepted"] == 50 * len(world.posts())
    monkeypatch.setenv("TIME_BUDGET_MINUTES", "20")
    with virtual_clock(world.entra):
        world.resume()
        world.report()
    assert world.faults() == []
    assert set(world.accepted().values()) == {1}


def test_sigterm_ends_a_sender_between_two_requests(world):
    """It comes while requests are on their way, seconds before the next ones may begin, however slow the machine is."""
    world.entra.change(latencyMs=2000)
    name = world.drop(hr_csv(*workers(1000)))
    settings = {
        **connector_environment(world.connection_string, world.entra.settings),
        "BULK_REQUESTS_PER_5_SECONDS": "4",
    }
    command = [sys.executable, "-m", "tests.platform.functions_host", "upload", name]
    told = {"env": {**os.environ, **settings}, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen(command, cwd=ROOT, **told)
    while len(world.posts()) < 4:
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    child.wait(60)
    world.entra.change(latencyMs=0)
    run = world.run()
    assert (run["state"], len(world.posts())) == ("sending", 4)
    assert (
        run["counts"]["accepted"] == sum(len(post["externalIds"]) for post in world.posts() if post["accepted"]) == 200
    )
    with virtual_clock(world.entra):
        world.resume()
        world.report()
    assert world.faults() == []
    assert set(world.accepted().values()) == {1}
    assert world.run()["requests"]["repeated"] == 0


def test_jobs_go_side_by_side_and_share_the_tenants_pace(world, monkeypatch):
    other = world.entra.control.post("jobs", json={}).json()
    world.put_feed(sample_feed(other["servicePrincipalId"], other["jobId"]), "second")
    world.entra.change(latencyMs=150)
    for feed in ("contoso", "second"):
        world.drop(hr_csv(*workers(1500)), f"{feed}.csv", feed)
    world.advance(hours=0.1)
    world.resume()
    posts = world.posts()
    assert [post["status"] for post in posts if post["status"] != 202] == []
    jobs = [post["jobId"] for post in posts]
    assert len(set(jobs[:30])) == 2, "neither waits for the other"
    assert "run.sent" in world.event_names(), "what the jobs' threads tell is heard"
    assert {run["state"] for run in world.runs()} == {"sent"}
