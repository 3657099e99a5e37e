"""Orders that change again and again, and doubt that outlives what ends a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.workflows.sending import Sending
from tests.integration.waiting_runs import old_run, refuse_old_rows
from tests.platform.answers import BUCKET_FULL
from tests.platform.hr_files import hr_csv, workers
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import World
    from tests.platform.virtual_clock import VirtualClock


class EndlessError(Exception):
    """Looked three hundred times."""


@pytest.fixture
def clock(world: World) -> Iterator[VirtualClock]:
    with virtual_clock(world.entra) as running:
        yield running


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Sending], None]], None]:
    """Something happens each time a sender looks whether the order has changed."""

    def each_time(happens: Callable[[Sending], None]) -> None:
        marker, count = Sending._order_marker, iter(range(300))

        def look(self: Sending) -> str | None:
            if next(count, None) is None:
                raise EndlessError
            happens(self)
            return marker(self)

        monkeypatch.setattr(Sending, "_order_marker", look)

    return each_time


def change_the_order(sending: Sending) -> None:
    sending.outside.store.put("state", f"jobs/{sending.job_id}/planned", sending.outside.new_id().encode())


@pytest.mark.parametrize("is_behind_another", [False, True])
def test_an_order_that_changes_at_every_look_stops_nothing(world, clock, looks, is_behind_another):
    """As where files are dropped one after the other; also behind a run that only waits."""
    if is_behind_another:
        old_run(world)
    looks(change_the_order)
    posts = len(world.posts())
    world.upload(hr_csv(*workers(3, first=500)), "new.csv")
    assert len(world.posts()) == posts + 1


def doubted_run(world: World, clock: VirtualClock) -> int:
    """A run that the API refused row after row, and whose next session comes now; how many rows it has refused."""
    old_run(world)
    refuse_old_rows(world)
    clock.sleep(3700)
    return int(world.run("old.csv")["counts"]["rejected"])


def test_doubt_outlives_a_change_of_order(world, clock, looks, monkeypatch):
    monkeypatch.setattr("shared.workflows.send_run._LOOK_EVERY_SECONDS", 0.0)
    before, posts = doubted_run(world, clock), len(world.posts())
    to_come = [change_the_order]
    looks(lambda sending: to_come.pop()(sending) if to_come and len(world.posts()) > posts else None)
    world.resume()
    assert not to_come
    assert world.run("old.csv")["counts"]["rejected"] - before == 2


def test_doubt_outlives_a_setback(world, clock):
    before = doubted_run(world, clock)
    world.entra.control.delete("faults")
    world.entra.post("faults", {"on": "bulkUpload", "status": 500, "body": BUCKET_FULL})
    world.resume()
    assert world.run("old.csv")["reason"]["code"] == "bucketFull"
    refuse_old_rows(world)
    clock.sleep(700)
    world.resume()
    assert world.run("old.csv")["reason"]["code"] == "everythingRejected"
    assert world.run("old.csv")["counts"]["rejected"] - before == 2
