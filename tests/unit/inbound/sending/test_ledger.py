"""The ledger: whatever was answered, what is left and what is settled are together the plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.sending.ledger import Ledger, LedgerEntry, Slice, Verdict, ledger_line, read_ledger
from tests.unit.builders import NOON, PROPERTY, after, entry

SENT_AGAIN = [Verdict.THROTTLED, Verdict.UNANSWERED, Verdict.REFUSED]


def left(ledger: Ledger) -> list[tuple[int, int, int]]:
    return [(part.request, part.start, part.stop) for part in ledger.left()]


def operations(ledger: Ledger, sizes: list[int]) -> list[tuple[int, int]]:
    """Every operation that is left or settled, as (request, operation), in order."""
    parts = [*ledger.left(), *(part for n in range(1, len(sizes) + 1) for part, _ in ledger.answered(n))]
    return sorted((part.request, number) for part in parts for number in range(part.start, part.stop))


def test_without_an_answer_the_whole_plan_is_left_in_its_order():
    ledger = Ledger([50, 50, 23])
    assert left(ledger) == [(1, 0, 50), (2, 0, 50), (3, 0, 23)]
    assert (ledger.size_of(3), ledger.is_complete, ledger.whole_requests()) == (23, False, (0, 0))


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
        verdict = Verdict.ACCEPTED if not is_bad else Verdict.SPLIT if part.size > 1 else Verdict.REJECTED
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


def test_no_part_of_a_request_was_posted_before_the_answer_to_the_one_before():
    ledger = Ledger(
        [50, 50],
        [
            entry(request=1, answered_at=after(seconds=1)),
            entry(Verdict.THROTTLED, request=2, sent_at=after(seconds=9), answered_at=after(seconds=10)),
            entry(request=2, sent_at=after(seconds=19), answered_at=after(seconds=20)),
        ],
    )
    assert ledger.begun(1) is None
    assert ledger.begun(2) == after(seconds=1)
    assert ledger.begun(3) is None


# Any sequence


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[int], list[LedgerEntry]]:
    """A plan, and answers to parts of it: mostly to what is left then, sometimes to anything at all."""
    sizes = draw(st.lists(st.integers(1, 50), max_size=4))
    ledger, entries = Ledger(sizes), []
    for _ in range(draw(st.integers(0, 25))):
        waiting = list(ledger.left())
        verdict = draw(st.sampled_from(sorted(Verdict)))
        if waiting and draw(st.integers(0, 5)):
            part = draw(st.sampled_from(waiting))
        else:
            start = draw(st.integers(0, 50))
            part = Slice(request=draw(st.integers(0, 5)), start=start, stop=draw(st.integers(start, 50)))
        entries.append(entry(verdict, part.request, part.start, part.stop))
        ledger.add(entries[-1])
    return sizes, entries


@PROPERTY
@given(answers())
def test_left_and_settled_are_always_exactly_the_plan(case: tuple[list[int], list[LedgerEntry]]):
    sizes, entries = case
    plan = [(request, number) for request, size in enumerate(sizes, start=1) for number in range(size)]
    ledger = Ledger(sizes)
    for found in entries:
        ledger.add(found)
        assert operations(ledger, sizes) == plan
        remaining = sum(part.size for part in ledger.left())
        assert ledger.accepted_operations + ledger.rejected_operations + remaining == len(plan)
        assert ledger.is_complete is (remaining == 0)
        assert list(ledger.left()) == sorted(ledger.left(), key=lambda part: (part.request, part.start))
        assert all(part.size for part in ledger.left())
        assert sum(ledger.whole_requests()) == sum(not ledger.left_of(n) for n in range(1, len(sizes) + 1))


@PROPERTY
@given(answers(), st.data())
def test_an_entry_that_stands_there_twice_changes_nothing(
    case: tuple[list[int], list[LedgerEntry]], data: st.DataObject
):
    sizes, entries = case
    settled = [e for e in entries if e.verdict not in SENT_AGAIN]
    repeated = data.draw(st.lists(st.sampled_from(settled))) if settled else []
    once, twice = Ledger(sizes, entries), Ledger(sizes, [*entries, *repeated])
    for twin in (once, twice):
        assert left(twin) == left(once)
        assert twin.accepted_operations == once.accepted_operations
        assert twin.rejected_operations == once.rejected_operations
        assert twin.whole_requests() == once.whole_requests()


@PROPERTY
@given(st.integers(0, 50), st.integers(2, 50))
def test_two_halves_are_the_whole(start: int, size: int):
    first, second = Slice(request=1, start=start, stop=start + size).halves()
    assert (first.start, first.stop, second.stop) == (start, second.start, start + size)
    assert abs(first.size - second.size) <= 1
    assert first.size
    assert second.size


# Storage


def test_entries_come_back_from_their_lines_as_they_were():
    entries = [
        entry(),
        entry(Verdict.REJECTED, 2, 3, 4, status=400, code="badRequest", message="Zoë\n\u2028", request_id="r"),
        entry(Verdict.UNANSWERED, status=None, sent_at=after(seconds=0.123456)),
    ]
    content = b"".join(map(ledger_line, entries))
    assert content.count(b"\n") == 3
    assert list(read_ledger(content)) == entries


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n  \n"])
def test_blank_lines_are_no_entries(content: bytes):
    assert list(read_ledger(content)) == []
    assert list(read_ledger(content + ledger_line(entry()) + content)) == [entry()]


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"null",
        b"secret",
        b"\xff\xfe",
        ledger_line(entry())[:-20],
        ledger_line(entry()).replace(b"accepted", b"perhaps"),
        ledger_line(entry()).replace(b'"request":1', b'"request":"one"'),
        ledger_line(entry()).replace(NOON.isoformat().encode()[:10], b"yesterday"),
        ledger_line(entry()).strip() * 2,
        ledger_line(entry()).replace(b"{", b'{"more":"secret",', 1),
    ],
)
def test_a_line_that_can_not_be_read_is_an_error_with_its_number_and_not_its_content(line: bytes):
    content = ledger_line(entry()) + line.rstrip(b"\n") + b"\n" + ledger_line(entry(request=2))
    with pytest.raises(ValueError, match=r"^line 2 of the ledger is no ledger entry$"):
        list(read_ledger(content))
