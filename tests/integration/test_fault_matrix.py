"""Every fault of the API and the network at the first, a middle and the last request, alone, in bursts and together.

After each the directory is what it is without a fault, every row is accounted for, nothing was sent twice but what had
no answer, and no wait was shorter than asked. Time is virtual: waits pass in the simulator, not on the wall.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from shared import bootstrap
from shared.adapters.graph import GraphClient
from tests.integration.conftest import World
from tests.platform.accounting import run_blob
from tests.platform.answers import BUCKET_FULL
from tests.platform.hr_files import hr_csv, hr_row
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS, REQUESTS = 230, 5
FILE = hr_csv(
    *(hr_row(f"W{number:05d}", ManagerID=f"W{number // 3:05d}" if number > 2 else "") for number in range(1, ROWS + 1))
)
"""A company of five levels: the second and the third request are barriers."""
PAGE = "<!DOCTYPE html><html><body>Gateway</body></html>"
HTTP_DATE = "Sun, 06 Nov 1994 08:49:37 GMT"

FAULTS: dict[str, dict[str, Any]] = {
    "429 with a decimal wait": {"status": 429, "headers": {"Retry-After": "2.128"}},
    "429 with a long wait": {"status": 429, "headers": {"Retry-After": "150"}},
    "429 with a date in the past": {"status": 429, "headers": {"Retry-After": HTTP_DATE}},
    "429 without a wait": {"status": 429},
    "429 with nonsense": {"status": 429, "headers": {"Retry-After": "soon"}},
    "a full bucket": {"status": 500, "body": BUCKET_FULL},
    "500": {"status": 500},
    "502, a proxy's page": {"status": 502, "body": PAGE, "headers": {"Content-Type": "text/html"}},
    "503 with a wait": {"status": 503, "headers": {"Retry-After": "7"}},
    "504 after the data were taken": {"status": 504, "processed": True},
    "a connection that breaks before the request is read": {"disconnect": "beforeReading"},
    "a connection that breaks after the data were taken": {"disconnect": "afterProcessing"},
    "half an answer": {"disconnect": "halfAnswer"},
    "an expired token": {"status": 401},
    "403": {"status": 403},
    "403, a proxy's page": {"status": 403, "body": PAGE, "headers": {"Content-Type": "text/html"}},
    "404": {"status": 404},
    "408": {"status": 408},
    "413": {"status": 413},
    "415": {"status": 415},
    "418": {"status": 418},
    "a page with status 200": {"status": 200, "body": PAGE, "headers": {"Content-Type": "text/html"}},
    "202 without Location": {"status": 202, "processed": True, "headers": {}},
    "202 with a strange Location": {"status": 202, "processed": True, "headers": {"Location": "https://example.com/"}},
    "a redirect": {"redirect": "http://localhost:1/elsewhere"},
}
POSITIONS = {"first": 0, "second, before a barrier": 1, "middle": 2, "last": 4}
TAKEN_UNSEEN = ("504 after the data were taken", "a connection that breaks after the data were taken", "half an answer")

COMBINATIONS: dict[str, list[dict[str, Any]]] = {
    "a burst of 429": [{"status": 429, "times": 12, "headers": {"Retry-After": "1.5"}}],
    "a burst of 503": [{"status": 503, "times": 9}],
    "a burst of broken connections": [{"disconnect": "afterProcessing", "times": 7}],
    "a burst of full buckets": [{"status": 500, "body": BUCKET_FULL, "times": 3}],
    "many tokens refused": [{"status": 401, "times": 5}],
    "429, 503, half an answer, 401": [
        {"status": 429, "headers": {"Retry-After": "3"}},
        {"status": 503, "after": 1},
        {"disconnect": "halfAnswer", "after": 1},
        {"status": 401, "after": 2},
    ],
    "throttled while the bucket is full": [
        {"status": 500, "body": BUCKET_FULL},
        {"status": 429, "headers": {"Retry-After": "30"}, "times": 3},
    ],
    "blocked, then unavailable, then broken": [
        {"status": 403},
        {"status": 502, "times": 2},
        {"disconnect": "beforeReading", "times": 2},
    ],
    "every answer lost for a while": [{"status": 504, "processed": True, "times": 11}],
    "split while throttled": [
        {"status": 413, "after": 1},
        {"status": 429, "times": 2, "headers": {"Retry-After": "0.5"}},
        {"status": 413},
    ],
    "no token for a while": [{"on": "token", "status": 500, "times": 6}],
    "a redirect among good answers": [{"redirect": "http://localhost:1/elsewhere", "after": 2}],
}


@pytest.fixture
def quick(world) -> Iterator[Any]:
    with virtual_clock(world.entra) as clock:
        yield clock


_REFERENCE: dict[str, dict[str, Any]] = {}


@pytest.fixture
def without_faults(storage, entra, world, quick, monkeypatch) -> dict[str, dict[str, Any]]:
    """The accounts of a run that met nothing: made once, in an account of its own."""
    if not _REFERENCE:
        other = World(storage, entra, None)
        monkeypatch.setenv("HR_STORAGE", other.connection_string)
        bootstrap.connector.cache_clear()
        other.put_feed()
        other.upload(FILE)
        finish(other, quick)
        _REFERENCE.update(accounts(other))
        entra.post("reset")
        monkeypatch.setenv("HR_STORAGE", world.connection_string)
        bootstrap.connector.cache_clear()
    return _REFERENCE


def test_without_a_fault_each_request_is_posted_once(world, quick, without_faults):
    world.upload(FILE)
    finish(world, quick)
    assert [post["status"] for post in world.posts()] == [202] * REQUESTS
    assert world.run()["requests"] == requests(accepted=REQUESTS)
    assert world.faults() == []
    assert accounts(world) == without_faults
    assert len(without_faults) == ROWS


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_no_row(world, quick, fault, position, without_faults):
    world.entra.post("faults", {"on": "bulkUpload", "after": POSITIONS[position], **FAULTS[fault]})
    world.upload(FILE)
    finish(world, quick)
    check(world, without_faults, may_repeat=fault in TAKEN_UNSEEN)
    assert any(post["fault"] for post in world.posts()), "the fault met nothing"


@pytest.mark.parametrize("position", POSITIONS)
def test_an_answer_that_never_comes_costs_no_row(world, quick, position, without_faults, monkeypatch):
    monkeypatch.setattr(bootstrap, "GraphClient", partial(GraphClient, timeout=httpx.Timeout(0.4)))
    bootstrap.connector.cache_clear()
    world.entra.post("faults", {"on": "bulkUpload", "after": POSITIONS[position], "hang": 1.5})
    world.upload(FILE)
    finish(world, quick)
    check(world, without_faults, may_repeat=True)
    assert [answer["code"] for answer in answers(world) if answer["verdict"] == "unanswered"] == ["timeout"]
    assert world.run()["requests"]["repeated"] >= 1


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_bursts_and_combinations_cost_no_row(world, quick, combination, without_faults):
    world.entra.post("faults", [{"on": "bulkUpload", **fault} for fault in COMBINATIONS[combination]])
    world.upload(FILE)
    finish(world, quick)
    check(world, without_faults, may_repeat=True)


@pytest.mark.parametrize("bad", [["W00001"], ["W00230"], ["W00049", "W00050", "W00051"], ["W00100", "W00120"]])
@pytest.mark.parametrize("fault", ["429 with a decimal wait", "503 with a wait", "half an answer"])
def test_a_bad_operation_is_found_while_other_things_go_wrong(world, quick, fault, bad):
    world.entra.change(rejectExternalIds=bad)
    world.entra.post("faults", {"on": "bulkUpload", "after": 3, "times": 2, **FAULTS[fault]})
    world.upload(FILE)
    finish(world, quick)
    assert world.faults() == []
    counts = world.run()["counts"]
    assert (counts["rejected"], counts["created"] + counts["updated"] + counts["skipped"]) == (
        len(bad),
        ROWS - len(bad),
    )
    assert not set(bad) & set(world.accounts())


def finish(world, clock) -> None:
    """Ticks until nothing is left to send; where the run waits, that time passes."""
    for _ in range(40):
        run = world.run()
        if run["state"] in ("sent", "settled"):
            break
        if run["notBefore"]:
            wait = (datetime.fromisoformat(run["notBefore"]) - clock.now()).total_seconds()
            clock.sleep(max(wait, 0) + 0.5)
        world.resume()
    else:
        pytest.fail(f"the run is still {world.run()['state']}")
    world.report()


def check(world, without_faults: dict[str, dict[str, Any]], *, may_repeat: bool) -> None:
    run = world.run()
    assert world.faults() == []
    assert sum(run["counts"][state] for state in ("created", "updated", "skipped")) == ROWS
    assert accounts(world) == without_faults
    taken_twice = sum(times - 1 for times in world.accepted().values())
    unseen = [post for post in world.posts() if post["accepted"] and post["status"] != 202]
    repeated = [entry for entry in answers(world) if entry.get("status") == 202]
    passed_too_early = sum(entry["stop"] - entry["start"] for entry in repeated) - ROWS
    assert taken_twice <= sum(len(post["externalIds"]) for post in unseen) + passed_too_early
    assert may_repeat or taken_twice == passed_too_early
    assert_managers_came_first(world)
    assert run["requests"]["throttled"] == sum(post["status"] == 429 for post in world.posts())
    assert_no_wait_was_cut_short(world)


def assert_no_wait_was_cut_short(world) -> None:
    """What arrives more than half a second after an answer was begun after it, and keeps to what it asked for."""
    posts = world.posts()
    for told in posts:
        asked = told["retryAfter"]
        if asked is None or not asked.replace(".", "").isdigit():
            continue
        later = [post["epoch"] - told["epoch"] for post in posts if post["epoch"] > told["epoch"] + 0.5]
        assert all(seconds >= float(asked) for seconds in later), (asked, later[:3])


def assert_managers_came_first(world) -> None:
    """A manager who had to be posted again was taken before the last time that a report was."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for post in world.posts():
        first = dict.fromkeys(post["externalIds"], post["number"]) | first
        if post["accepted"]:
            last |= dict.fromkeys(post["externalIds"], post["number"])
    managers = {row["WorkerID"]: row["ManagerID"] for row in csv.DictReader(io.StringIO(FILE))}
    repeated = {worker for worker in last if last[worker] != first[worker]}
    assert [worker for worker, boss in managers.items() if boss in repeated and last[boss] > last[worker]] == []
    assert all(account["manager"] == (managers[worker] or None) for worker, account in world.accounts().items())


def accounts(world) -> dict[str, dict[str, Any]]:
    """What each account is like, without what differs from run to run."""
    volatile = {"created", "updated", "objectId"}
    return {key: {k: v for k, v in account.items() if k not in volatile} for key, account in world.accounts().items()}


def requests(**numbers: int) -> dict[str, int]:
    return {"planned": REQUESTS, "accepted": 0, "rejected": 0, "throttled": 0, "repeated": 0, **numbers}


def answers(world) -> list[dict[str, Any]]:
    """Every answer that the ledger has."""
    lines = map(json.loads, run_blob(world.service, world.run(), "ledger.ndjson").splitlines())
    return [line for line in lines if line["kind"] == "answer"]
