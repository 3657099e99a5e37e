"""Given this answer, what next: one pure function for everything that `bulkUpload` can say.

Sources: Graph reference for bulkUpload, Entra's troubleshooting page for inbound provisioning, Graph's pages on errors
and throttling. What they leave open is matched by status and a piece of the message, never by an unknown code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from shared.errors import Reason
from shared.inbound.sending.ledger import Verdict

MAX_TRIES = 5
"""Tries of one request in one session where the API gives no time to wait; then it is left for the next tick."""
PERMISSION_RETRY_SECONDS = 3600.0
BUCKET_FULL_SECONDS = 300.0
"""The troubleshooting page says 5 to 10 minutes; jitter covers the range."""
LONGEST_WAIT_IN_SESSION = 60.0
"""A longer wait is not slept through: the run says when it goes on, and `resume_uploads` takes it up."""
LONGEST_WAIT = 24 * 3600.0
"""No answer puts a job off for longer, whatever its `Retry-After` says: the daily quota frees within a day."""
_SHORTEST_WAIT = 0.5
_LATER_SECONDS = 60.0
JOB_NOT_FOUND = "jobNotFound"
EVERYTHING_REJECTED = "everythingRejected"
NO_TOKEN = "noToken"  # noqa: S105 - a code, no secret
"""`Answer.code` where the identity endpoint gave no token, so nothing was posted."""


@dataclass(frozen=True)
class Answer:
    """What came back for one POST. `status` None: nothing usable came back (`code` says what went wrong)."""

    status: int | None
    code: str | None = None
    message: str | None = None
    retry_after: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Done:
    """The slice is settled."""

    verdict: Verdict


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

    `operations`: how many were posted. `tries`: how often these bytes were posted in this session, this time included.
    `token_is_fresh`: the token was fetched anew for this very POST. `jitter`: a random number in [0, 1).
    """

    operations: int
    tries: int
    token_is_fresh: bool
    jitter: float
    now: datetime


def next_step(answer: Answer, attempt: Attempt) -> Step:
    """Decide what one answer means."""
    match answer.status:
        case 202:
            return Done(Verdict.ACCEPTED)
        case 400 | 413:
            return Split() if attempt.operations > 1 else Done(Verdict.REJECTED)
        case 401:
            return Block(_UNAUTHENTICATED) if attempt.token_is_fresh else FreshToken()
        case 403:
            return Block(_FORBIDDEN)
        case 404:
            return Block(_NOT_FOUND)
        case 429:
            return _throttled(answer, attempt)
        case None if answer.code == NO_TOKEN:
            return _without_token(attempt)
        case None:
            return _again_or_later(answer, attempt, Verdict.UNANSWERED)
        case 500 if re.search(r"bucket\b.*\bfull", answer.message or "", re.IGNORECASE):
            return Later(BUCKET_FULL_SECONDS * (1 + attempt.jitter), Verdict.REFUSED, _BUCKET_FULL)
        case status if status >= 500:
            return _again_or_later(answer, attempt, Verdict.REFUSED)
        case status:
            return Block(_unexpected(status))


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


def _throttled(answer: Answer, attempt: Attempt) -> Step:
    seconds = retry_after_seconds(answer.retry_after, attempt.now)
    if seconds is None:
        return _again_or_later(answer, attempt, Verdict.THROTTLED)
    if seconds > LONGEST_WAIT_IN_SESSION or attempt.tries >= 2 * MAX_TRIES:
        return Later(max(seconds, 1.0), Verdict.THROTTLED, _THROTTLED)
    return Again(max(seconds, _SHORTEST_WAIT), Verdict.THROTTLED)


def _without_token(attempt: Attempt) -> Step:
    if attempt.tries >= MAX_TRIES:
        return Block(_NO_TOKEN_REASON, _LATER_SECONDS)
    return Again(2.0 ** (attempt.tries - 1) * (0.5 + attempt.jitter), Verdict.REFUSED)


def _again_or_later(answer: Answer, attempt: Attempt, verdict: Verdict) -> Step:
    """Exponential with jitter, no less than what the API asks for; after some tries the next tick takes over."""
    asked = retry_after_seconds(answer.retry_after, attempt.now) or 0.0
    seconds = max(asked, 2.0 ** (attempt.tries - 1) * (0.5 + attempt.jitter))
    if attempt.tries >= MAX_TRIES or seconds > LONGEST_WAIT_IN_SESSION:
        return Later(max(asked, _LATER_SECONDS), verdict, _UNAVAILABLE)
    return Again(seconds, verdict)


_BUCKET_FULL = Reason(
    "bucketFull",
    "The provisioning job's queue is full (500).",
    "The run goes on by itself. If this lasts, look at the job in the Entra admin center: paused, in quarantine, or "
    "with many failing records it does not empty its queue.",
)
_THROTTLED = Reason(
    "throttled",
    "Microsoft Graph asks to wait (429), longer than one function call lasts.",
    "The run goes on by itself when the time is over. If it happens daily, compare BULK_REQUESTS_PER_DAY with the "
    "tenant's licence, and look for other clients of this API in the tenant.",
)
_UNAVAILABLE = Reason(
    "unavailable",
    "Microsoft Graph gave no usable answer several times.",
    "The run goes on by itself. If this lasts, check the network path to GRAPH_ENDPOINT and the Microsoft 365 service "
    "health.",
)
_UNAUTHENTICATED = Reason(
    "unauthenticated",
    "Microsoft Graph does not take the connector's token (401), also not a new one.",
    "Check that AZURE_CLIENT_ID is the client id of the function app's user-assigned identity and that GRAPH_ENDPOINT "
    "is the cloud of this tenant.",
)
_NO_TOKEN_REASON = Reason(
    "noToken",
    "The managed identity endpoint gives no token for Microsoft Graph.",
    "Check that the user-assigned identity whose client id is AZURE_CLIENT_ID is attached to the function app.",
)
_FORBIDDEN = Reason(
    "forbidden",
    "Microsoft Graph refuses the upload (403): the identity lacks SynchronizationData-User.Upload.",
    "Grant the application permission SynchronizationData-User.Upload to the function app's managed identity. Azure "
    "caches a managed identity's token, so a new grant can take up to 24 hours to work. The run goes on by itself.",
)
_NOT_FOUND = Reason(
    JOB_NOT_FOUND,
    "Microsoft Graph knows no such provisioning job (404).",
    "Compare job.servicePrincipalId (the object id of the enterprise application, not its application id) and "
    "job.jobId in the feed file with the app's Provisioning API Endpoint in the Entra admin center, then drop the "
    "file again.",
)


def _unexpected(status: int) -> Reason:
    return Reason(
        "unexpectedAnswer",
        f"Microsoft Graph answered with status {status}, which bulkUpload is not known to give.",
        "Check GRAPH_ENDPOINT, and whether a proxy or firewall stands between the function app and Microsoft Graph.",
    )
