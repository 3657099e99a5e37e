"""One drop, one plan: whoever plans it, when, and whatever has become of its record or of its event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

from shared.bootstrap import connector
from shared.cli.commands import main
from shared.errors import LeaseLostError
from shared.workflows.attempts import MOST_ATTEMPTS
from tests.platform.answers import BUCKET_FULL
from tests.platform.child_world import break_leases
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, hr_row, workers

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_YET_HIRED = b'\nrows:\n  exclude: {HireDate: {after: today, date: "%d/%m/%Y"}}\n'


def titled(number: int, title: str) -> str:
    return hr_csv(hr_row(f"W{number:05d}", JobTitle=title))


def hired_tomorrow(number: int) -> str:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return hr_row(f"W{number:05d}", HireDate=tomorrow.strftime("%d/%m/%Y"))


def put_feed_without_those_to_come(world) -> None:
    settings = world.entra.settings
    world.put_feed(sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"]) + NOT_YET_HIRED)


def state_and_code(world, name: str) -> tuple[str, str | None]:
    run = world.run(name)
    return run["state"], run["reason"] and run["reason"]["code"]


def a_day_passes(world) -> None:
    world.advance(hours=25)
    connector.cache_clear()


def delete_record(world, run: dict[str, Any]) -> None:
    world.service.get_blob_client("runs", f"contoso/{run['run']}/run.json").delete_blob()


def sent_in_part(world) -> dict[str, Any]:
    """Its first request is accepted; somebody whose first day is tomorrow would come first in a plan of tomorrow."""
    put_feed_without_those_to_come(world)
    world.entra.post("faults", {"on": "bulkUpload", "after": 1, "status": 500, "body": BUCKET_FULL, "times": 9})
    run = world.upload(hr_csv(hired_tomorrow(0), *workers(120)))
    assert run["counts"]["accepted"] == 50
    world.entra.control.delete("faults")
    return run


@pytest.mark.parametrize("found_by", ["its event, once more", "the timer"])
def test_a_drop_whose_record_was_deleted_after_it_was_sent_in_part_is_refused_and_can_be_dropped_again(
    world, capsys, found_by
):
    run = sent_in_part(world)
    ledger, posts = world.blob("runs", f"contoso/{run['run']}/ledger.ndjson"), len(world.posts())
    delete_record(world, run)
    a_day_passes(world)
    world.resume() if found_by == "the timer" else world.host.blob_created("contoso/workers.csv")
    assert state_and_code(world, "workers.csv") == ("refused", "sentInPart")
    assert world.blob("runs", f"contoso/{run['run']}/ledger.ndjson") == ledger
    assert len(world.posts()) == posts
    assert [event["code"] for event in world.events() if event["event"] == "run.refused"] == ["sentInPart"]
    main(["show", run["run"]])
    assert "Nothing of this file was sent" not in capsys.readouterr().out
    world.upload(world.texts["workers.csv"], "again.csv")
    world.report()
    assert world.faults("again.csv") == []
    assert {f"W{number:05d}" for number in range(1, 121)} <= set(world.accounts())


def test_older_content_that_turns_up_again_does_not_follow_a_run_whose_record_was_deleted(world):
    world.upload(hr_csv(hr_row("W00001")), "monday.csv")
    world.later()
    run = world.upload(hr_csv(hr_row("W00001", WorkerStatus="Terminated")), "tuesday.csv")
    delete_record(world, run)
    world.host.blob_created("contoso/tuesday.csv")
    assert state_and_code(world, "tuesday.csv") == ("refused", "sentInPart")
    world.later()
    world.service.get_blob_client("hr-drop", "contoso/monday.csv").set_blob_metadata({"scanned": "yes"})
    world.advance(hours=0.1)
    connector.cache_clear()
    world.resume()
    assert state_and_code(world, "monday.csv") == ("refused", "repeatedContent")
    assert world.accounts()["W00001"]["accountEnabled"] is False


def test_what_a_run_has_posted_is_not_overwritten_by_an_older_one_once_its_record_is_deleted(world, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "3")
    monkeypatch.setenv("BULK_REQUESTS_RESERVED_PER_DAY", "1")
    connector.cache_clear()
    settings = world.entra.settings
    urgent = sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"]) + b"\npriority: urgent\n"
    world.put_feed(urgent, "leavers")
    world.upload(hr_csv(*workers(150)), "load.csv")
    assert state_and_code(world, "load.csv") == ("sending", "dailyQuota")
    world.later()
    leavers = world.upload(hr_csv(hr_row("W00140", WorkerStatus="Terminated")), "leavers.csv", "leavers")
    assert leavers["state"] == "sent"
    world.service.get_blob_client("runs", f"leavers/{leavers['run']}/run.json").delete_blob()
    world.host.blob_created("leavers/leavers.csv")
    assert state_and_code(world, "leavers.csv") == ("refused", "sentInPart")
    a_day_passes(world)
    world.resume()
    assert not world.accounts()["W00140"]["accountEnabled"]
    assert state_and_code(world, "load.csv") == ("blocked", "newerRunUnreadable")


def test_a_drop_whose_record_was_deleted_before_anything_was_sent_is_planned_again(world):
    world.entra.change(jobStatus="Paused")
    delete_record(world, world.upload(hr_csv(*workers(60))))
    world.entra.change(jobStatus="Active")
    a_day_passes(world)
    world.resume()
    assert (world.run()["state"], world.run()["counts"]["accepted"]) == ("sent", 60)


@pytest.fixture
def while_it_writes(monkeypatch) -> Callable[[str, Callable[[], None]], None]:
    """Let something happen right before a planner's next write of a blob whose name has that part."""
    send, once = RequestsTransport.send, list[tuple[str, Any]]()

    def stalled(self, request, **options):
        if once and request.method == "PUT" and once[0][0] in request.url:
            once.pop()[1]()
        return send(self, request, **options)

    monkeypatch.setattr(RequestsTransport, "send", stalled)
    return lambda part, happens: once.append((part, happens))


