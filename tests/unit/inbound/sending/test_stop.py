"""What comes of two reasons to stop, in whichever order they come."""

from __future__ import annotations

from itertools import permutations

import pytest

from shared.errors import Reason
from shared.inbound.sending import advice
from shared.inbound.sending.stop import Stop
from shared.run.run_state import RunState

OF_THE_JOB = Reason("code", "message", "advice")
BLOCKED = RunState.BLOCKED
EVER_HEAVIER = [
    Stop(),
    Stop(7200.0, advice.DAILY_QUOTA),
    Stop(7200.0, advice.EVERYTHING_REJECTED, BLOCKED),
    Stop(300.0),
    Stop(300.0, OF_THE_JOB),
    Stop(300.0, OF_THE_JOB, BLOCKED),
    Stop(3600.0, advice.FORBIDDEN, BLOCKED),
]


@pytest.mark.parametrize("light", range(len(EVER_HEAVIER)))
@pytest.mark.parametrize("heavy", range(len(EVER_HEAVIER)))
def test_of_two_stops_the_heavier_one_stays_whichever_came_first(light: int, heavy: int):
    one, other = EVER_HEAVIER[light], EVER_HEAVIER[heavy]
    assert one.together(other) == EVER_HEAVIER[max(light, heavy)]


@pytest.mark.parametrize(
    ("repair", "wait"),
    [
        (Stop(60.0, advice.FORBIDDEN, BLOCKED), Stop(86400.0, advice.THROTTLED)),
        (Stop(0.0, advice.EVERYTHING_REJECTED, BLOCKED), Stop(86400.0, advice.DAILY_QUOTA)),
    ],
)
def test_a_repair_that_is_needed_shortens_no_wait_that_was_asked_for(repair: Stop, wait: Stop):
    for one, other in permutations([repair, wait]):
        both = one.together(other)
        assert (both.state, both.code, both.seconds) == (BLOCKED, repair.code, 86400.0)


def test_what_one_run_waits_for_does_not_hide_or_prolong_what_its_job_waits_for():
    for one, other in permutations([Stop(80000.0, advice.DAILY_QUOTA), Stop(400.0, advice.BUCKET_FULL)]):
        assert one.together(other) == Stop(400.0, advice.BUCKET_FULL)


def test_a_session_that_ends_while_the_job_rests_passes_the_rest_on():
    assert Stop().no_sooner(41.0) == Stop(41.0)
    assert Stop(yields=True).no_sooner(41.0) == Stop(41.0), "the run that comes first has to wait as well"
    assert Stop(60.0, advice.UNAVAILABLE).no_sooner(41.0) == Stop(60.0, advice.UNAVAILABLE)
    held = Stop(0.0, advice.plan_damaged("requests/0001.ndjson.gz"), RunState.HELD)
    assert held.no_sooner(41.0) == Stop(41.0), "it is held when the job goes on"
    assert Stop(yields=True).no_sooner(-1.0) == Stop(yields=True)


def test_only_what_concerns_the_job_holds_its_other_runs():
    holding = [Stop(1.0), Stop(0.0, advice.FORBIDDEN, BLOCKED), Stop(60.0, advice.UNAVAILABLE)]
    assert [stop.holds_job for stop in holding] == [True] * 3
    of_one_run = (
        advice.DAILY_QUOTA,
        advice.EVERYTHING_REJECTED,
        advice.NOT_FOUND,
        advice.NEWER_RUN_UNREADABLE,
        advice.plan_damaged("requests/0001.ndjson.gz"),
    )
    assert [Stop(60.0, reason).holds_job for reason in of_one_run] == [False] * 5
    assert not Stop().holds_job
