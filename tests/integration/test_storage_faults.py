"""Storage is busy, fails, refuses or breaks off at the first, a middle and the last call of each kind that a run makes.

Once the fault is over, ticks bring the run to its end: nobody is lost, nobody is sent twice but where the answer could
not be put down, nobody's older state comes after a newer one. Time is virtual; the SDK's own retries are real.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from shared.bootstrap import connector
from shared.errors import ConfigurationError
from tests.integration.conftest import World
from tests.platform.child_world import break_leases
from tests.platform.hr_files import hr_csv, titled, workers
from tests.platform.sent_twice import doubled, in_order, turned_back
from tests.platform.storage_faults import BROKEN_AFTER, BROKEN_BEFORE, SLOW, Calls, storage_fault
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.platform.virtual_clock import VirtualClock

ROWS = 130
FILE = hr_csv(*workers(ROWS))
SEVERAL = ("first", "middle", "last")
FIRST_AND_MIDDLE = ("first", "middle")
"""Where the number of calls depends on how long things take."""
PLACES: dict[str, tuple[Calls, tuple[str, ...]]] = {
    "appending to the ledger": (Calls("PUT", "ledger.ndjson"), SEVERAL),
    "reading the ledger": (Calls("GET", "ledger.ndjson"), ("first",)),
    "writing run.json": (Calls("PUT", "run.json"), FIRST_AND_MIDDLE),
    "reading run.json": (Calls("GET", "run.json"), FIRST_AND_MIDDLE),
    "writing the plan": (Calls("PUT", "requests/0001"), ("first",)),
    "reading the plan": (Calls("GET", "requests/0001"), ("first",)),
    "taking the planning lock": (Calls("PUT", "planning.lock", "acquire"), ("first",)),
    "renewing the planning lock": (Calls("PUT", "planning.lock", "renew"), ("first",)),
    "taking the job's lock": (Calls("PUT", "/lock", "acquire"), ("first",)),
    "renewing the job's lock": (Calls("PUT", "/lock", "renew"), FIRST_AND_MIDDLE),
    "letting go of the job's lock": (Calls("PUT", "/lock", "release"), ("first",)),
    "sharing the pace": (Calls("PUT", "pace.json"), FIRST_AND_MIDDLE),
    "counting the day's calls": (Calls("PUT", "quota.json"), ("first",)),
    "listing runs": (Calls("GET", "/runs?"), ("first", "last")),
    "listing drops": (Calls("GET", "/hr-drop?"), ("first", "last")),
    "reading the drop": (Calls("GET", "/hr-drop/contoso"), ("first",)),
}
KINDS = ("503", "500", "412", "409", BROKEN_BEFORE, BROKEN_AFTER)
UNLIKE = ("500", "412", BROKEN_AFTER)
"""Each is handled in its own way: the SDK tries again; somebody else was first; nobody knows what took effect."""
MEANT = ("reading the drop", "412")
"""Azure's word that the file is another by now, and no fault."""


def cases(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(place, kind) for place in PLACES for kind in kinds if (place, kind) != MEANT]


FIRST = [(place, "first", kind) for place, kind in cases(KINDS)]
LATER = [(place, position, kind) for place, kind in cases(UNLIKE) for position in PLACES[place][1][1:]]
MORE_THAN_THE_SDK_TRIES = 9
LEASE_SECONDS = 30.0


@pytest.fixture
def quick(world: World) -> Iterator[VirtualClock]:
    with virtual_clock(world.entra) as clock:
        yield clock


