"""Storage answers 503, 500, 412, 409, breaks off, or lacks a container, at each place where a run writes or reads."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

import pytest

from shared.bootstrap import connector
from shared.errors import ConfigurationError
from tests.platform.child_world import break_leases
from tests.platform.hr_files import hr_csv, workers
from tests.platform.storage_faults import storage_fault
from tests.platform.virtual_clock import virtual_clock

ROWS = 230
FILE = hr_csv(*workers(ROWS))
PLACES: dict[str, tuple[str, str]] = {
    "the ledger": ("PUT", "ledger.ndjson"),
    "run.json": ("PUT", "run.json"),
    "the plan": ("PUT", "requests/0001"),
    "the planning lock": ("PUT", "planning.lock"),
    "the job's lock": ("PUT", "/lock"),
    "the pace": ("PUT", "pace.json"),
    "the quota": ("PUT", "quota.json"),
    "reading the ledger": ("GET", "ledger.ndjson"),
    "reading the plan": ("GET", "requests/0001"),
    "listing runs": ("GET", "/runs?"),
    "reading the drop": ("GET", "/hr-drop/contoso"),
}
KINDS = ("503 ServerBusy", "500", "412", "409 lease", "broken before", "broken after")
LASTS = {"once": 1, "longer than the SDK tries": 9}


@pytest.fixture
def quick(world):
    with virtual_clock(world.entra) as clock:
        yield clock


@pytest.mark.parametrize("after", [0, 2], ids=["at first", "later"])
@pytest.mark.parametrize("lasts", LASTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_fault_of_storage_loses_and_turns_back_nobody(world, quick, place, kind, lasts, after):
    name = world.drop(FILE)
    method, where = PLACES[place]
    with storage_fault(kind, method, where, after=after, times=LASTS[lasts]):
        for _ in range(3):
            try:
                world.host.blob_created(name)
                break
            except Exception:  # noqa: BLE001 - the host would deliver the event once more
                continue
        with contextlib.suppress(Exception):
            world.host.fire("resume_uploads")
    come_to_an_end(world, quick)
    assert world.faults() == []
    accepted = world.accepted()
    assert len(accepted) == ROWS
    unrecorded = world.run()["requests"]["repeated"] * 50
    assert sum(times - 1 for times in accepted.values()) <= unrecorded
    assert sum(world.run()["counts"][state] for state in ("created", "updated", "skipped")) == ROWS


def come_to_an_end(world, clock) -> None:
    """The fault is over; ticks, and the time for which the run waits, do the rest."""
    connector.cache_clear()
    break_leases(world.service)
    clock.sleep(400)
    for _ in range(8):
        world.resume()
        run: dict[str, Any] = world.run()
        if run["state"] in ("sent", "settled"):
            break
        wait = (datetime.fromisoformat(run["notBefore"]) - clock.now()).total_seconds() if run["notBefore"] else 40.0
        clock.sleep(max(wait, 0.0) + 1.0)
    world.report()


@pytest.mark.parametrize("container", ["runs", "feeds", "hr-drop"])
def test_a_container_that_is_missing_is_named_and_nothing_is_lost(world, container):
    name = world.drop(FILE)
    world.service.delete_container(container)
    with pytest.raises(ConfigurationError, match=f"no container {container}; infra/ creates it"):
        world.host.blob_created(name)
    world.service.create_container(container)
    world.put_feed()
    name = world.drop(FILE)
    with virtual_clock(world.entra) as clock:
        world.host.blob_created(name)
        come_to_an_end(world, clock)
    assert world.faults() == []
    assert len(world.accepted()) == ROWS
