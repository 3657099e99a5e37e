"""Never an older state after a newer one: whatever was accepted, refused, damaged or cancelled in between."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.platform.answers import BUCKET_FULL
from tests.platform.hr_files import hr_csv, hr_row, titled
from tests.platform.sent_twice import turned_back
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import World
    from tests.platform.virtual_clock import VirtualClock

URGENT = "priority: urgent"


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
    world.put_feed(world.feed(URGENT), "leavers")
    world.entra.post("faults", {"on": "bulkUpload", "status": 500, "body": BUCKET_FULL})
    world.upload(titled([1, 2], "load"), "load.csv")
    world.later()
    world.entra.post("faults", {"on": "bulkUpload", "containing": "urgent", "status": 400, "times": None})
    world.upload(titled([1], "urgent"), "urgent.csv", "leavers")
    clock.sleep(700)
    world.resume()
    world.report()
    assert world.run("urgent.csv")["counts"]["rejected"] == 1
    assert world.run("load.csv")["counts"]["created"] == 2
    assert set(world.accounts()) == {"W00001", "W00002"}


ROWS = range(1, 101)


def old_run(world: World) -> dict[str, Any]:
    """A run that could send none of its rows and goes on within an hour; newer ones do not wait for it."""
    fault = {"on": "bulkUpload", "containing": '"old"', "status": 400, "times": None}
    world.entra.post("faults", fault)
    run = world.upload(titled(ROWS, "old"), "old.csv")
    assert (run["reason"]["code"], run["counts"]["accepted"]) == ("everythingRejected", 0)
    world.entra.control.delete("faults")
    world.later()
    return run


def damage(world: World, run: dict[str, Any], blob: str, content: bytes | str | None) -> bytes:
    """Write something else, or delete it; what was there."""
    client = world.service.get_blob_client("runs", f"{run['feed']}/{run['run']}/{blob}")
    whole = client.download_blob().readall()
    client.delete_blob()
    if content is not None:
        client.upload_blob(whole[:-30] if content == "cut" else content)
    return whole


def mend(world: World, run: dict[str, Any], blob: str, whole: bytes) -> None:
    world.service.get_blob_client("runs", f"{run['feed']}/{run['run']}/{blob}").upload_blob(whole, overwrite=True)


def titles(world: World) -> set[str]:
    return {account["attributes"]["jobTitle"] for account in world.accounts().values()}


@pytest.mark.parametrize("content", [None, b"", "cut", b"{}\n" * 100], ids=["gone", "empty", "cut", "nonsense"])
def test_a_run_whose_rows_can_not_be_told_is_held_where_there_is_a_newer_one(world, clock, content):
    old = old_run(world)
    damage(world, old, "rows.ndjson", content)
    world.upload(titled(ROWS, "new"), "new.csv")
    clock.sleep(4000)
    world.resume()
    assert titles(world) == {"new"}
    old = world.run("old.csv")
    assert (old["state"], old["reason"]["code"]) == ("held", "planDamaged")
    assert "rows.ndjson" in old["reason"]["message"]
    assert [event["run"] for event in world.events() if event["event"] == "run.held"] == [old["run"]]


@pytest.mark.parametrize("feed", ["contoso", "leavers"])
@pytest.mark.parametrize(
    ("blob", "content"),
    [("run.json", b"{}"), ("ledger.ndjson", b"{}\n"), ("rows.ndjson", None), ("rows.ndjson", "cut")],
    ids=["record", "ledger", "no rows", "cut rows"],
)
def test_an_older_run_waits_while_nobody_can_tell_what_a_newer_one_has_sent(world, clock, feed, blob, content):
    old_run(world)
    world.put_feed(world.feed(URGENT), "leavers")
    new = world.upload(titled(ROWS, "new"), "new.csv", feed)
    assert new["state"] == "sent"
    whole = damage(world, new, blob, content)
    for _ in range(2):
        clock.sleep(4000)
        world.resume()
    assert titles(world) == {"new"}
    old = world.run("old.csv")
    assert (old["state"], old["reason"]["code"]) == ("blocked", "newerRunUnreadable")
    assert [event["run"] for event in world.events() if event["event"] == "run.unreadable"] == [new["run"]]
    world.later()
    world.host.blob_created(world.drop(titled(range(201, 204), "newest"), "newest.csv"))
    assert world.run("newest.csv")["state"] == "sent", "newer files go on"
    mend(world, new, blob, whole)
    clock.sleep(4000)
    world.resume()
    old = world.run("old.csv")
    assert (old["state"], old["counts"]["rejected"], old["counts"]["superseded"]) == ("sent", 10, 90)
    assert titles(world) == {"new", "newest"}


@pytest.mark.parametrize("content", [None, "cut"])
def test_rows_that_can_not_be_told_of_a_newer_file_that_has_posted_nothing_hold_up_no_other_feed(world, clock, content):
    world.entra.change(jobStatus="Paused")
    world.upload(titled(ROWS, "old"), "old.csv")
    world.later()
    world.put_feed(name="another")
    new = world.upload(titled(range(201, 204), "new"), "new.csv", "another")
    damage(world, new, "rows.ndjson", content)
    world.entra.change(jobStatus="Active")
    clock.sleep(4000)
    world.resume()
    assert world.run("old.csv")["state"] == "sent"
    assert titles(world) == {"old", "new"}
