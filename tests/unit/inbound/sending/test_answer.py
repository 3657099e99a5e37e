"""Given this answer, what next: the table, the waits, and what never happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.inbound.sending.answer import (
    LONGEST_WAIT_IN_SESSION,
    MAX_TRIES,
    NO_TOKEN,
    Again,
    Answer,
    Attempt,
    Block,
    Done,
    FreshToken,
    Later,
    Split,
    Step,
    next_step,
    retry_after_seconds,
)
from shared.inbound.sending.ledger_entry import Verdict
from tests.unit.builders import NOON, PROPERTY, after, attempt

BUCKET_FULL = (
    "The bucket that stores the ingested data is full, please wait for the synchronization service to process the "
    "ingested data and retry this request."
)


def told(step: Step) -> tuple[str, str, str | None]:
    """What a step is: its kind, its verdict, its reason's code."""
    reason = getattr(step, "reason", None)
    return type(step).__name__, step.verdict.value, reason and reason.code


@pytest.mark.parametrize(
    ("status", "kind", "verdict", "code"),
    [
        (202, "Done", "accepted", None),
        (200, "Block", "unanswered", "proxyPage"),
        (201, "Block", "unanswered", "proxyPage"),
        (204, "Block", "unanswered", "proxyPage"),
        (301, "Block", "refused", "redirected"),
        (307, "Block", "refused", "redirected"),
        (399, "Block", "refused", "redirected"),
        (400, "Split", "split", None),
        (401, "FreshToken", "refused", None),
        (403, "Block", "refused", "forbidden"),
        (404, "Block", "refused", "jobNotFound"),
        (405, "Block", "refused", "unexpectedAnswer"),
        (407, "Block", "refused", "unexpectedAnswer"),
        (408, "Again", "unanswered", None),
        (413, "Split", "split", None),
        (415, "Block", "refused", "mediaTypeRefused"),
        (418, "Block", "refused", "unexpectedAnswer"),
        (100, "Block", "refused", "unexpectedAnswer"),
        (429, "Again", "throttled", None),
        (500, "Again", "unanswered", None),
        (502, "Again", "unanswered", None),
        (503, "Again", "refused", None),
        (504, "Again", "unanswered", None),
        (599, "Again", "unanswered", None),
        (None, "Again", "unanswered", None),
    ],
)
def test_the_first_answer_decides(status: int | None, kind: str, verdict: str, code: str | None):
    assert told(next_step(Answer(status), attempt())) == (kind, verdict, code)


@pytest.mark.parametrize(
    ("status", "kind", "verdict", "code"),
    [
        (200, "Block", "unanswered", "proxyPage"),
        (202, "Block", "unanswered", "proxyPage"),
        (302, "Block", "refused", "redirected"),
        (400, "Block", "refused", "proxyPage"),
        (401, "Block", "refused", "proxyPage"),
        (403, "Block", "refused", "proxyPage"),
        (404, "Block", "refused", "proxyPage"),
        (407, "Block", "refused", "proxyPage"),
        (408, "Again", "unanswered", None),
        (413, "Split", "split", None),
        (415, "Block", "refused", "proxyPage"),
        (429, "Again", "throttled", None),
        (502, "Again", "unanswered", None),
        (503, "Again", "refused", None),
    ],
)
def test_a_page_is_no_word_of_the_api(status: int, kind: str, verdict: str, code: str | None):
    assert told(next_step(Answer(status, is_page=True), attempt())) == (kind, verdict, code)


@pytest.mark.parametrize("status", [400, 413])
def test_no_row_is_rejected_by_a_page(status: int):
    step = next_step(Answer(status, is_page=True), attempt(operations=1))
    assert told(step) == ("Block", "refused", "proxyPage")


JOB = "API2AAD.8c3f.1a03de52"
LOGS = "https://graph.microsoft.com/v1.0/auditLogs/provisioning/?$filter=jobid%20eq%20"


@pytest.mark.parametrize(
    ("location", "note"),
    [
        (f"{LOGS}'{JOB}'", None),
        (f"{LOGS}%27{JOB}%27".upper(), None),
        (f"/beta/auditLogs/provisioning?%24filter=jobId eq '{JOB}'", None),
        (None, "noLocation"),
        ("  ", "noLocation"),
        (f"{LOGS}'{JOB}0'", "strangeLocation"),
        (f"{LOGS}'another'", "strangeLocation"),
        (f"https://graph.microsoft.com/v1.0/auditLogs/signIns?$filter=jobid eq '{JOB}'", "strangeLocation"),
        (f"https://example.com/?next=/auditLogs/provisioning&job='{JOB}'", "strangeLocation"),
        ("http://[", "strangeLocation"),
        ("https://example.com/", "strangeLocation"),
    ],
)
def test_an_odd_location_is_noted_and_the_rows_are_accepted_all_the_same(location: str | None, note: str | None):
    step = next_step(Answer(202, location=location), replace(attempt(), job_id=JOB))
    assert step == Done(Verdict.ACCEPTED, note)


