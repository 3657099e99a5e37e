"""The state machine of a run: every state can be reached, and nothing that is to be sent is stuck."""

from __future__ import annotations

import itertools

import pytest

from shared.run.run_state import FIRST_STATES, TRANSITIONS, UNSENT, RunState, may_become

ENDS = {RunState.SETTLED, RunState.REFUSED}
"""Nothing is left to do, for nobody."""


def reachable(*first: RunState) -> set[RunState]:
    found, fresh = set(first), set(first)
    while fresh:
        fresh = {after for before, after in TRANSITIONS if before in fresh} - found
        found |= fresh
    return found


def test_the_names_are_the_contract_with_whoever_reads_run_json():
    names = ["planned", "sending", "sent", "settled", "held", "blocked", "refused"]
    assert [state.value for state in RunState] == names


def test_every_state_can_be_reached_from_what_a_drop_becomes():
    assert reachable(*FIRST_STATES) == set(RunState)


def test_only_a_settled_or_refused_run_has_no_way_on():
    assert set(RunState) - {before for before, _ in TRANSITIONS} == ENDS


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.REFUSED}))
def test_every_other_run_can_still_be_sent_and_settle(state: RunState):
    assert RunState.SETTLED in reachable(state)


@pytest.mark.parametrize("state", sorted(UNSENT))
def test_what_is_not_sent_yet_is_sending_or_can_be_without_a_person(state: RunState):
    assert may_become(state, RunState.SENDING)


def test_a_held_run_needs_a_person_before_it_is_sent():
    assert RunState.HELD not in UNSENT
    assert not may_become(RunState.HELD, RunState.SENDING)


def test_what_was_sent_is_never_sent_again():
    assert not reachable(RunState.SENT) & (UNSENT | {RunState.HELD, RunState.REFUSED})


def test_a_run_may_stay_where_it_is_and_go_only_where_the_table_says():
    for before, after in itertools.product(RunState, RunState):
        assert may_become(before, after) is (before is after or (before, after) in TRANSITIONS)


def test_every_way_says_why_and_leads_somewhere_else():
    assert all(why for why in [*TRANSITIONS.values(), *FIRST_STATES.values()])
    assert all(before is not after for before, after in TRANSITIONS)
