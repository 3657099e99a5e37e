"""What the adapter makes of each answer, broken connection and job state: real client, real identity, the simulator."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from azure.identity import ManagedIdentityCredential

from shared.adapters.graph import BulkUpload, GraphClient
from shared.inbound.sending.answer import NO_TOKEN, NOT_POSTED, Answer
from shared.inbound.sending.job_health import JobStatus, block_for, unknown_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCIM = "urn:ietf:params:scim:schemas:"
PAGE = "<!DOCTYPE html><html><body>Sign in</body></html>"
QUICK = httpx.Timeout(0.4)


class Graph:
    """The adapter, wired to the simulator's identity endpoint."""

    def __init__(self, entra, endpoint: str | None = None, longest_answer_seconds: float = 40.0) -> None:
        self.settings = entra.settings
        self.client = GraphClient(
            endpoint or self.settings["GRAPH_ENDPOINT"],
            lambda: ManagedIdentityCredential(client_id=self.settings["AZURE_CLIENT_ID"]),
            timeout=QUICK,
            longest_answer_seconds=longest_answer_seconds,
        )
        self.api = BulkUpload(self.client)
        self.job = (self.settings["SERVICE_PRINCIPAL_ID"], self.settings["JOB_ID"])

    def upload(self, worker: str = "W00001", may_go: Callable[[], bool] = lambda: True) -> Answer:
        return self.api.upload(*self.job, body(worker), "7b0f6f4e-58f3-4d1a-8d3a-0d9f6c1e2a11", may_go)

    def status(self) -> JobStatus:
        return self.api.job_status(*self.job)


def body(worker: str) -> bytes:
    user = {
        "schemas": [f"{SCIM}core:2.0:User", f"{SCIM}extension:enterprise:2.0:User"],
        "externalId": worker,
        "userName": f"{worker.lower()}@example.com",
        "active": True,
    }
    operation = {"method": "POST", "bulkId": worker, "path": "/Users", "data": user}
    request = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
    return json.dumps({**request, "failOnErrors": None}).encode()


@pytest.fixture
def graph(entra, monkeypatch) -> Graph:
    entra.post("reset")
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, entra.settings[name])
    return Graph(entra)


def fault(entra, **given: object) -> None:
    entra.post("faults", {"on": "bulkUpload", **given})


# Answers


def test_an_accepted_upload_has_a_location_and_no_error(graph):
    answer = graph.upload()
    assert (answer.status, answer.code, answer.message, answer.is_page) == (202, None, None, False)
    assert f"'{graph.job[1]}'" in answer.location
    assert answer.request_id


@pytest.mark.parametrize(
    ("headers", "location"), [({}, None), ({"Location": "https://example.com/"}, "https://example.com/")]
)
def test_the_location_is_told_as_it_came(graph, entra, headers, location):
    fault(entra, status=202, processed=True, headers=headers)
    answer = graph.upload()
    assert (answer.status, answer.location) == (202, location)


def test_the_apis_own_words_are_told(graph, entra):
    entra.change(rejectExternalIds=["W00001"])
    answer = graph.upload()
    assert (answer.status, answer.code, answer.is_page) == (400, "BadRequest", False)
    assert answer.message


@pytest.mark.parametrize("status", [200, 202, 400, 403, 407, 413, 503])
@pytest.mark.parametrize("headers", [{"Content-Type": "text/html; charset=utf-8"}, {}], ids=["told", "untold"])
def test_a_web_page_is_known_as_one_and_has_no_code(graph, entra, status, headers):
    fault(entra, status=status, body=PAGE, headers=headers)
    answer = graph.upload()
    assert (answer.status, answer.code, answer.message, answer.is_page) == (status, None, None, True)


@pytest.mark.parametrize("target", ["http://localhost:{port}/elsewhere", "http://["])
def test_a_redirect_is_not_followed(graph, entra, target):
    port = httpx.URL(entra.settings["GRAPH_ENDPOINT"]).port
    fault(entra, redirect=target.format(port=port))
    answer = graph.upload()
    assert answer.status in (307, None)
    assert [request["path"] for request in entra.get("requests") if "elsewhere" in request["path"]] == []


def test_the_wait_that_is_asked_for_is_told(graph, entra):
    fault(entra, status=429, headers={"Retry-After": "2.128"})
    assert graph.upload().retry_after == "2.128"


# Broken connections


def test_an_answer_that_does_not_come_is_a_timeout(graph, entra):
    fault(entra, hang=1.0)
    assert graph.upload() == Answer(None, "timeout")


@pytest.mark.parametrize("place", ["beforeReading", "afterProcessing", "halfAnswer"])
def test_a_connection_that_breaks_is_no_answer_and_the_next_upload_goes_through(graph, entra, place):
    fault(entra, disconnect=place)
    broken = graph.upload()
    assert broken.status is None
    assert broken.code not in (None, NO_TOKEN)
    assert graph.upload().status == 202


@contextlib.contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request and then does what `talk` says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    while b"\r\n\r\n" not in connection.recv(65536):
                        pass
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join(10)


