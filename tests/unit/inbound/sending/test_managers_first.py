"""Managers before their reports, whatever has to be posted again: what passed a barrier too early is posted again."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inbound.sending.answer import Again, Done, FreshToken, Later, Split, Step
from shared.inbound.sending.ledger_entry import AnswerEntry, BegunEntry, Verdict, read_ledger
from tests.unit.builders import PROPERTY
from tests.unit.inbound.sending.sender import Sender
from tests.unit.inbound.sending.test_course import REASON

STEPS = st.sampled_from(["accept", "accept", "accept", "split", "again", "lost", "token", "later", "kill"])


def step(word: str, operations: int) -> Step:
    if word == "split":
        return Split() if operations > 1 else Done(Verdict.REJECTED)
    return {
        "accept": Done(Verdict.ACCEPTED),
        "again": Again(1.0, Verdict.THROTTLED),
        "lost": Again(1.0, Verdict.UNANSWERED),
        "token": FreshToken(),
        "later": Later(1.0, Verdict.REFUSED, REASON),
    }[word]


def sent(sizes: list[int], barriers: list[int], limit: int, data: st.DataObject) -> Sender:
    """A run sent to its end, with trouble at first."""
    lines: list[bytes] = []
    one = Sender(sizes, lines, barriers, limit)
    for turn in range(600):
        if one.ledger.is_complete and not one.course.in_flight:
            break
        one.now = max(one.now, one.course.resting_until)
        one.begin_all()
        word = data.draw(STEPS) if turn < 60 else "accept"
        if word == "kill" or not one.course.in_flight:
            one = Sender(sizes, lines, barriers, limit)
            continue
        part = data.draw(st.sampled_from(sorted(one.course.in_flight)))
        one.answer(part, step(word, len(one.ledger.operations_of(part))))
    return one


@settings(PROPERTY, max_examples=300)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=9),
    st.sets(st.integers(2, 9), min_size=1, max_size=4),
    st.integers(1, 6),
    st.data(),
)
def test_what_the_api_took_of_a_report_it_took_after_its_manager(
    sizes: list[int], barriers: set[int], limit: int, data: st.DataObject
):
    one = sent(sizes, sorted(barriers), limit, data)
    assert one.ledger.is_complete
    assert one.ledger.accepted_operations + one.ledger.rejected_operations == sum(sizes)
    posted = last_posts(one.lines)
    for barrier in barriers:
        before = [turn for (request, _), turn in posted.items() if request < barrier]
        behind = [turn for (request, _), turn in posted.items() if request >= barrier]
        assert max(before, default=-1) < min(behind, default=1_000_000)


def last_posts(lines: list[bytes]) -> dict[tuple[int, int], int]:
    """For each operation that the API took when it was last posted, the line on which that post begins."""
    begun: dict[tuple[int, int, int], int] = {}
    taken: dict[tuple[int, int], int] = {}
    for turn, line in enumerate(read_ledger(b"".join(lines))):
        if isinstance(line, BegunEntry):
            begun |= dict.fromkeys(line.parts, turn)
        elif isinstance(line, AnswerEntry):
            part = (line.request, line.start, line.stop)
            places = [(line.request, place) for place in range(line.start, line.stop)]
            if line.verdict is Verdict.ACCEPTED:
                taken |= dict.fromkeys(places, begun[part])
            elif line.verdict in (Verdict.REJECTED, Verdict.SPLIT):
                taken = {place: at for place, at in taken.items() if place not in places}
    return taken
