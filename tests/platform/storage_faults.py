"""Faults of Azure Storage, injected at the transport below the SDK: its own retries and our handling are both real."""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport, RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

ERRORS = {
    "503 ServerBusy": (503, "ServerBusy"),
    "500": (500, "InternalError"),
    "412": (412, "ConditionNotMet"),
    "409 lease": (409, "LeaseAlreadyPresent"),
}
BROKEN = ("broken before", "broken after")


@dataclass
class StorageFault:
    """`method` and a piece of the URL choose the calls; after so many of them, so many are struck."""

    kind: str
    method: str
    where: str
    after: int = 0
    times: int = 1
    struck: int = 0

    def takes(self, request: Any) -> bool:
        if request.method != self.method or self.where not in request.url or self.struck >= self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.struck += 1
        return True


@contextmanager
def storage_fault(kind: str, method: str, where: str, *, after: int = 0, times: int = 1) -> Iterator[StorageFault]:
    """While it is open; the SDK's waits between its retries take no time."""
    fault, lock, send = StorageFault(kind, method, where, after, times), threading.Lock(), RequestsTransport.send

    def faulty(self: RequestsTransport, request: Any, **options: Any) -> Any:
        with lock:
            is_struck = fault.takes(request)
        return _struck(self, request, options) if is_struck else send(self, request, **options)

    def _struck(self: RequestsTransport, request: Any, options: dict[str, Any]) -> Any:
        if kind == "broken before":
            raise ServiceRequestError("simulated")
        if kind == "broken after":
            send(self, request, **options)
            raise ServiceResponseError("simulated")
        return _refused(self, request, options)

    def _refused(self: RequestsTransport, request: Any, options: dict[str, Any]) -> Any:
        """Azurite refuses the forged copy, so the call has no effect; its answer is dressed up."""
        forged = copy.copy(request)
        forged.headers = {**request.headers, "Authorization": "SharedKey nobody:nothing"}
        response = send(self, forged, **options)
        response.status_code, code = ERRORS[kind]
        response.headers["x-ms-error-code"] = code
        return response

    with patch.object(RequestsTransport, "send", faulty), patch.object(HttpTransport, "sleep", lambda *_: None):
        yield fault
