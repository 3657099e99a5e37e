"""`outcomes.ndjson`: every planned row once, with what the ledger and the log know of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.monitoring.event_window import EventWindow
from shared.monitoring.provisioning_log import ProvisioningEvent
from shared.monitoring.row_outcomes import RowOutcomes, SentRow, log_time
from shared.run.row_state import OUTCOMES, RowState
from tests.unit.builders import NOON, PROPERTY, after, event

SETTLING = timedelta(hours=24)


def sent(external_id: str = "701984", line: int = 2, *, minute: float = 0) -> SentRow:
    """A row that the API accepted that many minutes after NOON."""
    at = after(minutes=minute)
    return SentRow(line, external_id, RowState.ACCEPTED, at, at)


class Report:
    """One report over these rows and events, on top of the lines of an earlier one."""

    def __init__(
        self,
        rows: list[SentRow],
        *events: ProvisioningEvent,
        now: datetime | None = None,
        before: Report | None = None,
        newer_run_from: datetime | None = None,
    ) -> None:
        pass_ = RowOutcomes(
            EventWindow(events), now=now or after(hours=1), settling=SETTLING, newer_run_from=newer_run_from
        )
        self.bytes = list(pass_.lines(rows, iter(before.bytes if before else ())))
        self.lines: list[dict[str, Any]] = [orjson.loads(line) for line in self.bytes]
        self.counts, self.codes = pass_.counts, pass_.codes

    @property
    def states(self) -> list[str]:
        return [line["state"] for line in self.lines]


def test_every_row_has_a_line_in_the_plans_order():
    rows = [SentRow(9, "A", RowState.PLANNED), sent("B", 2), SentRow(5, "C", RowState.REJECTED, code="status400")]
    report = Report(rows, event(external_id="B", minute=1))
    assert [(line["line"], line["externalId"], line["state"]) for line in report.lines] == [
        (9, "A", "planned"),
        (2, "B", "created"),
        (5, "C", "rejected"),
    ]
    assert all(line.endswith(b"\n") for line in report.bytes)


def test_an_outcome_says_when_and_by_which_event():
    (line,) = Report([sent()], event("update", "failure", minute=3, code="E", id="e1")).lines
    assert line == {
        "line": 2,
        "externalId": "701984",
        "state": "failed",
        "code": "E",
        "at": after(minutes=3).isoformat(),
        "eventId": "e1",
    }


def test_outcomes_and_codes_are_counted():
    rows = [sent("A", 2), sent("B", 3), sent("C", 4), SentRow(5, "D", RowState.REJECTED, code="status400")]
    events = [
        event(external_id="A"),
        event("update", "failure", external_id="B", code="E", id="b"),
        event("update", "failure", external_id="C", code="E", id="c"),
    ]
    report = Report(rows, *events)
    assert report.counts == {RowState.CREATED: 1, RowState.FAILED: 2}
    assert report.codes == {"E": 2, "status400": 1}


@pytest.mark.parametrize("state", [RowState.PLANNED, RowState.REJECTED, RowState.SUPERSEDED])
def test_what_the_api_did_not_accept_has_no_outcome(state: RowState):
    assert Report([SentRow(2, "701984", state)], event(minute=1), now=after(days=9)).states == [state.value]


def test_an_event_from_before_the_upload_is_not_this_runs():
    assert Report([sent(minute=5)], event(minute=4)).states == ["accepted"]


def test_an_event_in_the_second_of_the_upload_is_this_runs_since_the_log_has_whole_seconds():
    row = sent(minute=5.005)
    assert row.since == after(minutes=5, microseconds=300_000)
    assert Report([row], event(minute=5)).states == ["created"]
    assert log_time(after(microseconds=999_999)) == NOON


def test_while_the_log_may_still_speak_a_row_is_accepted():
    assert Report([sent()], now=NOON + SETTLING - timedelta(seconds=1)).states == ["accepted"]


def test_a_row_of_which_the_log_never_spoke_is_unaccounted_after_settling():
    report = Report([sent()], now=NOON + SETTLING)
    assert report.states == ["unaccounted"]
    assert report.counts == {RowState.UNACCOUNTED: 1}


def test_an_unaccounted_row_stays_what_it_is_and_keeps_its_time():
    first = Report([sent()], now=after(days=1))
    assert Report([sent()], now=after(days=3), before=first).lines == first.lines


def test_a_late_event_accounts_for_an_unaccounted_row():
    first = Report([sent()], now=after(days=1))
    late = Report([sent()], event(minute=7), now=after(days=2), before=first)
    assert late.states == ["created"]
    assert late.counts == {RowState.CREATED: 1}


def test_an_unknown_event_does_not_account_for_a_row():
    assert Report([sent()], event("merge", minute=1)).states == ["accepted"]
    assert Report([sent()], event("merge", minute=1), now=after(days=1)).states == ["unaccounted"]


def test_an_outcome_outlives_the_log():
    first = Report([sent()], event("disable", minute=1))
    assert Report([sent()], now=after(days=40), before=first).lines == first.lines


def test_an_outcome_goes_on_where_it_ended():
    first = Report([sent()], event(minute=1))
    second = Report([sent()], event("update", minute=2), before=first)
    assert second.states == ["created"]
    assert Report([sent()], event("disable", minute=3), before=second).states == ["disabled"]


def test_the_same_report_twice_is_the_same_file():
    rows = [sent("A", 2), sent("B", 3), SentRow(4, "C", RowState.PLANNED)]
    events = [event(external_id="A", minute=1), event("update", "failure", external_id="B", minute=2, code="E")]
    first = Report(rows, *events)
    assert Report(rows, *events, before=first).bytes == first.bytes


def test_a_row_that_was_planned_the_last_time_is_followed_now():
    first = Report([SentRow(2, "701984", RowState.PLANNED)])
    assert Report([sent(minute=5)], event(minute=6), before=first).states == ["created"]


# Superseded


def test_a_superseded_row_says_by_which_run():
    (line,) = Report([SentRow(2, "701984", RowState.SUPERSEDED, by_run="newer")], event(minute=1)).lines
    assert line == {"line": 2, "externalId": "701984", "state": "superseded", "byRun": "newer"}


def test_a_row_of_a_cancelled_run_names_no_other_run():
    (line,) = Report([SentRow(2, "701984", RowState.SUPERSEDED, code="cancelled")]).lines
    assert line == {"line": 2, "externalId": "701984", "state": "superseded", "code": "cancelled"}


def test_a_row_that_is_superseded_after_a_report_says_so_in_the_next_one():
    first = Report([SentRow(2, "701984", RowState.PLANNED)])
    rows = [SentRow(2, "701984", RowState.SUPERSEDED, by_run="newer")]
    second = Report(rows, event(minute=1), before=first)
    assert (second.states, second.lines[0]["byRun"], second.counts) == (["superseded"], "newer", {})
    assert Report(rows, event(minute=1), before=second, now=after(days=9)).bytes == second.bytes


# A newer run of the same job


def test_what_the_log_says_after_a_newer_run_began_changes_no_outcome():
    events = (event(minute=1), event("disable", minute=20))
    assert Report([sent()], *events, newer_run_from=after(minutes=10)).states == ["created"]
    assert Report([sent()], *events).states == ["disabled"]


def test_a_row_without_an_outcome_takes_one_from_after_a_newer_run_began():
    assert Report([sent()], event("update", minute=20), newer_run_from=after(minutes=10)).states == ["updated"]


def test_an_outcome_that_came_late_stays_when_the_newer_run_goes_on():
    first = Report([sent()], event("update", minute=20), newer_run_from=after(minutes=10))
    second = Report(
        [sent()],
        event("update", minute=20),
        event("disable", minute=25),
        before=first,
        newer_run_from=after(minutes=10),
    )
    assert second.states == ["updated"]


# Always


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[SentRow], list[ProvisioningEvent]]:
    rows = []
    for line, key in enumerate(draw(st.lists(st.sampled_from("abcdef"), unique=True)), start=2):
        state = draw(st.sampled_from([RowState.PLANNED, RowState.ACCEPTED, RowState.REJECTED, RowState.SUPERSEDED]))
        minute = draw(st.integers(0, 5))
        rows.append(sent(key, line, minute=minute) if state is RowState.ACCEPTED else SentRow(line, key, state))
    events = st.builds(
        event,
        st.sampled_from(["create", "update", "disable", "other", "x"]),
        st.sampled_from(["success", "failure", "skipped", "x"]),
        minute=st.integers(0, 12),
        external_id=st.sampled_from("abcdefg"),
        id=st.uuids().map(str),
    )
    return rows, draw(st.lists(events, max_size=12))


@PROPERTY
@given(worlds(), st.integers(0, 13), st.booleans(), st.booleans())
def test_every_row_is_in_one_state_in_every_report(
    world: tuple[list[SentRow], list[ProvisioningEvent]], minute: int, is_late: bool, has_newer_run: bool
):
    rows, events = world
    newer = after(minutes=6) if has_newer_run else None
    first = Report(rows, *(e for e in events if e.at < after(minutes=minute)), newer_run_from=newer)
    second = Report(rows, *events, before=first, now=after(days=2 * is_late, hours=1), newer_run_from=newer)
    for report in (first, second):
        assert [(line["line"], line["externalId"]) for line in report.lines] == [(r.line, r.external_id) for r in rows]
        spoken = [line["state"] for line in report.lines if line["state"] in OUTCOMES]
        assert sum(report.counts.values()) == len(spoken)
        for row, state in zip(rows, report.states, strict=True):
            if row.state is not RowState.ACCEPTED:
                assert state == row.state
            assert state != "accepted" or report is first or not is_late
    assert set(first.states) <= set(RowState)
