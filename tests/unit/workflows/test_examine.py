"""Which refused files still need a person."""

from __future__ import annotations

from typing import Any

import pytest

from shared.run.record import RunRecord
from shared.run.run_state import RunState
from shared.workflows.examine import not_taken_since
from tests.unit.builders import run_record


def refused(run: str, **members: Any) -> RunRecord:
    return run_record(0, run=run, state=RunState.REFUSED, job_id=None, **members)


LATER = {
    "the same name": (run_record(), []),
    "the same name, held": (run_record(state=RunState.HELD), []),
    "another name": (run_record(file="other.csv"), ["1"]),
    "another feed": (run_record(feed="fabrikam"), ["1"]),
    "refused as well": (refused("2"), ["1", "2"]),
    "planning failed": (run_record(0, state=RunState.BLOCKED, job_id=None), ["1"]),
    "rows of an older run again": (run_record(resend_of="0"), ["1"]),
}


@pytest.mark.parametrize("kind", LATER)
def test_only_a_later_file_of_the_same_name_and_feed_that_was_taken_settles_a_refusal(kind):
    later, left = LATER[kind]
    assert [record.run for record in not_taken_since([refused("1"), later])] == left


def test_a_file_that_was_taken_before_settles_no_refusal_and_one_settles_all_before_it():
    assert [record.run for record in not_taken_since([run_record(), refused("1")])] == ["1"]
    assert list(not_taken_since([refused("1"), refused("2"), run_record(run="3")])) == []