@pytest.mark.parametrize("status", [400, 413])
def test_a_single_operation_that_the_api_refuses_is_rejected_for_good(status: int):
    assert next_step(Answer(status), attempt(operations=1)) == Done(Verdict.REJECTED)
    assert next_step(Answer(status), attempt(operations=2)) == Split()


def test_a_token_that_was_new_already_is_not_the_matter():
    assert told(next_step(Answer(401), attempt(token_is_fresh=True))) == ("Block", "refused", "unauthenticated")


@pytest.mark.parametrize("status", [403, 404])
def test_what_a_person_must_repair_is_tried_again_in_an_hour(status: int):
    step = next_step(Answer(status), attempt())
    assert isinstance(step, Block)
    assert step.seconds == 3600
    assert step.reason.advice


def test_a_full_bucket_pauses_the_job_for_five_to_ten_minutes():
    waits = []
    for jitter in (0.0, 0.5, 0.999):
        step = next_step(Answer(500, message=BUCKET_FULL), attempt(jitter=jitter))
        assert told(step) == ("Later", "refused", "bucketFull")
        assert isinstance(step, Later)
        waits.append(step.seconds)
    assert waits == sorted(waits)
    assert 300 <= waits[0] < waits[-1] <= 600


def test_a_full_bucket_pauses_the_job_for_as_long_as_it_asks_or_the_setting_says():
    full = Answer(500, message=BUCKET_FULL, retry_after="900")
    assert next_step(full, attempt()).seconds == 900
    short = next_step(replace(full, retry_after="1"), replace(attempt(jitter=0.5), bucket_full_seconds=2.0))
    assert short.seconds == 3


def test_a_block_lasts_as_long_as_the_answer_asks():
    assert next_step(Answer(403, retry_after="7200"), attempt()).seconds == 7200
    assert next_step(Answer(403, retry_after="10"), attempt()).seconds == 3600


@pytest.mark.parametrize("message", ["The bucket is empty", "The disk is full", "Internal error", "", None])
def test_another_500_is_only_a_500(message: str | None):
    assert told(next_step(Answer(500, message=message), attempt())) == ("Again", "unanswered", None)


def test_a_full_bucket_is_known_in_any_letter_case():
    assert told(next_step(Answer(500, message="Bucket is full."), attempt()))[2] == "bucketFull"


# Waits


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("5", 5.0),
        ("2.128", 2.128),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("-inf", None),
        ("1e300", None),
        ("1_0", None),
        ("٣", None),
        ("+5", None),
        ("Tue, 01 Sep 2026 12:00:30 +99999999999999999999", None),
        ("9" * 15, 86_400.0),
        ("Tue, 01 Sep 2099 12:00:30 GMT", 86_400.0),
        ("nan", None),
        ("NaN", None),
        ("inf", None),
        ("Infinity", None),
        ("1e999", None),
        ("soon", None),
        ("1,5", None),
        ("5 seconds", None),
        (format_datetime(after(seconds=90), usegmt=True), 90.0),
        (format_datetime(after(seconds=-90), usegmt=True), 0.0),
        ("Tue, 01 Sep 2026 14:00:30 +0200", 30.0),
        ("Tue, 01 Sep 2026 12:00:30 -0000", 30.0),
        ("Tue, 01 Sep 2026 12:00:30", 30.0),
        ("Tue, 99 Sep 2026 12:00:30 GMT", None),
        ("Tue, 01 Sep 99999 12:00:30 GMT", None),
        ("Tue, 01 Sep 2026 12:00:30 +9999", None),
    ],
)
def test_retry_after_is_a_number_a_date_or_nothing(header: str | None, seconds: float | None):
    assert retry_after_seconds(header, NOON) == seconds


@pytest.mark.parametrize("header", ["3", "0.75", "60"])
def test_a_throttled_request_waits_as_long_as_it_is_told(header: str):
    assert next_step(Answer(429, retry_after=header), attempt()) == Again(float(header), Verdict.THROTTLED)


def test_a_long_wait_is_not_slept_through():
    step = next_step(Answer(429, retry_after="61"), attempt())
    assert told(step) == ("Later", "throttled", "throttled")
    assert isinstance(step, Later)
    assert step.seconds == 61


