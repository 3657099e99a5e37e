"""Which states of a job stop a run, and what is said of those that can't be read."""

from __future__ import annotations

import pytest

from shared.inbound.sending.job_health import JobStatus, block_for, unknown_code


def blocked(code: str | None, schedule: str | None, quarantine_reason: str | None = None) -> str | None:
    block = block_for(JobStatus(200, code, schedule, quarantine_reason))
    return block.reason.code if block else None


@pytest.mark.parametrize(
    ("code", "schedule", "reason"),
    [
        ("Active", "Active", None),
        ("NotRun", "Active", None),
        ("Active", "Disabled", "jobDisabled"),
        ("NotRun", "Disabled", "jobDisabled"),
        (None, "DISABLED", "jobDisabled"),
        ("Paused", "Active", "jobPaused"),
        ("Active", "paused", "jobPaused"),
        ("Paused", "Disabled", "jobPaused"),
        (" quarantine ", "Active", "jobQuarantined"),
        ("Quarantine", "Disabled", "jobQuarantined"),
        ("NotConfigured", "Disabled", "jobNotConfigured"),
        ("notconfigured", None, "jobNotConfigured"),
        ("SomethingNew", "Weekly", None),
        ("Disabled", "Quarantine", None),
        (None, None, None),
        ("", "", None),
    ],
)
def test_a_state_stops_the_run_or_does_not(code, schedule, reason):
    assert blocked(code, schedule) == reason


@pytest.mark.parametrize(
    ("code", "schedule"), [("Active", "Disabled"), ("Paused", None), ("Quarantine", None), ("NotConfigured", None)]
)
def test_the_advice_says_what_to_do_why_nothing_was_sent_and_how_to_turn_the_check_off(code, schedule):
    block = block_for(JobStatus(200, code, schedule))
    assert block.seconds == 300
    for words in ("Entra admin center", "202 all the same", "purge", "CHECK_JOB_HEALTH=false"):
        assert words in block.reason.advice


def test_the_reason_of_a_quarantine_is_told_where_it_is_a_code():
    block = block_for(JobStatus(200, "Quarantine", "Active", "TooManyDeletes"))
    assert "(TooManyDeletes)" in block.reason.message


@pytest.mark.parametrize("reason", [None, "", "Barbara Jensen", "bjensen@example.com", "Löschung", "a\n", "A" * 61])
def test_the_reason_of_a_quarantine_is_not_told_where_it_could_be_anything(reason):
    block = block_for(JobStatus(200, "Quarantine", "Active", reason))
    assert block.reason.message == "The provisioning job is in quarantine; nothing is sent to it."


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (JobStatus(200, "Active", None), None),
        (JobStatus(200, None, "Active"), None),
        (JobStatus(200), "notTold"),
        (JobStatus(403), "permissionMissing"),
        (JobStatus(404), None),
        (JobStatus(None), "noAnswer"),
        (JobStatus(503), "status503"),
        (JobStatus(401), "status401"),
    ],
)
def test_a_status_that_could_not_be_read_has_a_code_and_stops_nothing(status, code):
    assert unknown_code(status) == code
    assert block_for(status) is None
