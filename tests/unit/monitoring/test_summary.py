"""The summary: counts and codes that add up, and nobody's name."""

from __future__ import annotations

import json

import pytest

from shared.errors import Reason
from shared.monitoring.summary import Summary, latest_summaries, summarize
from shared.run.record import Notice, RunRecord, reason_record
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from tests.unit.builders import NOON, after, run_record


def summary(*runs: tuple[RunRecord, dict[str, int]]) -> Summary:
    return summarize("job", runs, generated_at=after(hours=1), log_read_since=NOON, log_events=7)


def test_the_counts_of_all_runs_add_up():
    first = run_record(100, set_aside=3).with_answers(accepted=60, rejected=2).with_outcomes({RowState.CREATED: 50})
    second = run_record(10, set_aside=1).with_answers(accepted=10, rejected=0).with_outcomes({RowState.FAILED: 10})
    found = summary((first, {"A": 1, "B": 2}), (second, {"B": 10}))
    assert found.rows == 114 == sum(found.counts.values())
    assert {state: n for state, n in found.counts.items() if n} == {
        RowState.SET_ASIDE: 4,
        RowState.PLANNED: 38,
        RowState.REJECTED: 2,
        RowState.ACCEPTED: 10,
        RowState.CREATED: 50,
        RowState.FAILED: 10,
    }
    assert found.codes == {"B": 12, "A": 1}
    assert list(found.codes) == ["B", "A"]


def test_without_a_run_every_state_stands_at_zero():
    found = summary()
    assert (found.rows, found.runs, found.log_events) == (0, [], 7)
    assert found.counts == dict.fromkeys(RowState, 0)


def test_a_run_is_told_of_by_its_state_its_reason_and_its_notices():
    record = run_record(
        10,
        state=RunState.HELD,
        reason=reason_record(Reason("tooManySetAside", "m", "a")),
        notices=[Notice(code="managerCircle", message="m", rows=2, lines=[2, 3])],
    )
    (run,) = summary((record, {"A": 1})).runs
    assert (run.run, run.feed, run.state, run.reason) == (record.run, "contoso", RunState.HELD, "tooManySetAside")
    assert (run.codes, run.notices) == ({"A": 1}, {"managerCircle": 2})
    assert run.counts == record.counts


NAME = "Barbara-Jensen"


@pytest.mark.parametrize("is_latest", [False, True])
def test_no_name_of_a_file_and_no_words_get_into_it(is_latest: bool):
    record = run_record(
        10,
        file=f"{NAME}.csv",
        reason=reason_record(Reason("code", f"The file {NAME}.csv", f"Ask {NAME}")),
        notices=[Notice(code="n", message=f"about {NAME}", rows=1, lines=[2])],
        etag=NAME,
    )
    found = (
        latest_summaries([summary((record, {}))], [], [record], generated_at=NOON)
        if is_latest
        else summary((record, {}))
    )
    assert NAME not in found.model_dump_json(by_alias=True)


def test_it_comes_back_from_its_json_and_says_which_version_it_is():
    found = summary((run_record(), {"A": 1}))
    text = found.model_dump_json(by_alias=True)
    assert json.loads(text)["schemaVersion"] == 1
    assert Summary.model_validate_json(text) == found


def test_the_latest_has_every_job_and_the_runs_that_never_had_one():
    refused = run_record(0, state=RunState.REFUSED, job_id=None)
    found = latest_summaries([summary(), summary()], ["job"], [refused], generated_at=NOON)
    assert (len(found.jobs), found.jobs_without_log) == (2, ["job"])
    assert [run.state for run in found.runs_without_job] == [RunState.REFUSED]