def test_a_request_that_is_throttled_again_and_again_is_left_for_later():
    assert told(next_step(Answer(429, retry_after="1"), attempt(tries=2 * MAX_TRIES)))[0] == "Later"


@pytest.mark.parametrize("status", [None, 429, 500, 503])
def test_without_a_word_on_the_wait_it_doubles_with_jitter_and_ends_after_some_tries(status: int | None):
    for tries in range(1, MAX_TRIES):
        low = next_step(Answer(status), attempt(tries=tries, jitter=0.0))
        high = next_step(Answer(status), attempt(tries=tries, jitter=0.999))
        assert isinstance(low, Again)
        assert isinstance(high, Again)
        assert low.seconds == 2 ** (tries - 1) / 2 < high.seconds < 2 ** (tries - 1) * 1.5
    last = next_step(Answer(status), attempt(tries=MAX_TRIES))
    assert told(last) == ("Later", last.verdict.value, "throttled" if status == 429 else "unavailable")
    assert next_step(Answer(status), attempt(tries=5000)) == last


def test_a_5xx_waits_no_less_than_it_asks_for():
    assert next_step(Answer(503, retry_after="20"), attempt()) == Again(20.0, Verdict.REFUSED)
    late = next_step(Answer(503, retry_after="7200"), attempt())
    assert isinstance(late, Later)
    assert late.seconds == 7200


def test_without_a_token_nothing_was_posted_and_the_run_is_blocked_in_the_end():
    assert told(next_step(Answer(None, NO_TOKEN), attempt())) == ("Again", "refused", None)
    last = next_step(Answer(None, NO_TOKEN), attempt(tries=MAX_TRIES))
    assert told(last) == ("Block", "refused", "noToken")


# What never happens

STATUSES = st.one_of(
    st.none(),
    st.integers(-1, 1000),
    st.sampled_from([200, 202, 400, 401, 403, 404, 413, 429, 500, 503]),
)
HEADERS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.floats(max_value=1e6).map(str),
    st.integers(-(10**6), 10**6).map(str),
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)).map(
        format_datetime
    ),
    st.from_regex(r"(Mon, )?[0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{0,9} [+-]?[0-9]{0,8}[A-Z]{0,3}", fullmatch=True),
)
ANSWERS = st.builds(
    Answer,
    STATUSES,
    st.one_of(st.none(), st.text(max_size=10), st.just(NO_TOKEN)),
    st.one_of(st.none(), st.text(max_size=10), st.just(BUCKET_FULL)),
    HEADERS,
    location=st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["", "http://[", f"{LOGS}'{JOB}'"])),
    is_page=st.booleans(),
)
ATTEMPTS = st.builds(
    Attempt,
    st.integers(1, 50),
    st.integers(1, 30),
    st.booleans(),
    st.floats(0, 1, exclude_max=True),
    st.just(NOON),
    st.just(JOB),
)


@PROPERTY
@given(ANSWERS, ATTEMPTS)
@example(Answer(429, retry_after="nan"), attempt())
@example(Answer(503, retry_after="nan"), attempt(tries=MAX_TRIES))
def test_every_answer_has_a_next_step(answer: Answer, tried: Attempt):
    step = next_step(answer, tried)
    asked = retry_after_seconds(answer.retry_after, NOON) or 0.0
    accepted = isinstance(step, Done) and step.verdict is Verdict.ACCEPTED
    assert accepted == (answer.status == 202 and not answer.is_page)
    if isinstance(step, Done) and step.verdict is Verdict.REJECTED:
        assert tried.operations == 1
        assert answer.status in (400, 413)
        assert not answer.is_page
    if isinstance(step, Split):
        assert tried.operations > 1
    if isinstance(step, Again | Later | Block) and answer.status is not None:
        assert asked <= step.seconds <= 86_400
    if isinstance(step, Again):
        assert 0.5 <= step.seconds <= LONGEST_WAIT_IN_SESSION
        assert tried.tries < 2 * MAX_TRIES
    if isinstance(step, Later | Block):
        assert step.seconds >= 1
        assert NOON + timedelta(seconds=step.seconds) <= after(days=1)
        assert all((step.reason.code, step.reason.message, step.reason.advice))
    if isinstance(step, FreshToken):
        assert not tried.token_is_fresh
        assert answer.status == 401


@pytest.mark.parametrize("header", ["0", "-1", format_datetime(after(seconds=-5), usegmt=True)])
def test_a_throttled_request_is_never_sent_again_at_once(header: str):
    step = next_step(Answer(429, retry_after=header), attempt())
    assert isinstance(step, Again)
    assert step.seconds == 1, "as if it had said nothing"