def test_an_answer_that_drips_is_given_up(graph, entra):
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            time.sleep(0.05)

    with server(drip) as endpoint:
        begun = time.monotonic()
        assert Graph(entra, endpoint, longest_answer_seconds=0.5).upload() == Answer(None, "timeout")
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("first", [b"", b'{"error": {"code": "x"}}'])
def test_an_endless_answer_is_cut_off_and_its_status_counts(graph, entra, first):
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 503 Unavailable\r\nConnection: close\r\n\r\n" + first)
        while sent < 50 * 2**20:
            connection.sendall(b" " * 65536)
            sent += 65536

    with server(flood) as endpoint:
        assert Graph(entra, endpoint).upload().status == 503
    assert sent < 20 * 2**20


def test_json_that_is_nested_too_deep_is_an_answer_without_words(graph, entra):
    fault(entra, status=400, body="[" * 200_000)
    assert graph.upload() == Answer(400, request_id=entra.get("requests", on="bulkUpload")[-1]["requestId"])


def test_a_server_that_is_not_there_is_no_answer(graph, entra):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert Graph(entra, endpoint).upload() == Answer(None, "ConnectError")


# Tokens


def tokens(entra) -> int:
    return len(entra.get("tokens"))


def test_uploads_at_the_same_time_share_one_fetch_of_a_token(graph, entra):
    entra.change(callsPer5Seconds=None, latencyMs=100)
    begun = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(graph.upload, [f"W{number:05}" for number in range(20)]))
    assert [answer.status for answer in answers] == [202] * 20
    assert tokens(entra) == 1
    assert time.monotonic() - begun < 1.5, "they were beside each other"


def test_a_new_token_is_fetched_for_the_next_upload_only_when_asked_for(graph, entra):
    graph.upload()
    graph.upload()
    assert tokens(entra) == 1
    entra.control.delete("tokens").raise_for_status()
    assert graph.upload().status == 401
    graph.api.fetch_new_token()
    assert graph.upload().status == 202
    assert tokens(entra) == 2


def test_without_a_token_nothing_is_posted_and_waiting_threads_share_the_failure(graph, entra):
    entra.post("faults", {"on": "token", "status": 400, "times": None})
    together = threading.Barrier(10)

    def upload(_number: int) -> Answer:
        together.wait(10)
        return graph.upload()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(upload, range(10)))
    assert answers == [Answer(None, NO_TOKEN)] * 10
    assert entra.get("requests", on="bulkUpload") == []
    assert len(entra.get("requests", on="token")) < 10


def test_whether_it_is_still_time_to_post_is_asked_when_the_token_is_there(graph, entra):
    tokens: list[int] = []

    def too_late() -> bool:
        tokens.append(len(entra.get("requests", on="token")))
        return False

    assert graph.upload(may_go=too_late) == Answer(None, NOT_POSTED)
    assert tokens == [1]
    assert entra.get("requests", on="bulkUpload") == []
    entra.control.delete("faults").raise_for_status()
    assert graph.upload().status == 202


# The job's state


@pytest.mark.parametrize(
    ("state", "reason"),
    [("Active", None), ("Paused", "jobPaused"), ("Quarantine", "jobQuarantined"), ("NotRun", "jobDisabled")],
)
def test_each_state_of_the_job_is_read(graph, entra, state, reason):
    entra.change(jobStatus=state)
    status = graph.status()
    assert (status.http_status, status.code) == (200, state)
    assert unknown_code(status) is None
    block = block_for(status)
    assert (block.reason.code if block else None) == reason


def test_the_reason_of_a_quarantine_is_read(graph, entra):
    entra.change(jobStatus="Quarantine", quarantineReason="TooManyDeletes")
    assert graph.status().quarantine_reason == "TooManyDeletes"


def test_without_the_permission_the_state_is_unknown_and_an_upload_goes_through(graph, entra):
    entra.change(permissions=["SynchronizationData-User.Upload"])
    status = graph.status()
    assert status == JobStatus(403)
    assert unknown_code(status) == "permissionMissing"
    assert graph.upload().status == 202


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        "null",
        {"status": None, "schedule": []},
        {"status": {"code": 4, "quarantine": "yes"}, "schedule": {"state": {}}},
        {"status": "Paused", "schedule": "Paused"},
    ],
    ids=repr,
)
def test_properties_that_are_absent_or_of_another_kind_are_not_told(graph, entra, told):
    entra.post("faults", {"on": "job", "status": 200, "body": told})
    assert graph.status() == JobStatus(200)


def test_a_job_that_is_not_configured_is_known(graph, entra):
    entra.post("faults", {"on": "job", "status": 200, "body": {"status": {"code": "NotConfigured"}}})
    assert block_for(graph.status()).reason.code == "jobNotConfigured"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"status": 200, "body": PAGE}, None),
        ({"status": 503, "body": PAGE}, 503),
        ({"status": 200, "body": "[" * 200_000}, None),
        ({"status": 404}, 404),
        ({"redirect": "http://localhost:1/"}, 307),
        ({"hang": 1.0}, None),
        ({"disconnect": "halfAnswer"}, None),
        ({"on": "token", "status": 400}, None),
    ],
    ids=repr,
)
def test_a_state_that_can_not_be_read_is_unknown(graph, entra, given, status):
    entra.post("faults", {"on": "job", **given})
    assert graph.status() == JobStatus(status)
