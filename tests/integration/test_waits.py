"""No wait is shorter than asked, whoever ends the session meanwhile."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from shared.bootstrap import connector
from shared.inbound.sending.ledger_entry import AnswerEntry
from shared.workflows.ledger_log import LedgerLog
from tests.integration.waiting_runs import cancel, error_codes
from tests.platform.answers import BUCKET_FULL
from tests.platform.hr_files import hr_csv, workers
from tests.platform.storage_faults import Calls, storage_fault
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shared.inbound.sending.ledger_entry import Entry
    from tests.integration.conftest import World
    from tests.platform.virtual_clock import VirtualClock

ASKED = 50.0
THROTTLED = {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": f"{ASKED:.0f}"}}


@pytest.fixture
def clock(world: World) -> Iterator[VirtualClock]:
    with virtual_clock(world.entra) as running:
        yield running


def as_it_rests(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Something happens as the sender lies down for the first time."""
    sleep, to_come = clock.sleep, [happens]

    def nap(seconds: float) -> None:
        sleep(seconds)
        if to_come:
            to_come.pop()()

    monkeypatch.setattr(clock, "sleep", nap)


def wait_between_the_first_two_posts(world: World) -> float:
    first, second, *_ = (post["epoch"] for post in world.posts())
    return float(second - first)


def test_another_run_that_comes_first_has_to_wait_as_well(world, clock, monkeypatch):
    world.put_feed(world.feed("priority: urgent"), "leavers")
    leavers = hr_csv(*workers(1, first=500))
    as_it_rests(clock, monkeypatch, lambda: world.host.blob_created(world.drop(leavers, "leavers.csv", "leavers")))
    world.entra.post("faults", THROTTLED)
    world.upload(hr_csv(*workers(3)))
    assert wait_between_the_first_two_posts(world) >= ASKED
    world.resume()
    assert {run["state"] for run in world.runs()} == {"sent"}


@pytest.fixture
def sigterm() -> Iterator[Callable[[], None]]:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connector.cache_clear()
    yield lambda: signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)


def test_a_process_that_is_told_to_end_passes_the_wait_on(world, sigterm, clock, monkeypatch):
    as_it_rests(clock, monkeypatch, sigterm)
    world.entra.post("faults", THROTTLED)
    run = world.upload(hr_csv(*workers(3)))
    assert (run["state"], run["reason"]) == ("sending", None)
    assert_the_next_process_waits(world, clock, run)


class Killed(BaseException):
    """What a killed process would not live to see."""


def test_a_process_that_is_killed_has_left_word_of_the_wait(world, clock, monkeypatch):
    def kill() -> None:
        raise Killed

    as_it_rests(clock, monkeypatch, kill)
    world.entra.post("faults", THROTTLED)
    with pytest.raises(Killed):
        world.upload(hr_csv(*workers(3)))
    assert_the_next_process_waits(world, clock, world.run())


