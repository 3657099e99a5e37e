"""A run in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.cli.following import stages
from shared.cli.run_words import (
    blobs,
    counts_in_short,
    needs_person,
    quota_left,
    reason_code,
    span,
    waits,
    waits_for_person,
    what_helps,
    when,
)
from shared.run.record import OperatorAction, ReasonRecord
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.operate_run import resumed
from tests.unit.builders import NOON, after, run_record


def reason(code: str) -> ReasonRecord:
    return ReasonRecord(code=code, message="What is wrong.", advice="What to do.")


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(), "a moment"),
        (timedelta(seconds=-5), "a moment"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59.7), "1 minute"),
        (timedelta(minutes=5), "5 minutes"),
        (timedelta(minutes=5, seconds=20), "5 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=3, minutes=20), "3 hours 20 minutes"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=1, hours=1), "1 day 1 hour"),
        (timedelta(days=12, hours=5), "12 days"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_units(length, words):
    assert span(length) == words


def test_only_counts_that_are_not_zero_are_told_in_short():
    record = run_record(1300, 4, counts={RowState.CREATED: 1200, RowState.FAILED: 100})
    assert counts_in_short(record) == "setAside 4, created 1,200, failed 100"


def test_a_run_that_waits_says_when_it_goes_on_and_another_how_old_it_is():
    waiting = run_record(state=RunState.SENDING, not_before=after(minutes=90))
    assert when(waiting, NOON) == "goes on in 1 hour 30 minutes"
    assert waits(waiting, NOON).startswith("It goes on by itself in 1 hour 30 minutes, at 2026-")
    assert when(waiting, after(minutes=95)) == "1 hour 35 minutes old"
    assert "over" in waits(waiting, after(minutes=95))
    assert waits(run_record(), NOON) is None


@pytest.mark.parametrize("state", list(RunState))
def test_held_and_blocked_runs_wait_for_a_person_and_refused_ones_need_one_too(state):
    record = run_record(0 if state is RunState.REFUSED else 10, state=state)
    assert waits_for_person(record) is (state in (RunState.HELD, RunState.BLOCKED))
    assert needs_person(record) is (state in (RunState.HELD, RunState.BLOCKED, RunState.REFUSED))


@pytest.mark.parametrize("state", list(RowState))
def test_rows_that_came_to_nothing_need_a_person(state):
    record = run_record(10, counts={state: 1}) if state is not RowState.PLANNED else run_record(10)
    if state is RowState.SET_ASIDE:
        record = run_record(9, 1)
    lost = (RowState.SET_ASIDE, RowState.FAILED, RowState.REJECTED, RowState.UNACCOUNTED)
    assert needs_person(record) is (state in lost)


def test_what_helps_fits_the_state_of_the_run():
    held = run_record(state=RunState.HELD, reason=reason("tooManySetAside"))
    damaged = run_record(state=RunState.HELD, reason=reason("planDamaged"))
    blocked = run_record(state=RunState.BLOCKED, reason=reason("forbidden"))
    assert f"resume {held.run} sends the other 100." in what_helps(held)[0]
    assert f'cancel {held.run} --why "dropped again"' in what_helps(held)[1]
    assert not any("resume" in line for line in what_helps(damaged))
    assert "Then drop the HR file again" in what_helps(damaged)[0]
    assert f"resume {blocked.run}" in what_helps(blocked)[0]
    assert "doctor" in what_helps(run_record())[0]


def test_where_everything_was_rejected_the_rest_is_resumed_and_the_rejected_rows_are_sent_again():
    counts = {RowState.REJECTED: 10}
    record = run_record(state=RunState.BLOCKED, reason=reason("everythingRejected"), counts=counts)
    outside, data, *_, last = what_helps(record)
    assert f"resume {record.run}" in outside
    assert f"cancel {record.run}" in data
    assert last.endswith(f"resend {record.run} --state rejected")


def test_where_every_row_was_set_aside_no_others_are_offered():
    held = run_record(0, 2, state=RunState.HELD, reason=reason("tooManySetAside"))
    assert not any("resume" in line for line in what_helps(held))
    assert f"cancel {held.run}" in what_helps(held)[0]


def test_a_run_behind_another_that_waits_names_it():
    ahead = run_record(run="20260901T110000Z-aaaaaaaaaaaa", reason=reason("bucketFull"), not_before=after(minutes=5))
    (line,) = what_helps(run_record(), ahead)
    assert "20260901T110000Z-aaaaaaaaaaaa" in line
    assert "bucketFull" in line


def test_rows_that_can_be_sent_again_are_named_in_the_command_that_does_it():
    counts = {RowState.CREATED: 7, RowState.FAILED: 2, RowState.UNACCOUNTED: 1}
    record = run_record(10, state=RunState.SETTLED, counts=counts)
    *_, in_hr, in_entra = what_helps(record)
    assert in_hr.startswith("Repaired in HR or in the feed file: drop a new file")
    assert in_entra.startswith("Repaired in Entra")
    assert f"resend {record.run} --state failed,unaccounted" in in_entra


def test_rows_of_which_the_log_never_spoke_go_again_once_the_job_is_active():
    record = run_record(1, state=RunState.SENT, counts={RowState.UNACCOUNTED: 1})
    assert what_helps(record)[-1].startswith("Look whether the job is active (python -m shared doctor). Once it is:")


def test_a_settled_run_without_trouble_needs_nothing():
    record = run_record(10, state=RunState.SETTLED, counts={RowState.CREATED: 10})
    assert what_helps(record) == ["Nothing has to be done."]


def test_a_cancelled_run_that_is_not_finished_says_so():
    action = OperatorAction(action="cancel", by="ann@example.com", at=NOON)
    (line,) = what_helps(run_record(state=RunState.SENDING, actions=[action]))
    assert "cancelled" in line


def test_the_blobs_that_there_should_be():
    assert blobs(run_record(0)) == ["run.json"]
    assert blobs(run_record(10, 2))[1:] == ["requests/ (1)", "rows.ndjson", "set_aside.csv"]
    assert "ledger.ndjson" in blobs(run_record(10, first_sent_at=NOON))


def test_rows_pass_three_stages():
    counts = {RowState.ACCEPTED: 30, RowState.CREATED: 20}
    assert stages(run_record(100, 5, counts=counts)) == (105, 55, 25)


def test_a_refused_file_has_to_be_dropped_again():
    (line,) = what_helps(run_record(0, state=RunState.REFUSED, reason=reason("missingColumns")))
    assert "Nothing of this file was sent" in line
    assert "drop the file again" in line


def test_a_run_with_the_wrong_ids_is_cancelled_and_only_resumed_if_the_job_is_new():
    record = run_record(state=RunState.BLOCKED, reason=reason("jobNotFound"), not_before=after(minutes=50))
    wrong, new = what_helps(record)
    assert f"cancel {record.run}" in wrong
    assert new.startswith("If the job was made just now")
    assert waits(record, NOON).startswith("It is tried again by itself in 50 minutes")


def resume(minutes: float = 0) -> OperatorAction:
    return OperatorAction(action="resume", by="ann@example.com", at=after(minutes=minutes))


def test_after_a_resume_it_says_so_until_the_run_is_tried():
    record = run_record(state=RunState.BLOCKED, reason=reason("forbidden"), actions=[resume()])
    assert waits(record, NOON).startswith("Resumed by ann@example.com at 2026-09-01 12:00:00 UTC; it is tried with the")
    assert not any("resume" in line for line in what_helps(record))
    assert resumed(record.changed(not_before=after(minutes=60))) is None
    assert resumed(record.changed(last_sent_at=after(minutes=1), first_sent_at=NOON)) is None
    assert resumed(record.changed(last_sent_at=after(minutes=-1), first_sent_at=after(minutes=-1)))


def test_a_cancelled_run_has_that_for_its_reason_whatever_it_waited_for():
    action = OperatorAction(action="cancel", by="ann@example.com", at=NOON)
    assert reason_code(run_record(reason=reason("dailyQuota"))) == "dailyQuota"
    assert reason_code(run_record(reason=reason("dailyQuota"), actions=[action])) == "cancelled"
    assert reason_code(run_record()) is None


def test_a_run_that_waits_for_the_quota_says_what_is_left_and_for_how_long():
    waiting = {"state": RunState.SENDING, "reason": reason("dailyQuota"), "not_before": after(hours=10)}
    text = quota_left(run_record(240_001, **waiting), 2000)
    assert text.startswith("4,801 requests (240,001 rows) left; at 2,000 a day the last go about 2026-09-03,")
    assert "about 2026-09-01," in quota_left(run_record(100_000, **waiting), 2000)
    assert quota_left(run_record(1, **waiting), 2000).startswith("1 request (1 row) left")
    assert quota_left(run_record(10, **{**waiting, "reason": reason("bucketFull")}), 2000) is None


def test_once_it_is_cancelled_a_run_waits_for_nothing_and_nobody():
    action = OperatorAction(action="cancel", by="ann@example.com", at=NOON)
    waiting = {"state": RunState.BLOCKED, "reason": reason("forbidden"), "not_before": after(minutes=50)}
    assert needs_person(run_record(**waiting))
    record = run_record(**waiting, actions=[action])
    assert not waits_for_person(record)
    assert not needs_person(record)
    assert not needs_person(run_record(8, 2, **waiting, actions=[action]))
    assert needs_person(run_record(8, counts={RowState.FAILED: 1}, **waiting, actions=[action]))
    assert waits(record, NOON) is None
    assert "goes on" not in when(record, NOON)


def test_what_was_cancelled_by_mistake_can_be_sent_again():
    action = OperatorAction(action="cancel", by="ann@example.com", at=NOON)
    counts = {RowState.SUPERSEDED: 10}
    record = run_record(10, state=RunState.SENT, counts=counts, actions=[action])
    assert what_helps(record) == [
        f"If it was cancelled by mistake: python -m shared resend {record.run} --state superseded"
    ]
    assert what_helps(run_record(10, state=RunState.SENT, counts=counts)) == ["Nothing has to be done."]
