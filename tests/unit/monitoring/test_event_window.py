"""The events of one reading of the log."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.monitoring.event_window import EventWindow
from shared.monitoring.provisioning_log import ProvisioningEvent
from tests.unit.builders import NOON, PROPERTY, after, event


def test_the_same_event_twice_is_one_event():
    window = EventWindow([event(id="1"), event(id="2"), event(id="1")])
    assert len(window) == 2
    assert [found.id for found in window.of("701984", NOON)] == ["1", "2"]


def test_a_worker_has_their_own_events_only():
    window = EventWindow([event(id="1"), event(id="2", external_id="701985"), event(id="3", external_id="70198")])
    assert [found.id for found in window.of("701985", NOON)] == ["2"]
    assert window.of("nobody", NOON) == []


def test_an_event_comes_out_as_it_went_in():
    whole = ProvisioningEvent("1", after(microseconds=7), "701984", "skipped", "other", "RedundantExport", None)
    assert EventWindow([whole]).of("701984", NOON) == [whole]


def test_events_come_by_time_whatever_the_order_of_reading():
    window = EventWindow([event(minute=9), event(minute=1), event(minute=5)])
    assert [found.at for found in window.of("701984", NOON)] == [after(minutes=m) for m in (1, 5, 9)]


@pytest.mark.parametrize(("since", "count"), [(-1, 3), (0, 3), (0.01, 2), (1, 2), (2, 1), (3, 0)])
def test_events_before_the_moment_asked_for_are_left_out(since: float, count: int):
    window = EventWindow([event(minute=minute) for minute in (0, 1, 2)])
    assert len(window.of("701984", after(minutes=since))) == count


def test_times_of_different_zones_are_compared_as_moments():
    in_tokyo = event(minute=5)
    moved = ProvisioningEvent(
        "1", in_tokyo.at.astimezone(timezone(timedelta(hours=9))), "701984", "success", "create", None, None
    )
    window = EventWindow([moved])
    assert len(window.of("701984", after(minutes=5).astimezone(timezone(timedelta(hours=-7))))) == 1
    assert window.of("701984", after(minutes=6)) == []


def test_an_empty_reading_has_no_events():
    with closing(EventWindow([])) as window:
        assert len(window) == 0


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from("ab"))))
def test_every_event_counts_once(reading: list[tuple[int, int, str]]):
    events = [event(minute=minute, id=f"{minute}{n}{who}", external_id=who) for minute, n, who in reading]
    window = EventWindow([*events, *events])
    assert len(window) == len({found.id for found in events})
    for who in "ab":
        own = sorted({found.id for found in events if found.external_id == who})
        assert [found.id for found in window.of(who, NOON)] == own
