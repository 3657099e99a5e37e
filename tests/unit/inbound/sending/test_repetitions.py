"""Managers first, whatever has to be repeated; and what a newer run has said since is not overwritten by that."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import BegunEntry, Part, Verdict, read_ledger
from tests.unit.builders import PROPERTY, entry
from tests.unit.inbound.sending.ledger_lines import begun, left, session, superseded
from tests.unit.inbound.sending.sender import Sender
from tests.unit.inbound.sending.test_managers_first import STEPS, step

SENT_AGAIN = [Verdict.THROTTLED, Verdict.UNANSWERED, Verdict.REFUSED]


def overtaken(*more: object) -> Ledger:
    """Requests 1 and 3 in flight together, 3 beyond a barrier; 3 is accepted, 1 has to be posted once more."""
    ledger = Ledger([2, 2, 2], barriers=[3])
    both = [session(), begun((1, 0, 2), (3, 0, 2)), entry(request=3, stop=2), entry(Verdict.THROTTLED, stop=2)]
    for found in [*both, begun((1, 0, 2)), *more]:
        ledger.add(found)
    return ledger


def test_what_was_accepted_beyond_a_barrier_is_posted_again_after_what_it_overtook():
    ledger = overtaken()
    assert left(ledger) == [(1, 0, 2), (2, 0, 2), (3, 0, 2)]
    assert (ledger.accepted_operations, ledger.parts_left) == (2, 3)
    assert [number for number in (1, 2, 3) if ledger.answered(number)] == [3]
    ledger.add(entry(stop=2))
    ledger.add(begun((3, 0, 2)))
    assert ledger.repeated == 1
    ledger.add(entry(request=3, stop=2))
    assert left(ledger) == [(2, 0, 2)]
    assert (ledger.accepted_operations, ledger.parts_left) == (4, 1)


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.SPLIT])
def test_what_is_accepted_stays_accepted_whatever_its_repetition_is_answered(verdict: Verdict):
    ledger = overtaken(entry(stop=2), begun((3, 0, 2)), entry(verdict, request=3, stop=2))
    assert left(ledger) == [(2, 0, 2)]
    assert (ledger.accepted_operations, ledger.rejected_operations) == (4, 0)


@pytest.mark.parametrize("verdict", SENT_AGAIN)
def test_a_repetition_without_a_verdict_is_still_to_be_made(verdict: Verdict):
    ledger = overtaken(entry(stop=2), begun((3, 0, 2)), entry(verdict, request=3, stop=2))
    assert left(ledger) == [(2, 0, 2), (3, 0, 2)]


def test_a_repetition_is_not_made_for_whom_a_newer_run_names():
    ledger = overtaken(superseded(3, 0))
    assert ledger.operations_of(Part(3, 0, 2)) == [1]
    ledger.add(superseded(3, 1))
    assert left(ledger) == [(1, 0, 2), (2, 0, 2)]
    assert (ledger.accepted_operations, ledger.superseded_operations) == (2, 0)


def test_what_was_in_flight_beyond_a_barrier_when_that_was_posted_again_is_repeated_too():
    ledger = Ledger([1, 2, 2], barriers=[3])
    both = [session(), begun((2, 0, 2), (3, 0, 2)), entry(Verdict.REFUSED, request=2, stop=2), begun((2, 0, 2))]
    for found in [*both, entry(request=3, stop=2), entry(request=2, stop=2)]:
        ledger.add(found)
    assert left(ledger) == [(1, 0, 1), (3, 0, 2)]
    assert ledger.accepted_operations == 4


def test_what_overtook_in_an_earlier_session_is_posted_in_its_turn_and_then_not_once_more():
    """Nobody knows whether the API took it; what is posted after its managers is."""
    ledger = Ledger([2, 2, 2], barriers=[3])
    killed = [session(), begun((1, 0, 2), (3, 0, 2)), entry(Verdict.THROTTLED, stop=2), begun((1, 0, 2))]
    managers = [session("t"), begun((1, 0, 2), (2, 0, 2)), entry(stop=2), entry(request=2, stop=2)]
    for found in [*killed, *managers, begun((3, 0, 2)), entry(request=3, stop=2)]:
        ledger.add(found)
    assert (left(ledger), ledger.repeats_order) == ([], False)


def test_without_a_barrier_between_them_nothing_is_repeated():
    ledger = Ledger([2, 2, 2], barriers=[2])
    for found in [session(), begun((2, 0, 2), (3, 0, 2)), entry(request=3, stop=2), begun((2, 0, 2))]:
        ledger.add(found)
    assert left(ledger) == [(1, 0, 2), (2, 0, 2)]


# Newer runs


def test_what_is_accepted_beyond_a_barrier_may_be_posted_once_more_while_something_before_it_is_left():
    ledger = Ledger([2, 2, 2, 2], barriers=[3])
    for found in [session(), begun((1, 0, 2), (2, 0, 2), (3, 0, 2)), entry(stop=2), entry(request=3, stop=2)]:
        ledger.add(found)
    may_be_posted = ledger.may_be_posted()
    assert [may_be_posted(number) for number in (1, 2, 3, 4)] == [[], [Part(2, 0, 2)], [Part(3, 0, 2)], [Part(4, 0, 2)]]
    ledger.add(begun((2, 0, 2)))
    ledger.add(entry(request=2, stop=2))
    ledger.add(begun((3, 0, 2)))
    ledger.add(entry(request=3, stop=2))
    assert [ledger.may_be_posted()(number) for number in (1, 2, 3, 4)] == [[], [], [], [Part(4, 0, 2)]]


def test_what_was_rejected_comes_back_for_no_reason():
    ledger = Ledger([1, 1], barriers=[2])
    for found in [begun((1, 0, 1), (2, 0, 1)), entry(Verdict.REJECTED, request=2, stop=1), begun((1, 0, 1))]:
        ledger.add(found)
    assert (left(ledger), ledger.may_be_posted()(2)) == ([(1, 0, 1)], [])


def test_a_worker_of_whom_a_newer_run_speaks_is_left_out_of_a_repetition_that_is_needed_later():
    ledger = Ledger([1, 2], barriers=[2])
    before = [begun((1, 0, 1), (2, 0, 2)), entry(request=2, stop=2), entry(Verdict.REFUSED, stop=1)]
    for found in [session(), *before, session("t"), superseded(2, 0), begun((1, 0, 1))]:
        ledger.add(found)
    assert ledger.operations_of(Part(2, 0, 2)) == [1]
    assert left(ledger) == [(1, 0, 1), (2, 0, 2)]
    assert (ledger.accepted_operations, ledger.superseded_operations) == (2, 0)


def test_nothing_is_repeated_where_newer_runs_speak_of_everybody():
    ledger = Ledger([1, 2], barriers=[2])
    before = [begun((1, 0, 1), (2, 0, 2)), entry(request=2, stop=2), entry(Verdict.REFUSED, stop=1)]
    for found in [session(), *before, session("t"), superseded(2, 0, 1), begun((1, 0, 1)), entry(stop=1)]:
        ledger.add(found)
    assert (left(ledger), ledger.is_complete, ledger.repeats_order) == ([], True, False)


def turns(one: Sender, data: st.DataObject, most: int) -> Sender:
    """Some turns of a sender that meets trouble; one that is killed has a successor."""
    for _ in range(data.draw(st.integers(0, most))):
        one.now = max(one.now, one.course.resting_until)
        one.begin_all()
        word = data.draw(STEPS)
        if word == "kill" or not one.course.in_flight:
            one = one.successor()
            continue
        part = data.draw(st.sampled_from(sorted(one.course.in_flight)))
        one.answer(part, step(word, len(one.ledger.operations_of(part))))
    return one


Place = tuple[int, int]


@settings(PROPERTY, max_examples=300)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=8),
    st.sets(st.integers(2, 8), max_size=3),
    st.integers(1, 6),
    st.data(),
)
def test_only_what_may_be_posted_is_posted_later_and_nothing_that_is_superseded(
    sizes: list[int], barriers: set[int], limit: int, data: st.DataObject
):
    """As a session begins the ledger says what may be posted; newer runs speak of some of it."""
    one = turns(Sender(sizes, [], sorted(barriers), limit), data, 25).successor()
    may_be_posted, requests = one.ledger.may_be_posted(), range(1, len(sizes) + 1)
    may_be = {(n, place) for n in requests for part in may_be_posted(n) for place in one.ledger.operations_of(part)}
    gone = {place for place in may_be if data.draw(st.booleans())}
    for number in requests:
        one.supersede(number, sorted(place for request, place in gone if request == number))
    written = len(one.lines)
    one = turns(one, data, 40)
    assert one.ledger.parts_left == len(left(one.ledger))
    assert posted_since(one, written) <= may_be - gone


def posted_since(one: Sender, line: int) -> set[Place]:
    """The operations that were posted, by the ledger as it was when each was put down."""
    ledger, posted = Ledger(one.sizes, read_ledger(b"".join(one.lines[:line])), barriers=one.barriers), set[Place]()
    for found in read_ledger(b"".join(one.lines[line:])):
        if isinstance(found, BegunEntry):
            places = [(part[0], place) for part in found.parts for place in ledger.operations_of(Part(*part))]
            assert places, "no request is empty"
            posted |= set(places)
        ledger.add(found)
    return posted
