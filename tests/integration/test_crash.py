"""SIGKILL at more than two hundred counted points of plan and send, processes that race, a process that sleeps.

Whatever happened, the next process goes on: no row is lost, and nothing is sent twice but what had no answer when its
process died. The points are calls to storage, identity and Graph, counted across all threads, each before it leaves the
process and after it has taken effect.
"""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from tests.platform.child_world import ChildWorld
from tests.platform.fault_points import FaultPoint
from tests.platform.forked_host import ForkingHost, forking_host
from tests.platform.hr_files import hr_csv, hr_row, titled
from tests.platform.processes import Azurite, Simulator, azurite, simulator
from tests.platform.sent_twice import doubled, in_order, turned_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 230
SLEPT = 60.0
"""Twice the time for which a lease lasts."""
FLAT = hr_csv(*(hr_row(f"W{number:05d}") for number in range(1, ROWS + 1)))
LEVELS = hr_csv(
    *(hr_row(f"W{number:05d}", ManagerID=f"W{number // 8:05d}" if number > 7 else "") for number in range(1, ROWS + 1))
)
"""A company of three levels: nobody may be sent past a manager who waits."""


@dataclass(frozen=True)
class Variant:
    text: str
    kills: int
    bad: list[str] = field(default_factory=list)


VARIANTS = {
    "five requests": Variant(FLAT, 84),
    "a bad operation, so that a request is halved": Variant(FLAT, 72, ["W00077"]),
    "three levels of managers": Variant(LEVELS, 52),
}


class Lanes:
    """Several tenants, so that several points are tried at the same time; every case has a new storage account."""

    def __init__(self, storage: Azurite, lanes: list[tuple[Simulator, ForkingHost]]) -> None:
        self._storage, self._lanes, self._accounts = storage, lanes, count()

    def world(self, lane: tuple[Simulator, ForkingHost] | None = None) -> ChildWorld:
        return ChildWorld(self._storage, self._storage.accounts[next(self._accounts)], *(lane or self._lanes[0]))

    def each(self, cases: list[Any], try_case: Callable[[ChildWorld, Any], Any]) -> dict[str, Any]:
        """What was found at each case, by its name."""
        free: SimpleQueue[tuple[Simulator, ForkingHost]] = SimpleQueue()
        for lane in self._lanes:
            free.put(lane)

        def work(case: Any) -> tuple[str, Any]:
            lane = free.get()
            try:
                return str(case), try_case(self.world(lane), case)
            finally:
                free.put(lane)

        with ThreadPoolExecutor(len(self._lanes)) as pool:
            return dict(pool.map(work, cases))


@pytest.fixture(scope="module")
def lanes() -> Iterator[Lanes]:
    with contextlib.ExitStack() as stack:
        storage = stack.enter_context(azurite(accounts=400))
        pairs = [
            (stack.enter_context(simulator("--cycle-seconds", "0")), stack.enter_context(forking_host()))
            for _ in range(3)
        ]
        yield Lanes(storage, pairs)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_process_killed_at_any_point_loses_no_row_and_doubles_none_that_was_answered(lanes, name):
    variant = VARIANTS[name]
    calls, expected = without_a_kill(lanes.world(), variant)
    found = lanes.each(
        spread(len(calls), variant.kills), lambda world, point: killed_at(point, world, variant, expected)
    )
    assert {point: problems for point, (_, problems) in found.items() if problems} == {}
    killed = sum(is_killed for is_killed, _ in found.values())
    assert killed >= variant.kills - 2, "threads change the order of calls a little; the last ones may not come"


