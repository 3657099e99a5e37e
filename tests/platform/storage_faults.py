"""Faults of Azure Storage, injected at the transport below the SDK: its own retries and our handling are both real."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import requests
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.rest._requests_basic import RestRequestsTransportResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ERRORS = {
    "503": (503, "ServerBusy"),
    "500": (500, "InternalError"),
    "412": (412, "ConditionNotMet"),
    "409": (409, "LeaseAlreadyPresent"),
    "404": (404, "ContainerNotFound"),
}
"""Answers to calls that never reach storage."""
BROKEN_BEFORE, BROKEN_AFTER, SLOW = "broken before", "broken after", "slow"
"""A connection breaks before the call took effect or after; the call takes effect, its answer takes its time."""


@dataclass(frozen=True)
class Calls:
    """Which calls: by method, a piece of the URL, and what they do to a lease."""

    method: str
    where: str
    lease: str | None = None

    def include(self, request: Any) -> bool:
        is_meant = request.method == self.method and self.where in request.url
        return is_meant and (self.lease is None or request.headers.get("x-ms-lease-action") == self.lease)


@dataclass
class StorageFault:
    """After so many of the calls, so many are struck. `seen` and `struck`: how many were until now."""

    kind: str
    calls: Calls
    after: int
    times: int
    seen: int = 0
    struck: int = 0

    def strikes(self, request: Any) -> bool:
        if not self.calls.include(request):
            return False
        self.seen += 1
        if self.seen <= self.after or self.struck >= self.times:
            return False
        self.struck += 1
        return True


def _nothing() -> None:
    pass


@contextmanager
def storage_fault(
    kind: str, calls: Calls, *, after: int = 0, times: int = 1, meanwhile: Callable[[], None] = _nothing
) -> Iterator[StorageFault]:
    """While it is open; the SDK's waits between its retries take no time.

    Args:
        kind: one of ERRORS, or of the other words above.
        calls: those that may be struck; each attempt of the SDK is a call.
        after: so many of them are left alone first.
        times: so many are struck.
        meanwhile: what happens while a slow answer is on its way.
    """
    fault, lock, send = StorageFault(kind, calls, after, times), threading.Lock(), RequestsTransport.send

    def faulty(self: RequestsTransport, request: Any, **options: Any) -> Any:
        with lock:
            is_struck = fault.strikes(request)
        if not is_struck:
            return send(self, request, **options)
        if kind in ERRORS:
            return _answer(request, *ERRORS[kind])
        if kind == BROKEN_BEFORE:
            raise ServiceRequestError("simulated")
        answer = send(self, request, **options)
        if kind == BROKEN_AFTER:
            raise ServiceResponseError("simulated")
        meanwhile()
        return answer

    with patch.object(RequestsTransport, "send", faulty), patch.object(HttpTransport, "sleep", lambda *_: None):
        yield fault


def _answer(request: Any, status: int, code: str) -> RestRequestsTransportResponse:
    """The SDK takes the code from the body where there is one."""
    answer = requests.Response()
    answer.status_code, answer.reason = status, code
    answer.headers.update({"x-ms-error-code": code, "Content-Type": "application/xml"})
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    answer._content = b"" if request.method == "HEAD" else body.encode()
    answer._content_consumed = True  # type: ignore[attr-defined]
    return RestRequestsTransportResponse(request=request, internal_response=answer, block_size=4096)
