"""The means of the crash tests: a process ends at the counted call and at no other, and leaves word of its calls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.platform.fault_points import FaultPoint, calls_made, kind_of
from tests.platform.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import os, sys, time
from tests.platform import fault_points
fault_points.install(os.environ)
import httpx
from azure.core.pipeline.transport import HttpRequest, RequestsTransport
began = time.monotonic()
httpx.post(sys.argv[1] + "/v1.0/jobs")
with RequestsTransport() as transport:
    transport.send(HttpRequest("PUT", sys.argv[1] + "/account/runs/x"))
print("alive", round(time.monotonic() - began))
"""


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Its address, and what has reached it."""
    reached: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            reached.append(self.command)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = answer  # noqa: N815 - the base class's names

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", reached
        running.shutdown()


def start(address: str, point: FaultPoint | None, log) -> subprocess.Popen[str]:
    environment = {**os.environ, "KILL_LOG": str(log), **(point.environment() if point else {})}
    command = [sys.executable, "-c", PROGRAM, address]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_without_a_point_the_calls_of_both_libraries_are_counted_in_order(server, tmp_path):
    process = start(server[0], None, tmp_path / "calls")
    assert process.communicate()[0] == "alive 0\n"
    assert calls_made(tmp_path / "calls") == ["POST graph", "PUT runs"]


@pytest.mark.parametrize(
    ("at", "when", "reached"),
    [(1, "before", []), (1, "after", ["POST"]), (2, "before", ["POST"]), (2, "after", ["POST", "PUT"])],
)
def test_a_process_dies_before_its_call_leaves_or_after_it_took_effect(server, tmp_path, at, when, reached):
    process = start(server[0], FaultPoint(at, when), tmp_path / "calls")
    assert process.communicate()[0] == ""
    assert process.returncode == -signal.SIGKILL
    assert server[1] == reached
    assert len(calls_made(tmp_path / "calls")) == at


def test_a_process_that_was_stopped_goes_on_in_the_same_place_and_knows_that_time_has_passed(server, tmp_path):
    process = start(server[0], FaultPoint(2, "before", "SIGSTOP", slept_seconds=60), tmp_path / "calls")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert server[1] == ["POST"]
    process.send_signal(signal.SIGCONT)
    assert process.communicate()[0] == "alive 60\n"
    assert server[1] == ["POST", "PUT"]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:1/acct0001/hr-drop/contoso/runs", "hr-drop"),
        ("http://127.0.0.1:1/acct0001?comp=list", "service"),
        ("http://127.0.0.1:1/msi/token?resource=x", "identity"),
        ("http://127.0.0.1:1/v1.0/servicePrincipals/x/synchronization/jobs/y/bulkUpload", "graph"),
    ],
)
def test_a_call_is_named_by_what_it_is_about(url, kind):
    assert kind_of(url) == kind
