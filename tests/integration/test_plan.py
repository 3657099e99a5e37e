"""What a plan tells the sender beside its requests: which of them wait, how urgent it is, that it is there."""

from __future__ import annotations

from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, hr_row, workers


def test_requests_with_reports_wait_for_those_with_their_managers(world):
    reports = [hr_row(f"R{number:05d}", ManagerID=f"W{number:05d}") for number in range(1, 81)]
    run = world.upload(hr_csv(*reports, *workers(120)))
    assert run["barriers"] == [3, 4], "reports begin in the middle of request 3"
    assert (run["requests"]["planned"], run["state"]) == (4, "sent")


def test_where_nobody_reports_to_anybody_in_the_file_no_request_waits(world):
    assert world.upload(hr_csv(*workers(120)))["barriers"] == []


def test_a_run_is_as_urgent_as_its_feed_file_says(world):
    assert world.upload(hr_csv(*workers(3)), "normal.csv")["priority"] == "normal"
    settings = world.entra.settings
    feed = sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"])
    world.put_feed(feed + b"\npriority: urgent\n", "leavers")
    world.upload(hr_csv(*workers(3)), "urgent.csv", feed="leavers")
    assert world.run("urgent.csv")["priority"] == "urgent"


def test_a_new_run_leaves_a_hint_for_whoever_sends_the_job(world):
    run = world.upload(hr_csv(*workers(3)))
    assert world.blob("state", f"jobs/{run['jobId']}/planned").decode() == run["run"]
