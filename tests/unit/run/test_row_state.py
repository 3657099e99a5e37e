"""The states of a row."""

from __future__ import annotations

from shared.run.row_state import OPEN, OUTCOMES, RowState


def test_the_names_are_the_contract_with_whoever_reads_run_json():
    assert [state.value for state in RowState] == [
        *("setAside", "excluded", "unchanged", "planned", "superseded", "rejected", "accepted"),
        *("created", "updated", "disabled", "deleted", "skipped", "failed", "unaccounted"),
    ]


def test_only_planned_and_accepted_rows_still_wait_for_something():
    assert {RowState.PLANNED, RowState.ACCEPTED} == OPEN
    assert not OPEN & OUTCOMES


def test_an_outcome_is_what_an_accepted_row_becomes():
    before_the_log_spoke = {
        *(RowState.SET_ASIDE, RowState.EXCLUDED, RowState.UNCHANGED, RowState.PLANNED),
        *(RowState.SUPERSEDED, RowState.REJECTED, RowState.ACCEPTED),
    }
    assert set(RowState) - before_the_log_spoke == OUTCOMES
