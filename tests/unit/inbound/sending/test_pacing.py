"""How fast, and how many in a day: no window of the API's clock ever holds more calls than it allows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.sending.pacing import DailyQuota, SlidingWindow, Slots
from tests.unit.builders import NOON, PROPERTY, after

DAY = timedelta(hours=24)


def send(durations: list[float], pauses: list[float], *, limit: int, seconds: float) -> list[tuple[float, float]]:
    """When each call began and ended, of a sender that begins as soon as it may."""
    window, now, calls = SlidingWindow(limit, seconds), 1000.0, []
    for duration, pause in zip(durations, pauses, strict=True):
        now += pause
        while wait := window.wait(now):
            now += max(wait, 1e-6)
        calls.append((now, now + duration))
        now += duration
        window.ended(now)
    return calls


def test_calls_up_to_the_limit_begin_at_once():
    window = SlidingWindow(3, 5)
    for _ in range(3):
        assert window.wait(100.0) == 0.0
        window.ended(100.0)
    assert 5.0 < window.wait(100.0) < 5.5


def test_the_window_slides_from_the_end_of_each_call():
    window = SlidingWindow(2, 5)
    window.ended(100.0)
    window.ended(103.0)
    assert 3.0 < window.wait(102.0) < 3.5
    assert window.wait(106.0) == 0.0
    window.ended(106.0)
    assert 2.0 < window.wait(106.0) < 2.5


DURATIONS = st.lists(st.sampled_from([0.0, 0.01, 0.1, 1.0, 4.99, 5.0, 7.0]), min_size=1, max_size=60)


@PROPERTY
@given(DURATIONS, st.integers(1, 7), st.data())
def test_the_server_never_sees_more_calls_in_a_window_than_the_limit(
    durations: list[float], limit: int, data: st.DataObject
):
    pauses = data.draw(
        st.lists(st.sampled_from([0.0, 0.0, 0.3, 5.0]), min_size=len(durations), max_size=len(durations))
    )
    calls = send(durations, pauses, limit=limit, seconds=5)
    shares = data.draw(st.lists(st.floats(0, 1), min_size=len(calls), max_size=len(calls)))
    seen = [begun + share * (ended - begun) for (begun, ended), share in zip(calls, shares, strict=True)]
    for first, after_limit in zip(seen, seen[limit:], strict=False):
        assert after_limit - first > 5


def test_quick_calls_come_close_to_the_limit():
    calls = send([0.01] * 400, [0.0] * 400, limit=40, seconds=5)
    assert calls[-1][1] - calls[0][0] < 400 / 40 * 5.2


# Slots: calls that overlap


def test_a_slot_is_free_again_a_window_after_the_end_of_its_call():
    slots = Slots()
    assert slots.take(100.0, 1)
    assert not slots.take(103.0, 1)
    slots.ended(104.0)
    assert not slots.take(109.0, 1)
    assert 0.0 < slots.wait(109.0, 1) < 0.03
    assert slots.take(109.03, 1)


def test_how_long_to_wait_depends_on_how_many_must_cool():
    slots = Slots()
    for ended in (100.0, 101.0, 102.0):
        assert slots.take(ended, 3)
        slots.ended(ended)
    assert [round(slots.wait(103.0, capacity)) for capacity in (4, 3, 2, 1)] == [0, 2, 3, 4]
    assert slots.wait(103.0, 0) == float("inf")


def test_only_the_end_of_a_call_can_free_a_slot_that_is_in_use():
    slots = Slots()
    assert slots.take(100.0, 1)
    assert slots.wait(200.0, 1) == float("inf")
    assert slots.hot(200.0) == 1


def test_a_smaller_capacity_lets_nothing_begin_until_enough_has_cooled():
    slots = Slots()
    assert [slots.take(0.0, 4) for _ in range(5)] == [True] * 4 + [False]
    for ended in range(4):
        slots.ended(float(ended))
    assert not slots.take(6.5, 2)
    assert slots.take(7.5, 2)
    assert slots.hot(7.5) == 2


CALLS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.2, 1.0, 4.99, 9.0]), st.floats(0, 1), st.sampled_from([0.0, 0.0, 0.3, 5.0])
    ),
    min_size=1,
    max_size=80,
)


def seen_by_the_server(calls: list[tuple[float, float, float]], limit: int) -> list[float]:
    """When the server stamps calls that overlap, of a sender that begins each as soon as it may."""
    slots, now, seen, ends = Slots(), 1000.0, [], []
    for duration, share, pause in calls:
        now += pause
        while True:
            for end in sorted(end for end in ends if end <= now):
                slots.ended(end)
                ends.remove(end)
            if slots.take(now, limit):
                break
            now = min([now + max(slots.wait(now, limit), 1e-6), *ends])
        seen.append(now + share * duration)
        ends.append(now + duration)
    return sorted(seen)


@PROPERTY
@given(CALLS, st.integers(1, 7))
def test_calls_that_overlap_never_pass_the_limit_wherever_between_begin_and_end_the_server_stamps_them(
    calls: list[tuple[float, float, float]], limit: int
):
    seen = seen_by_the_server(calls, limit)
    for first, after_limit in zip(seen, seen[limit:], strict=False):
        assert after_limit - first > 5


def test_calls_that_overlap_come_close_to_the_limit():
    seen = seen_by_the_server([(0.15, 1.0, 0.0)] * 400, 40)
    assert seen[-1] - seen[0] < 360 / 8 * 1.04


# A day


def test_the_days_calls_are_granted_until_they_are_used_up():
    quota = DailyQuota()
    granted, quota = quota.grant(1500, 2000, NOON)
    assert granted == 1500
    granted, quota = quota.grant(1500, 2000, after(hours=1))
    assert granted == 500
    assert quota.grant(1, 2000, after(hours=23))[0] == 0


def test_nothing_granted_counts_nothing():
    _, quota = DailyQuota().grant(5, 5, NOON)
    assert quota.grant(5, 5, NOON)[1] == quota


def test_calls_free_up_a_day_after_the_end_of_the_minute_in_which_the_api_may_have_seen_the_last_of_them():
    _, quota = DailyQuota().grant(5, 5, after(seconds=59))
    assert quota.grant(5, 5, NOON + DAY + timedelta(seconds=119))[0] == 0
    frees_at = quota.frees_at(5, after(hours=1))
    assert frees_at == NOON + DAY + timedelta(minutes=2)
    assert quota.grant(5, 5, frees_at)[0] == 5


def test_calls_that_were_not_made_are_given_back():
    _, quota = DailyQuota().grant(20, 20, after(seconds=30))
    quota = quota.given_back(5, after(seconds=30))
    assert quota.grant(20, 20, after(minutes=9))[0] == 5


@pytest.mark.parametrize("minute", [0, 5])
def test_no_more_is_given_back_than_was_granted(minute: int):
    _, quota = DailyQuota().grant(3, 20, NOON)
    assert quota.given_back(50, after(minutes=minute)).grant(50, 20, after(minutes=9))[0] <= 20


def test_what_is_given_back_late_is_not_taken_from_other_calls():
    _, quota = DailyQuota().grant(20, 20, NOON)
    quota = quota.given_back(20, after(minutes=-3))
    assert quota.grant(1, 20, after(minutes=9))[0] == 0


def test_where_calls_are_left_they_are_free_now():
    _, quota = DailyQuota().grant(1, 5, NOON)
    assert quota.frees_at(5, NOON) <= after(hours=25)
    assert DailyQuota().frees_at(5, NOON) == NOON


def test_a_lower_limit_than_before_grants_nothing_until_it_is_kept():
    _, quota = DailyQuota().grant(6000, 6000, NOON)
    _, quota = quota.grant(1, 6001, after(hours=2))
    assert quota.grant(1, 2000, after(hours=3))[0] == 0
    assert quota.frees_at(2000, after(hours=3)) == NOON + DAY + timedelta(minutes=2)


def test_a_quota_comes_back_from_its_json_as_it_was():
    _, quota = DailyQuota().grant(7, 10, NOON)
    assert DailyQuota.model_validate_json(quota.model_dump_json()) == quota


def test_a_clock_that_went_back_forgets_no_call():
    _, quota = DailyQuota().grant(5, 5, after(hours=3))
    assert quota.grant(1, 5, NOON)[0] == 0


def test_calls_that_a_broken_clock_counted_far_ahead_do_not_count_for_ever():
    _, quota = DailyQuota().grant(5, 5, after(days=3650))
    assert quota.grant(5, 5, NOON)[0] == 5


def test_who_may_use_no_call_at_all_is_told_to_come_back_tomorrow():
    assert DailyQuota().frees_at(0, NOON) == NOON + DAY


@pytest.mark.parametrize("at", ["9999-12-31T23:59:00Z", "0001-01-01T00:00:00Z"])
def test_a_minute_at_the_end_of_the_calendar_stops_nothing(at: str):
    quota = DailyQuota.model_validate_json(f'{{"calls": {{"{at}": 2000}}}}')
    assert quota.grant(1, 1, NOON)[0] == 1


WANTS = st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 30)), min_size=1, max_size=40)


def grants(wants: list[tuple[int, int]], limit: int) -> list[tuple[datetime, int]]:
    quota, now, found = DailyQuota(), NOON, []
    for seconds, wanted in wants:
        now += timedelta(seconds=seconds)
        granted, quota = quota.grant(wanted, limit, now)
        found.append((now, granted))
        assert 0 <= granted <= wanted
        if wanted and not granted:
            frees_at = quota.frees_at(limit, now)
            assert frees_at > now
            assert quota.grant(1, limit, frees_at - timedelta(microseconds=1))[0] == 0
            assert quota.grant(1, limit, frees_at)[0] == 1
    return found


@PROPERTY
@given(WANTS, st.integers(1, 40))
def test_no_24_hours_are_ever_granted_more_than_the_limit_and_frees_at_is_when_there_is_one_more(
    wants: list[tuple[int, int]], limit: int
):
    found = grants(wants, limit)
    for begin, _ in found:
        assert sum(n for at, n in found if begin <= at <= begin + DAY) <= limit


@pytest.mark.parametrize("limit", [1, 2000])
def test_a_day_of_steady_wants_uses_the_whole_limit(limit: int):
    found = grants([(360, 60)] * 240, limit)
    assert sum(n for _, n in found) == limit
