"""Given this answer, what next: one pure function for everything that `bulkUpload` can say.

Sources: Graph reference for bulkUpload, Entra's troubleshooting page for inbound provisioning, Graph's pages on errors
and throttling. What they leave open is matched by status and a piece of the message, never by an unknown code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from shared.inbound.sending import advice
from shared.inbound.sending.ledger_entry import Verdict

if TYPE_CHECKING:
    from shared.errors import Reason

MAX_TRIES = 5
"""Setbacks in a row in one session where the API gives no time to wait; then the job is left for the next tick."""
PERMISSION_RETRY_SECONDS = 3600.0
BUCKET_FULL_SECONDS = 300.0
"""The troubleshooting page says 5 to 10 minutes; jitter covers the range."""
LONGEST_WAIT_IN_SESSION = 60.0
"""A longer wait is not slept through: the run says when it goes on, and `resume_uploads` takes it up."""
LONGEST_WAIT = 24 * 3600.0
"""No answer puts a job off for longer, whatever its `Retry-After` says: the daily quota frees within a day."""
_SHORTEST_WAIT = 0.5
_LATER_SECONDS = 60.0
NOT_POSTED = "notPosted"
"""`Answer.code` where the sender's thread came so late that another sender may have the job: nothing was posted."""
NO_TOKEN = "noToken"  # noqa: S105 - a code, no secret
"""`Answer.code` where the identity endpoint gave no token, so nothing was posted."""


@dataclass(frozen=True)
class Answer:
    """What came back for one POST. `status` None: nothing usable came back (`code` says what went wrong).

    `is_page`: the body is a web page, so no word of the API.
    """

    status: int | None
    code: str | None = None
    message: str | None = None
    retry_after: str | None = None
    request_id: str | None = None
    location: str | None = None
    is_page: bool = False

    @property
    def was_posted(self) -> bool:
        """Whether a call was made at all."""
        return self.code not in (NO_TOKEN, NOT_POSTED)


@dataclass(frozen=True)
class Done:
    """The part is settled. `note`: something odd about an answer that was good all the same."""

    verdict: Verdict
    note: str | None = None


@dataclass(frozen=True)
class Split:
    """Send both halves by themselves."""

    verdict: Verdict = Verdict.SPLIT


@dataclass(frozen=True)
class Again:
    """Send the same bytes again after `seconds`, still in this session."""

    seconds: float
    verdict: Verdict


@dataclass(frozen=True)
class FreshToken:
    """Fetch a new token and send the same bytes again."""

    verdict: Verdict = Verdict.REFUSED


@dataclass(frozen=True)
class Later:
    """Leave the run and the whole job for `seconds`; nobody has to do anything."""

    seconds: float
    verdict: Verdict
    reason: Reason


@dataclass(frozen=True)
class Block:
    """A person has to repair something; try again in `seconds` all the same."""

    reason: Reason
    seconds: float = PERMISSION_RETRY_SECONDS
    verdict: Verdict = Verdict.REFUSED


Step = Done | Split | Again | FreshToken | Later | Block


@dataclass(frozen=True)
class Attempt:
    """What the decision needs to know besides the answer.

    `operations`: how many were posted. `tries`: the job's setbacks in a row, this one included.
    `token_is_fresh`: the token was fetched anew for this very POST. `jitter`: a random number in [0, 1).
    """

    operations: int
    tries: int
    token_is_fresh: bool
    jitter: float
    now: datetime
    job_id: str = ""
    bucket_full_seconds: float = BUCKET_FULL_SECONDS


def next_step(answer: Answer, attempt: Attempt) -> Step:
    """Decide what one answer means. No wait is shorter than what the answer asks for, or longer than a day.

    What is settled by its answer (202, 400, 413), and a 401 that a new token helps, is no reason to wait.
    """
    step = _step(answer, attempt)
    return replace(step, seconds=max(step.seconds, _asked(answer, attempt))) if isinstance(step, Block) else step


