"""Microsoft Graph's error bodies."""

from collections.abc import Mapping
from typing import Any

from tests.simulator.clock import iso

# What Graph puts in error.code when nothing more precise is documented.
CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    404: "Request_ResourceNotFound",
    405: "MethodNotAllowed",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class GraphError(Exception):
    """An answer other than success, raised wherever a check fails."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or CODES.get(status, "UnknownError")
        self.message = message
        self.headers = dict(headers or {})


def unauthenticated(message: str) -> GraphError:
    """401 as seen for this feature. Source: preview FAQ of API-driven provisioning; "issues" page."""
    return GraphError(401, message, headers={"WWW-Authenticate": 'Bearer realm=""'})


def denied() -> GraphError:
    """403: the permission is missing. Source for the status: "issues" page."""
    # Guess: open question 3 (the body); this is Graph's usual one.
    return GraphError(403, "Insufficient privileges to complete the operation.")


def invalid_data_format() -> GraphError:
    """400 for a wrong Content-Type or body. Source: "issues" page.

    The message names no operation: one wrong operation refuses the whole request without saying which.
    """
    # Guess: open questions 3 (the code) and 4 (that one malformed operation refuses all).
    return GraphError(400, "Invalid Data Format")


def bucket_full() -> GraphError:
    """500 when the job's ingestion queue is full. Source: "issues" page, 2026-07-07."""
    # Guess: open question 3 (the code).
    return GraphError(
        500,
        "The bucket that stores the ingested data is full, please wait for the synchronization service "
        "to process the ingested data and retry this request.",
    )


def too_many_requests(retry_after: float | None) -> GraphError:
    """429; Retry-After is a decimal number of seconds. Source: Graph concepts, throttling."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:.3f}"}
    return GraphError(429, "Please retry again later.", headers=headers)


def error_body(error: GraphError, *, now: float, request_id: str, client_request_id: str) -> dict[str, Any]:
    """Graph's general error body. Source: Graph concepts, errors and throttling."""
    inner: dict[str, Any] = {
        "date": iso(now).removesuffix("Z"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    if error.status == 429:
        inner = {"code": "429", "status": "429", "message": "Please retry after", **inner}
    return {"error": {"code": error.code, "message": error.message, "innerError": inner}}
