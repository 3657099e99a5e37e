"""Managers first, on plain numbers: every row has one place, after its manager's."""

from __future__ import annotations

import time
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.planning.manager_order import NOBODY, NOT_SENT, give_levels, in_order_of_levels
from tests.unit.builders import PROPERTY


def ordered(*managers: int) -> tuple[list[int], list[int]]:
    """The rows in their order, and those that were freed from a circle."""
    rows = array("i", managers)
    freed = give_levels(rows)
    assert [row for row, level in enumerate(rows) if level < 1] == [
        r for r, boss in enumerate(managers) if boss == NOT_SENT
    ]
    return list(in_order_of_levels(rows)), freed


@pytest.mark.parametrize(
    ("managers", "order"),
    [
        ([], []),
        ([NOBODY], [0]),
        ([NOT_SENT], []),
        ([NOBODY, NOBODY, NOBODY], [0, 1, 2]),
        ([1, 2, NOBODY], [2, 1, 0]),
        ([2, 2, NOBODY, 0], [2, 0, 1, 3]),
        ([NOBODY, 0, NOBODY, 2, 1], [0, 2, 1, 3, 4]),
        ([2, NOT_SENT, NOBODY], [2, 0]),
    ],
)
def test_rows_go_by_level_and_then_in_the_files_order(managers: list[int], order: list[int]):
    assert ordered(*managers) == (order, [])


@pytest.mark.parametrize(
    ("managers", "freed"),
    [
        ([0], [0]),
        ([1, 0], [0]),
        ([2, 0, 1], [0]),
        ([1, 2, 1], [1]),
        ([3, 3, 1, 2], [1]),
        ([1, 0, 3, 2], [0, 2]),
        ([NOBODY, 2, 1, 1, 3], [1]),
    ],
)
def test_the_first_row_of_each_circle_goes_before_its_manager(managers: list[int], freed: list[int]):
    order, found = ordered(*managers)
    assert sorted(found) == freed
    assert_managers_first(managers, order, found)


def assert_managers_first(managers: list[int], order: list[int], freed: list[int]) -> None:
    place = {row: number for number, row in enumerate(order)}
    assert sorted(order) == [row for row, manager in enumerate(managers) if manager != NOT_SENT]
    for row in order:
        if managers[row] >= 0:
            assert (place[managers[row]] < place[row]) is (row not in freed)


@PROPERTY
@given(st.data(), st.integers(1, 40))
def test_any_company_is_in_order_but_for_one_row_of_each_circle(data: st.DataObject, count: int):
    sent = [row for row in range(count) if data.draw(st.integers(0, 9))]
    boss = st.sampled_from([NOBODY, *sent])
    managers = [data.draw(boss) if row in sent else NOT_SENT for row in range(count)]
    order, freed = ordered(*managers)
    assert_managers_first(managers, order, freed)
    assert sorted(freed) == circles(managers)


def circles(managers: list[int]) -> list[int]:
    """The first row of each circle, found by walking from every row."""
    found = set()
    for row in range(len(managers)):
        above = managers[row]
        seen = set()
        while above >= 0 and above != row and above not in seen:
            seen.add(above)
            above = managers[above]
        if above == row:
            found.add(min({row, *seen}))
    return sorted(found)


@pytest.mark.parametrize(
    "managers",
    [
        [*range(1, 300_000), NOBODY],
        [NOBODY, *range(299_999)],
        [*range(1, 300_000), 0],
        [row ^ 1 for row in range(300_000)],
        [NOBODY, *[0] * 299_999],
    ],
    ids=["a chain upwards", "a chain downwards", "one circle", "circles of two", "all under one"],
)
def test_odd_companies_take_time_in_proportion(managers: list[int]):
    begun = time.process_time()
    order, _ = ordered(*managers)
    assert len(order) == 300_000
    assert time.process_time() - begun < 5


def test_whoever_must_not_wait_too_long_is_called_while_it_works():
    called = []
    give_levels(array("i", [NOBODY]) * 350_000, lambda: called.append(1))
    assert len(called) >= 3
