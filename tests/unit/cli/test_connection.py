"""Which account and cloud a command goes to, and who acts."""

from __future__ import annotations

import base64
import json

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from shared.cli.connection import claims_of, name_in, open_connection
from shared.cli.doctor_graph import is_application, logs_finding, permission_findings
from shared.cli.refusals import in_words
from shared.errors import ConfigurationError, RunDamagedError

AZURITE = "DefaultEndpointsProtocol=http;AccountName=one;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:1/one;"
EVERYTHING = ["SynchronizationData-User.Upload", "ProvisioningLog.Read.All", "Synchronization.Read.All"]


def jwt(**claims: object) -> str:
    def part(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}.signature"


def test_an_account_is_named_by_its_name_or_its_endpoint():
    assert open_connection("hrdata", None, {}).storage == "https://hrdata.blob.core.windows.net"
    uri = "https://hrdata.blob.core.usgovcloudapi.net/"
    assert open_connection(uri, None, {}).storage == "https://hrdata.blob.core.usgovcloudapi.net"


def test_the_command_line_goes_before_the_settings():
    environ = {"HR_STORAGE": AZURITE, "GRAPH_ENDPOINT": "https://graph.microsoft.us"}
    assert open_connection(None, None, environ).storage == "http://127.0.0.1:1/one"
    other = open_connection("hrdata", "https://microsoftgraph.chinacloudapi.cn", environ)
    assert other.storage == "https://hrdata.blob.core.windows.net"
    assert other.settings.graph_endpoint == "https://microsoftgraph.chinacloudapi.cn"


def test_the_functions_own_settings_are_enough():
    environ = {
        "HR_STORAGE__blobServiceUri": "https://hrdata.blob.core.windows.net",
        "HR_STORAGE__queueServiceUri": "https://hrdata.queue.core.windows.net",
        "HR_STORAGE__credential": "managedidentity",
        "HR_STORAGE__clientId": "c",
        "AZURE_CLIENT_ID": "c",
    }
    assert open_connection(None, None, environ).storage == "https://hrdata.blob.core.windows.net"


@pytest.mark.parametrize(
    ("storage", "endpoint", "words"),
    [
        (None, None, "--storage"),
        ("hrdata", "https://graph.example.com", "GRAPH_ENDPOINT must be one of"),
        ("http://hrdata.blob.core.windows.net", None, "must begin with https://"),
    ],
)
def test_what_is_missing_or_malformed_is_said(storage, endpoint, words):
    with pytest.raises(ConfigurationError, match=words):
        open_connection(storage, endpoint, {})


def test_a_token_names_a_person_before_an_application():
    assert name_in(claims_of(jwt(appid="an-app", upn="ann@example.com"))) == "ann@example.com"
    assert name_in(claims_of(jwt(appid="an-app", roles=[]))) == "an-app"
    assert name_in({}) is None


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.%%%.c", "a.bm90anNvbg.c", f"a.{'W10'}.c"])
def test_a_token_of_another_kind_has_no_claims(token):
    assert claims_of(token) == {}


def test_an_account_that_can_not_be_reached_is_named():
    text = in_words(ServiceRequestError("getaddrinfo failed"), "https://hrdata.blob.core.windows.net")
    assert text.startswith("The storage account https://hrdata.blob.core.windows.net can't be reached: check its name")


def outcomes(claims: dict[str, object]) -> list[str]:
    return [finding.outcome for finding in permission_findings(claims)]


def test_permissions_are_looked_for_in_roles_and_in_scopes():
    assert outcomes({"idtyp": "app", "roles": EVERYTHING}) == ["ok"] * 3
    assert outcomes({"scp": " ".join(EVERYTHING), "upn": "ann@example.com"}) == ["ok"] * 3
    assert (
        outcomes({"idtyp": "app", "roles": ["SynchronizationData-User.Upload", "Directory.Read.All"]})[:2] == ["ok"] * 2
    )


def test_what_an_application_lacks_has_failed_and_what_a_person_lacks_is_a_warning():
    assert outcomes({"idtyp": "app", "roles": []}) == ["failed", "failed", "warning"]
    assert outcomes({"scp": "User.Read", "upn": "ann@example.com"}) == ["warning"] * 3


def test_a_token_with_scopes_is_a_persons():
    assert is_application({"roles": []})
    assert not is_application({"scp": "User.Read"})


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "ok"), (429, "warning"), (403, "failed"), (401, "failed"), (500, "failed")]
)
def test_each_answer_of_the_logs_has_a_meaning(status, outcome):
    assert logs_finding(status, is_of_application=True).outcome == outcome


def refused(status: int, code: str | None) -> HttpResponseError:
    error = HttpResponseError("a message with a signature sig=abc")
    error.status_code, error.error_code = status, code
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused(403, "AuthorizationPermissionMismatch"), "Storage Blob Data Contributor"),
        (refused(403, "AuthenticationFailed"), "HR_STORAGE"),
        (refused(403, None), "Storage Blob Data Contributor"),
        (refused(404, "ContainerNotFound"), "no such container"),
        (refused(503, "ServerBusy"), "503 (ServerBusy)"),
        (ServiceRequestError("getaddrinfo failed for hrdata"), "can't be reached"),
        (CredentialUnavailableError("a long list"), "az login"),
        (ClientAuthenticationError("a long list"), "az login"),
        (ConfigurationError(["There is no container runs."]), "There is no container runs."),
        (RunDamagedError("run.json is no record"), "run.json is no record."),
        (KeyError("W00001"), "KeyError"),
    ],
)
def test_every_error_is_a_sentence_without_the_text_of_a_foreign_one(error, words):
    text = in_words(error)
    assert words in text
    assert text.endswith((".", ")"))
    for foreign in ("sig=abc", "getaddrinfo", "a long list", "W00001"):
        assert foreign not in text
