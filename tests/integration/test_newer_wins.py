"""Never an older state after a newer one: whatever was accepted, refused, damaged or cancelled in between."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from shared.workflows.sending import Sending
from tests.integration.waiting_runs import URGENT, cancel, error_codes, old_run, titles, waiting_load
from tests.platform.answers import BUCKET_FULL
from tests.platform.hr_files import hr_csv, hr_row, titled
from tests.platform.sent_twice import turned_back
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import World
    from tests.platform.virtual_clock import VirtualClock


@pytest.fixture
def clock(world: World) -> Iterator[VirtualClock]:
    with virtual_clock(world.entra) as running:
        yield running


def test_reports_that_overtook_their_managers_are_not_posted_again_over_a_newer_file(world, clock):
    """Request 2 has managers and waits; 3 and 4, their reports, are accepted, and are to be posted again after 2."""
    world.put_feed(world.feed(URGENT), "leavers")
    managers = [hr_row(f"W{n:05d}") for n in range(1, 101)]
    reports = [hr_row(f"W{n:05d}", ManagerID="W00001") for n in range(101, 201)]
    full = {"on": "bulkUpload", "containing": '"W00051"', "status": 500, "body": BUCKET_FULL, "times": None}
    world.entra.post("faults", full)
    run = world.upload(hr_csv(*managers, *reports), "load.csv")
    assert (run["reason"]["code"], run["counts"]["accepted"]) == ("bucketFull", 150)
    world.later()
    world.upload(hr_csv(hr_row("W00150", WorkerStatus="Terminated")), "leavers.csv", "leavers")
    world.entra.control.delete("faults")
    clock.sleep(700)
    world.resume()
    assert world.run("leavers.csv")["state"] == "sent"
    assert turned_back(world.service, world.posts()) == []
    times = Counter(worker for post in world.posts() if post["accepted"] for worker in post["externalIds"])
    assert (times["W00149"], times["W00150"]) == (2, 2), "the others of the request were posted again"
    world.report()
    assert not world.accounts()["W00150"]["accountEnabled"]
    assert (world.faults("load.csv"), world.faults("leavers.csv")) == ([], [])


def test_a_row_of_another_feed_that_was_rejected_supersedes_nothing(world, clock):
    waiting_load(world, 2)
    world.entra.post("faults", {"on": "bulkUpload", "containing": "urgent", "status": 400, "times": None})
    world.upload(titled([1], "urgent"), "urgent.csv", "leavers")
    clock.sleep(700)
    world.resume()
    world.report()
    assert world.run("urgent.csv")["counts"]["rejected"] == 1
    assert world.run("load.csv")["counts"]["created"] == 2
    assert set(world.accounts()) == {"W00001", "W00002"}


def test_rows_of_another_feed_that_were_refused_so_far_supersede_nothing(world, clock):
    waiting_load(world, 50)
    world.entra.post("faults", {"on": "bulkUpload", "containing": "urgent", "status": 400, "times": None})
    world.upload(titled(range(1, 51), "urgent"), "urgent.csv", "leavers")
    clock.sleep(700)
    world.resume()
    assert world.run("urgent.csv")["reason"]["code"] == "everythingRejected"
    assert world.run("load.csv")["counts"]["accepted"] == 50
    assert len(world.accounts()) == 50


def leaver_whose_answer_is_lost(world: World, clock: VirtualClock) -> None:
    """The API has taken it, and nobody knows."""
    lost = {"on": "bulkUpload", "containing": "W00001", "disconnect": "afterProcessing", "times": None}
    world.entra.post("faults", lost)
    world.upload(hr_csv(hr_row("W00001", WorkerStatus="Terminated")), "leavers.csv", "leavers")
    clock.sleep(700)
    world.resume()
    assert world.run("leavers.csv")["reason"]["code"] == "unavailable"
    assert [post for post in world.posts() if post["accepted"]]
    world.entra.control.delete("faults")


def test_a_cancelled_run_speaks_of_what_was_posted_without_an_answer(world, clock):
    waiting_load(world, 2)
    leaver_whose_answer_is_lost(world, clock)
    cancel(world, "leavers.csv")
    clock.sleep(100)
    world.resume()
    assert (world.run("leavers.csv")["state"], world.run("leavers.csv")["counts"]["superseded"]) == ("sent", 1)
    assert world.run("load.csv")["counts"]["superseded"] == 1
    assert turned_back(world.service, world.posts()) == []
    assert not world.accounts()["W00001"]["accountEnabled"]


def test_what_was_posted_without_an_answer_speaks_also_once_a_still_newer_file_has_superseded_it(world, clock):
    waiting_load(world, 2)
    leaver_whose_answer_is_lost(world, clock)
    world.later()
    world.entra.post("faults", {"on": "bulkUpload", "status": 403, "times": None})
    world.host.blob_created(world.drop(hr_csv(hr_row("W00001", JobTitle="third")), "third.csv", "leavers"))
    clock.sleep(100)
    world.resume()
    assert world.run("leavers.csv")["counts"]["superseded"] == 1
    world.entra.control.delete("faults")
    cancel(world, "third.csv")
    clock.sleep(4000)
    world.resume()
    assert world.run("load.csv")["counts"]["superseded"] == 1
    assert turned_back(world.service, world.posts()) == []


def two_files_for_a_paused_job(world: World, newer: str) -> dict[str, Any]:
    """Nothing is sent of either; the newer run."""
    world.entra.change(jobStatus="Paused")
    world.upload(titled(range(1, 4), "older"), "older.csv")
    world.later()
    return world.upload(newer, "newer.csv")


def test_a_cancelled_run_that_can_not_be_marked_takes_no_row_of_an_older_one_along(world, clock):
    """Its ledger is no append blob, so that it says of no row that it is not sent."""
    run = two_files_for_a_paused_job(world, titled(range(1, 4), "wrong"))
    world.service.get_blob_client("runs", f"contoso/{run['run']}/ledger.ndjson").upload_blob(b"")
    cancel(world, "newer.csv")
    world.entra.change(jobStatus="Active")
    clock.sleep(400)
    world.resume()
    assert ("run.notCancelled", "") in error_codes(world)
    assert (world.run("older.csv")["state"], world.run("older.csv")["counts"]["superseded"]) == ("sent", 0)
    assert titles(world) == {"older"}


def test_a_held_run_takes_no_row_of_an_older_one_along(world, clock):
    """Nobody knows yet whether it will ever be sent."""
    aside = hr_row("W00004", WorkerStatus="Sabbatical")
    run = two_files_for_a_paused_job(world, hr_csv(*(hr_row(f"W{n:05d}", JobTitle="held") for n in (1, 2, 3)), aside))
    assert run["state"] == "held"
    world.entra.change(jobStatus="Active")
    clock.sleep(400)
    world.resume()
    assert (world.run("older.csv")["state"], world.run("older.csv")["counts"]["superseded"]) == ("sent", 0)
    assert titles(world) == {"older"}


def test_a_run_does_not_speak_of_rows_that_a_still_newer_one_took_from_it_and_never_sent(world, clock):
    old_run(world)
    world.entra.change(jobStatus="Paused")
    world.upload(titled([90, 91], "middle"), "middle.csv")
    world.later()
    world.upload(titled([90], "newest"), "newest.csv")
    world.entra.change(jobStatus="Active")
    world.entra.post("faults", {"on": "bulkUpload", "containing": '"newest"', "status": 403})
    clock.sleep(400)
    world.resume()
    assert world.run("middle.csv")["counts"]["superseded"] == world.run("middle.csv")["counts"]["accepted"] == 1
    assert world.run("newest.csv")["reason"]["code"] == "forbidden"
    cancel(world, "newest.csv")
    clock.sleep(4000)
    world.resume()
    told = {worker: account["attributes"]["jobTitle"] for worker, account in world.accounts().items()}
    assert (told.get("W00090"), told.get("W00091")) == ("old", "middle")
    assert turned_back(world.service, world.posts()) == []


def test_a_run_that_is_cancelled_while_another_one_is_sent_is_not_sent_after_it(world, clock, monkeypatch):
    """The sender learns of it while the answer is on its way that makes it stop for a reason of its own."""
    monkeypatch.setattr("shared.workflows.send_run._LOOK_EVERY_SECONDS", 0.0)
    world.entra.change(jobStatus="Paused")
    world.upload(titled(range(1, 101), "refused"), "refused.csv")
    world.later()
    world.upload(titled([500], "wrong"), "wrong.csv")
    world.entra.change(jobStatus="Active")
    clock.sleep(400)
    world.entra.post("faults", {"on": "bulkUpload", "containing": '"refused"', "status": 400, "times": None})
    marker, posts_until_the_tenth_is_rejected = Sending._order_marker, 22

    def look(self: Sending) -> str | None:
        posts = len(world.posts())
        if posts == posts_until_the_tenth_is_rejected - 1:
            world.entra.change(latencyMs=1500)
        elif posts == posts_until_the_tenth_is_rejected and not world.run("wrong.csv")["actions"]:
            cancel(world, "wrong.csv")
            world.service.get_blob_client("state", f"jobs/{self.job_id}/planned").upload_blob(b"x", overwrite=True)
        return marker(self)

    monkeypatch.setattr(Sending, "_order_marker", look)
    world.resume()
    world.entra.change(latencyMs=0)
    assert len(world.posts()) == posts_until_the_tenth_is_rejected
    assert world.run("wrong.csv")["actions"]
    assert world.run("refused.csv")["reason"]["code"] == "everythingRejected"
    assert (world.run("wrong.csv")["state"], world.run("wrong.csv")["counts"]["superseded"]) == ("sent", 1)
    assert "W00500" not in world.accounts()