@pytest.mark.parametrize("blob", ["requests/0001", "requests/0003", "rows.ndjson", "set_aside.csv", "excluded.csv"])
def test_two_planners_of_one_drop_leave_one_plan_also_when_midnight_comes_in_between(
    world, monkeypatch, while_it_writes, blob
):
    """The first one stalls in the middle of a write, for longer than its lease lasts; its bytes come last."""
    monkeypatch.setattr("shared.inbound.planning.bulk_request.REQUESTS_PER_FILE", 1)
    put_feed_without_those_to_come(world)
    world.entra.change(jobStatus="Paused")
    name = world.drop(hr_csv(hired_tomorrow(0), *workers(120), hr_row("W00999", WorkerStatus="Sabbatical")))

    def another_plans() -> None:
        break_leases(world.service)
        a_day_passes(world)
        world.host.blob_created(name)
        assert world.run()["counts"]["planned"] == 120

    while_it_writes(blob, another_plans)
    with pytest.raises(LeaseLostError):
        world.host.blob_created(name)
    world.entra.change(jobStatus="Active")
    a_day_passes(world)
    world.resume()
    world.report()
    run = world.run()
    assert (state_and_code(world, "workers.csv"), len(world.runs())) == (("settled", None), 1)
    assert (run["counts"]["created"], run["counts"]["excluded"], run["counts"]["setAside"]) == (120, 1, 1)
    assert world.faults() == []
    assert set(world.accepted().values()) == {1}


def test_a_planner_that_lost_its_lease_writes_no_further_part_of_the_plan(world, monkeypatch, while_it_writes):
    monkeypatch.setattr("shared.inbound.planning.bulk_request.REQUESTS_PER_FILE", 1)
    monkeypatch.setattr("shared.adapters.blob_storage._RENEW_AFTER_SECONDS", 0.0)
    name = world.drop(hr_csv(*workers(200)))
    while_it_writes("requests/0002", lambda: break_leases(world.service))
    with pytest.raises(LeaseLostError):
        world.host.blob_created(name)
    written = [blob.rpartition("/")[2] for blob in world.service.get_container_client("runs").list_blob_names()]
    assert [blob for blob in written if blob.endswith(".gz")] == ["0001.ndjson.gz", "0002.ndjson.gz"]
    assert not {"rows.ndjson", "run.json"} & set(written)
    world.host.blob_created(name)
    world.report()
    assert (world.run()["state"], world.faults()) == ("settled", [])


def dropped_again_on_purpose(world, *, content: str = "") -> tuple[str, str]:
    """1.csv and 2.csv are sent; 3.csv says what 1.csv said, 4.csv is newer. No event of the last two has come yet."""
    for name, text in (("1.csv", titled(1, "a")), ("2.csv", titled(2, "b"))):
        world.upload(text, name)
        world.later()
    again = world.drop(content or titled(1, "a"), "3.csv")
    world.later()
    return again, world.drop(titled(3, "c"), "4.csv")


