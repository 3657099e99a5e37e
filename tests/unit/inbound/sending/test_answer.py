"""Given this answer, what next: the table, the waits, and what never happens."""

from __future__ import annotations

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
from shared.inbound.sending.ledger import Verdict
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
        (200, "Block", "refused", "unexpectedAnswer"),
        (201, "Block", "refused", "unexpectedAnswer"),
        (204, "Block", "refused", "unexpectedAnswer"),
        (302, "Block", "refused", "unexpectedAnswer"),
        (400, "Split", "split", None),
        (401, "FreshToken", "refused", None),
        (403, "Block", "refused", "forbidden"),
        (404, "Block", "refused", "jobNotFound"),
        (405, "Block", "refused", "unexpectedAnswer"),
        (413, "Split", "split", None),
        (415, "Block", "refused", "unexpectedAnswer"),
        (429, "Again", "throttled", None),
        (500, "Again", "refused", None),
        (502, "Again", "refused", None),
        (503, "Again", "refused", None),
        (504, "Again", "refused", None),
        (599, "Again", "refused", None),
        (None, "Again", "unanswered", None),
    ],
)
def test_the_first_answer_decides(status: int | None, kind: str, verdict: str, code: str | None):
    assert told(next_step(Answer(status), attempt())) == (kind, verdict, code)


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


@pytest.mark.parametrize("message", ["The bucket is empty", "The disk is full", "Internal error", "", None])
def test_another_500_is_only_a_500(message: str | None):
    assert told(next_step(Answer(500, message=message), attempt())) == ("Again", "refused", None)


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
    assert told(last) == ("Later", last.verdict.value, "unavailable")


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
)
ATTEMPTS = st.builds(
    Attempt,
    st.integers(1, 50),
    st.integers(1, 30),
    st.booleans(),
    st.floats(0, 1, exclude_max=True),
    st.just(NOON),
)


@PROPERTY
@given(ANSWERS, ATTEMPTS)
@example(Answer(429, retry_after="nan"), attempt())
@example(Answer(503, retry_after="nan"), attempt(tries=MAX_TRIES))
def test_every_answer_has_a_next_step(answer: Answer, tried: Attempt):
    step = next_step(answer, tried)
    if step == Done(Verdict.ACCEPTED):
        assert answer.status == 202
    if isinstance(step, Done) and step.verdict is Verdict.REJECTED:
        assert tried.operations == 1
        assert answer.status in (400, 413)
    if isinstance(step, Split):
        assert tried.operations > 1
    if isinstance(step, Again):
        assert 0 <= step.seconds <= LONGEST_WAIT_IN_SESSION
        assert tried.tries < 2 * MAX_TRIES
    if isinstance(step, Later | Block):
        assert step.seconds >= 1
        assert NOON + timedelta(seconds=step.seconds) <= after(days=1)
        assert all((step.reason.code, step.reason.message, step.reason.advice))
    if isinstance(step, FreshToken):
        assert not tried.token_is_fresh
    if answer.status == 202:
        assert step == Done(Verdict.ACCEPTED)


@pytest.mark.parametrize("header", ["0", "-1", format_datetime(after(seconds=-5), usegmt=True)])
def test_a_throttled_request_is_never_sent_again_at_once(header: str):
    step = next_step(Answer(429, retry_after=header), attempt())
    assert isinstance(step, Again)
    assert step.seconds > 0
