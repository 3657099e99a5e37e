"""Injected faults reach our code through the real SDK, as what Azure's own would become, and strike only where told."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import BlobClient, ExponentialRetry

from tests.platform.storage_faults import BROKEN_AFTER, BROKEN_BEFORE, SLOW, Calls, storage_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

TRIES = 4
PUTS = Calls("PUT", "/runs/x")


class Answering(BaseHTTPRequestHandler):
    """Every PUT has done what it should."""

    reached: list[str]

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.reached.append(self.headers.get("x-ms-lease-action") or "write")
        self.send_response(201)
        headers = {"ETag": '"1"', "Last-Modified": "Mon, 02 Mar 2026 06:15:00 GMT", "x-ms-lease-id": "1"}
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def reached() -> list[str]:
    """What has taken effect."""
    return []


@pytest.fixture
def blob(reached: list[str]) -> Iterator[BlobClient]:
    handler = type("Handler", (Answering,), {"reached": reached})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/account"
        with BlobClient(address, "runs", "x", retry_policy=ExponentialRetry(retry_total=TRIES - 1)) as client:
            yield client
        server.shutdown()


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("503", HttpResponseError, "ServerBusy"),
        ("500", HttpResponseError, "InternalError"),
        ("412", ResourceModifiedError, "ConditionNotMet"),
        ("409", HttpResponseError, "LeaseAlreadyPresent"),
        ("404", ResourceNotFoundError, "ContainerNotFound"),
    ],
)
def test_an_answer_becomes_what_the_sdk_makes_of_azures_own(blob, reached, kind, error, code):
    with storage_fault(kind, PUTS, times=TRIES), pytest.raises(error) as raised:
        blob.upload_blob(b"text", overwrite=True)
    assert (raised.value.status_code, raised.value.error_code) == (int(kind), code)
    assert reached == []


@pytest.mark.parametrize("kind", ["503", "500", BROKEN_BEFORE])
def test_the_sdk_tries_again_without_a_wait(blob, reached, kind):
    with storage_fault(kind, PUTS, times=TRIES - 1) as fault:
        blob.upload_blob(b"text", overwrite=True)
    assert (fault.struck, fault.seen, reached) == (TRIES - 1, TRIES, ["write"])


@pytest.mark.parametrize(
    ("kind", "error", "effects"), [(BROKEN_BEFORE, ServiceRequestError, 0), (BROKEN_AFTER, ServiceResponseError, TRIES)]
)
def test_a_broken_connection_hides_whether_the_call_took_effect(blob, reached, kind, error, effects):
    with storage_fault(kind, PUTS, times=TRIES), pytest.raises(error):
        blob.upload_blob(b"text", overwrite=True)
    assert len(reached) == effects


def test_a_slow_answer_has_taken_effect_before_the_wait(blob, reached):
    seen: list[int] = []
    with storage_fault(SLOW, PUTS, meanwhile=lambda: seen.append(len(reached))):
        blob.upload_blob(b"text", overwrite=True)
    assert seen == [1]


def test_only_the_calls_that_are_meant_are_struck(blob, reached):
    with storage_fault("412", Calls("PUT", "/runs/x", "acquire"), after=1) as fault:
        blob.upload_blob(b"text", overwrite=True)
        blob.acquire_lease()
        with pytest.raises(ResourceModifiedError):
            blob.acquire_lease()
        blob.acquire_lease()
    assert (fault.seen, fault.struck) == (3, 1)
    blob.upload_blob(b"text", overwrite=True)
    assert reached == ["write", "acquire", "acquire", "write"]
