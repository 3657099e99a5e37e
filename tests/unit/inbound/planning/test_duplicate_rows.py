"""Rows that name the same worker or claim the same login: which are sent, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from shared.inbound.feeds.feed_file import Rows
from shared.inbound.planning.duplicate_rows import SameWorker, contradicting, same_login, set_aside_of
from shared.inbound.planning.working_set import WorkingSet
from shared.inbound.reading.row_batch import RowBatch
from tests.unit.builders import arranged, hr_row, mapping_of, planned_rows, problem, worker


def rows(*ages: str, same: bool = False) -> list[SameWorker]:
    """Rows of one worker, on lines 2, 3, ...; their users differ unless they are the same."""
    users = [b"{}" if same else b'{"n":%d}' % n for n in range(len(ages))]
    return [SameWorker(n, n + 2, "A", user, age) for n, (user, age) in enumerate(zip(users, ages, strict=True))]


def aside(found: list[SameWorker], duplicates: Any = "set_aside") -> list[tuple[int, int, str]]:
    """Number, line and code of each row that is not sent."""
    result = set_aside_of(found, Rows.model_validate({"duplicates": duplicates}))
    assert all(problem.message and problem.advice and problem.external_id == "A" for _, problem in result)
    return [(number, problem.line, problem.code) for number, problem in result]


@pytest.mark.parametrize("duplicates", ["set_aside", "first", "last", {"newest_by": "D"}], ids=str)
def test_rows_that_say_the_same_are_sent_once_whatever_the_policy(duplicates: Any):
    found = aside(rows("2021-01-01", "2023-01-01", "2022-01-01", same=True), duplicates)
    assert found == [(1, 3, "repeatedRow"), (2, 4, "repeatedRow")]


@pytest.mark.parametrize(
    ("duplicates", "taken"),
    [("set_aside", None), ("first", 0), ("last", 2), ({"newest_by": "D"}, 1)],
    ids=str,
)
def test_of_rows_that_differ_the_policy_says_which_one_counts(duplicates: Any, taken: int | None):
    found = aside(rows("2021-01-01", "2023-01-01", "2022-01-01"), duplicates)
    code = "duplicateExternalId" if taken is None else "otherRowTaken"
    assert found == [(n, n + 2, code) for n in range(3) if n != taken]


@pytest.mark.parametrize(
    ("ages", "taken"),
    [
        (("2021-01-01", "2021-01-02"), 1),
        ((" 2021-01-02 ", "2021-01-01"), 0),
        (("2021-01-01T10:00:00", "2021-01-01 09:59:59"), 0),
        (("2021-01-01", "2021-01-01T00:00:01"), 1),
        (("2021-01-01T00:00:00Z", "2020-01-01"), 0),
        (("9", "10"), 1),
        (("0010", "9"), 0),
        (("20210102", "20210101"), 0),
        (("10", "2021-01-01"), None),
        (("2021-01-01", ""), None),
        (("", ""), None),
        (("2021-01-01", "soon"), None),
        (("2021-01-01", "2021-13-01"), None),
        (("2021-01-02", "2021-01-02"), None),
        (("2021-01-01", "2021-01-01T00:00:00"), None),
        (("7", "007"), None),
        (("1.5", "2"), None),
        (("-1", "2"), None),
        (("²", "1"), None),
        (("2021-01-02", "2021-01-02", "2021-01-01"), None),
        (("2021-01-01", "2021-01-01", "2021-01-02"), 2),
    ],
)
def test_the_newest_is_taken_only_where_every_row_says_how_old_it_is(ages: tuple[str, ...], taken: int | None):
    code = "newestUnknown" if taken is None else "otherRowTaken"
    expected = [(n, n + 2, code) for n in range(len(ages)) if n != taken]
    assert aside(rows(*ages), {"newest_by": "D"}) == expected


@pytest.mark.parametrize(
    ("ages", "taken"),
    [
        (("01/02/2021", "31/01/2021"), 0),
        (("31/01/2021", "2021-02-01"), None),
        (("5", "6"), None),
        (("01/02/2021", "01/02/2021"), None),
    ],
)
def test_a_declared_date_is_read_as_declared_and_as_nothing_else(ages: tuple[str, ...], taken: int | None):
    code = "newestUnknown" if taken is None else "otherRowTaken"
    found = aside(rows(*ages), {"newest_by": "D", "date": "%d/%m/%Y"})
    assert found == [(n, n + 2, code) for n in range(len(ages)) if n != taken]


def test_a_row_that_is_not_taken_says_which_one_is():
    ((_, found),) = set_aside_of(rows("", ""), Rows(duplicates="last"))
    assert "line 3 counts" in found.message


@pytest.mark.parametrize("say", [contradicting, same_login])
def test_the_other_lines_are_named_as_far_as_that_helps(say: Any):
    assert "line 3;" in say(2, [2, 3], "A").message
    assert "lines 3, 4;" in say(2, [2, 3, 4], "A").message
    assert "lines 3, 4, 5, 6, 7 and 2 more lines;" in say(2, range(2, 10), "A").message


# In the working set


def lines(working_set: WorkingSet) -> tuple[list[int], list[tuple[int, str]]]:
    unsent = (*working_set.set_aside(), *working_set.excluded())
    aside = [(found.line, found.code) for row in unsent for found in row.problems]
    return sorted(row.line for row in planned_rows(working_set)), aside


def test_workers_with_one_login_are_all_set_aside():
    found = arranged(
        worker(2, "A", userName="u@example.com"),
        worker(3, "B", userName="v@example.com"),
        worker(4, "C", userName="U@Example.com"),
    )
    assert lines(found) == ([3], [(2, "duplicateUserName"), (4, "duplicateUserName")])
    messages = [problem.message for row in found.set_aside() for problem in row.problems]
    assert "line 4" in messages[0]
    assert "line 2" in messages[1]


def test_the_login_of_a_row_that_is_repeated_is_nobody_elses():
    same = {"userName": "u@example.com", "title": "x"}
    assert lines(arranged(worker(2, "A", **same), worker(3, "A", **same))) == ([2], [(3, "repeatedRow")])


def test_a_login_that_somebody_claims_of_whom_nothing_is_known_is_nobodys():
    found = arranged(
        worker(2, "A", userName="u@example.com", title="x"),
        worker(3, "A", userName="u@example.com", title="y"),
        worker(4, "B", userName="u@example.com"),
    )
    assert lines(found)[0] == []


def test_a_login_that_stands_in_a_row_with_another_problem_too_is_nobodys():
    rows = RowBatch([2, 3], [hr_row(2, HireDate="soon").cells, hr_row(3, WorkerID="7").cells])
    with WorkingSet() as found:
        found.load([mapping_of().map(rows)])
        found.arrange()
        assert lines(found)[0] == []


def test_a_manager_whose_login_is_doubtful_counts_as_not_in_the_file():
    found = arranged(
        worker(2, "A", userName="u@example.com"), worker(3, "B", userName="u@example.com"), worker(4, "C", "A")
    )
    assert lines(found)[0] == [4]
    assert found.manager_not_in_file() == (1, [4])


@pytest.mark.parametrize(
    ("duplicates", "sent"),
    [("first", [2]), ("last", [4]), ({"newest_by": "D"}, [3]), ("set_aside", [])],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 2, 1000], ids=lambda size: f"batches of {size}")
def test_the_feeds_policy_decides_which_row_of_a_worker_is_sent(duplicates: Any, sent: list[int], size: int):
    ages = {2: "2021-01-01", 3: "2023-01-01", 4: "2022-01-01"}
    company = [worker(line, "A" if line < 4 else "a", newest=age) for line, age in ages.items()]
    found = arranged(*company, policy=Rows.model_validate({"duplicates": duplicates}), size=size)
    assert lines(found)[0] == sent


@pytest.mark.parametrize("duplicates", ["first", "last"])
def test_a_worker_of_whom_a_row_is_set_aside_is_not_sent_whatever_the_policy(duplicates: Any):
    found = arranged(worker(2, "A"), [problem(3, external_id="A")], worker(4, "A"), policy=Rows(duplicates=duplicates))
    assert lines(found)[0] == []
    assert {line for line, _ in lines(found)[1]} == {2, 3, 4}


def test_a_login_that_a_row_with_a_problem_of_its_own_has_too_is_still_one_workers():
    """Rows that are taken out as another row of the same worker is taken keep no login from anybody."""
    company = [
        worker(2, "A", userName="old@example.com"),
        worker(3, "A", userName="new@example.com"),
        worker(4, "B", userName="old@example.com"),
    ]
    assert lines(arranged(*company, policy=Rows(duplicates="last")))[0] == [3, 4]


def test_a_row_that_the_filters_leave_out_is_neither_a_double_nor_set_aside():
    left_out = [problem(3, code="excluded", external_id="A")]
    found = arranged(worker(2, "A"), left_out, worker(4, "B"))
    assert lines(found) == ([2, 4], [(3, "excluded")])
    assert (found.excluded_count(), found.set_aside_count(), found.planned_count()) == (1, 0, 2)
    (row,) = found.excluded()
    assert (row.problems, row.cells) == (left_out, ["3", "A"])


def test_a_row_that_is_set_aside_comes_with_its_own_cells():
    found = arranged(*(worker(n, "A", title=str(n)) for n in range(2, 200)), size=50)
    assert [row.cells for row in found.set_aside()] == [[str(n), "A"] for n in range(2, 200)]


def test_rows_that_share_a_number_by_chance_are_not_one_worker(monkeypatch):
    """The numbers are only a first look: here every key and every login has the same one."""
    everybody = lambda texts: [7 if text else None for text in texts]  # noqa: E731
    monkeypatch.setattr("tests.unit.builders.key_numbers", everybody)
    monkeypatch.setattr("shared.inbound.planning.working_set.key_numbers", everybody)
    company = [
        worker(2, "A", userName="a@example.com"),
        worker(3, "B", userName="b@example.com"),
        worker(4, "a", userName="c@example.com"),
        [problem(5, external_id="C")],
        worker(6, "D", userName="B@example.com"),
    ]
    found = arranged(*company)
    assert lines(found) == (
        [],
        [
            *((2, "duplicateExternalId"), (3, "duplicateUserName"), (4, "duplicateExternalId")),
            *((5, "unknownStatus"), (6, "duplicateUserName")),
        ],
    )