def _step(answer: Answer, attempt: Attempt) -> Step:
    match answer.status:
        case 202 if not answer.is_page:
            return Done(Verdict.ACCEPTED, location_note(answer.location, attempt.job_id))
        case None if answer.code == NO_TOKEN:
            return _without_token(attempt)
        case None if answer.code == NOT_POSTED:
            return _again_or_later(answer, attempt, Verdict.REFUSED)
        case None | 408:
            return _again_or_later(answer, attempt, Verdict.UNANSWERED)
        case 429:
            return _throttled(answer, attempt)
        case status if status >= 500:
            return _server_error(status, answer, attempt)
        case 413 if attempt.operations > 1:
            return Split()
        case status if 300 <= status < 400:
            return Block(advice.REDIRECTED)
        case status if 200 <= status < 300:
            return Block(advice.PROXY_PAGE, verdict=Verdict.UNANSWERED)
        case _ if answer.is_page:
            return Block(advice.PROXY_PAGE)
    return _client_error(answer.status, attempt)


def _client_error(status: int, attempt: Attempt) -> Step:
    match status:
        case 400 | 413:
            return Split() if attempt.operations > 1 else Done(Verdict.REJECTED)
        case 401:
            return Block(advice.UNAUTHENTICATED) if attempt.token_is_fresh else FreshToken()
        case 403:
            return Block(advice.FORBIDDEN)
        case 404:
            return Block(advice.NOT_FOUND)
        case 415:
            return Block(advice.MEDIA_TYPE)
    return Block(advice.unexpected(status))


def _server_error(status: int, answer: Answer, attempt: Attempt) -> Step:
    """A 503 was not taken; what became of the others nobody knows."""
    if status == 500 and re.search(r"bucket\b.*\bfull", answer.message or "", re.IGNORECASE):
        pause = attempt.bucket_full_seconds * (1 + attempt.jitter)
        return Later(max(_asked(answer, attempt), pause), Verdict.REFUSED, advice.BUCKET_FULL)
    return _again_or_later(answer, attempt, Verdict.REFUSED if status == 503 else Verdict.UNANSWERED)


def location_note(location: str | None, job_id: str) -> str | None:
    """What is odd about the Location of a 202, which should be the job's provisioning log; nothing is done with it."""
    if location is None or not location.strip():
        return "noLocation"
    try:
        parts = urlsplit(location)
    except ValueError:
        return "strangeLocation"
    path, query = unquote(parts.path).lower(), unquote(parts.query).lower()
    return None if "/auditlogs/provisioning" in path and f"'{job_id.lower()}'" in query else "strangeLocation"


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """`Retry-After` as seconds from now: a number, which Graph gives with decimals, or a date. RFC 9110 §10.2.3."""
    if header is None:
        return None
    if re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]+)?\s*", header, re.ASCII):
        seconds = float(header)
    else:
        try:
            date = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _asked(answer: Answer, attempt: Attempt) -> float:
    """Seconds that the answer asks to wait; 0.0 where it asks for none."""
    return retry_after_seconds(answer.retry_after, attempt.now) or 0.0


def _throttled(answer: Answer, attempt: Attempt) -> Step:
    """A wait of nothing is taken for no word on the wait: the job would only be throttled again."""
    seconds = _asked(answer, attempt)
    if not seconds:
        return _again_or_later(answer, attempt, Verdict.THROTTLED, advice.THROTTLED)
    if seconds > LONGEST_WAIT_IN_SESSION or attempt.tries >= 2 * MAX_TRIES:
        return Later(max(seconds, 1.0), Verdict.THROTTLED, advice.THROTTLED)
    return Again(max(seconds, _SHORTEST_WAIT), Verdict.THROTTLED)


def _without_token(attempt: Attempt) -> Step:
    if attempt.tries >= MAX_TRIES:
        return Block(advice.WITHOUT_TOKEN, _LATER_SECONDS)
    return Again(2.0 ** (attempt.tries - 1) * (0.5 + attempt.jitter), Verdict.REFUSED)


def _again_or_later(answer: Answer, attempt: Attempt, verdict: Verdict, reason: Reason = advice.UNAVAILABLE) -> Step:
    """Exponential with jitter, no less than what the API asks for; after some tries the next tick takes over."""
    asked = _asked(answer, attempt)
    if attempt.tries >= MAX_TRIES or asked > LONGEST_WAIT_IN_SESSION:
        return Later(max(asked, _LATER_SECONDS), verdict, reason)
    return Again(max(asked, 2.0 ** (attempt.tries - 1) * (0.5 + attempt.jitter)), verdict)
