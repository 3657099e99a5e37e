"""The grammar of $filter."""

import pytest

from tests.simulator.job import Job
from tests.simulator.log_record import Change, LogRecord
from tests.simulator.odata_filter import FilterError, parse_filter

JOB = Job("sp", "J1", status="Active", since=0)
RECORD = LogRecord(  # from 2023-11-14T22:13:20.75Z, printed without its fraction
    Change({"externalId": "O'Neil"}, JOB, "c", 1_700_000_000.75, "t", None), "create", "success", []
)


@pytest.mark.parametrize(
    "text",
    [
        "jobid eq 'J1'",
        "JOBID eq 'J1' and cycleId ne 'd'",
        "sourceIdentity/id eq 'O''Neil'",
        "contains(sourceIdentity/id, 'Nei')",
        "contains(jobId,'J') and activityDateTime le 2023-11-14T22:13:20Z",
        "activityDateTime ge 2023-11-14T23:13:20+01:00",
        "activityDateTime lt 2023-11-14T22:13:20.1234567Z",
        "durationInMilliseconds gt 99 and durationInMilliseconds lt 101",
        "action eq 'Create'",
        "statusInfo/status eq 'success'",
    ],
)
def test_a_filter_that_matches(text: str):
    assert parse_filter(text, beta=True)(RECORD)


@pytest.mark.parametrize(
    "text",
    ["jobId eq 'j1'", "cycleId ne 'c'", "activityDateTime gt 2023-11-14T22:13:20Z", "contains(jobId,'j')"],
)
def test_a_filter_that_does_not_match_because_values_are_case_sensitive_or_times_equal(text: str):
    assert not parse_filter(text, beta=False)(RECORD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jobId",
        "jobId eq J1",
        "jobId eq 'J1",
        "jobId eq 'J1' or jobId eq 'J2'",
        "jobId gt 'J1'",
        "jobId eq 'J1' and",
        "not jobId eq 'J1'",
        "(jobId eq 'J1')",
        "bulkId eq 'x'",
        "activityDateTime gt '2023-11-14T22:13:20Z'",
        "activityDateTime gt 2023-11-14",
        "activityDateTime gt 2023-13-14T22:13:20Z",
        "contains(activityDateTime,'2023')",
        "durationInMilliseconds gt '1'",
        "jobId contains 'J'",
        "statusInfo/status eq 'success'",
        "action eq 'Create'",
    ],
)
def test_anything_else_is_refused(text: str):
    with pytest.raises(FilterError):
        parse_filter(text, beta=False)
