"""One version of a blob is one drop and one run; one that was only touched is none."""

from __future__ import annotations

import json
import time

import pytest

from shared.bootstrap import connector
from tests.integration.jobs import lock_of
from tests.platform.hr_files import hr_csv, hr_row, workers


def test_changing_an_old_blob_does_not_send_its_old_data_again(world):
    world.upload(hr_csv(hr_row("W1", WorkerStatus="Terminated")), "monday.csv")
    world.later()
    world.upload(hr_csv(hr_row("W1")), "tuesday.csv")
    world.later()
    world.service.get_blob_client("hr-drop", "contoso/monday.csv").set_blob_metadata({"scanned": "yes"})
    world.advance(hours=0.2)
    world.resume()
    world.report()
    assert world.accounts()["W1"]["accountEnabled"] is True
    assert (world.run("monday.csv")["state"], world.run("monday.csv")["reason"]["code"]) == (
        "refused",
        "repeatedContent",
    )


def test_changing_an_old_blob_sends_nothing_while_the_newer_file_still_waits(world):
    world.upload(hr_csv(hr_row("W1", JobTitle="old")), "monday.csv")
    world.later()
    world.entra.post("faults", {"on": "bulkUpload", "status": 403})
    world.upload(hr_csv(hr_row("W1", JobTitle="new")), "tuesday.csv")
    world.later()
    world.service.get_blob_client("hr-drop", "contoso/monday.csv").set_blob_metadata({"scanned": "yes"})
    world.advance(hours=1.2)
    connector.cache_clear()
    world.resume()
    assert world.run("tuesday.csv")["state"] == "sent"
    assert world.run("monday.csv")["reason"]["code"] == "repeatedContent"
    assert "new" in json.dumps(world.accounts()["W1"])


def test_of_two_versions_in_one_second_the_later_is_sent_last(world):
    """Both are planned while somebody else holds the job, so that only the order of the queue decides."""
    world.upload(hr_csv(hr_row("W1", JobTitle="first")), "before.csv")
    for attempt in range(5):
        world.later()
        while time.time() % 1 > 0.3:
            time.sleep(0.01)
        lease = lock_of(world).acquire_lease(lease_duration=15)
        world.upload(hr_csv(hr_row("W1", JobTitle=f"old {attempt}")), f"x{attempt}.csv")
        world.upload(hr_csv(hr_row("W1", JobTitle=f"new {attempt}")), f"x{attempt}.csv")
        lease.release()
        world.resume()
        assert f"new {attempt}" in json.dumps(world.accounts()["W1"])


@pytest.mark.parametrize(
    "name",
    ["a b%20c.csv", "100%.csv", "x?y.csv", "x#y.csv", "a//b.csv", "émile.csv", "q'\"<>&.csv", "😀.csv", "trail."],
)
def test_any_file_name_is_one_drop_and_one_run(world, name):
    world.upload(hr_csv(*workers(2)), name)
    world.advance(hours=0.2)
    world.resume()
    assert [(run["file"], run["state"]) for run in world.runs()] == [(name, "sent")]
