"""Sending processes share the tenant's slots: never more than there are, and nobody gets less than is fair for long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.sending.pacing import Share, Shares, all_occupied, fair_shares
from tests.unit.builders import NOON, PROPERTY, after


def claim(shares: Shares, sender: str, *, wanted: int = 40, hot: int = 0, seconds: float = 0) -> tuple[Shares, int]:
    """The shares afterwards, and what the sender may use."""
    shares, fair = shares.claimed(sender, wanted=wanted, hot=hot, limit=40, now=after(seconds=seconds))
    return shares, min(fair, shares.senders[sender].slots)


def test_who_is_alone_has_everything_that_they_want():
    assert claim(Shares(), "a")[1] == 40
    assert claim(Shares(), "a", wanted=3)[1] == 3


def test_who_has_more_than_is_fair_gives_it_back_as_it_cools():
    shares, _ = claim(Shares(), "a")
    shares, b = claim(shares, "b", seconds=1)
    assert b == 0
    shares, a = claim(shares, "a", hot=33, seconds=2)
    assert (a, shares.senders["a"].slots) == (20, 33)
    assert claim(shares, "b", seconds=2)[1] == 7
    shares, a = claim(shares, "a", hot=12, seconds=3)
    assert (a, shares.senders["a"].slots) == (20, 20)
    assert claim(shares, "b", seconds=3)[1] == 20


def test_what_one_does_not_want_another_has():
    shares, _ = claim(Shares(), "a", wanted=3)
    shares, b = claim(shares, "b")
    assert b == 37
    assert claim(shares, "a", wanted=3)[1] == 3


def test_the_dead_occupy_their_slots_for_a_window_and_a_second_after_their_time():
    shares, _ = claim(Shares(), "dead", wanted=30)
    assert claim(shares, "b", seconds=13.9)[1] == 10
    shares, b = claim(shares, "b", seconds=14)
    assert (b, list(shares.senders)) == (40, ["b"])


def test_what_the_dead_occupy_is_nobodys_to_share():
    shares, _ = claim(Shares(), "dead", wanted=30)
    shares, b = claim(shares, "b", seconds=9)
    assert (b, claim(claim(shares, "c", seconds=9)[0], "b", seconds=9)[1]) == (10, 5)


def test_who_leaves_occupies_only_what_is_hot():
    shares, _ = claim(Shares(), "a")
    shares = shares.left("a", hot=4, now=NOON)
    assert claim(shares, "b", seconds=0)[1] == 36
    assert claim(shares, "b", seconds=6)[1] == 40
    assert Shares(senders=claim(Shares(), "a")[0].senders).left("a", hot=0, now=NOON) == Shares()


def test_who_comes_back_finds_its_own_slots_still_its_own():
    shares = claim(Shares(), "a")[0].left("a", hot=40, now=NOON)
    assert claim(shares, "a", hot=40, seconds=1)[1] == 40
    assert claim(shares, "b", seconds=1)[1] == 0


def test_a_time_that_a_wrong_clock_put_far_ahead_is_cut():
    shares, _ = claim(Shares(), "a", seconds=86_400 * 365)
    shares, _ = claim(shares, "b")
    assert claim(shares, "b", seconds=16)[1] == 40


def test_where_nobody_knows_everything_is_occupied_for_a_window():
    shares = all_occupied(40, NOON)
    assert claim(shares, "a", seconds=5.9)[1] == 0
    assert claim(shares, "a", seconds=6)[1] == 40


def test_a_lower_limit_than_before_is_reached_as_slots_cool():
    shares = claim(claim(Shares(), "a", wanted=20)[0], "b", wanted=20)[0]
    a, fair = shares.claimed("a", wanted=40, hot=8, limit=10, now=NOON)
    assert (a.senders["a"].slots, fair) == (8, 5)


@pytest.mark.parametrize(
    ("wants", "shares"),
    [
        ({"a": 40}, {"a": 40}),
        ({"a": 40, "b": 40, "c": 40}, {"a": 13, "b": 13, "c": 14}),
        ({"a": 40, "b": 0, "c": 5}, {"a": 35, "b": 0, "c": 5}),
        ({str(n): 9 for n in range(50)}, {str(n): 1 for n in range(50)}),
    ],
)
def test_shares_are_equal_up_to_what_is_wanted(wants: dict[str, int], shares: dict[str, int]):
    assert fair_shares(40, wants) == shares


STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 60), st.integers(0, 9), st.booleans()), max_size=60)


@PROPERTY
@given(STEPS)
def test_all_shares_together_never_pass_the_limit_whoever_claims_or_leaves(steps: list[tuple[str, int, int, bool]]):
    shares, seconds = Shares(), 0
    for sender, wanted, pause, leaves in steps:
        seconds += pause
        held = shares.senders.get(sender, Share(slots=0, until=NOON)).slots
        if leaves:
            shares = shares.left(sender, hot=held // 2, now=after(seconds=seconds))
        else:
            shares, usable = claim(shares, sender, wanted=wanted, hot=held // 2, seconds=seconds)
            assert usable <= max(wanted, 1)
        assert sum(share.slots for share in shares.senders.values()) <= 40


def test_shares_come_back_from_their_json_as_they_were():
    shares, _ = claim(Shares(), "a", wanted=7)
    assert Shares.model_validate_json(shares.model_dump_json(by_alias=True)) == shares


@pytest.mark.parametrize("at", ["9999-12-31T23:59:00Z", "0001-01-01T00:00:00Z"])
def test_a_time_at_the_end_of_the_calendar_stops_nothing(at: str):
    shares = Shares.model_validate_json(f'{{"senders": {{"a": {{"slots": 40, "until": "{at}"}}}}}}')
    assert claim(claim(shares, "b")[0], "b", seconds=16)[1] == 40
