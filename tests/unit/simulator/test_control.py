"""The control interface and what it remembers."""

import pytest

from tests.unit.simulator.calling import BASE, Caller, user


def test_settings_are_read_and_changed_by_name(api: Caller):
    assert api.control("GET", "settings")["callsPer5Seconds"] == 40
    api.set(callsPer5Seconds=None, verifiedDomains=["a.test"], jobStatus="Paused")
    changed = api.control("GET", "settings")
    assert (changed["callsPer5Seconds"], changed["verifiedDomains"], changed["jobStatus"]) == (
        None,
        ["a.test"],
        "Paused",
    )


@pytest.mark.parametrize(
    "change",
    [{"nope": 1}, {"latencyMs": "1"}, {"callsPerDay": -1}, {"callsPerDay": True}, {"jobStatus": "Asleep"}, []],
)
def test_a_setting_that_is_unknown_or_of_the_wrong_type_changes_nothing(api: Caller, change: object):
    before = api.control("GET", "settings")
    assert api.call("PATCH", "/control/settings", json=change).status_code == 400
    assert api.control("GET", "settings") == before


def test_requests_are_remembered_in_order_with_ids_and_token(api: Caller):
    api.upload(user("7"), user("8"), client_request_id="mine", User_Agent="me")
    api.logs()
    upload, logs = api.control("GET", "requests")
    assert [upload["on"], logs["on"]] == ["bulkUpload", "provisioningLogs"]
    assert (upload["externalIds"], upload["bulkIds"], upload["operations"]) == (["7", "8"], ["b0", "b1"], 2)
    assert (upload["status"], upload["clientRequestId"], upload["userAgent"]) == (202, "mine", "me")
    assert upload["token"] == {"issuer": "managedIdentity", "clientId": api.tenant.identifiers.client_id, "aud": BASE}
    assert upload["accepted"] is True
    assert len(api.control("GET", "requests?on=bulkUpload")) == 1


def test_operations_count_only_what_was_accepted(api: Caller):
    api.upload(user("1"))
    api.upload(user("1"), user("2"))
    api.upload(body=[])
    received = api.control("GET", "operations")
    assert {key: value["times"] for key, value in received.items()} == {"1": 2, "2": 1}
    assert [receipt["request"] for receipt in received["1"]["receipts"]] == [1, 2]


def test_accounts_can_be_asked_by_job(api: Caller):
    job = api.control("POST", "jobs", {})
    path = f"/v1.0/servicePrincipals/{job['servicePrincipalId']}/synchronization/jobs/{job['jobId']}/bulkUpload"
    api.upload(user("1"))
    api.upload(user("2"), path=path)
    assert [a["externalId"] for a in api.control("GET", f"accounts?jobId={job['jobId']}")] == ["2"]


def test_revoked_tokens_are_refused(api: Caller):
    api.upload(user())
    api.control("DELETE", "tokens")
    assert api.upload(user()).status_code == 401


def test_reset_forgets_everything_but_tokens_in_hand(api: Caller):
    api.upload(user())
    api.set(callsPerDay=1)
    api.advance(100)
    api.control("POST", "reset")
    assert (api.accounts(), api.control("GET", "requests"), api.control("GET", "logs")) == ({}, [], [])
    assert api.control("GET", "settings")["callsPerDay"] == 2000
    assert api.upload(user()).status_code == 202


def test_the_clock_does_not_go_back(api: Caller):
    assert api.call("POST", "/control/advance", json={"seconds": -1}).status_code == 400
