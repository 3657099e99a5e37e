"""SIGKILL while a leaver's urgent file comes on top of a load with managers that is half sent.

The load waits with a request of managers unsent and the reports behind it accepted, so these are to be posted once
more after it; one leaver is among the managers, one among the reports, and nobody may be turned back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.test_crash import lanes
from tests.platform.answers import BUCKET_FULL
from tests.platform.fault_points import FaultPoint
from tests.platform.hr_files import hr_csv, hr_row
from tests.platform.sent_twice import turned_back

if TYPE_CHECKING:
    from tests.platform.child_world import ChildWorld

__all__ = ["lanes"]  # a fixture
WORKERS = [f"W{number:05d}" for number in range(1, 171)]
LOAD = hr_csv(*(hr_row(worker, ManagerID="" if worker <= "W00100" else "W00060") for worker in WORKERS))
LEAVERS = ("W00060", "W00150")
FIRST_OF_THE_REQUEST_THAT_WAITS = '"W00051"'


def test_a_process_killed_while_leavers_go_ahead_of_a_half_sent_load_turns_nobody_back_and_loses_nobody(lanes):
    calls, expected = without_a_kill(lanes.world())
    points = points_of_sending(calls)
    found = lanes.each(points, lambda world, point: killed_at(point, world, expected))
    assert {point: problems for point, (_, problems) in found.items() if problems} == {}
    assert sum(is_killed for is_killed, _ in found.values()) >= len(points) - 2, "the last ones may not come"


def points_of_sending(calls: list[str]) -> list[FaultPoint]:
    """Every fifth from just before the first line of the leavers' ledger on, and each time a request is answered.

    What comes before that is planning, which is killed elsewhere.
    """
    numbers = range(calls.index("POST graph") - 7, len(calls) + 1)
    each = [FaultPoint(number, when) for number in numbers for when in ("before", "after")]
    answered = [point for point in each if point.when == "after" and calls[point.at - 1] == "POST graph"]
    points = [*each[::5], *(point for point in answered if point not in each[::5])]
    assert len(points) >= 20
    return points


def without_a_kill(world: ChildWorld) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """The calls that it takes, and the directory afterwards."""
    child = world.upload(leavers_on_a_half_sent_load(world))
    world.time_passes(400)
    world.tick()
    expected = world.accounts()
    assert problems_of(world, expected) == []
    assert sorted(expected) == WORKERS
    assert {worker for worker, account in expected.items() if not account["accountEnabled"]} == set(LEAVERS)
    times = [worker for post in world.posts() if post["accepted"] for worker in post["externalIds"]]
    assert (times.count("W00149"), times.count("W00150")) == (2, 2), "once in the load, once as a leaver"
    assert child.calls.count("POST graph") >= 4
    return child.calls, expected


def leavers_on_a_half_sent_load(world: ChildWorld) -> str:
    """The name of the leavers' file, of which nobody has heard yet; the load may go on by now."""
    waits = {"on": "bulkUpload", "containing": FIRST_OF_THE_REQUEST_THAT_WAITS, "status": 500, "body": BUCKET_FULL}
    world.entra.post("faults", waits)
    world.upload(world.drop(LOAD, "load.csv"))
    load = world.run("load.csv")
    assert (load["reason"]["code"], load["counts"]["accepted"]) == ("bucketFull", len(WORKERS) - 50)
    feed = world.service.get_blob_client("feeds", "contoso.yaml").download_blob().readall()
    world.service.get_blob_client("feeds", "leavers.yaml").upload_blob(feed + b"\npriority: urgent\n")
    world.texts["leavers.csv"] = hr_csv(*(hr_row(worker, WorkerStatus="Terminated") for worker in LEAVERS))
    name = "leavers/leavers.csv"
    world.service.get_blob_client("hr-drop", name).upload_blob(world.texts["leavers.csv"].encode())
    world.time_passes(700)
    return name


def killed_at(point: FaultPoint, world: ChildWorld, expected: dict[str, dict[str, Any]]) -> tuple[bool, list[str]]:
    was_killed, child = world.upload_killed_at(point, leavers_on_a_half_sent_load(world))
    problems = problems_of(world, expected)
    return was_killed, [*problems, *(child.calls[-1:] if problems else [])]


def problems_of(world: ChildWorld, expected: dict[str, dict[str, Any]]) -> list[str]:
    found = [f"{name}: {fault}" for name in ("load.csv", "leavers.csv") for fault in world.faults(name)]
    found += [f"{worker} was turned back" for worker in turned_back(world.service, world.posts())]
    if (superseded := world.run("load.csv")["counts"]["superseded"]) != 1:
        found.append(f"{superseded} rows of the load were superseded, not the one manager's")
    if world.accounts() != expected:
        found.append("the directory differs")
    return found