def assert_the_next_process_waits(world: World, clock: VirtualClock, run: dict[str, Any]) -> None:
    """Also with another run of the job, which knows nothing of the wait."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connector.cache_clear()
    world.later()
    world.upload(hr_csv(*workers(2, first=500)), "another.csv")
    world.resume()
    assert len(world.posts()) == 1
    clock.sleep((datetime.fromisoformat(run["notBefore"]) - clock.now()).total_seconds())
    world.resume()
    assert wait_between_the_first_two_posts(world) >= ASKED
    assert {run["state"] for run in world.runs()} == {"sent"}


LONG = 600.0
ONE_IS_THROTTLED = {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": f"{LONG:.0f}"}}
ONE_IS_THROTTLED_ONE_IS_SLOW = [
    {"containing": '"W00051"', **ONE_IS_THROTTLED},
    {"on": "bulkUpload", "containing": '"W00101"', "hang": 3},
]
"""Of two requests in flight; the others are answered at once."""


def assert_nothing_was_posted_before_the_long_wait_was_over(world: World, clock: VirtualClock) -> None:
    asked_at = next(post["epoch"] for post in world.posts() if post["status"] == 429)
    posts = len(world.posts())
    for _ in range(8):
        clock.sleep(100)
        world.resume()
    assert world.posts()[posts]["epoch"] - asked_at >= LONG
    assert {run["state"] for run in world.runs()} == {"sent"}


@pytest.mark.parametrize(
    ("faults", "rows", "appends"),
    [(ONE_IS_THROTTLED, 3, 1), (ONE_IS_THROTTLED_ONE_IS_SLOW, 120, 4)],
    ids=["its own answer", "another answer"],
)
def test_a_long_wait_is_kept_where_an_answer_can_not_be_put_down(world, clock, faults, rows, appends):
    """The ledger takes what is begun, of three requests also the answers before the last; then no more for a while."""
    world.entra.post("faults", faults)
    with storage_fault("500", Calls("PUT", "comp=appendblock"), after=appends, times=99) as fault:
        run = world.upload(hr_csv(*workers(rows)))
    assert fault.struck
    assert run["reason"]["code"] == "sendingFailed"
    assert_nothing_was_posted_before_the_long_wait_was_over(world, clock)


def test_a_long_wait_is_known_to_the_next_process_although_another_answer_was_still_to_come(world, clock, monkeypatch):
    world.entra.post("faults", ONE_IS_THROTTLED_ONE_IS_SLOW)
    add = LedgerLog.add

    def kill(self: LedgerLog, entries: Iterable[Entry]) -> None:
        some = list(entries)
        if any(isinstance(entry, AnswerEntry) and entry.request == 3 for entry in some):
            raise Killed
        add(self, some)

    with monkeypatch.context() as patched:
        patched.setattr(LedgerLog, "add", kill)
        with pytest.raises(Killed):
            world.upload(hr_csv(*workers(120)))
    assert_nothing_was_posted_before_the_long_wait_was_over(world, clock)


def test_a_wait_outlives_the_run_that_was_told_of_it(world, clock):
    world.entra.post("faults", ONE_IS_THROTTLED)
    world.upload(hr_csv(*workers(3)), "wrong.csv")
    world.later()
    world.upload(hr_csv(*workers(3, first=10)), "right.csv")
    cancel(world, "wrong.csv")
    world.resume()
    assert (world.run("wrong.csv")["state"], world.run("wrong.csv")["counts"]["superseded"]) == ("sent", 3)
    assert_nothing_was_posted_before_the_long_wait_was_over(world, clock)
    assert set(world.accounts()) == {"W00010", "W00011", "W00012"}


def test_what_needs_a_person_is_no_wait_of_the_job_once_that_person_has_cancelled_the_run(world, clock):
    """The permission is granted meanwhile; without the cancel both runs would wait for the rest of the hour."""
    world.entra.post("faults", {"on": "bulkUpload", "status": 403})
    assert world.upload(hr_csv(*workers(3)), "wrong.csv")["reason"]["code"] == "forbidden"
    world.later()
    assert world.upload(hr_csv(*workers(3, first=10)), "right.csv")["state"] == "planned"
    cancel(world, "wrong.csv")
    world.resume()
    assert (world.run("wrong.csv")["state"], world.run("right.csv")["state"]) == ("sent", "sent")
    assert world.upload(hr_csv(*workers(1, first=20)), "next.csv")["state"] == "sent"
    assert set(world.accounts()) == {"W00010", "W00011", "W00012", "W00020"}


def test_a_cancelled_run_that_waited_for_calls_of_the_day_lets_an_urgent_one_use_the_reserve(world, clock, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "2")
    monkeypatch.setenv("BULK_REQUESTS_RESERVED_PER_DAY", "1")
    connector.cache_clear()
    world.put_feed(world.feed("priority: urgent"), "leavers")
    assert world.upload(hr_csv(*workers(60)), "wrong.csv")["reason"]["code"] == "dailyQuota"
    cancel(world, "wrong.csv")
    world.resume()
    assert (world.run("wrong.csv")["state"], world.run("wrong.csv")["notBefore"]) == ("sent", None)
    assert world.upload(hr_csv(*workers(1, first=500)), "leavers.csv", "leavers")["state"] == "sent"


def test_a_ledger_that_can_not_be_appended_to_costs_no_calls_of_the_day_and_is_told_once(world, clock):
    """A blob that somebody has copied back is no append blob any more."""
    world.entra.post("faults", {"on": "bulkUpload", "after": 1, "status": 500, "body": BUCKET_FULL})
    run = world.upload(hr_csv(*workers(120)))
    posts, calls = len(world.posts()), world.calls_of_the_day()
    ledger = world.service.get_blob_client("runs", f"contoso/{run['run']}/ledger.ndjson")
    content = ledger.download_blob().readall()
    ledger.delete_blob()
    ledger.upload_blob(content)
    clock.sleep(1000)
    for _ in range(12):
        world.resume()
        clock.sleep(61)
    assert (len(world.posts()), world.calls_of_the_day()) == (posts, calls)
    assert error_codes(world) == [("run.blocked", "sendingFailed")]


def test_a_cancelled_run_that_can_not_be_marked_holds_up_no_other(world, clock):
    world.entra.change(jobStatus="Paused")
    run = world.upload(hr_csv(*workers(3)), "wrong.csv")
    world.service.get_blob_client("runs", f"contoso/{run['run']}/ledger.ndjson").upload_blob(b"")
    cancel(world, "wrong.csv")
    world.later()
    world.upload(hr_csv(*workers(3, first=10)), "right.csv")
    world.entra.change(jobStatus="Active")
    clock.sleep(400)
    world.resume()
    assert world.run("right.csv")["state"] == "sent"
    assert set(world.accounts()) == {"W00010", "W00011", "W00012"}
    assert ("run.notCancelled", "") in error_codes(world)
