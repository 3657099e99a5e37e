"""Blobs of runs that somebody has changed or deleted: never an older state after a newer one because of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.workflows.run_progress import RunProgress
from tests.integration.waiting_runs import (
    ROWS,
    URGENT,
    cancel,
    damage,
    mend,
    old_run,
    refuse_old_rows,
    titles,
    waiting_load,
)
from tests.platform.hr_files import hr_csv, hr_row, titled
from tests.platform.sent_twice import turned_back
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.inbound.sending.ledger import Ledger
    from tests.integration.conftest import World
    from tests.platform.virtual_clock import VirtualClock


@pytest.fixture
def clock(world: World) -> Iterator[VirtualClock]:
    with virtual_clock(world.entra) as running:
        yield running


@pytest.mark.parametrize(
    "content",
    [None, b"", "cut", "doubled", b"{}\n" * 100],
    ids=["gone", "empty", "fewer than planned", "more than planned", "nonsense"],
)
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


@pytest.mark.parametrize("lines", [0, 3])
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_ledger_that_is_cut_between_its_lines_says_less_than_the_record(world, clock, lines, is_cancelled):
    """An older version of the blob: each line can be read, and some are missing."""
    old_run(world)
    world.put_feed(world.feed(URGENT), "leavers")
    new = world.upload(titled(ROWS, "new"), "new.csv", "leavers")
    whole = world.blob("runs", f"leavers/{new['run']}/ledger.ndjson").splitlines(keepends=True)
    damage(world, new, "ledger.ndjson", b"".join(whole[:lines]))
    if is_cancelled:
        world.change_record(new, actions=[{"action": "cancel", "by": "somebody", "at": new["plannedAt"], "why": None}])
    clock.sleep(4000)
    world.resume()
    assert titles(world) == {"new"}
    assert world.run("old.csv")["reason"]["code"] == "newerRunUnreadable"


def test_a_ledger_that_has_lost_a_post_without_an_answer_says_less_than_the_record(world, clock):
    """The API took what was posted; an older state would follow it."""
    waiting_load(world, 100)
    lost = {"on": "bulkUpload", "containing": "W00001", "disconnect": "afterProcessing", "times": None}
    world.entra.post("faults", lost)
    leavers = [hr_row(f"W{number:05d}", WorkerStatus="Terminated") for number in [*range(201, 251), 1]]
    world.upload(hr_csv(*leavers), "leavers.csv", "leavers")
    clock.sleep(700)
    world.resume()
    run = world.run("leavers.csv")
    world.entra.control.delete("faults")
    lines = world.blob("runs", f"leavers/{run['run']}/ledger.ndjson").splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if b'"accepted"' in line)
    mend(world, run, "ledger.ndjson", b"".join(lines[: first + 1]))
    damage(world, run, "requests/0001.ndjson.gz", b"something else")
    for _ in range(3):
        clock.sleep(4000)
        world.resume()
    assert (world.run("leavers.csv")["reason"]["code"], world.run("load.csv")["reason"]["code"]) == (
        "planDamaged",
        "newerRunUnreadable",
    )
    assert turned_back(world.service, world.posts()) == []


@pytest.mark.parametrize("feed", ["contoso", "leavers"])
def test_a_newer_run_whose_record_and_drop_are_gone_leaves_its_ledger_as_a_witness(world, clock, feed):
    old_run(world)
    world.put_feed(world.feed(URGENT), "leavers")
    new = world.upload(titled(ROWS, "new"), "new.csv", feed)
    damage(world, new, "run.json", None)
    world.service.get_blob_client("hr-drop", f"{feed}/new.csv").delete_blob()
    clock.sleep(4000)
    world.resume()
    assert titles(world) == {"new"}
    assert world.run("old.csv")["reason"]["code"] == "newerRunUnreadable"


def test_a_newer_run_that_lost_its_record_and_its_feed_file_is_of_any_job(world, clock):
    old_run(world)
    new = world.upload(titled(ROWS, "new"), "new.csv")
    for blob in ("run.json", "feed.yaml"):
        damage(world, new, blob, None)
    for _ in range(3):
        clock.sleep(4000)
        world.resume()
    assert titles(world) == {"new"}
    assert world.run("old.csv")["reason"]["code"] == "newerRunUnreadable"


def test_a_newer_run_that_has_lost_its_record_just_now_is_known_before_anything_is_sent(world, clock):
    """An event of another feed comes before the timer has looked for drops without a run."""
    old_run(world)
    world.put_feed(world.feed(URGENT), "leavers")
    new = world.upload(titled(ROWS, "new"), "new.csv", "leavers")
    clock.sleep(4000)
    damage(world, new, "run.json", None)
    world.upload(titled([500], "new"), "more.csv")
    assert titles(world) == {"new"}
    assert world.run("old.csv")["reason"]["code"] == "newerRunUnreadable"


def test_a_newer_run_of_the_same_second_that_can_not_be_read_counts_as_newer(world, clock):
    world.put_feed(world.feed(URGENT), "leavers")
    refuse_old_rows(world)
    time.sleep(1.02 - datetime.now(UTC).microsecond / 1e6)
    drops = [world.drop(titled(ROWS, "old"), "old.csv"), world.drop(titled(ROWS, "new"), "new.csv", "leavers")]
    for drop in drops:
        world.host.blob_created(drop)
    new = world.run("new.csv")
    assert (world.run("old.csv")["droppedAt"], new["state"]) == (new["droppedAt"], "sent")
    world.entra.control.delete("faults")
    damage(world, new, "run.json", b"{}")
    clock.sleep(4000)
    world.resume()
    assert titles(world) == {"new"}
    assert world.run("old.csv")["reason"]["code"] == "newerRunUnreadable"


def test_a_ledger_that_somebody_has_deleted_is_not_taken_for_one_that_was_never_begun(world, clock):
    world.entra.post("faults", {"on": "bulkUpload", "containing": '"W00101"', "status": 503, "times": None})
    run = world.upload(titled(range(1, 121), "some"))
    posts = len(world.posts())
    assert run["counts"]["accepted"] == 100
    damage(world, run, "ledger.ndjson", None)
    clock.sleep(4000)
    world.resume()
    assert (world.run()["state"], world.run()["reason"]["code"], len(world.posts())) == ("held", "planDamaged", posts)


def test_a_record_that_contradicts_what_is_sent_stops_its_own_run_and_no_other(world, clock, monkeypatch):
    """Somebody writes into it, while it is sent, that everything is over."""
    world.entra.change(jobStatus="Paused")
    for name, title in (("old.csv", "old"), ("new.csv", "new")):
        world.upload(titled(ROWS if title == "old" else range(201, 204), title), name)
        world.later()
    world.entra.change(jobStatus="Active")
    clock.sleep(400)
    report = RunProgress.finish

    def finish(self: RunProgress, ledger: Ledger) -> None:
        old = world.run("old.csv")
        if old["state"] == "sending":
            world.change_record(old, state="settled")
        report(self, ledger)

    monkeypatch.setattr(RunProgress, "finish", finish)
    world.resume()
    assert world.run("new.csv")["state"] == "sent"
    assert [event["run"] for event in world.events() if event["event"] == "run.damaged"] == [
        world.run("old.csv")["run"]
    ]


def test_the_wait_that_a_cancelled_run_was_told_of_holds_although_its_ledger_is_damaged(world, clock, terminal):
    world.entra.post("faults", {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": "3000"}})
    wrong = world.upload(titled(range(1, 4), "wrong"), "wrong.csv")
    told, until = clock.now(), datetime.fromisoformat(wrong["notBefore"])
    cancel(world, "wrong.csv")
    damage(world, wrong, "ledger.ndjson", b"nonsense")
    world.resume()
    assert world.run("wrong.csv")["state"] == "held"
    said = " ".join(terminal.run("show", wrong["run"])[1].split())
    assert "nothing more of it is sent" in said
    assert "within a minute" not in said
    world.later()
    world.host.blob_created(world.drop(titled(range(4, 7), "other"), "other.csv"))
    while clock.now() < until - timedelta(seconds=300):
        world.resume()
        assert len(world.posts()) == 1
        clock.sleep(280)
    clock.sleep((until - told).total_seconds())
    world.resume()
    assert titles(world) == {"other"}


def test_a_run_that_can_not_be_followed_is_told_once(world, clock):
    run = world.upload(titled(range(1, 4), "some"), "some.csv")
    damage(world, run, "rows.ndjson", None)
    for _ in range(3):
        clock.sleep(900)
        world.report()
    told = [event for event in world.events() if event["event"] == "run.damaged"]
    assert [(event["run"], event["error"]) for event in told] == [(run["run"], "RunDamagedError")]
    assert "rows.ndjson" in told[0]["detail"]


def test_a_copy_of_a_runs_folder_is_no_run(world, clock):
    run = world.upload(titled(range(1, 4), "some"), "some.csv")
    posts = len(world.posts())
    client = world.service.get_container_client("runs")
    for name in ("run.json", "rows.ndjson", "requests/0001.ndjson.gz"):
        content = world.blob("runs", f"contoso/{run['run']}/{name}")
        metadata = {"state": "planned", "jobid": run["jobId"], "plannedat": run["plannedAt"]}
        client.upload_blob(f"contoso/{run['run']}-copy/{name}", content, metadata=metadata)
    world.resume()
    assert len(world.posts()) == posts
    told = [event for event in world.events() if event["event"] == "run.unreadable"]
    assert {event["run"] for event in told} == {f"{run['run']}-copy"}
