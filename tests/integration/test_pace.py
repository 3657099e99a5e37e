"""Two processes pace themselves through one storage account; the clock is moved by hand, the races are real."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock
from time import sleep

import pytest

from shared.adapters.blob_storage import AzureBlobStore
from shared.inbound.sending.pacing import Go, NotBefore
from shared.workflows.pace import Calls, Pace


class HandClock:
    """Everybody's clock; `sleep` is real, for it is between tries only."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 9, 1, 12, 0, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        sleep(seconds)

    def jitter(self) -> float:
        return 0.1


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def pace(world, clock):
    """Makes the `Pace` of one more process."""
    store = AzureBlobStore(world.service)
    return lambda sender, per_day=2000: Pace(store, clock, per_5_seconds=40, per_day=per_day, sender=sender)


def begin(calls: Calls) -> int:
    """How many calls may begin now, at the second try too."""
    begun = waits = 0
    while waits < 2:
        begun, waits = (begun + 1, 0) if isinstance(calls.ask(1000), Go) else (begun, waits + 1)
    return begun


def held(world) -> dict[str, int]:
    shares = json.loads(world.blob("state", "pace.json"))["senders"]
    return {sender: share["slots"] for sender, share in shares.items()}


def test_two_processes_never_hold_more_than_the_limit_and_come_to_have_half_each(world, pace, clock):
    hot: list[tuple[float, int]] = []
    with pace("a").session(urgent=False) as first, pace("b").session(urgent=False) as second:
        for turn in range(20):
            begun = [begin(calls) for calls in (first, second)]
            hot.append((clock.seconds, sum(begun)))
            assert sum(calls for at, calls in hot if at > clock.seconds - 5) <= 40
            assert sum(held(world).values()) <= 40
            for calls, number in zip((first, second), begun, strict=True):
                for _ in range(number):
                    calls.ended()
            clock.seconds += 0.6 if turn % 2 else 0.7
        assert held(world) == {"a": 20, "b": 20}
    assert sum(calls for _, calls in hot) >= 80


def test_the_slots_of_a_process_that_was_killed_come_free_after_its_time_and_not_before(world, pace, clock):
    killed = pace("killed").session(urgent=False)
    assert begin(killed.__enter__()) == 40
    with pace("next").session(urgent=False) as calls:
        for clock.seconds in (0.0, 5.1, 8.1, 13.9):
            assert begin(calls) == 0
        clock.seconds = 14.5
        assert begin(calls) == 40


def test_a_process_that_leaves_frees_at_once_what_is_not_hot(world, pace, clock):
    with pace("a").session(urgent=False) as calls:
        for _ in range(7):
            assert calls.ask(1000) == Go()
            calls.ended()
    with pace("b").session(urgent=False) as calls:
        assert begin(calls) == 33
        clock.seconds = 6.1
        assert begin(calls) == 7


def test_processes_that_come_at_the_same_moment_share_slots_and_calls_without_counting_one_twice(world, pace):
    together, lock, begun = Barrier(6), Lock(), []

    def send(number: int) -> None:
        with pace(f"process {number}", per_day=33).session(urgent=False) as calls:
            together.wait(30)
            found = begin(calls)
            with lock:
                begun.append(found)
            together.wait(30)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(send, range(6)))
    assert 0 < sum(begun) <= 33
    assert sum(held(world).values()) <= 40
    assert sum(json.loads(world.blob("state", "quota.json"))["calls"].values()) == sum(begun)


def test_the_days_calls_survive_the_process(world, pace, clock):
    with pace("a", per_day=5).session(urgent=False) as calls:
        assert begin(calls) == 5
    clock.seconds = 20
    with pace("b", per_day=5).session(urgent=False) as calls:
        assert calls.ask(1) == NotBefore(datetime(2026, 9, 2, 12, 2, tzinfo=UTC))


def test_a_record_that_somebody_broke_stops_sending_for_six_seconds_only(world, pace, clock):
    world.service.get_blob_client("state", "pace.json").upload_blob(b"{", overwrite=True)
    with pace("a").session(urgent=False) as calls:
        assert begin(calls) == 0
        clock.seconds = 6.6
        assert begin(calls) == 40
