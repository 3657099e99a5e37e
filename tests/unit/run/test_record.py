"""`run.json`: whatever is written into it in whatever order, its counts add up to its rows."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.errors import Reason
from shared.run.record import OperatorAction, RunRecord, no_counts, reason_record
from shared.run.row_state import OPEN, OUTCOMES, RowState
from shared.run.run_state import TRANSITIONS, RunState
from tests.unit.builders import NOON, PROPERTY, after, run_record


def test_a_record_comes_back_from_its_json_as_it_was():
    record = run_record(
        set_aside=3,
        reason=reason_record(Reason("held", "m", "a")),
        first_sent_at=NOON,
        barriers=[2],
        priority="urgent",
        resend_of="older",
        actions=[OperatorAction(action="resume", by="ops@example.com", at=NOON)],
    )
    assert RunRecord.model_validate_json(record.model_dump_json(by_alias=True)) == record


def test_the_json_speaks_camel_case_and_names_every_state():
    stored = json.loads(run_record().model_dump_json(by_alias=True))
    assert {"run", "feed", "file", "etag", "droppedAt", "updatedAt", "state", "reason", "rows", "counts"} <= set(stored)
    assert {"requests", "jobId", "schemaVersion", "firstSentAt", "notBefore"} <= set(stored)
    assert {"barriers", "priority", "resendOf", "actions"} <= set(stored)
    assert set(stored["requests"]) == {"planned", "accepted", "rejected", "throttled", "repeated"}
    assert set(stored["counts"]) == {state.value for state in RowState}


@pytest.mark.parametrize(
    "members",
    [
        {"rows": 99},
        {"counts": {RowState.PLANNED: 100}},
        {"counts": no_counts() | {RowState.PLANNED: 101, RowState.FAILED: -1}},
        {"schema_version": 2},
        {"state": "paused"},
        {"more": 1},
        {"priority": "high"},
        {"actions": [{"action": "delete", "by": "ops@example.com", "at": NOON}]},
        {"actions": [{"action": "cancel", "at": NOON}]},
        {"dropped_at": NOON.replace(tzinfo=None)},
    ],
    ids=str,
)
def test_a_record_that_does_not_add_up_is_none(members: dict[str, Any]):
    record = dict(run_record())
    with pytest.raises(ValidationError):
        RunRecord.model_validate({**record, **members})


def test_a_change_is_checked_as_a_new_record_is():
    with pytest.raises(ValidationError, match="add up"):
        run_record().changed(rows=1)


@pytest.mark.parametrize(("before", "later"), list(itertools.product(RunState, RunState)))
def test_a_run_changes_its_state_only_as_the_table_says(before: RunState, later: RunState):
    record = run_record(state=before)
    if before is later or (before, later) in TRANSITIONS:
        assert record.changed(state=later).state is later
    else:
        with pytest.raises(ValueError, match=rf"^a run can't go from {before} to {later}$"):
            record.changed(state=later)


def test_a_state_that_does_not_exist_is_no_change_either():
    with pytest.raises(ValueError, match="paused"):
        run_record().changed(state="paused")


def test_a_change_leaves_everything_else_as_it_was():
    record = run_record(barriers=[2], priority="urgent", not_before=NOON)
    changed = record.changed(state=RunState.SENDING)
    assert changed == record.model_copy(update={"state": RunState.SENDING})
    assert record.state is RunState.PLANNED


def test_a_record_of_before_there_were_priorities_barriers_and_actions_can_be_read():
    stored = json.loads(run_record().model_dump_json(by_alias=True))
    for name in ("barriers", "priority", "resendOf", "actions"):
        del stored[name]
    record = RunRecord.model_validate_json(json.dumps(stored))
    assert (record.priority, record.barriers, record.actions, record.resend_of) == ("normal", [], [], None)


def test_who_cancelled_a_run_is_the_first_who_did():
    def done(action: str, by: str, minute: int) -> OperatorAction:
        return OperatorAction.model_validate({"action": action, "by": by, "at": after(minutes=minute), "why": "w"})

    actions = [done("resume", "ann", 1), done("cancel", "bob", 2), done("cancel", "cyd", 3)]
    assert run_record(actions=actions).cancelled_by == actions[1]
    assert run_record(actions=actions[:1]).cancelled_by is None


def test_only_a_blocked_run_without_a_job_has_no_plan_yet():
    assert run_record(0, state=RunState.BLOCKED, job_id=None).has_no_plan_yet
    assert not run_record(state=RunState.BLOCKED).has_no_plan_yet
    assert not run_record(0, state=RunState.REFUSED, job_id=None).has_no_plan_yet


def test_what_the_api_accepted_and_rejected_is_no_longer_planned():
    record = run_record(100, set_aside=7).with_answers(accepted=60, rejected=5)
    assert {state: n for state, n in record.counts.items() if n} == {
        RowState.SET_ASIDE: 7,
        RowState.PLANNED: 35,
        RowState.ACCEPTED: 60,
        RowState.REJECTED: 5,
    }


def test_what_the_log_said_is_no_longer_only_accepted():
    record = run_record(100).with_answers(accepted=60, rejected=0)
    record = record.with_outcomes({RowState.CREATED: 50, RowState.FAILED: 2})
    assert (record.counts[RowState.ACCEPTED], record.counts[RowState.CREATED]) == (8, 50)
    assert record.accepted_in_all == 60


def test_the_sender_does_not_undo_what_the_log_said():
    record = run_record(100).with_answers(accepted=60, rejected=0).with_outcomes({RowState.CREATED: 50})
    record = record.with_answers(accepted=100, rejected=0)
    assert (record.counts[RowState.CREATED], record.counts[RowState.ACCEPTED]) == (50, 50)


def test_a_sender_that_knows_less_takes_nothing_back():
    record = run_record(100).with_answers(accepted=60, rejected=5)
    assert record.with_answers(accepted=10, rejected=0) == record


def test_superseded_rows_are_not_planned_any_more():
    record = run_record(100).with_answers(accepted=60, rejected=5, superseded=10)
    assert {state: n for state, n in record.counts.items() if n} == {
        RowState.PLANNED: 25,
        RowState.SUPERSEDED: 10,
        RowState.ACCEPTED: 60,
        RowState.REJECTED: 5,
    }


def test_who_does_not_speak_of_superseded_rows_leaves_them_superseded():
    record = run_record(100).with_answers(accepted=1, rejected=0, superseded=10)
    assert record.with_answers(accepted=60, rejected=5).counts[RowState.SUPERSEDED] == 10
    assert record.with_outcomes({RowState.CREATED: 1}).counts[RowState.SUPERSEDED] == 10


def test_more_answers_than_planned_rows_is_an_error_and_no_negative_count():
    with pytest.raises(ValidationError):
        run_record(100).with_answers(accepted=60, rejected=5, superseded=36)


def test_more_outcomes_than_accepted_rows_is_an_error_and_no_negative_count():
    record = run_record(100).with_answers(accepted=1, rejected=0)
    with pytest.raises(ValidationError):
        record.with_outcomes({RowState.CREATED: 2})


@PROPERTY
@given(st.data())
def test_answers_and_outcomes_in_any_order_always_add_up(data: st.DataObject):
    planned, set_aside = data.draw(st.integers(0, 200)), data.draw(st.integers(0, 50))
    record = run_record(planned, set_aside, state=RunState.SENT)
    accepted, rejected, superseded, spoken = 0, 0, 0, 0
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["answers", "outcomes", "settle"]))
        if step == "answers":
            accepted = data.draw(st.integers(accepted, planned - superseded - rejected))
            rejected = data.draw(st.integers(rejected, planned - superseded - accepted))
            superseded = data.draw(st.integers(superseded, planned - accepted - rejected))
            record = record.with_answers(accepted=accepted, rejected=rejected, superseded=superseded)
        elif step == "outcomes":
            spoken = data.draw(st.integers(0, accepted))
            cuts = sorted(data.draw(st.lists(st.integers(0, spoken), min_size=6, max_size=6)))
            sizes = [b - a for a, b in itertools.pairwise([0, *cuts, spoken])]
            record = record.with_outcomes(dict(zip(sorted(OUTCOMES), sizes, strict=True)))
        else:
            record = record.settled_if_final()
        assert sum(record.counts.values()) == record.rows == planned + set_aside
        assert record.counts[RowState.SET_ASIDE] == set_aside
        assert record.counts[RowState.SUPERSEDED] == superseded
        assert record.counts[RowState.REJECTED] == rejected
        assert record.accepted_in_all == accepted
        assert sum(record.counts[state] for state in OUTCOMES) == spoken
        assert (record.state is RunState.SETTLED) <= (accepted + rejected == planned - superseded)


def test_a_sent_run_whose_rows_are_all_final_is_settled():
    record = run_record(2, state=RunState.SENT).with_answers(accepted=1, rejected=1)
    assert record.settled_if_final().state is RunState.SENT
    assert record.with_outcomes({RowState.UNACCOUNTED: 1}).settled_if_final().state is RunState.SETTLED


@pytest.mark.parametrize("waits", sorted(OPEN))
def test_a_run_with_an_open_row_is_not_settled(waits: RowState):
    record = run_record(2, counts={RowState.CREATED: 1, RowState.PLANNED: 0} | {waits: 1}, state=RunState.SENT)
    assert record.settled_if_final() == record


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.SENT}))
def test_only_a_run_that_was_sent_can_settle(state: RunState):
    record = run_record(1, counts={RowState.CREATED: 1}, state=state)
    assert record.settled_if_final().state is state