def spread(calls: int, wanted: int) -> list[FaultPoint]:
    """That many different points, from the first call to the last."""
    assert 2 * calls >= wanted, f"only {calls} calls: more rows are needed for {wanted} points"
    places = [number * 2 * calls // wanted for number in range(wanted)]
    return [FaultPoint(place // 2 + 1, ("before", "after")[place % 2]) for place in places]


def without_a_kill(world: ChildWorld, variant: Variant) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """The calls that it takes, and the directory afterwards."""
    world.entra.change(rejectExternalIds=variant.bad)
    child = world.upload(world.drop(variant.text))
    assert child.calls.count("POST graph") >= 5
    world.time_passes(400)
    world.tick()
    assert problems_of(world, variant, world.accounts()) == []
    assert len(world.accounts()) == ROWS - len(variant.bad)
    return child.calls, world.accounts()


def killed_at(point: FaultPoint, world: ChildWorld, variant: Variant, expected: dict[str, Any]) -> Any:
    world.entra.change(rejectExternalIds=variant.bad)
    was_killed, child = world.upload_killed_at(point, world.drop(variant.text))
    problems = problems_of(world, variant, expected)
    return was_killed, [*problems, *(child.calls[-1:] if problems else [])]


def problems_of(world: ChildWorld, variant: Variant, expected: dict[str, Any]) -> list[str]:
    if len(world.runs()) != 1:
        return [f"{len(world.runs())} runs"]
    found, counts = world.faults(), world.run()["counts"]
    if counts["rejected"] != len(variant.bad):
        found.append(f"{counts['rejected']} rejected")
    if sum(counts[state] for state in ("created", "updated", "skipped")) != ROWS - len(variant.bad):
        found.append(f"not everybody is there: {counts}")
    if world.accounts() != expected:
        found.append("the directory differs")
    return found + sent_twice(world, only_what_had_no_answer=variant.text == FLAT)


def sent_twice(world: ChildWorld, *, only_what_had_no_answer: bool) -> list[str]:
    """A company with levels may have more: who passed a manager that had to be posted again is posted again as well."""
    first_level = [f"W{number:05d}" for number in range(1, 8)]
    workers = doubled(world.service, world.posts())
    return [f"{w} was sent twice" for w in workers if only_what_had_no_answer or w in first_level][:3]


@pytest.mark.parametrize("latency_ms", [0, 15, 40])
def test_two_processes_that_get_the_same_event_at_once_send_each_worker_once(lanes, latency_ms):
    world = lanes.world()
    world.entra.change(latencyMs=latency_ms)
    blob = world.drop(FLAT)
    children = [world.start_upload(blob) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    world.time_passes(400)
    world.tick()
    assert len(world.runs()) == 1
    assert world.faults() == []
    assert set(accepted_operations(world).values()) == {1}
    assert len(accepted_operations(world)) == ROWS


@pytest.mark.parametrize("latency_ms", [0, 15, 40])
def test_two_drops_of_one_job_at_once_are_sent_by_one_process_in_the_order_of_their_planning(lanes, latency_ms):
    world = lanes.world()
    world.entra.change(latencyMs=latency_ms)
    blobs = [world.drop(titled(range(1, ROWS + 1), title), f"{title}.csv") for title in ("a", "b")]
    children = [world.start_upload(blob) for blob in blobs]
    assert [child.wait() for child in children] == [0, 0]
    world.time_passes(400)
    world.tick()
    assert [world.faults(f"{title}.csv") for title in ("a", "b")] == [[], []]
    assert set(accepted_operations(world).values()) == {1}
    assert turned_back(world.service, world.posts()) == []
    newest = max(world.runs(), key=in_order)["file"].removesuffix(".csv")
    assert {account["attributes"]["jobTitle"] for account in world.accounts().values()} == {newest}


def test_a_process_that_slept_beyond_its_lease_posts_and_writes_nothing_more(lanes):
    """While it slept another one took over, and sent a newer file for the same workers too.

    Two requests, since the second goes alone as well: of several in flight some may be on their way, and nothing calls
    those back.
    """
    points = sleeping_points(lanes.world())
    assert len(points) >= 20
    found = lanes.each(points, slept_at)
    assert {point: problems for point, problems in found.items() if problems} == {}


def sleeping_points(world: ChildWorld) -> list[FaultPoint]:
    """From what is put down before the first request to the end, but for a request that is about to leave."""
    calls = world.upload(world.drop(titled(range(1, 101), "old"), "old.csv")).calls
    numbers = range(calls.index("POST graph"), len(calls) + 1)
    points = [(number, when) for number in numbers for when in ("before", "after")]
    leaving = [(number, "before") for number in numbers if calls[number - 1] == "POST graph"]
    return [FaultPoint(*point, "SIGSTOP", SLEPT) for point in points if point not in leaving]


def slept_at(world: ChildWorld, point: FaultPoint) -> list[str]:
    old = world.start_upload(world.drop(titled(range(1, 101), "old"), "old.csv"), point)
    assert old.wait() == -signal.SIGSTOP
    world.time_passes(SLEPT)
    world.upload(world.drop(titled(range(1, 101), "new"), "new.csv"))
    world.tick()
    before = what_is_there(world)
    old.wake()
    status = old.wait()
    found = [f"it ended with {status}"] if status else []
    found += [f"{what} has changed" for what, now in what_is_there(world).items() if now != before[what]]
    found += [f"{name}: {fault}" for name in ("old.csv", "new.csv") for fault in world.faults(name)]
    titles = {account["attributes"]["jobTitle"] for account in world.accounts().values()}
    if titles != {"new"} or turned_back(world.service, world.posts()):
        found.append("an older state came after a newer one")
    return found


def what_is_there(world: ChildWorld) -> dict[str, Any]:
    """What a sender that was overtaken must not touch: the requests, the records, the ledgers."""
    return {
        "posts": len(world.posts()),
        "records": world.runs(),
        "ledgers": [world.ledger(run) for run in world.runs()],
    }


def accepted_operations(world: ChildWorld) -> Counter[str]:
    """How often each operation of each run was accepted; its bulkId names both."""
    return Counter(bulk_id for post in world.posts() if post["accepted"] for bulk_id in post["bulkIds"])
