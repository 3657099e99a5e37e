"""Any plan, any answers in any order, senders killed anywhere: what always holds, by books of the test's own.

Plans without barriers; what these add is in `test_managers_first`.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.errors import Reason
from shared.inbound.sending.advice import EVERYTHING_REJECTED
from shared.inbound.sending.answer import Again, Block, Done, FreshToken, Later, Split
from shared.inbound.sending.ledger_entry import Part, Verdict
from shared.inbound.sending.stop import Stop
from shared.run.run_state import RunState
from tests.unit.builders import PROPERTY
from tests.unit.inbound.sending.sender import Sender

if TYPE_CHECKING:
    from shared.inbound.sending.answer import Step

REASON = Reason("code", "message", "advice")
SECONDS = st.sampled_from([1.0, 7.5, 60.0])
STOPS = st.builds(Stop, SECONDS | st.just(0.0), st.none(), st.sampled_from([RunState.SENDING, RunState.BLOCKED]))
Place = tuple[int, int]


def weighed(stops: list[Stop]) -> tuple[bool, float]:
    """Whether a repair is needed, and how long the wait is: what concerns the whole job comes before the one run."""
    of_job = [stop for stop in stops if stop.reason is REASON or (stop.reason is None and stop.seconds)]
    counting = of_job or stops
    return any(stop.state is RunState.BLOCKED for stop in counting), max(stop.seconds for stop in counting)


class AnyCourse(RuleBasedStateMachine):
    """`fate` has what became of each operation; everything else is what the rules of sending say of this moment."""

    @initialize(
        sizes=st.lists(st.integers(1, 6), min_size=6, max_size=14),
        limit=st.integers(1, 5),
    )
    def plan(self, sizes: list[int], limit: int) -> None:
        self.sizes, self.limit = sizes, limit
        self.fate: Counter[tuple[Place, str]] = Counter()
        self.done: set[Place] = set()
        self.lines: list[bytes] = []
        self.doubtful: set[Part] = set()
        self.repeated = 0
        self.new_session()

    def new_session(self) -> None:
        self.sender = Sender(self.sizes, self.lines, (), self.limit)
        self.flying: dict[Part, tuple[set[Place], float, int]] = {}
        self.is_tried, self.setbacks, self.setback_at, self.rest = False, 0, -1.0, 0.0
        self.token, self.rejected, self.answers, self.stops = 0, 0, 0, list[Stop]()

    def waiting(self, request: int) -> list[Place]:
        places = [(request, place) for place in range(self.sizes[request - 1])]
        return [place for place in places if place not in self.done]

    def settle(self, places: set[Place], fate: str) -> None:
        assert not places & self.done, "an operation ends once"
        self.done |= places
        self.fate.update((place, fate) for place in places)

    def may_begin(self) -> int | None:
        """The oldest request that is still to be sent and is not in flight."""
        unsettled = [n for n in range(1, len(self.sizes) + 1) if self.waiting(n)]
        busy = {part.request for part in self.flying}
        for number in unsettled:
            if number not in busy and number < unsettled[0] + 2 * self.limit:
                return number
        return None

    @rule(most=st.integers(1, 5))
    def begin(self, most: int = 1) -> None:
        self.sender.now = max(self.sender.now, self.rest)
        for _ in range(most):
            full = len(self.flying) >= (self.limit if self.is_tried and not self.setbacks else 1)
            expected = None if full or self.stops else self.may_begin()
            part = self.sender.begin()
            assert (part and part.request) == expected
            if part:
                self.put_down(part)

    def put_down(self, part: Part) -> None:
        places = {(part.request, place) for place in self.sender.ledger.operations_of(part)}
        assert places
        assert min(places) == self.waiting(part.request)[0], "a request is sent in its order"
        assert not places & self.done, "nothing is sent that is settled"
        assert not places & set(chain.from_iterable(flown for flown, _, _ in self.flying.values())), "no overlap"
        self.repeated += part in self.doubtful
        self.doubtful.discard(part)
        self.flying[part] = places, self.sender.now, self.token

    def is_flying(self) -> bool:
        return bool(self.flying)

    def is_late(self) -> bool:
        """A session that is cut short before it has done anything shows little."""
        return self.answers >= 8

    def answer(self, data: st.DataObject, step: Step) -> tuple[Part, set[Place], float, int, bool]:
        part = data.draw(st.sampled_from(sorted(self.flying)))
        if isinstance(step, FreshToken):
            step = self.sender.unauthorised(part)
            assert isinstance(step, Block) is (self.flying[part][2] > 0)
        return self.answer_to(part, step)

    def answer_to(self, part: Part, step: Step) -> tuple[Part, set[Place], float, int, bool]:
        places, begun, token = self.flying.pop(part)
        assert self.sender.course.tries(part) == max(1, self.setbacks + (begun > self.setback_at))
        if isinstance(step, Split) and len(places) == 1:
            step = Done(Verdict.REJECTED)
        self.answers += 1
        is_asked = self.sender.answer(part, step)
        assert is_asked is (isinstance(step, FreshToken) and token == self.token), "one token for many answers 401"
        self.token += is_asked
        if isinstance(step, Done | Split):
            self.went_well(places, begun, step)
        elif isinstance(step, Block | Later):
            state = RunState.BLOCKED if isinstance(step, Block) else RunState.SENDING
            self.stops.append(Stop(step.seconds, step.reason, state))
        return part, places, begun, token, is_asked

    def went_well(self, places: set[Place], begun: float, step: Done | Split) -> None:
        if isinstance(step, Done):
            self.settle(places, step.verdict)
            self.rejected += len(places) * (step.verdict is Verdict.REJECTED)
            self.is_tried |= step.verdict is Verdict.ACCEPTED
        if begun > self.setback_at:
            self.setbacks = 0
        stop = self.sender.course.stop
        if stop and stop.reason is EVERYTHING_REJECTED and stop not in self.stops:
            assert self.rejected >= 10
            self.stops.append(stop)

    @precondition(is_flying)
    @rule(data=st.data())
    def accepted(self, data: st.DataObject) -> None:
        self.answer(data, Done(Verdict.ACCEPTED))

    @precondition(is_flying)
    @rule(data=st.data(), step=st.sampled_from([Split(), FreshToken()]))
    def refused(self, data: st.DataObject, step: Step) -> None:
        self.answer(data, step)

    @precondition(is_flying)
    @rule(
        data=st.data(),
        seconds=SECONDS,
        verdict=st.sampled_from([Verdict.THROTTLED, Verdict.UNANSWERED, Verdict.REFUSED]),
    )
    def set_back(self, data: st.DataObject, seconds: float, verdict: Verdict) -> None:
        part, _, begun, _, _ = self.answer(data, Again(seconds, verdict))
        if begun > self.setback_at:
            self.setbacks, self.setback_at = self.setbacks + 1, self.sender.now
        self.doubtful |= {part} if verdict is Verdict.UNANSWERED else set()
        self.rest = max(self.rest, self.sender.now + seconds)

    @precondition(is_late)
    @precondition(is_flying)
    @rule(data=st.data(), seconds=SECONDS, is_block=st.booleans())
    def put_off(self, data: st.DataObject, seconds: float, is_block: bool) -> None:
        self.answer(data, Block(REASON, seconds) if is_block else Later(seconds, Verdict.REFUSED, REASON))

    @precondition(is_late)
    @rule(stop=STOPS)
    def end(self, stop: Stop) -> None:
        self.sender.course.end(stop)
        self.stops.append(stop)

    @precondition(is_late)
    @rule(gone=st.sets(st.tuples(st.integers(1, 14), st.integers(0, 5)), max_size=6))
    def killed_and_begun_again(self, gone: set[Place]) -> None:
        """Whatever was in flight has an unknown fate; then a newer run turns out to speak of some workers."""
        self.doubtful |= set(self.flying)
        self.new_session()
        for request in {request for request, _ in gone if request <= len(self.sizes)}:
            places = {place for place in gone if place[0] == request} & set(self.waiting(request))
            self.sender.supersede(request, sorted(place for number, place in gone if number == request))
            self.settle(places, "superseded")

    @invariant()
    def holds(self) -> None:
        course, ledger = self.sender.course, self.sender.ledger
        assert set(course.in_flight) == set(self.flying)
        assert course.resting_until >= self.rest, "no rest is shorter than asked"
        assert ledger.repeated == self.repeated
        counts = Counter(fate for _, fate in self.fate)
        assert ledger.accepted_operations == counts[Verdict.ACCEPTED]
        assert ledger.rejected_operations == counts[Verdict.REJECTED]
        assert ledger.superseded_operations == counts["superseded"]
        assert bool(course.stop) is bool(self.stops)
        if course.stop:
            assert (course.stop.state is RunState.BLOCKED, course.stop.seconds) == weighed(self.stops)

    def teardown(self) -> None:
        """From wherever it is, sessions that meet no trouble send everything."""
        if not hasattr(self, "sizes"):
            return
        self.doubtful |= set(self.flying)
        self.new_session()
        for _ in range(2 * sum(self.sizes)):
            self.begin()
            for part in list(self.flying):
                self.answer_to(part, Done(Verdict.ACCEPTED))
        self.holds()
        assert self.sender.ledger.is_complete
        plan = [(n, place) for n, size in enumerate(self.sizes, start=1) for place in range(size)]
        assert sorted(place for place, _ in self.fate.elements()) == plan


TestAnyCourse = AnyCourse.TestCase
TestAnyCourse.settings = settings(PROPERTY, max_examples=100, stateful_step_count=80)
