"""Records of the provisioning log, read leniently: documented shapes, other cases, missing parts, garbage."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.monitoring.event_window import EventWindow
from shared.monitoring.outcome import fold
from shared.monitoring.provisioning_log import ProvisioningEvent, parse_event
from tests.unit.builders import NOON, PROPERTY, after, log_record

FAILURE = {
    "status": "failure",
    "errorInformation": {
        "errorCode": "AzureActiveDirectoryInvalidUserPrincipalName",
        "reason": "Message: The user principal name is not valid in this directory.",
        "additionalDetails": None,
        "errorCategory": "nonServiceFailure",
        "recommendedAction": None,
    },
}


def skipped(reason: object, key: str = "SkipReason") -> list[dict[str, Any]]:
    """Steps of a record that was skipped."""
    return [
        {"name": "EntryImport", "status": "success", "details": {"externalId": "701984"}},
        {"name": "EntrySynchronizationSkip", "status": "skipped", "details": {"PropertyName": "manager", key: reason}},
    ]


def parsed(**properties: Any) -> ProvisioningEvent:
    event = parse_event(log_record(**properties))
    assert event is not None
    return event


def test_a_record_in_the_documented_shape_is_read():
    assert parsed() == ProvisioningEvent(
        id="5f0c7a52-3a5e-4f0e-8a3b-0d0e7c9b1a11",
        at=NOON,
        external_id="701984",
        status="success",
        action="create",
        code=None,
        cycle_id="b6502552-018d-49bd-8869-447194dc65c1",
    )


def test_a_failure_has_its_error_code():
    event = parsed(provisioningStatusInfo=FAILURE)
    assert (event.status, event.code) == ("failure", "AzureActiveDirectoryInvalidUserPrincipalName")


def test_a_skip_has_its_reason():
    steps = skipped("UnableToResolveReferenceAttributeValue")
    event = parsed(provisioningAction="other", provisioningStatusInfo={"status": "skipped"}, provisioningSteps=steps)
    assert (event.status, event.action, event.code) == ("skipped", "other", "UnableToResolveReferenceAttributeValue")


@pytest.mark.parametrize(
    ("properties", "status", "action", "code"),
    [
        ({"provisioningAction": "Create"}, "success", "create", None),
        ({"provisioningAction": "stagedDelete"}, "success", "stageddelete", None),
        ({"provisioningAction": "unknownFutureValue"}, "success", "unknownfuturevalue", None),
        ({"provisioningStatusInfo": {"status": "Success"}}, "success", "create", None),
        ({"provisioningStatusInfo": {"status": "WARNING"}}, "warning", "create", None),
        (
            {"provisioningStatusInfo": None, "statusInfo": {"status": "Failure", "errorCode": "X"}},
            "failure",
            "create",
            "X",
        ),
        ({"provisioningAction": None, "action": "Disable"}, "success", "disable", None),
        (
            {"provisioningStatusInfo": {"status": "failure", "errorInfo": {"errorCode": "X"}}},
            "failure",
            "create",
            "X",
        ),
        ({"provisioningStatusInfo": {"status": "failure", "errorCode": "X"}}, "failure", "create", "X"),
    ],
    ids=str,
)
def test_other_documented_spellings_mean_the_same(properties: Any, status: str, action: str, code: str | None):
    event = parsed(**properties)
    assert (event.status, event.action, event.code) == (status, action, code)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-09-01T12:00:00Z", NOON),
        ("2026-09-01T12:00:00.5Z", after(seconds=0.5)),
        ("2026-09-01T12:00:00.1234567Z", after(microseconds=123456)),
        ("2026-09-01T12:00:00.1234567+00:00", after(microseconds=123456)),
        ("2026-09-01T14:00:00+02:00", NOON),
        ("2026-09-01T12:00:00", NOON),
    ],
)
def test_a_time_may_have_any_fraction_and_any_zone(text: str, at: datetime):
    assert parsed(activityDateTime=text).at == at


@pytest.mark.parametrize(
    "missing",
    ["cycleId", "changeId", "provisioningAction", "provisioningStatusInfo", "provisioningSteps", "jobId"],
)
def test_every_other_property_may_be_missing(missing: str):
    assert parsed(**{missing: None}).external_id == "701984"


@pytest.mark.parametrize(
    "properties",
    [
        {"id": None},
        {"id": ""},
        {"id": 5},
        {"activityDateTime": None},
        {"activityDateTime": "yesterday"},
        {"activityDateTime": 1788264000},
        {"activityDateTime": ""},
        {"sourceIdentity": None},
        {"sourceIdentity": "701984"},
        {"sourceIdentity": [{"id": "701984"}]},
        {"sourceIdentity": {"displayName": "Babs Jensen"}},
        {"sourceIdentity": {"id": ""}},
    ],
    ids=str,
)
def test_without_an_id_a_time_and_a_worker_there_is_no_event(properties: dict[str, Any]):
    assert parse_event(log_record(**properties)) is None


@pytest.mark.parametrize("record", [None, 5, "record", [], [log_record()], True])
def test_what_is_no_record_is_no_event(record: object):
    assert parse_event(record) is None


@pytest.mark.parametrize(
    "text", ["Barbara Jensen", "bjensen@example.com", "x" * 121, "Code: the user", "Zoë", "line\nline"]
)
def test_a_code_that_looks_like_words_is_not_kept_since_it_may_name_a_person(text: str):
    info = {"status": "failure", "errorInformation": {"errorCode": text}}
    assert parsed(provisioningStatusInfo=info).code == "unrecognised"
    assert parsed(provisioningSteps=skipped(text)).code == "unrecognised"


@pytest.mark.parametrize("info", [{}, [], "failure", {"status": None}, {"status": 1}, {"errorInformation": "x"}])
def test_an_unreadable_status_is_no_status(info: object):
    assert parsed(provisioningStatusInfo=info).status == ""


@pytest.mark.parametrize(
    "steps",
    [
        {},
        "x",
        [None, 5, "x", []],
        [{"details": None}],
        [{"details": [1]}],
        skipped(5),
        skipped({"a": 1}),
        skipped(""),
        skipped(None),
    ],
    ids=str,
)
def test_unreadable_steps_give_no_code(steps: object):
    assert parsed(provisioningSteps=steps).code is None


def test_a_skip_reason_says_more_than_that_it_was_skipped():
    info = {"status": "skipped", "errorInformation": {"errorCode": "EntrySynchronizationSkipped"}}
    event = parsed(provisioningStatusInfo=info, provisioningSteps=skipped("UnableToResolveReferenceAttributeValue"))
    assert event.code == "UnableToResolveReferenceAttributeValue"


def test_a_time_without_a_utc_is_no_time():
    assert parse_event(log_record(activityDateTime="0001-01-01T00:00:00+14:00")) is None


@pytest.mark.parametrize(
    "properties", [{"sourceIdentity": {"id": "70\ud800"}}, {"cycleId": "\ud800"}, {"provisioningAction": "\ud800"}]
)
def test_half_a_character_breaks_nothing(properties: dict[str, Any]):
    event = parse_event(log_record(**properties))
    assert len(EventWindow([event] if event else [])) <= 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [*log_record(), "action", "statusInfo"],
)


@PROPERTY
@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_any_json_is_an_event_or_none_and_never_stops_the_report(garbage: dict[str, Any]):
    event = parse_event({**log_record(), **garbage})
    if event is not None:
        with closing(EventWindow([event])) as window:
            assert window.of(event.external_id, datetime(1, 1, 2, tzinfo=UTC)) == [event]
        fold(None, [event])
