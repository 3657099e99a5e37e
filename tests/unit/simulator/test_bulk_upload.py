"""What bulkUpload takes and refuses."""

import pytest

from tests.unit.simulator.calling import BULK_REQUEST, CORE, Caller, bulk, operation, user


def test_a_conforming_request_is_staged_with_202_and_no_body(api: Caller):
    answer = api.upload(user(), client_request_id="mine")
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["client-request-id"] == "mine"
    assert answer.headers["request-id"]


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_location_follows_the_version_called_and_names_the_job(api: Caller, version: str):
    answer = api.upload(user(), path=f"{api.job_path.replace('v1.0', version)}/bulkUpload")
    job_id = api.tenant.identifiers.job_id
    expected = f"{api.tenant.base_url}/{version}/auditLogs/provisioning/?$filter=jobid%20eq%20'{job_id}'"
    assert answer.headers["location"] == expected
    assert len(api.graph("GET", answer.headers["location"]).json()["value"]) == 1


def test_a_charset_on_the_content_type_is_allowed(api: Caller):
    assert api.upload(user(), Content_Type="application/scim+json; charset=utf-8").status_code == 202


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_another_content_type_is_an_invalid_data_format(api: Caller, content_type: str):
    answer = api.upload(user(), Content_Type=content_type)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "Invalid Data Format")


WRONG_BODIES = {
    "not an object": [],
    "no schemas": {"Operations": [operation(user())]},
    "one schema too many": {**bulk(user()), "schemas": [BULK_REQUEST, CORE]},
    "lower-case operations": {"schemas": [BULK_REQUEST], "operations": [operation(user())]},
    "no operation": bulk(),
    "51 operations": bulk(*[user(str(number)) for number in range(51)]),
    "method PUT": {**bulk(), "Operations": [operation(user(), method="PUT")]},
    "path /Groups": {**bulk(), "Operations": [operation(user(), path="/Groups")]},
    "no bulkId": {**bulk(), "Operations": [operation(user(), bulkId=None)]},
    "empty bulkId": {**bulk(), "Operations": [operation(user(), bulkId="")]},
    "no data": {**bulk(), "Operations": [operation(None)]},
    "no externalId": bulk({**user(), "externalId": ""}),
    "a number as externalId": bulk({**user(), "externalId": 7}),
    "no enterprise schema": bulk({**user(), "schemas": [CORE]}),
    "active as text": bulk(user(active="true")),
    "an operation that is text": {**bulk(), "Operations": ["x"]},
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_body_that_does_not_conform_is_refused_whole(api: Caller, body: object):
    answer = api.upload(body=body)
    assert answer.status_code == 400
    assert api.accounts() == {}


def test_text_that_is_not_json_is_refused(api: Caller):
    headers = {"Content-Type": "application/scim+json"}
    assert api.graph("POST", f"{api.job_path}/bulkUpload", content=b"\xff{", headers=headers).status_code == 400


def test_fifty_operations_are_taken(api: Caller):
    assert api.upload(*[user(str(number)) for number in range(50)]).status_code == 202
    assert len(api.accounts()) == 50


def test_missing_data_schemas_pass_when_the_tenant_does_not_insist(api: Caller):
    api.set(requireDataSchemas=False)
    assert api.upload({**user(), "schemas": []}).status_code == 202


def test_one_poisonous_operation_refuses_the_whole_request_without_being_named(api: Caller):
    api.set(rejectExternalIds=["2"])
    answer = api.upload(user("1"), user("2"))
    assert answer.status_code == 400
    assert "2" not in answer.json()["error"]["message"]
    assert api.upload(user("1")).status_code == 202


def test_a_wrong_token_permission_job_or_method_each_has_its_status(api: Caller):
    path = f"{api.job_path}/bulkUpload"
    missing = api.call("POST", path)
    assert (missing.status_code, missing.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert api.call("POST", path, headers={"Authorization": "Bearer x"}).status_code == 401
    assert api.upload(user(), path=path.replace("API2AAD", "API2AD")).status_code == 404
    assert api.graph("GET", path).status_code == 405
    api.set(permissions=["ProvisioningLog.Read.All"])
    denied = api.upload(user(), Authorization=f"Bearer {api.fresh_token()}")
    assert (denied.status_code, denied.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    ("resource", "status"),
    [("{base}", 202), ("{base}/", 202), ("https://graph.microsoft.com", 202), ("https://storage.azure.com", 401)],
)
def test_only_tokens_for_graph_are_accepted(api: Caller, resource: str, status: int):
    token = api.fresh_token(resource.format(base=api.tenant.base_url))
    assert api.upload(user(), Authorization=f"Bearer {token}").status_code == status


def test_a_token_expires_by_the_simulators_clock(api: Caller):
    assert api.upload(user()).status_code == 202
    api.advance(4501)
    answer = api.upload(user())
    assert answer.status_code == 401
    assert "expired" in answer.json()["error"]["message"]


def test_every_error_of_graph_carries_its_request_id_in_body_and_header(api: Caller):
    answer = api.upload(body=[], client_request_id="mine")
    inner = answer.json()["error"]["innerError"]
    assert inner["request-id"] == answer.headers["request-id"]
    assert inner["client-request-id"] == "mine"


def test_an_unknown_path_is_a_recorded_404(api: Caller):
    assert api.call("GET", "/v1.0/users").status_code == 404
    assert [r["on"] for r in api.control("GET", "requests")] == ["unknown"]