@pytest.fixture
def one_by_one(quick: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request waits for the one before it, so that a run makes the same calls each time."""
    monkeypatch.setenv("BULK_REQUESTS_PER_5_SECONDS", "1")
    connector.cache_clear()


_COUNTS: dict[str, int] = {}


@pytest.fixture
def counts(storage, entra, world, one_by_one, monkeypatch) -> dict[str, int]:
    """How many calls of each kind a run makes at least that meets no fault; counted once."""
    if not _COUNTS:
        several = [counted(World(storage, entra, None), monkeypatch) for _ in range(3)]
        _COUNTS.update({place: min(each[place] for each in several) for place in PLACES})
        monkeypatch.setenv("HR_STORAGE", world.connection_string)
        connector.cache_clear()
    return _COUNTS


def counted(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    world.entra.post("reset")
    monkeypatch.setenv("HR_STORAGE", world.connection_string)
    connector.cache_clear()
    world.put_feed()
    with contextlib.ExitStack() as stack:
        faults = {place: stack.enter_context(storage_fault("500", of, times=0)) for place, (of, _) in PLACES.items()}
        deliver(world, world.drop(FILE))
    world.entra.post("reset")
    return {place: fault.seen for place, fault in faults.items()}


def after(counts: dict[str, int], place: str, position: str) -> int:
    """How many calls come before it."""
    return {"first": 0, "middle": counts[place] // 2, "last": counts[place] - 1}[position]


@pytest.mark.parametrize(("place", "position", "kind"), FIRST + LATER)
def test_one_call_that_fails_loses_and_doubles_nobody(world, quick, counts, place, position, kind):
    name = world.drop(FILE)
    with storage_fault(kind, PLACES[place][0], after=after(counts, place, position)) as fault:
        deliver(world, name)
    assert fault.struck, "the fault met nothing"
    come_to_an_end(world, quick)
    assert_everybody_was_sent_once(world)


@pytest.mark.parametrize(("place", "kind"), cases((*UNLIKE, "409")))
def test_calls_that_fail_for_longer_than_the_sdk_tries_lose_and_double_nobody(world, quick, place, kind):
    """Requests are in flight beside each other here. Where there are several calls the first one is left alone."""
    calls, positions = PLACES[place]
    name = world.drop(FILE)
    with storage_fault(kind, calls, after=int(len(positions) > 1), times=MORE_THAN_THE_SDK_TRIES) as fault:
        deliver(world, name)
    assert fault.struck, "the fault met nothing"
    come_to_an_end(world, quick)
    assert_everybody_was_sent_once(world)


@pytest.mark.parametrize("kind", UNLIKE)
@pytest.mark.parametrize(
    "place", ["appending to the ledger", "writing run.json", "renewing the job's lock", "sharing the pace"]
)
def test_a_newer_file_that_comes_while_storage_fails_is_not_turned_back(world, quick, counts, place, kind):
    names = [world.drop(titled(range(1, ROWS + 1), title), f"{title}.csv") for title in ("old", "new")]
    with storage_fault(kind, PLACES[place][0], after=counts[place] // 2, times=MORE_THAN_THE_SDK_TRIES) as fault:
        for name in names:
            deliver(world, name)
    assert fault.struck
    come_to_an_end(world, quick)
    assert [world.faults(f"{title}.csv") for title in ("old", "new")] == [[], []]
    assert doubled(world.service, world.posts()) == []
    assert turned_back(world.service, world.posts()) == []
    newest = max(world.runs(), key=in_order)["file"].removesuffix(".csv")
    assert {account["attributes"]["jobTitle"] for account in world.accounts().values()} == {newest}


@pytest.mark.parametrize("seconds", [20.0, 70.0])
@pytest.mark.parametrize(
    "place", ["appending to the ledger", "writing run.json", "renewing the job's lock", "sharing the pace"]
)
@pytest.mark.parametrize("position", FIRST_AND_MIDDLE)
def test_an_answer_that_takes_its_time_loses_and_doubles_nobody(world, quick, counts, place, position, seconds):
    """With the longest one the lease has run out meanwhile."""

    def meanwhile() -> None:
        quick.sleep(seconds)
        if seconds > LEASE_SECONDS:
            break_leases(world.service)

    name = world.drop(FILE)
    with storage_fault(SLOW, PLACES[place][0], after=after(counts, place, position), meanwhile=meanwhile) as fault:
        deliver(world, name)
    assert fault.struck
    come_to_an_end(world, quick)
    assert_everybody_was_sent_once(world)


@pytest.mark.parametrize("container", ["runs", "feeds", "hr-drop"])
def test_a_container_that_is_missing_is_named_and_nothing_is_lost(world, quick, container):
    name = world.drop(FILE)
    world.service.delete_container(container)
    with pytest.raises(ConfigurationError, match=f"no container {container}; infra/ creates it"):
        world.host.blob_created(name)
    world.service.create_container(container)
    world.put_feed()
    world.host.blob_created(world.drop(FILE))
    come_to_an_end(world, quick)
    assert_everybody_was_sent_once(world)


def test_without_the_container_of_locks_nothing_is_sent_and_nothing_is_lost(world, quick):
    name = world.drop(FILE)
    world.service.delete_container("state")
    world.host.blob_created(name)
    told = {event["event"]: event for event in world.events() if event["level"] == "error"}
    assert told["job.notSent"]["error"] == "ConfigurationError"
    assert "no container state; infra/ creates it" in told["job.notSent"]["detail"]
    assert world.posts() == []
    world.service.create_container("state")
    come_to_an_end(world, quick)
    assert_everybody_was_sent_once(world)


def deliver(world: World, name: str) -> None:
    """The host delivers an event that failed once more; the timer fires."""
    for _ in range(3):
        try:
            world.host.blob_created(name)
            break
        except Exception:  # noqa: BLE001
            continue
    with contextlib.suppress(Exception):
        world.resume()


def come_to_an_end(world: World, clock: VirtualClock) -> None:
    """The fault is over: leases of those who could not let go run out, and the timers fire."""
    connector.cache_clear()
    break_leases(world.service)
    clock.sleep(400)
    for _ in range(8):
        runs = world.runs()
        unsent = [run for run in runs if run["state"] not in ("sent", "settled")]
        if runs and not unsent:
            break
        world.resume()
        waits = [datetime.fromisoformat(run["notBefore"]) for run in unsent if run["notBefore"]]
        clock.sleep(max([40.0, *((wait - clock.now()).total_seconds() + 1.0 for wait in waits)]))
    world.report()


def assert_everybody_was_sent_once(world: World) -> None:
    assert len(world.runs()) == 1
    assert world.faults() == []
    assert doubled(world.service, world.posts()) == []
    assert len(world.accounts()) == ROWS
    assert sum(world.run()["counts"][state] for state in ("created", "updated", "skipped")) == ROWS
