"""What a sender does next: whatever is answered in whatever order, nothing overlaps, passes a barrier or is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.errors import Reason
from shared.inbound.sending.advice import EVERYTHING_REJECTED
from shared.inbound.sending.answer import Again, Block, Done, Later, Split
from shared.inbound.sending.course import EVERYTHING_REJECTED_SECONDS, Course
from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import Part, Verdict, read_ledger
from shared.inbound.sending.stop import Stop
from shared.run.run_state import RunState
from tests.unit.builders import entry
from tests.unit.inbound.sending.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ACCEPTED, REJECTED, SPLIT = Done(Verdict.ACCEPTED), Done(Verdict.REJECTED), Split()
REASON = Reason("code", "message", "advice")
NO_WORD = Again(1.0, Verdict.UNANSWERED)


def sender(
    sizes: Sequence[int],
    barriers: Sequence[int] = (),
    limit: int = 4,
    *,
    is_tried: bool = True,
    is_doubted: bool = False,
) -> Sender:
    """A session of a new run; one that is tried has had its first request accepted."""
    new = Sender(sizes, [], barriers, limit, is_doubted=is_doubted)
    if is_tried:
        new.post(ACCEPTED)
    return new


def requests(parts: Iterable[Part]) -> list[int]:
    return [part.request for part in parts]


# Order


def test_the_first_request_of_a_session_goes_alone_and_then_as_many_as_the_limit_allows():
    one = sender([50] * 9, is_tried=False)
    assert requests(one.begin_all()) == [1]
    one.answer(Part(1, 0, 50), ACCEPTED)
    assert requests(one.begin_all()) == [2, 3, 4, 5]


def test_until_something_is_accepted_one_goes_alone_whatever_else_was_answered():
    one = sender([2] + [50] * 9, is_tried=False)
    one.post(SPLIT)
    assert one.begin_all() == [Part(1, 0, 1)]
    one.answer(Part(1, 0, 1), REJECTED)
    assert one.begin_all() == [Part(1, 1, 2)]
    one.answer(Part(1, 1, 2), ACCEPTED)
    assert requests(one.begin_all()) == [2, 3, 4, 5]


def test_nothing_passes_a_barrier_while_something_in_front_of_it_waits_to_be_posted():
    one = sender([50] * 6, barriers=[4, 6])
    assert requests(one.begin_all()) == [2, 3, 4, 5], "what is in flight holds nothing up"
    one.answer(Part(3, 0, 50), SPLIT)
    one.answer(Part(2, 0, 50), ACCEPTED)
    assert one.begin_all() == [Part(3, 0, 25)], "but the second half does"
    one.answer(Part(3, 0, 25), ACCEPTED)
    assert one.begin_all() == [Part(3, 25, 50), Part(6, 0, 50)]


def test_the_halves_of_a_request_follow_each_other_before_newer_requests():
    one = sender([50] * 9, limit=2)
    one.answer(one.begin_all()[0], SPLIT)
    assert one.begin() == Part(2, 0, 25)
    one.answer(Part(2, 0, 25), ACCEPTED)
    assert one.begin() == Part(2, 25, 50)


# Setbacks


@pytest.mark.parametrize("verdict", [Verdict.THROTTLED, Verdict.UNANSWERED, Verdict.REFUSED])
def test_after_a_setback_the_oldest_request_goes_ahead_alone_until_it_is_answered(verdict: Verdict):
    one = sender([50] * 20)
    for part in one.begin_all():
        one.answer(part, Again(1.0, verdict))
    assert requests(one.begin_all()) == [2]
    one.answer(Part(2, 0, 50), ACCEPTED)
    assert requests(one.begin_all()) == [3, 4, 5, 6]


def test_what_was_posted_before_a_setback_and_went_well_does_not_end_it():
    one = sender([50] * 20)
    flying = one.begin_all()
    one.answer(flying[0], Again(1.0, Verdict.THROTTLED))
    for part in flying[1:]:
        one.answer(part, ACCEPTED)
    assert requests(one.begin_all()) == [2]


def test_many_answers_to_what_was_posted_before_one_setback_are_one_setback():
    one = sender([50] * 20)
    flying = one.begin_all()
    assert len(flying) == 4
    for part in flying:
        assert one.course.tries(part) == 1
        one.answer(part, NO_WORD)
    assert one.course.setbacks == 1


def test_setbacks_in_a_row_are_counted_until_something_is_settled():
    one = sender([50] * 20)
    for tries in (1, 2, 3):
        (part,) = one.begin_all()[:1]
        assert one.course.tries(part) == tries
        for flown in list(one.course.in_flight):
            one.answer(flown, NO_WORD)
    one.post(ACCEPTED)
    assert one.course.tries(one.begin_all()[0]) == 1


def test_the_job_rests_as_long_as_the_longest_of_the_answers_asks():
    one = sender([50] * 20)
    for part, seconds in zip(one.begin_all(), (2.0, 30.0, 0.5), strict=False):
        one.answer(part, Again(seconds, Verdict.THROTTLED))
        assert one.course.resting_until >= one.now + seconds
    assert one.course.resting_until == one.now - 1.0 + 30.0


# Tokens


def test_one_token_is_fetched_for_many_answers_401_and_a_401_to_the_new_one_blocks():
    one = sender([50] * 20)
    steps = [(part, one.unauthorised(part)) for part in one.begin_all()]
    assert [one.answer(part, step) for part, step in steps] == [True, False, False, False]
    assert one.course.stop is None
    part = one.begin_all()[0]
    assert isinstance(one.unauthorised(part), Block)
    assert not one.answer(part, one.unauthorised(part))
    assert one.course.stop
    assert one.course.stop.state is RunState.BLOCKED


# Stops


def test_a_stop_begins_nothing_more_and_takes_in_what_is_in_flight():
    one = sender([50] * 9)
    flying = one.begin_all()
    one.course.end(Stop())
    assert one.begin() is None
    for part in flying:
        one.answer(part, ACCEPTED)
    assert one.begin() is None
    assert one.ledger.accepted_operations == 50 * (1 + len(flying))


def test_an_answer_that_puts_the_run_off_or_blocks_it_stops_the_session():
    for step, stop in (
        (Later(60.0, Verdict.REFUSED, REASON), Stop(60.0, REASON)),
        (Block(REASON), Stop(3600.0, REASON, RunState.BLOCKED)),
    ):
        one = sender([50] * 9)
        one.post(step)
        assert (one.course.stop, one.begin()) == (stop, None)


# Too much rejected


def post_all(one: Sender, is_bad: Callable[[int, int], bool] = lambda _request, _place: True) -> int:
    """Post until nothing is left or the session stops; what has a bad row in it is refused. How many calls it took."""
    calls = 0
    while not one.ledger.is_complete and not one.course.stop:
        part = one.begin()
        assert part
        places = one.ledger.operations_of(part)
        refused = REJECTED if len(places) == 1 else SPLIT
        one.answer(part, refused if any(is_bad(part.request, place) for place in places) else ACCEPTED)
        calls += 1
    return calls


def says_too_much_is_rejected(one: Sender) -> bool:
    return one.course.stop is not None and one.course.stop.code == EVERYTHING_REJECTED.code


def test_where_row_after_row_is_refused_the_run_is_blocked_before_the_days_calls_are_gone():
    one = sender([50] * 9, is_tried=False)
    assert post_all(one) <= 30
    assert one.ledger.rejected_operations == 10
    assert one.course.stop
    assert (one.course.stop.state, one.course.stop.seconds) == (RunState.BLOCKED, EVERYTHING_REJECTED_SECONDS)
    assert says_too_much_is_rejected(one)


def test_a_session_that_looks_whether_that_is_over_costs_two_rows_and_few_calls():
    one = sender([50] * 9, is_tried=False, is_doubted=True)
    assert post_all(one) <= 8
    assert one.ledger.rejected_operations == 2
    assert says_too_much_is_rejected(one)


def test_such_a_session_begins_with_what_was_refused_least_and_looks_through_that_alone():
    one = sender([50] * 3, is_tried=False)
    post_all(one, lambda request, _place: request == 1)
    assert one.ledger.rejected_operations == 10
    one = one.successor(is_doubted=True)
    assert one.begin_all() == [Part(2, 0, 50)]
    one.answer(Part(2, 0, 50), SPLIT)
    one.post(SPLIT)
    assert one.begin_all() == [Part(2, 0, 12)], "and not the larger half, or request 3"
    one.answer(Part(2, 0, 12), ACCEPTED)
    assert requests(one.begin_all())[0] == 3, "now that something is accepted: the largest first"


def test_good_rows_do_not_wait_for_bad_ones_for_more_than_some_sessions():
    """Sixty bad rows, then nine hundred and forty good ones, which is more than may be in flight."""
    one, sessions = sender([50] * 20, is_tried=False), 0
    while one.ledger.accepted_operations < 940:
        post_all(one, lambda request, place: (request - 1) * 50 + place < 60)
        one, sessions = one.successor(is_doubted=True), sessions + 1
    assert sessions <= 4


def test_once_something_is_accepted_such_a_session_is_like_any_other():
    one = sender([1] * 99, is_tried=False, is_doubted=True)
    post_all(one, lambda request, _place: request != 2)
    assert one.ledger.rejected_operations == 1 + 50


def test_every_later_session_gets_a_little_further_until_nothing_is_left():
    sizes, lines, rejected = [50] * 9, list[bytes](), [0]
    while sum(sizes) > rejected[-1]:
        one = Sender(sizes, lines)
        assert post_all(one) <= 30
        rejected.append(one.ledger.rejected_operations)
        assert rejected[-1] - rejected[-2] == (2 if rejected[-2] else 10), "the ledger tells that there is doubt"
    assert Ledger(sizes, read_ledger(b"".join(lines))).is_complete


def test_rows_that_are_refused_here_and_there_stop_nothing():
    one = sender([10] * 200)
    post_all(one, lambda request, place: request % 10 == 0 and place == 0)
    assert (one.course.stop, one.ledger.rejected_operations) == (None, 20)


def test_a_request_of_which_most_is_bad_blocks_although_others_are_good():
    one = sender([50] * 9)
    post_all(one, lambda request, place: request == 2 and place % 4 > 0)
    assert says_too_much_is_rejected(one)
    assert 10 <= one.ledger.rejected_operations <= 12


def test_while_nothing_was_accepted_ten_rejected_rows_are_enough_whichever_requests_they_are_in():
    one = sender([1] * 99, is_tried=False)
    post_all(one)
    assert says_too_much_is_rejected(one)
    assert one.ledger.rejected_operations == 10


def test_once_something_was_accepted_it_takes_fifty_rejected_in_a_row():
    one = sender([1] * 99)
    post_all(one)
    assert says_too_much_is_rejected(one)
    assert one.ledger.rejected_operations == 50


def test_an_accepted_row_ends_the_series_of_rejected_ones():
    one = sender([1] * 99)
    post_all(one, lambda request, _place: request != 40)
    assert says_too_much_is_rejected(one)
    assert one.ledger.rejected_operations == 38 + 50


def test_halving_is_bounded_however_the_bad_rows_are_spread():
    one = sender([50] * 2000)
    assert post_all(one, lambda _request, place: place in (0, 25)) < 1000
    assert says_too_much_is_rejected(one)


def test_a_run_whose_last_row_is_refused_too_is_done_and_not_blocked():
    one = sender([1] * 10, is_tried=False)
    post_all(one)
    assert (one.ledger.is_complete, one.course.stop) == (True, None)


# Work


@pytest.mark.parametrize("bad", [(2, 0), (40, 49), (20, 25)])
def test_a_bad_row_before_a_barrier_costs_no_more_repetitions_than_were_in_flight_when_it_was_found(
    bad: tuple[int, int],
):
    calls = {}
    for barriers in ([], [41]):
        one = sender([50] * 240, barriers, limit=40)
        calls[bool(barriers)] = calls_with_all_in_flight(one, bad)
        assert one.ledger.rejected_operations == 1
    assert calls[False] <= 240 + 12
    assert calls[True] <= calls[False] + 40


def calls_with_all_in_flight(one: Sender, bad: tuple[int, int]) -> int:
    """As many in flight as may be, answered in the order in which they were posted."""
    calls = 0
    while not one.ledger.is_complete:
        calls += len(one.begin_all())
        part = next(iter(one.course.in_flight))
        has_bad = part.request == bad[0] and part.start <= bad[1] < part.stop
        refused = REJECTED if len(one.ledger.operations_of(part)) == 1 else SPLIT
        one.answer(part, refused if has_bad else ACCEPTED)
    return calls


def test_what_is_next_is_found_without_looking_through_the_plan():
    looked: list[int] = []

    class Watched(Ledger):
        def left_of(self, request: int) -> list[Part]:
            looked.append(request)
            return super().left_of(request)

    plan, limit, asked = 20_000, 40, 0
    course = Course(ledger := Watched([1] * plan), [], limit)
    while not ledger.is_complete:
        before = len(looked)
        while part := course.next_part():
            course.begin(part, float(asked))
            asked += 1
        assert len(looked) - before <= (limit + 1) * (2 * limit + 2)
        for flown in list(course.in_flight):
            ledger.add(entry(Verdict.ACCEPTED, flown.request, flown.start, flown.stop))
            course.answered(flown, ACCEPTED, float(asked))
    assert asked == plan
    assert len(looked) <= plan * (2 * limit + 2)


def test_one_slow_request_is_left_behind_no_further_than_twice_what_may_be_in_flight():
    one = sender([1] * 50, limit=4)
    assert one.begin() == Part(2, 0, 1)
    while part := one.begin():
        one.answer(part, ACCEPTED)
    assert one.ledger.accepted_operations == 2 * 4
    one.answer(Part(2, 0, 1), ACCEPTED)
    assert requests(one.begin_all()) == [10, 11, 12, 13]
