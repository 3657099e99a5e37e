"""`python -m tests.simulator` as a process of its own, over real connections."""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from azure.identity import ManagedIdentityCredential

from tests.unit.simulator.calling import bulk, user


@pytest.fixture(scope="module")
def program() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "tests.simulator", "--json", "--port", "0", "--no-limits"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()  # nothing to do unless it would not end by itself
        process.wait()
        process.stdout.close()


@pytest.fixture
def client(program: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A client with a token that the real ManagedIdentityCredential obtained."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", program["IDENTITY_ENDPOINT"])
    monkeypatch.setenv("IDENTITY_HEADER", program["IDENTITY_HEADER"])
    with ManagedIdentityCredential(client_id=program["AZURE_CLIENT_ID"]) as credential:
        token = credential.get_token(f"{program['GRAPH_ENDPOINT']}/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=program["GRAPH_ENDPOINT"], headers=headers, timeout=5) as client:
        client.post("/control/reset")
        yield client


def upload(client: httpx.Client, program: dict[str, str], *users: dict) -> httpx.Response:
    path = f"servicePrincipals/{program['SERVICE_PRINCIPAL_ID']}/synchronization/jobs/{program['JOB_ID']}/bulkUpload"
    content = json.dumps(bulk(*users))
    return client.post(f"/v1.0/{path}", content=content, headers={"Content-Type": "application/scim+json"})


def test_a_token_of_the_real_managed_identity_class_uploads_and_reads(client: httpx.Client, program: dict[str, str]):
    assert upload(client, program, user("1")).status_code == 202
    assert client.get("/v1.0/auditLogs/provisioning").json()["value"][0]["sourceIdentity"]["id"] == "1"
    token = client.get("/control/requests").json()[0]["token"]
    assert (token["issuer"], token["clientId"]) == ("managedIdentity", program["AZURE_CLIENT_ID"])


@pytest.mark.parametrize(
    ("place", "accepted"), [("beforeReading", False), ("afterProcessing", True), ("halfAnswer", True)]
)
def test_a_broken_connection_is_an_error_for_the_client_whatever_became_of_the_request(
    client: httpx.Client, program: dict[str, str], place: str, accepted: bool
):
    client.post("/control/faults", json={"on": "bulkUpload", "disconnect": place})
    large = [user(str(number), title="x" * 5000) for number in range(50)]
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):  # broken at once, not waited for
        upload(client, program, *large)
    assert len(client.get("/control/accounts").json()) == (50 if accepted else 0)
    record = client.get("/control/requests?on=bulkUpload").json()[-1]
    assert (record["status"], record["accepted"], record["fault"]) == (None, accepted, f"disconnect {place}")
    assert upload(client, program, user("1")).status_code == 202


def test_half_a_page_of_logs_is_an_error_too(client: httpx.Client, program: dict[str, str]):
    upload(client, program, user("1"))
    client.post("/control/faults", json={"on": "provisioningLogs", "disconnect": "halfAnswer"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/v1.0/auditLogs/provisioning")


def test_a_hang_outlasts_the_clients_patience_and_the_operations_are_accepted(
    client: httpx.Client, program: dict[str, str]
):
    client.post("/control/faults", json={"on": "bulkUpload", "hang": 0.5})
    client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        upload(client, program, user("1"))
    client.timeout = httpx.Timeout(5)
    assert len(client.get("/control/accounts").json()) == 1
