"""The working set: managers first, nobody lost, nobody doubled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.planning.working_set import WorkingSet
from shared.inbound.reading.row_batch import RowProblem
from tests.unit.builders import PROPERTY, MappedRow, arranged, batches, planned_rows, problem, worker

if TYPE_CHECKING:
    from collections.abc import Callable


def planned_lines(working_set: WorkingSet) -> list[int]:
    return [row.line for row in planned_rows(working_set)]


def set_aside(working_set: WorkingSet) -> list[tuple[int, str]]:
    return [(found.line, found.code) for found in problems(working_set)]


def problems(working_set: WorkingSet) -> list[RowProblem]:
    """Of rows that are set aside or left out, by line."""
    unsent = (*working_set.set_aside(), *working_set.excluded())
    return sorted((found for row in unsent for found in row.problems), key=lambda found: found.line)


def external_ids(working_set: WorkingSet) -> list[str]:
    return [orjson.loads(row.external_id) for row in planned_rows(working_set)]


def test_rows_without_managers_keep_the_files_order():
    assert planned_lines(arranged(*(worker(line) for line in (2, 3, 5, 9)))) == [2, 3, 5, 9]


def test_what_goes_in_comes_out_as_json():
    (row,) = planned_rows(arranged(worker(2, "W2", displayName="Zoë", active=False)))
    assert (row.number, row.line, row.external_id) == (0, 2, b'"W2"')
    assert orjson.loads(row.user) == {"externalId": "W2", "displayName": "Zoë", "active": False}


def test_a_key_that_looks_like_a_number_stays_text():
    rows = arranged(worker(2, "007"), worker(3, "7"), worker(4, "7.0"), worker(5, "1e1"), worker(6, "10"))
    assert external_ids(rows) == ["007", "7", "7.0", "1e1", "10"]


def test_a_manager_goes_before_their_reports():
    assert planned_lines(arranged(worker(2, "A", "B"), worker(3, "B", "C"), worker(4, "C"))) == [4, 3, 2]


def test_it_tells_where_reports_of_those_before_begin():
    rows = arranged(worker(2, "A", "B"), worker(3, "B", "C"), worker(4, "C"), worker(5, "D"), worker(6, "E", "C"))
    assert planned_lines(rows) == [4, 5, 3, 6, 2]
    assert list(rows.level_starts()) == [2, 4]


@pytest.mark.parametrize("rows", [[], [worker(2)], [worker(2), worker(3, "B", "not here")]])
def test_without_managers_there_is_one_level(rows: list[MappedRow]):
    assert list(arranged(*rows).level_starts()) == []


def test_a_manager_whose_key_is_written_in_other_letter_case_goes_first_too():
    assert planned_lines(arranged(worker(2, "a", "BOSS"), worker(3, "Boss"))) == [3, 2]


def test_a_manager_who_is_not_in_the_file_holds_nobody_up():
    rows = arranged(worker(2, "A", "Z"), worker(3, "B", "A"), *(worker(n, f"X{n}", "Z") for n in range(4, 20)))
    assert planned_lines(rows) == [2, *range(4, 20), 3]
    assert rows.manager_not_in_file() == (17, [2, *range(4, 13)])


def test_a_manager_who_is_set_aside_counts_as_not_in_the_file():
    rows = arranged(worker(2, "A", "B"), worker(3, "B", title="x"), worker(4, "B", title="y"), [problem(5)])
    assert planned_lines(rows) == [2]
    assert rows.manager_not_in_file() == (1, [2])


def test_no_manager_is_missed_where_nobody_names_one():
    assert arranged(worker(2)).manager_not_in_file() == (0, [])


def test_an_empty_working_set_plans_nothing():
    rows = arranged()
    assert (planned_lines(rows), set_aside(rows), rows.planned_count(), rows.set_aside_count()) == ([], [], 0, 0)


# Circles


@pytest.mark.parametrize(
    ("managers", "first"),
    [
        ({"A": "B", "B": "A"}, [2]),
        ({"A": "B", "B": "C", "C": "A"}, [2]),
        ({"A": "A"}, [2]),
        ({"X": "A", "A": "B", "B": "A"}, [3]),
        ({"A": "B", "B": "A", "C": "D", "D": "C"}, [2, 4]),
        ({"R": None, "A": "B", "B": "A", "X": "R"}, [3]),
    ],
)
def test_of_a_circle_of_managers_one_goes_first_and_is_told_of(managers: dict[str, str | None], first: list[int]):
    company = [worker(line, key, boss) for line, (key, boss) in enumerate(managers.items(), start=2)]
    rows = arranged(*company)
    assert rows.in_circles() == first
    assert sorted(planned_lines(rows)) == [row.line for row in company]
    assert_managers_first(rows, company)


def test_without_a_circle_none_is_told_of():
    assert arranged(worker(2, "A", "B"), worker(3, "B")).in_circles() == []


def test_whoever_must_not_wait_too_long_is_called_while_it_works():
    called = []
    rows = WorkingSet()
    rows.load(batches(worker(n, f"W{n}", f"W{n - 1}") for n in range(2, 52)))
    rows.arrange(lambda: called.append(1))
    assert len(called) >= 4
    assert rows.planned_count() == 50


def test_whoever_must_not_wait_too_long_can_end_the_work():
    rows = WorkingSet()
    rows.load(batches([worker(2)]))
    with pytest.raises(TimeoutError), rows:
        rows.arrange(lambda: (_ for _ in ()).throw(TimeoutError))


# Doubles


def test_of_rows_that_say_the_same_the_first_is_sent():
    rows = arranged(worker(2, "A", title="x"), worker(3), worker(4, "A", title="x"), worker(5, "A", title="x"))
    assert planned_lines(rows) == [2, 3]
    assert set_aside(rows) == [(4, "repeatedRow"), (5, "repeatedRow")]
    assert (rows.set_aside_count(), rows.excluded_count()) == (0, 2)
    assert all("line 2" in found.message for found in problems(rows))


def test_of_rows_that_contradict_each_other_none_is_sent():
    rows = arranged(worker(2, "A", title="x"), worker(3), worker(4, "A", title="y"), worker(5, "A", title="x"))
    assert planned_lines(rows) == [3]
    assert set_aside(rows) == [(line, "duplicateExternalId") for line in (2, 4, 5)]
    first, *_ = problems(rows)
    assert "lines 4, 5" in first.message


def test_keys_that_differ_in_letter_case_only_are_one_worker():
    rows = arranged(worker(2, "w7a"), worker(3, "W7A"))
    assert set_aside(rows) == [(2, "duplicateExternalId"), (3, "duplicateExternalId")]


@pytest.mark.parametrize(("one", "other"), [("Ö7", "ö7"), ("e\u0301", "é"), ("Ａ7", "a7"), ("STRASSE", "straße")])
def test_keys_that_a_directory_takes_for_one_are_one_worker(one: str, other: str):
    rows = arranged(worker(2, one), worker(3, other), worker(4, "B", other))
    assert planned_lines(rows) == [4]
    assert [found.external_id for found in problems(rows)] == [one, other]
    assert planned_lines(arranged(worker(2, "B", one), worker(3, other))) == [3, 2]


@pytest.mark.parametrize(("one", "other"), [("007", "7"), ("a", "á"), ("A-1", "A1"), ("A 1", "A1"), ("0", "O")])
def test_other_keys_are_other_workers(one: str, other: str):
    assert planned_lines(arranged(worker(2, one), worker(3, other))) == [2, 3]


def test_a_row_whose_key_can_not_be_read_is_nobodys_double():
    assert planned_lines(arranged(worker(2, "A"), [problem(3)], [problem(4, external_id="B")])) == [2]


def test_a_worker_of_whom_another_row_is_set_aside_is_not_sent_either():
    rows = arranged(worker(2, "A"), [problem(3, external_id="a")], worker(4, "B"), worker(5, "A"))
    assert planned_lines(rows) == [4]
    assert set_aside(rows) == [(2, "duplicateExternalId"), (3, "unknownStatus"), (5, "duplicateExternalId")]
    first, *_ = problems(rows)
    assert "line 3" in first.message


def test_a_problem_says_whose_row_it_is():
    rows = arranged(worker(2, "A", title="x"), worker(3, "A", title="y"), worker(4, "B"), worker(5, "B"))
    assert [(found.line, found.external_id) for found in problems(rows)] == [(2, "A"), (3, "A"), (5, "B")]


def test_many_other_lines_are_summed_up():
    rows = arranged(*(worker(line, "A", title=str(line)) for line in range(2, 12)))
    first, *_ = problems(rows)
    assert "lines 3, 4, 5, 6, 7 and 4 more lines" in first.message


# Set aside


def test_a_row_with_two_problems_is_one_row_that_is_set_aside():
    rows = arranged([problem(3)], worker(4), [problem(7, "B", "blank"), problem(7, "A", "dateFormat")])
    assert [(p.line, p.column) for p in problems(rows)] == [(3, "WorkerStatus"), (7, "B"), (7, "A")]
    assert (rows.set_aside_count(), rows.planned_count()) == (2, 1)


def test_a_problem_comes_out_as_it_went_in():
    whole = RowProblem(2, None, "tooFewCells", "m", "a", "W2")
    assert problems(arranged([whole])) == [whole]


def test_more_rows_than_one_batch_come_through():
    rows = arranged(*(worker(n) if n % 2 else [problem(n)] for n in range(2, 10_002)))
    assert (rows.planned_count(), rows.set_aside_count()) == (5000, 5000)


# The whole promise


@st.composite
def files(draw: st.DrawFn) -> list[MappedRow | list[RowProblem]]:
    """Rows with a few keys in two letter cases: doubles, contradictions, circles, orphans, problems."""
    keys = st.sampled_from([f"{letter}{number}" for letter in "aA" for number in range(8)])
    rows: list[MappedRow | list[RowProblem]] = []
    for line in range(2, 2 + draw(st.integers(0, 14))):
        if draw(st.integers(0, 9)) == 0:
            key = draw(st.one_of(st.none(), keys))
            rows.append([problem(line, external_id=key)] * draw(st.integers(1, 2)))
        else:
            boss = draw(st.one_of(st.none(), keys, st.just("gone")))
            rows.append(worker(line, draw(keys), boss, title=draw(st.sampled_from(["x", "x", "y"]))))
    return rows


def assert_managers_first(working_set: WorkingSet, rows: list[Any]) -> None:
    by_line = {row.line: row for row in rows if isinstance(row, MappedRow)}
    order = planned_lines(working_set)
    position = {by_line[line].external_id.casefold(): place for place, line in enumerate(order)}
    assert len(position) == len(order)
    for line in set(order) - set(working_set.in_circles()):
        boss = by_line[line].manager
        if boss is not None and boss.casefold() in position:
            assert position[boss.casefold()] < position[by_line[line].external_id.casefold()]


@PROPERTY
@given(files())
def test_nobody_is_lost_nobody_doubled_and_managers_go_first(rows: list[MappedRow | list[RowProblem]]):
    working_set = arranged(*rows)
    aside = {found.line for found in problems(working_set)}
    assert sorted([*planned_lines(working_set), *aside]) == list(range(2, 2 + len(rows)))
    assert sum((working_set.planned_count(), working_set.set_aside_count(), working_set.excluded_count())) == len(rows)
    assert_managers_first(working_set, rows)
    doubtful = {p.external_id.casefold() for p in problems(working_set) if p.external_id and p.code != "repeatedRow"}
    assert not doubtful & {key.casefold() for key in external_ids(working_set)}


@PROPERTY
@given(st.lists(st.integers(0, 14), min_size=1, max_size=15))
def test_every_circle_is_told_of_once_and_nobody_else(bosses: list[int]):
    rows = [worker(n + 2, f"W{n}", f"W{boss}") for n, boss in enumerate(bosses)]
    circles = set()
    for start in range(len(bosses)):
        chain: list[int] = []
        n = start
        while n < len(bosses) and n not in chain:
            chain.append(n)
            n = bosses[n]
        if n in chain:
            circles.add(min(chain[chain.index(n) :]) + 2)
    assert arranged(*rows).in_circles() == sorted(circles)


@pytest.mark.parametrize(
    "rows",
    [
        [worker(n, f"W{n}", f"W{n + 1}") for n in range(2, 2002)],
        [worker(n, f"W{n}", "W20001" if n <= 20_000 else None) for n in range(2, 20_002)],
        [worker(n, f"W{n}", f"W{n + 1 if n < 2001 else 2}") for n in range(2, 2002)],
        [worker(n, f"W{n}", f"W{n ^ 1}") for n in range(2, 10_002)],
        [worker(n, f"W{n // 2}", title="x") for n in range(2, 10_002)],
    ],
    ids=["2,000 levels", "20,000 reports of one", "a circle of 2,000", "5,000 circles of two", "5,000 doubles"],
)
def test_odd_companies_are_put_in_order_quickly(rows: list[MappedRow]):
    begun = time.perf_counter()
    working_set = arranged(*rows)
    assert time.perf_counter() - begun < 5
    assert sum((working_set.planned_count(), working_set.set_aside_count(), working_set.excluded_count())) == len(rows)
    assert_managers_first(working_set, rows)


NEARLY_IN_PROPORTION = 30


def growth(row: Callable[[int], MappedRow | list[RowProblem]], rows: int = 2400) -> float:
    """How many times as long eight times as many rows take: 8 where time is in proportion, 64 where it is squared."""

    def seconds(count: int) -> float:
        begun = time.process_time()
        arranged(*(row(line) for line in range(2, count + 2)))
        return time.process_time() - begun

    return min(seconds(rows) for _ in range(2)) / min(seconds(rows // 8) for _ in range(3))


def test_a_key_that_thousands_of_rows_share_takes_time_in_proportion():
    assert growth(lambda line: worker(line, "0", title=str(line))) < NEARLY_IN_PROPORTION


def test_a_long_chain_of_managers_takes_time_in_proportion():
    assert growth(lambda line: worker(line, f"W{line}", f"W{line - 1}")) < NEARLY_IN_PROPORTION


def test_bad_and_good_rows_that_share_a_key_take_time_in_proportion():
    assert (
        growth(lambda line: worker(line, "0") if line % 2 else [problem(line, external_id="0")], 5600)
        < NEARLY_IN_PROPORTION
    )
