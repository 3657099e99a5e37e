"""The identity endpoint and the OAuth token endpoint."""

import pytest

from tests.unit.simulator.calling import BASE, Caller, claims


def managed_identity(api: Caller, header: str | None = None, **changes: str | None):
    known = api.tenant.identifiers
    params = {"resource": BASE, "api-version": "2019-08-01", "client_id": known.client_id}
    params |= {name.replace("_version", "-version"): value for name, value in changes.items()}
    given = {name: value for name, value in params.items() if value is not None}
    headers = {"X-IDENTITY-HEADER": known.identity_header if header is None else header}
    return api.call("GET", "/msi/token", params=given, headers=headers)


def test_the_identity_endpoint_gives_expires_on_as_a_string_and_no_expires_in(api: Caller):
    body = managed_identity(api).json()
    assert set(body) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert isinstance(body["expires_on"], str)
    assert int(body["expires_on"]) - api.tenant.clock.now() == pytest.approx(4500, abs=2)
    assert claims(body["access_token"])["aud"] == BASE


def test_the_identity_endpoint_refuses_a_wrong_header(api: Caller):
    answer = managed_identity(api, header="wrong")
    assert (answer.status_code, answer.json()["statusCode"]) == (401, 401)


@pytest.mark.parametrize(
    "changes", [{"client_id": None}, {"client_id": "another"}, {"resource": None}, {"api_version": "2017-09-01"}]
)
def test_the_identity_endpoint_refuses_an_unknown_identity_or_an_incomplete_question(api: Caller, changes: dict):
    assert managed_identity(api, **changes).status_code == 400


def test_permissions_are_those_of_the_moment_of_issue(api: Caller):
    before = managed_identity(api).json()["access_token"]
    api.set(permissions=[])
    after = managed_identity(api).json()["access_token"]
    headers = [{"Authorization": f"Bearer {token}"} for token in (before, after)]
    assert [api.call("GET", "/v1.0/auditLogs/provisioning", headers=h).status_code for h in headers] == [200, 403]


def test_the_platform_can_be_made_to_hand_out_the_same_token_again(api: Caller):
    api.set(cacheManagedIdentityTokens=True)
    first, second = (managed_identity(api).json()["access_token"] for _ in range(2))
    api.advance(4400)
    assert first == second != managed_identity(api).json()["access_token"]


def oauth(api: Caller, path: str = "oauth2/v2.0/token", auth: tuple[str, str] | None = None, **changes: str):
    known = api.tenant.identifiers
    form = {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
    if auth is None:
        form |= {"client_id": known.client_id, "client_secret": known.client_secret}
    return api.call("POST", f"/{known.tenant_id}/{path}", data={**form, **changes}, auth=auth)


def test_client_credentials_give_a_token_for_the_scope(api: Caller):
    body = oauth(api).json()
    assert (body["token_type"], body["expires_in"], body["ext_expires_in"]) == ("Bearer", 4500, 4500)
    assert claims(body["access_token"])["aud"] == "https://graph.microsoft.com"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert api.call("GET", "/v1.0/auditLogs/provisioning", headers=headers).status_code == 200
    assert [token["issuer"] for token in api.control("GET", "tokens")] == ["clientCredentials"]


def test_the_older_token_endpoint_takes_a_resource_and_basic_authentication(api: Caller):
    known = api.tenant.identifiers
    graph_id = "00000003-0000-0000-c000-000000000000"
    answer = oauth(api, "oauth2/token", auth=(known.client_id, known.client_secret), resource=graph_id, scope="")
    assert (answer.status_code, answer.json()["expires_in"]) == (200, "4500")


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "another"}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "User.Read"}, 400, "invalid_scope", 1002012),
        ({"scope": ""}, 400, "invalid_request", 900144),
    ],
)
def test_refusals_have_the_shape_of_entra(api: Caller, changes: dict, status: int, error: str, number: int):
    answer = oauth(api, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"].startswith(f"AADSTS{number}: ")
    assert answer.json()["error_codes"] == [number]


def test_another_tenant_is_not_found(api: Caller):
    assert api.call("POST", "/elsewhere/oauth2/v2.0/token", data={}).json()["error_codes"] == [90002]
