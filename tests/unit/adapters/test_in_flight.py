"""Calls side by side in threads; answers in one."""

from __future__ import annotations

import threading
import time

import pytest

from shared.adapters.in_flight import ThreadedCalls
from shared.inbound.sending.answer import Answer

ACCEPTED = Answer(202)


def collect(calls: ThreadedCalls, wanted: int) -> dict[int, Answer]:
    found: dict[int, Answer] = {}
    until = time.monotonic() + 10
    while len(found) < wanted and time.monotonic() < until:
        found.update(calls.answers(1.0))
    return found


def test_as_many_calls_run_at_once_as_the_limit_says():
    together = threading.Barrier(8)

    def call() -> Answer:
        together.wait(10)
        return ACCEPTED

    with ThreadedCalls(8) as calls:
        for key in range(8):
            calls.begin(key, call)
        assert collect(calls, 8) == dict.fromkeys(range(8), ACCEPTED)


def test_no_more_calls_run_at_once_and_the_others_have_their_turn():
    running, most, lock = 0, 0, threading.Lock()

    def call() -> Answer:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return ACCEPTED

    with ThreadedCalls(3) as calls:
        for key in range(12):
            calls.begin(key, call)
        assert len(collect(calls, 12)) == 12
    assert most == 3


def test_beginning_never_waits():
    let_go = threading.Event()

    def call() -> Answer:
        let_go.wait(10)
        return ACCEPTED

    with ThreadedCalls(1) as calls:
        begun = time.monotonic()
        for key in range(5):
            calls.begin(key, call)
        assert time.monotonic() - begun < 1
        assert calls.answers(0.01) == []
        let_go.set()
        assert len(collect(calls, 5)) == 5


def test_answers_come_under_their_keys_and_as_soon_as_the_first_is_there():
    slow = threading.Event()

    def wait() -> Answer:
        slow.wait(10)
        return Answer(503)

    with ThreadedCalls(2) as calls:
        calls.begin(7, wait)
        calls.begin(9, lambda: ACCEPTED)
        assert calls.answers(5.0) == [(9, ACCEPTED)]
        slow.set()
        assert calls.answers(5.0) == [(7, Answer(503))]


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.05])
def test_where_there_is_no_answer_the_wait_is_as_long_as_asked(seconds):
    with ThreadedCalls(1) as calls:
        begun = time.monotonic()
        assert calls.answers(seconds) == []
        assert max(seconds, 0.0) <= time.monotonic() - begun < 1


def test_what_a_call_raises_is_raised_where_answers_are_asked_for_and_no_answer_is_lost():
    done = threading.Barrier(2)

    def good() -> Answer:
        done.wait(10)
        return ACCEPTED

    def bad() -> Answer:
        done.wait(10)
        raise ZeroDivisionError

    with ThreadedCalls(2) as calls:
        calls.begin(1, good)
        calls.begin(2, bad)
        time.sleep(0.2)  # both are there by then, so they come together
        assert calls.answers(1.0) == [(1, ACCEPTED)]
        with pytest.raises(ZeroDivisionError):
            calls.answers(1.0)


def test_threads_are_named_daemons_made_with_the_first_call_and_kept():
    seen: list[threading.Thread] = []

    def call() -> Answer:
        seen.append(threading.current_thread())
        return ACCEPTED

    before = threading.active_count()
    with ThreadedCalls(5) as calls:
        assert threading.active_count() == before
        for key in range(20):
            calls.begin(key, call)
            assert calls.answers(5.0) == [(key, ACCEPTED)]
            assert threading.active_count() == before + 5
    assert {(thread.name, thread.daemon) for thread in seen} <= {(f"post-{n}", True) for n in range(1, 6)}


def test_leaving_waits_for_what_is_in_flight_begins_nothing_more_and_leaves_no_thread():
    begun, ended = [], []

    def call(key: int) -> Answer:
        begun.append(key)
        time.sleep(0.2)
        ended.append(key)
        return ACCEPTED

    before = threading.active_count()
    with ThreadedCalls(1) as calls:
        calls.begin(1, lambda: call(1))
        calls.begin(2, lambda: call(2))
        while not begun:
            time.sleep(0.01)
    assert (begun, ended) == ([1], [1])
    assert threading.active_count() == before
