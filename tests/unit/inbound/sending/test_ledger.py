"""The ledger: whatever was answered, what is left and what is settled are together the plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import (
    AnswerEntry,
    Part,
    SessionEntry,
    Verdict,
)
from tests.unit.builders import PROPERTY, after, entry
from tests.unit.inbound.sending.ledger_lines import begun, left, session, superseded

SENT_AGAIN = [Verdict.THROTTLED, Verdict.UNANSWERED, Verdict.REFUSED]


def operations(ledger: Ledger, sizes: list[int]) -> list[tuple[int, int]]:
    """Every operation that is left, settled or superseded, as (request, operation), in order."""
    numbers = range(1, len(sizes) + 1)
    parts = [*ledger.left(), *(part for n in numbers for part, _ in ledger.answered(n))]
    found = [(part.request, place) for part in parts for place in ledger.operations_of(part)]
    return sorted(found + [(n, place) for n in numbers for place in ledger.superseded(n)])


def size(part: Part) -> int:
    return part.stop - part.start


def test_without_an_answer_the_whole_plan_is_left_in_its_order():
    ledger = Ledger([50, 50, 23])
    assert left(ledger) == [(1, 0, 50), (2, 0, 50), (3, 0, 23)]
    assert (ledger.requests, ledger.is_complete, ledger.whole_requests()) == (3, False, (0, 0))


def test_a_plan_of_nothing_is_complete():
    assert Ledger([]).is_complete


def test_what_was_accepted_is_not_left():
    ledger = Ledger([50, 23], [entry(request=2, stop=23)])
    assert left(ledger) == [(1, 0, 50)]
    assert (ledger.accepted_operations, ledger.rejected_operations) == (23, 0)
    assert ledger.whole_requests() == (1, 0)


def test_what_was_rejected_is_not_left_either():
    ledger = Ledger([1], [entry(Verdict.REJECTED, stop=1, status=400)])
    assert ledger.is_complete
    assert (ledger.accepted_operations, ledger.rejected_operations) == (0, 1)
    assert ledger.whole_requests() == (0, 1)


@pytest.mark.parametrize("verdict", SENT_AGAIN)
def test_what_was_not_settled_is_left_as_it_was(verdict: Verdict):
    assert left(Ledger([50], [entry(verdict)])) == [(1, 0, 50)]


def test_a_refused_request_is_halved_until_the_bad_operation_stands_alone():
    ledger = Ledger([50, 50])
    bad, posts = 37, 0
    while not ledger.is_complete:
        part = next(ledger.left())
        posts += 1
        is_bad = part.request == 1 and part.start <= bad < part.stop
        verdict = Verdict.ACCEPTED if not is_bad else Verdict.SPLIT if size(part) > 1 else Verdict.REJECTED
        ledger.add(entry(verdict, part.request, part.start, part.stop))
    rejected = [(p.start, p.stop) for p, e in ledger.answered(1) if e.verdict is Verdict.REJECTED]
    assert rejected == [(37, 38)]
    assert (ledger.accepted_operations, ledger.rejected_operations) == (99, 1)
    assert ledger.whole_requests() == (1, 1)
    assert posts <= 14


def test_a_request_of_which_only_a_half_is_done_is_not_done():
    ledger = Ledger([50], [entry(Verdict.SPLIT), entry(start=0, stop=25)])
    assert left(ledger) == [(1, 25, 50)]
    assert ledger.whole_requests() == (0, 0)


@pytest.mark.parametrize("verdict", sorted(Verdict))
@pytest.mark.parametrize("settled_by", [Verdict.ACCEPTED, Verdict.REJECTED])
def test_a_late_answer_to_something_that_is_settled_changes_nothing(settled_by: Verdict, verdict: Verdict):
    ledger = Ledger([50], [entry(settled_by), entry(verdict)])
    assert ledger.is_complete
    assert ledger.accepted_operations + ledger.rejected_operations == 50
    assert [found.verdict for _, found in ledger.answered(1)] == [settled_by]


def test_a_late_answer_to_a_request_that_was_split_changes_nothing():
    ledger = Ledger([50], [entry(Verdict.SPLIT), entry(Verdict.ACCEPTED)])
    assert left(ledger) == [(1, 0, 25), (1, 25, 50)]
    assert ledger.accepted_operations == 0


@pytest.mark.parametrize(
    ("request_number", "start", "stop"), [(9, 0, 50), (0, 0, 50), (1, 0, 49), (1, 50, 100), (1, 5, 5)]
)
def test_an_answer_to_something_that_was_not_planned_changes_nothing(request_number: int, start: int, stop: int):
    assert left(Ledger([50], [entry(request=request_number, start=start, stop=stop)])) == [(1, 0, 50)]


def test_answers_429_are_counted():
    assert Ledger([50], [entry(Verdict.THROTTLED), entry(Verdict.THROTTLED), entry()]).throttled == 2


def test_a_single_operation_is_never_split():
    ledger = Ledger([1], [entry(Verdict.SPLIT, stop=1)])
    assert left(ledger) == [(1, 0, 1)]


# Times


def test_the_last_time_sent_is_the_latest_whatever_the_order():
    ledger = Ledger([50, 50], [entry(sent_at=after(minutes=5)), entry(request=2, sent_at=after(minutes=1))])
    assert ledger.last_sent_at == after(minutes=5)
    assert Ledger([50]).last_sent_at is None


def test_no_part_of_a_request_was_posted_before_it_was_put_down_as_begun():
    ledger = Ledger(
        [50, 50],
        [session(), begun((1, 0, 50), seconds=1), begun((2, 0, 50), seconds=2), session(), begun((2, 0, 50), hours=1)],
    )
    assert (ledger.begun(1), ledger.begun(2), ledger.begun(3)) == (after(seconds=1), after(seconds=2), None)


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.SPLIT])
def test_trouble_lasts_from_the_first_answer_without_a_verdict_to_the_next_one_with(verdict: Verdict):
    ledger = Ledger([2, 2])
    for minutes, trouble in ((5, Verdict.UNANSWERED), (7, Verdict.THROTTLED), (9, Verdict.REFUSED)):
        assert ledger.troubled_since == (None if minutes == 5 else after(minutes=5))
        ledger.add(entry(trouble, stop=2, status=503).model_copy(update={"answered_at": after(minutes=minutes)}))
    ledger.add(entry(verdict, stop=2))
    assert ledger.troubled_since is None


def test_a_refusal_that_needs_a_repair_is_no_trouble():
    for status, is_trouble in ((403, False), (404, False), (401, False), (429, True), (None, True), (500, True)):
        ledger = Ledger([1], [entry(Verdict.REFUSED, stop=1, status=status)])
        assert (ledger.troubled_since is not None) is is_trouble, status


# Who may be with the API


def taken(ledger: Ledger) -> list[tuple[int, int]]:
    return [(n, place) for n in range(1, ledger.requests + 1) for place in range(4) if ledger.may_be_taken(n, place)]


def test_what_is_posted_may_be_taken_until_the_api_says_that_it_is_not():
    ledger = Ledger([4, 2, 2])
    assert (taken(ledger), ledger.has_begun) == ([], False)
    ledger.add(begun((1, 0, 4), (2, 0, 2)))
    assert (taken(ledger), ledger.has_begun) == ([(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1)], True)
    ledger.add(entry(Verdict.SPLIT, stop=4))
    ledger.add(entry(request=2, stop=2))
    assert taken(ledger) == [(2, 0), (2, 1)]


@pytest.mark.parametrize("verdict", [Verdict.THROTTLED, Verdict.REFUSED, Verdict.SPLIT, Verdict.REJECTED])
def test_what_the_api_has_not_taken_is_not_taken(verdict: Verdict):
    assert taken(Ledger([1], [begun((1, 0, 1)), entry(verdict, stop=1)])) == []


@pytest.mark.parametrize("lost", [entry(Verdict.UNANSWERED, stop=2), session("t")])
@pytest.mark.parametrize("later", [Verdict.THROTTLED, Verdict.REFUSED, Verdict.SPLIT])
def test_what_was_once_posted_without_an_answer_may_be_taken_whatever_is_said_of_it_later(
    lost: AnswerEntry | SessionEntry, later: Verdict
):
    ledger = Ledger([2], [session(), begun((1, 0, 2)), lost, session("u"), begun((1, 0, 2)), entry(later, stop=2)])
    assert taken(ledger) == [(1, 0), (1, 1)]
    ledger.add(superseded(1, 0, 1))
    assert taken(ledger) == [(1, 0), (1, 1)]


def test_what_was_superseded_before_the_rest_was_posted_is_not_taken():
    ledger = Ledger([3], [superseded(1, 0), begun((1, 0, 3)), session("t"), superseded(1, 1)])
    assert taken(ledger) == [(1, 1), (1, 2)]
    ledger = Ledger([2], [superseded(1, 0), begun((1, 0, 2)), entry(stop=2)])
    assert taken(ledger) == [(1, 1)]


# Posted again


def test_what_had_no_answer_is_counted_when_it_is_posted_again():
    ledger = Ledger([50], [session(), begun((1, 0, 50)), entry(Verdict.UNANSWERED)])
    assert ledger.repeated == 0
    ledger.add(begun((1, 0, 50)))
    assert ledger.repeated == 1


def test_what_a_killed_session_had_begun_is_counted_when_it_is_posted_again():
    ledger = Ledger([50, 50, 50], [session("a"), begun((1, 0, 50), (2, 0, 50)), entry(request=1)])
    ledger.add(session("b"))
    ledger.add(begun((2, 0, 50), (3, 0, 50), session="b"))
    assert ledger.repeated == 1


@pytest.mark.parametrize("verdict", [Verdict.THROTTLED, Verdict.REFUSED])
def test_what_the_api_has_refused_is_not_counted_as_posted_twice(verdict: Verdict):
    ledger = Ledger([50], [session(), begun((1, 0, 50)), entry(verdict), begun((1, 0, 50))])
    assert ledger.repeated == 0


# Not sent any more


def test_superseded_operations_are_left_out_of_what_is_left():
    ledger = Ledger([3, 2], [superseded(1, 1), superseded(2, 0, 1)])
    assert left(ledger) == [(1, 0, 3)]
    assert ledger.operations_of(Part(1, 0, 3)) == [0, 2]
    assert not ledger.is_whole(Part(1, 0, 3))
    assert (ledger.superseded_operations, ledger.parts_left) == (3, 1)
    assert ledger.superseded(2)[0].by_run == "newer"


def test_a_request_of_which_nothing_is_left_is_neither_accepted_nor_rejected():
    ledger = Ledger([2], [superseded(1, 0, 1, by_run=None)])
    assert (ledger.is_complete, ledger.whole_requests()) == (True, (0, 0))


def test_what_was_answered_before_can_not_be_superseded():
    ledger = Ledger([2, 2], [entry(stop=2), superseded(1, 0, 1)])
    assert (ledger.accepted_operations, ledger.superseded_operations) == (2, 0)


def test_halves_are_made_of_what_is_still_to_be_sent():
    ledger = Ledger([8], [superseded(1, 0, 1, 2, 3), entry(Verdict.SPLIT, stop=8)])
    assert [ledger.operations_of(part) for part in ledger.left()] == [[4, 5], [6, 7]]


def test_an_answer_counts_only_what_was_posted():
    ledger = Ledger([5], [superseded(1, 4), entry(stop=5)])
    assert (ledger.accepted_operations, ledger.superseded_operations) == (4, 1)


# Any sequence


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[int], list[AnswerEntry]]:
    """A plan, and answers to parts of it: mostly to what is left then, sometimes to anything at all."""
    sizes = draw(st.lists(st.integers(1, 50), max_size=4))
    ledger, entries = Ledger(sizes), []
    for _ in range(draw(st.integers(0, 25))):
        waiting = list(ledger.left())
        if not draw(st.integers(0, 4)):
            places = draw(st.sets(st.integers(0, 49), max_size=5))
            entries.append(superseded(draw(st.integers(0, 5)), *places))
            ledger.add(entries[-1])
            continue
        verdict = draw(st.sampled_from(sorted(Verdict)))
        if waiting and draw(st.integers(0, 5)):
            part = draw(st.sampled_from(waiting))
        else:
            start = draw(st.integers(0, 50))
            part = Part(draw(st.integers(0, 5)), start, draw(st.integers(start, 50)))
        entries.append(entry(verdict, part.request, part.start, part.stop))
        ledger.add(entries[-1])
    return sizes, entries


@PROPERTY
@given(answers())
def test_left_and_settled_are_always_exactly_the_plan(case: tuple[list[int], list[AnswerEntry]]):
    sizes, entries = case
    plan = [(request, number) for request, size in enumerate(sizes, start=1) for number in range(size)]
    ledger = Ledger(sizes)
    for found in entries:
        ledger.add(found)
        assert operations(ledger, sizes) == plan
        remaining = sum(len(ledger.operations_of(part)) for part in ledger.left())
        settled = ledger.accepted_operations + ledger.rejected_operations + ledger.superseded_operations
        assert settled + remaining == len(plan)
        assert ledger.is_complete is (remaining == 0)
        assert list(ledger.left()) == sorted(ledger.left(), key=lambda part: (part.request, part.start))
        assert all(ledger.operations_of(part) for part in ledger.left())
        done = [n for n in range(1, len(sizes) + 1) if ledger.answered(n) and not ledger.left_of(n)]
        assert sum(ledger.whole_requests()) == len(done)


@PROPERTY
@given(answers(), st.data())
def test_an_entry_that_stands_there_twice_changes_nothing(
    case: tuple[list[int], list[AnswerEntry]], data: st.DataObject
):
    sizes, entries = case
    settled = [e for e in entries if getattr(e, "verdict", None) not in SENT_AGAIN]
    repeated = data.draw(st.lists(st.sampled_from(settled))) if settled else []
    once, twice = Ledger(sizes, entries), Ledger(sizes, [*entries, *repeated])
    for twin in (once, twice):
        assert left(twin) == left(once)
        assert twin.accepted_operations == once.accepted_operations
        assert twin.rejected_operations == once.rejected_operations
        assert twin.whole_requests() == once.whole_requests()


@PROPERTY
@given(st.sets(st.integers(0, 49), max_size=45))
def test_two_halves_are_the_whole(gone: set[int]):
    ledger = Ledger([50], [superseded(1, *gone), entry(Verdict.SPLIT)])
    first, second = (ledger.operations_of(part) for part in ledger.left())
    assert first + second == [place for place in range(50) if place not in gone]
    assert abs(len(first) - len(second)) <= 1
