"""Attempts at planning are counted whoever comes in between, and what is told of them is what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.run.drop import Drop
from shared.workflows.attempts import MOST_ATTEMPTS, Attempts
from tests.unit.workflows.virtual_time import NOON, MemoryStore, Time, VirtualClock

DROP = Drop("contoso/workers.csv", '"0x1"', NOON, 100)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def attempts(store: MemoryStore, time: Time):
    """What the next process makes of the blob that the last one left."""
    return lambda: Attempts(DROP, store, VirtualClock(time))


def blob(store: MemoryStore) -> dict:
    (found,) = store.blobs.values()
    return json.loads(found.content)


def test_the_fifth_attempt_is_the_last(attempts):
    for _ in range(MOST_ATTEMPTS):
        assert not attempts().are_used_up
        attempts().begin()
    assert attempts().are_used_up


def test_it_is_tried_as_often_as_the_host_delivers_an_event():
    host = json.loads((Path(__file__).parents[3] / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["blobs"]["poisonBlobThreshold"] == MOST_ATTEMPTS


def test_the_count_says_when_it_was_tried_first_and_last(attempts, store, time):
    for seconds in (0, 30, 60):
        time.seconds = seconds
        attempts().begin()
    assert blob(store)["begun"] == 3
    assert (blob(store)["firstBegunAt"], blob(store)["lastBegunAt"]) == ("2026-09-01T12:00:00Z", "2026-09-01T12:01:00Z")


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (["dies"] * 5, "5 attempts ended with the end of its process (killed, out of memory)."),
        (["raises"] * 5, "5 attempts ended with an unexpected error (KeyError)."),
        (
            ["dies", "raises", "dies"],
            "3 attempts ended with an unexpected error (the last one: KeyError) or with the end of its process "
            "(killed, out of memory).",
        ),
        (["does not count", "raises"], "1 attempts ended with an unexpected error (KeyError)."),
    ],
)
def test_the_reason_tells_how_the_attempts_ended_and_nothing_of_an_errors_text(attempts, store, ends, told):
    for end in ends:
        attempt = attempts()
        attempt.begin()
        if end == "raises":
            attempt.failed(KeyError("Ana Silva"))
        if end == "does not count":
            attempt.does_not_count()
    reason = attempts().reason()
    assert told in reason.message
    assert "Ana" not in reason.message + reason.advice + json.dumps(blob(store))


@pytest.mark.parametrize(("end", "begun", "raised"), [("failed", 2, 1), ("does_not_count", 1, 0)])
def test_one_who_was_overtaken_takes_nothing_from_the_count_of_the_other(attempts, store, end, begun, raised):
    overtaken, other = attempts(), attempts()
    overtaken.begin()
    other.begin()
    getattr(overtaken, end)(*[ValueError()] * (end == "failed"))
    assert (blob(store)["begun"], blob(store)["raised"]) == (begun, raised)


def test_a_count_that_can_not_be_read_begins_anew(attempts, store):
    attempts().begin()
    store.put(next(iter(store.blobs)), b"not JSON")
    attempts().begin()
    assert blob(store)["begun"] == 1
