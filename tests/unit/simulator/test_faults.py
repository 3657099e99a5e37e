"""Faults that can be seen without a real connection."""

import time

import pytest

from tests.unit.simulator.calling import Caller, user


def fault(api: Caller, **members: object) -> None:
    api.control("POST", "faults", {"on": "bulkUpload", **members})


def test_a_status_comes_once_after_the_calls_let_pass(api: Caller):
    fault(api, status=503, after=1, headers={"Retry-After": "2"})
    answers = [api.upload(user(str(number))) for number in range(3)]
    assert [answer.status_code for answer in answers] == [202, 503, 202]
    assert answers[1].headers["retry-after"] == "2"
    assert answers[1].json()["error"]["code"] == "ServiceUnavailable"
    assert sorted(api.accounts()) == ["0", "2"]


def test_a_status_can_hide_an_acceptance(api: Caller):
    fault(api, status=500, processed=True)
    assert api.upload(user()).status_code == 500
    assert list(api.accounts()) == ["1"]


def test_faults_repeat_for_ever_or_until_cleared_and_wait_in_line(api: Caller):
    api.control(
        "POST",
        "faults",
        [{"on": "bulkUpload", "status": 502, "times": 2}, {"on": "bulkUpload", "status": 504, "times": None}],
    )
    assert [api.upload(user()).status_code for _ in range(4)] == [502, 502, 504, 504]
    api.control("DELETE", "faults")
    assert api.upload(user()).status_code == 202


def test_a_fault_can_be_meant_for_one_job(api: Caller):
    fault(api, status=500, jobId="another")
    assert api.upload(user()).status_code == 202


def test_a_fault_can_be_meant_for_requests_about_one_worker(api: Caller):
    fault(api, status=503, containing='"externalId": "2"', after=1)
    answers = [api.upload(user(number)).status_code for number in ("2", "1", "2", "2")]
    assert answers == [202, 202, 503, 202]


def test_bodies_are_json_or_text(api: Caller):
    fault(api, status=400, body={"a": 1})
    fault(api, status=502, body="<html>")
    assert api.upload(user()).json() == {"a": 1}
    assert api.upload(user()).text == "<html>"


def test_a_redirect_keeps_the_method_and_processes_nothing(api: Caller):
    fault(api, redirect="http://elsewhere.test/")
    answer = api.upload(user())
    assert (answer.status_code, answer.headers["location"]) == (307, "http://elsewhere.test/")
    assert api.accounts() == {}


def test_a_hang_holds_the_answer_back_after_accepting(api: Caller):
    fault(api, hang=0.2)
    start = time.monotonic()
    assert api.upload(user()).status_code == 202
    assert time.monotonic() - start >= 0.2


def test_latency_delays_every_answer(api: Caller):
    api.set(latencyMs=100)
    start = time.monotonic()
    api.upload(user())
    assert time.monotonic() - start >= 0.1


@pytest.mark.parametrize("on", ["token", "provisioningLogs", "job"])
def test_every_part_of_the_api_can_fail(api: Caller, on: str):
    api.control("POST", "faults", {"on": on, "status": 500})
    path = {"token": "/msi/token", "provisioningLogs": "/v1.0/auditLogs/provisioning", "job": api.job_path}[on]
    assert api.graph("GET", path).status_code == 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": "nothing", "status": 500},
        {"on": "bulkUpload"},
        {"on": "bulkUpload", "status": 500, "hang": 1},
        {"on": "bulkUpload", "disconnect": "someday"},
        {"on": "bulkUpload", "status": "500"},
        {"on": "bulkUpload", "status": 500, "often": 2},
    ],
)
def test_a_fault_that_cannot_be_understood_is_refused(api: Caller, wrong: dict):
    assert api.call("POST", "/control/faults", json=wrong).status_code == 400