def test_a_file_that_was_dropped_again_on_purpose_is_sent_also_when_a_newer_ones_event_comes_first(world):
    again, newer = dropped_again_on_purpose(world)
    for _ in range(MOST_ATTEMPTS + 1):
        world.host.blob_created(newer)
    assert state_and_code(world, "4.csv") == ("planned", None), "nothing goes past an older drop without a run"
    world.host.blob_created(again)
    assert [state_and_code(world, f"{number}.csv") for number in (3, 4)] == [("sent", None)] * 2
    assert [post["externalIds"] for post in world.posts()][-2:] == [["W00001"], ["W00003"]]
    assert "run.refused" not in world.event_names()


def test_an_event_that_has_not_come_after_five_minutes_is_not_waited_for(world):
    _, newer = dropped_again_on_purpose(world)
    world.advance(hours=0.1)
    connector.cache_clear()
    world.host.blob_created(newer)
    assert state_and_code(world, "3.csv") == ("refused", "repeatedContent")
    assert state_and_code(world, "4.csv") == ("sent", None)


def test_an_older_drop_with_new_content_does_not_have_to_wait_for_its_event(world):
    _, newer = dropped_again_on_purpose(world, content=titled(4, "d"))
    world.host.blob_created(newer)
    assert [state_and_code(world, f"{number}.csv") for number in (3, 4)] == [("sent", None)] * 2


def test_a_blob_that_was_only_touched_is_not_sent_again_because_a_newer_file_came_right_after(world):
    """A leaver's last word must stand: a scanner writes metadata, and the next file does not name the leaver."""
    world.upload(hr_csv(hr_row("W00001")), "monday.csv")
    world.later()
    world.upload(hr_csv(hr_row("W00001", WorkerStatus="Terminated")), "tuesday.csv")
    world.later()
    world.service.get_blob_client("hr-drop", "contoso/monday.csv").set_blob_metadata({"scanned": "yes"})
    world.later()
    world.upload(titled(2, "b"), "wednesday.csv")
    assert world.run("wednesday.csv")["state"] == "planned"
    world.advance(hours=0.1)
    connector.cache_clear()
    world.resume()
    assert state_and_code(world, "monday.csv") == ("refused", "repeatedContent")
    assert world.run("wednesday.csv")["state"] == "sent"
    assert world.accounts()["W00001"]["accountEnabled"] is False


def test_an_event_that_comes_while_another_call_has_the_drop_is_remembered(world, while_it_writes):
    again, newer = dropped_again_on_purpose(world)
    while_it_writes("feed.yaml", lambda: world.host.blob_created(again))
    world.host.blob_created(newer)
    assert [state_and_code(world, f"{number}.csv") for number in (3, 4)] == [("sent", None)] * 2


def test_an_event_whose_planner_was_killed_is_remembered(world, while_it_writes):
    world.upload(titled(1, "a"), "1.csv")
    world.later()
    world.upload(titled(1, "b"), "2.csv")
    world.later()
    while_it_writes("rows.ndjson", killed)
    with pytest.raises(Killed):
        world.upload(titled(1, "a"), "3.csv")
    break_leases(world.service)
    world.advance(hours=0.1)
    connector.cache_clear()
    world.resume()
    assert state_and_code(world, "3.csv") == ("sent", None)
    assert world.accounts()["W00001"]["attributes"]["jobTitle"] == "a"


def test_of_a_file_that_was_overwritten_after_its_planner_was_killed_a_run_says_that_it_is_gone(world, while_it_writes):
    while_it_writes("rows.ndjson", killed)
    with pytest.raises(Killed):
        world.upload(titled(1, "a"), "changes.csv")
    break_leases(world.service)
    world.later()
    world.upload(titled(2, "b"), "changes.csv")
    world.resume()
    assert [run["state"] for run in world.runs()] == ["sent"], "its event may be delivered once more"
    world.advance(hours=0.1)
    connector.cache_clear()
    for _ in range(2):
        world.resume()
    gone, sent = sorted(world.runs(), key=lambda run: run["state"])
    assert (gone["state"], gone["reason"]["code"], sent["state"]) == ("refused", "dropGone", "sent")
    assert [event["code"] for event in world.events() if event["event"] == "run.refused"] == ["dropGone"]


class Killed(BaseException):
    """Nobody catches it, as nobody catches SIGKILL."""


def killed() -> None:
    raise Killed
