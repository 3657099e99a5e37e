"""Newer wins: each unsent row of a worker is superseded by the newest run that speaks of them, and by no other."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.sending.unsent_workers import UnsentWorkers
from tests.unit.builders import PROPERTY

ROWS = [("A", 1, 0), ("B", 1, 1), ("C", 2, 0), ("D", 2, 1)]


def superseded(
    rows: list[tuple[str, int, int]], *newer: tuple[str, list[str]]
) -> list[tuple[int, str, tuple[int, ...]]]:
    with closing(UnsentWorkers(rows)) as unsent:
        for run, workers in newer:
            unsent.newer(run, workers)
        return list(unsent.superseded())


def test_where_no_newer_run_speaks_nothing_is_superseded():
    assert superseded(ROWS) == []
    assert superseded(ROWS, ("newer", ["X", "Y"])) == []


def test_what_a_newer_run_speaks_of_is_superseded_by_it_request_by_request():
    assert superseded(ROWS, ("newer", ["D", "B", "A", "X"])) == [(1, "newer", (0, 1)), (2, "newer", (1,))]


def test_of_several_newer_runs_the_newest_is_told_first_and_counts():
    newest, older = ("newest", ["A"]), ("older", ["A", "B"])
    assert superseded(ROWS, newest, older) == [(1, "newest", (0,)), (1, "older", (1,))]


def test_every_unsent_row_of_a_worker_is_superseded():
    assert superseded([("A", 1, 0), ("A", 3, 7)], ("newer", ["A"])) == [(1, "newer", (0,)), (3, "newer", (7,))]


@pytest.mark.parametrize(("older", "newer"), [("ab12", "AB12"), ("\u00e5sa", "\u00c5SA"), ("\u00e9", "e\u0301")])
def test_keys_that_a_directory_takes_for_one_are_one_worker(older: str, newer: str):
    assert superseded([(older, 1, 0)], ("newer", [newer])) == [(1, "newer", (0,))]


@pytest.mark.parametrize("other", ["A ", "AA", "%", "A\x00"])
def test_keys_that_only_look_alike_are_two_workers(other: str):
    assert superseded([("A", 1, 0)], ("newer", [other])) == []


def test_nobody_is_left_once_newer_runs_speak_of_everybody():
    with closing(UnsentWorkers(ROWS)) as unsent:
        assert not unsent.is_empty
        unsent.newer("newest", ["A", "C"])
        assert not unsent.is_empty
        unsent.newer("older", ["B", "D"])
        assert unsent.is_empty
    with closing(UnsentWorkers([])) as nobody:
        assert nobody.is_empty


@PROPERTY
@given(
    st.lists(st.sampled_from("abcdef"), max_size=20),
    st.lists(st.lists(st.sampled_from("abcdefgh")), max_size=4),
)
def test_whoever_speaks_of_whom_every_row_has_the_newest_run_that_speaks_of_its_worker(
    workers: list[str], speaks: list[list[str]]
):
    rows = [(worker, 1 + number // 3, number % 3) for number, worker in enumerate(workers)]
    found = superseded(rows, *((f"run {9 - age}", spoken) for age, spoken in enumerate(speaks)))
    expected = {}
    for worker, request, operation in rows:
        age = next((age for age, spoken in enumerate(speaks) if worker in spoken), None)
        if age is not None:
            expected[request, operation] = f"run {9 - age}"
    assert {(request, place): run for request, run, places in found for place in places} == expected
    assert [request for request, _, _ in found] == sorted(request for request, _, _ in found)
    assert all(list(places) == sorted(set(places)) for _, _, places in found)
