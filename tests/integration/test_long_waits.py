"""A wait that lasts too long is told to a person, and looking whether it is over does not use up the day's calls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from shared.bootstrap import connector
from tests.integration.waiting_runs import error_codes
from tests.platform.answers import BUCKET_FULL
from tests.platform.hr_files import hr_csv, workers
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import World
    from tests.platform.virtual_clock import VirtualClock


@pytest.fixture
def clock(world: World) -> Iterator[VirtualClock]:
    with virtual_clock(world.entra) as running:
        yield running


LASTING = {
    "unavailable": {"disconnect": "beforeReading"},
    "bucketFull": {"status": 500, "body": BUCKET_FULL},
    "throttled": {"status": 429, "headers": {"Retry-After": "600"}},
}


@pytest.mark.parametrize("code", LASTING)
def test_a_wait_that_should_have_ended_long_ago_is_told_once_and_ends_by_itself(world, clock, code):
    world.entra.post("faults", {"on": "bulkUpload", "times": None, **LASTING[code]})
    began, told_at = clock.now(), None
    world.upload(hr_csv(*workers(3)))
    for _ in range(20):
        clock.sleep(240)
        world.resume()
        if told_at is None and error_codes(world):
            told_at = clock.now()
    assert error_codes(world) == [("run.blocked", code)]
    assert told_at
    assert 1800 <= (told_at - began).total_seconds() <= 3600
    assert (world.run()["state"], world.run()["reason"]["code"]) == ("blocked", code)
    world.entra.control.delete("faults")
    clock.sleep(1300)
    world.resume()
    assert world.run()["state"] == "sent"
    assert error_codes(world) == [("run.blocked", code)]


def test_a_run_that_goes_on_a_little_each_time_is_not_stuck_however_long_that_takes(world, clock, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_5_SECONDS", "1")
    connector.cache_clear()
    name, waits = world.drop(hr_csv(*workers(600))), []
    for _ in range(11):
        world.entra.control.delete("faults")
        throttled = {"status": 429, "headers": {"Retry-After": "100"}}
        world.entra.post("faults", {"on": "bulkUpload", "after": 1, "times": None, **throttled})
        world.resume() if waits else world.host.blob_created(name)
        waits.append((datetime.fromisoformat(world.run()["notBefore"]) - clock.now()).total_seconds())
        clock.sleep(240)
    assert world.run()["requests"]["accepted"] == 11
    assert max(waits) <= 100
    assert (world.run()["state"], error_codes(world)) == ("sending", [])


def test_a_load_that_takes_days_of_the_quota_is_no_alarm(world, clock, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "2")
    connector.cache_clear()
    world.upload(hr_csv(*workers(150)))
    for _ in range(30):
        clock.sleep(3000)
        world.resume()
    assert error_codes(world) == []
    assert world.run()["state"] == "sent"


def test_setbacks_after_a_long_repair_are_no_alarm(world, clock):
    world.entra.post("faults", {"on": "bulkUpload", "status": 403})
    world.upload(hr_csv(*workers(3)))
    clock.sleep(3 * 3600)
    world.entra.post("faults", {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": "61"}, "times": 2})
    for _ in range(2):
        world.resume()
        clock.sleep(62)
    assert world.run()["reason"]["code"] == "throttled"
    world.resume()
    assert world.run()["state"] == "sent"
    assert error_codes(world) == [("run.blocked", "forbidden")]


def test_reasons_that_take_turns_are_told_too_and_only_once(world, clock):
    """An outage that is now a 503, now a 429, now a full bucket."""
    kinds = list(LASTING.values())
    for turn in range(20):
        world.entra.control.delete("faults")
        world.entra.post("faults", {"on": "bulkUpload", "times": None, **kinds[turn % 3]})
        world.upload(hr_csv(*workers(3))) if not turn else world.resume()
        clock.sleep(1000)
    assert [event for event, _ in error_codes(world)] == ["run.blocked"]


def test_a_day_of_outage_uses_up_less_than_a_third_of_the_days_calls(world, clock):
    """By the third and fourth hour; from then on it stays the same."""
    world.entra.post("faults", {"on": "bulkUpload", "status": 503, "times": None})
    began, posts = clock.now(), {}
    world.upload(hr_csv(*workers(3)))
    for hours in (2, 4):
        while (clock.now() - began).total_seconds() < hours * 3600:
            clock.sleep((datetime.fromisoformat(world.run()["notBefore"]) - clock.now()).total_seconds() + 30)
            world.resume()
        posts[hours] = len(world.posts())
    assert 12 <= posts[4] - posts[2] < 2000 / 3 / 12
    assert world.calls_of_the_day() == posts[4]
    world.entra.control.delete("faults")
    clock.sleep(901)
    world.resume()
    assert world.run()["state"] == "sent", "and within a quarter of an hour it is noticed that it is over"


def test_calls_for_which_there_is_no_token_are_no_calls_of_the_day(world, clock):
    world.entra.post("faults", {"on": "token", "status": 500, "times": None})
    world.upload(hr_csv(*workers(3)))
    for _ in range(5):
        clock.sleep(61)
        world.resume()
    assert (world.posts(), world.run()["reason"]["code"], world.calls_of_the_day()) == ([], "noToken", 0)
