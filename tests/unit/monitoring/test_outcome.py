"""What one worker's events come to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.monitoring.outcome import UNRESOLVED_MANAGER, Outcome, fold
from shared.monitoring.provisioning_log import ProvisioningEvent
from shared.run.row_state import RowState
from tests.unit.builders import PROPERTY, after, event


def state_and_code(*events: ProvisioningEvent) -> tuple[str, str | None] | None:
    outcome = fold(None, events)
    return outcome and (outcome.state.value, outcome.code)


@pytest.mark.parametrize(
    ("status", "action", "state"),
    [
        ("success", "create", "created"),
        ("success", "update", "updated"),
        ("success", "disable", "disabled"),
        ("success", "delete", "deleted"),
        ("warning", "create", "created"),
        ("warning", "update", "updated"),
        *(("skipped", action, "skipped") for action in ("other", "update", "create", "disable", "")),
        *(("failure", action, "failed") for action in ("create", "update", "disable", "delete", "other", "")),
        *((status, "stageddelete", "failed") for status in ("success", "failure", "skipped", "")),
    ],
)
def test_one_event_is_one_state(status: str, action: str, state: str):
    assert state_and_code(event(action, status)) == (state, None)


@pytest.mark.parametrize(
    ("status", "action"),
    [("success", "other"), ("success", ""), ("success", "merge"), ("", "create"), ("unknownfuturevalue", "create")],
)
def test_what_is_not_known_is_no_outcome_and_changes_none(status: str, action: str):
    assert state_and_code(event(action, status)) is None
    assert state_and_code(event(), event(action, status, minute=1)) == ("created", None)


def test_no_events_are_no_outcome():
    assert fold(None, []) is None


@pytest.mark.parametrize(
    ("story", "end"),
    [
        ([("create", "success"), ("update", "success")], "created"),
        ([("create", "success"), ("update", "warning")], "created"),
        ([("create", "failure"), ("create", "success")], "created"),
        ([("create", "failure"), ("create", "success"), ("update", "success")], "created"),
        ([("create", "success"), ("update", "failure")], "failed"),
        ([("create", "success"), ("update", "failure"), ("update", "success")], "created"),
        ([("create", "success"), ("disable", "success")], "disabled"),
        ([("update", "success"), ("disable", "success"), ("delete", "success")], "deleted"),
        ([("update", "success"), ("other", "skipped")], "updated"),
        ([("disable", "success"), ("other", "skipped")], "disabled"),
        ([("other", "skipped"), ("update", "success")], "updated"),
        ([("other", "skipped"), ("other", "skipped")], "skipped"),
        ([("update", "failure"), ("other", "skipped")], "failed"),
        ([("update", "success"), ("update", "failure")], "failed"),
    ],
    ids=lambda value: " then ".join(f"{a} {s}" for a, s in value) if isinstance(value, list) else None,
)
def test_a_story_of_events_ends_in_one_state(story: list[tuple[str, str]], end: str):
    events = [event(action, status, minute=minute) for minute, (action, status) in enumerate(story)]
    outcome = fold(None, events)
    assert outcome is not None
    assert outcome.state == end
    assert outcome.at == events[-1].at


def test_a_created_worker_whose_manager_is_missing_is_created_and_says_so():
    events = (event(), event("other", "skipped", minute=1, code=UNRESOLVED_MANAGER))
    assert state_and_code(*events) == ("created", UNRESOLVED_MANAGER)


def test_a_manager_who_is_found_in_the_end_is_no_longer_missing():
    missing = event("other", "skipped", minute=1, code=UNRESOLVED_MANAGER)
    assert state_and_code(event(), missing, event("update", minute=2)) == ("created", None)


def test_that_nothing_had_to_be_done_afterwards_is_no_remark():
    assert state_and_code(event(), event("other", "skipped", minute=1, code="RedundantExport")) == ("created", None)


def test_a_failure_keeps_its_code_when_the_engine_skips_the_worker_later():
    events = (event("update", "failure", code="E"), event("other", "skipped", minute=1, code="RedundantExport"))
    assert state_and_code(*events) == ("failed", "E")


def test_in_one_moment_a_create_comes_before_its_update_and_its_skip():
    moment = (
        event("other", "skipped", id="a", code=UNRESOLVED_MANAGER),
        event("update", id="b"),
        event("create", id="c"),
    )
    for order in itertools.permutations(moment):
        assert state_and_code(*order) == ("created", UNRESOLVED_MANAGER)


def test_a_stored_outcome_goes_on_with_later_events():
    outcome = fold(None, [event()])
    assert fold(outcome, [event("disable", minute=3)]) == Outcome(
        RowState.DISABLED, None, after(minutes=3), "disable-success-3", created=True
    )


def test_an_event_from_before_the_outcome_is_in_it_already():
    outcome = fold(None, [event("disable", minute=3)])
    assert fold(outcome, [event("update", minute=1)]) == outcome


def test_a_create_that_the_log_shows_late_still_counts():
    outcome = fold(fold(None, [event("update", minute=1)]), [event(minute=0), event("update", minute=1)])
    assert outcome is not None
    assert outcome.state is RowState.CREATED


@pytest.mark.parametrize("between", [("update", "failure"), ("disable", "success")])
def test_a_story_that_is_read_again_ends_as_before(between: tuple[str, str]):
    events = [event(), event(*between, minute=1), event("update", minute=2)]
    outcome = fold(None, events)
    assert fold(outcome, events) == outcome


EVENTS = st.lists(
    st.builds(
        event,
        st.sampled_from(["create", "update", "disable", "delete", "other", "stageddelete", "", "x"]),
        st.sampled_from(["success", "warning", "failure", "skipped", "", "x"]),
        minute=st.integers(0, 4),
        code=st.sampled_from([None, "A", UNRESOLVED_MANAGER]),
        id=st.uuids().map(str),
    ),
    max_size=8,
)


@PROPERTY
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(events: list[ProvisioningEvent], random: object):
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(None, shuffled) == fold(None, events)


@PROPERTY
@given(EVENTS)
def test_taking_the_same_events_in_again_changes_nothing(events: list[ProvisioningEvent]):
    outcome = fold(None, events)
    assert fold(outcome, events) == outcome
    assert fold(outcome, [*events, *events]) == outcome


@PROPERTY
@given(EVENTS, st.integers(0, 5))
def test_windows_that_follow_each_other_and_overlap_come_to_what_one_would(
    events: list[ProvisioningEvent], minute: int
):
    early = [found for found in events if found.at < after(minutes=minute)]
    late = [found for found in events if found.at >= after(minutes=minute - 1)]
    assert fold(fold(None, early), late) == fold(None, events)
