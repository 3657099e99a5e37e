"""The job's state: read, pause, start, restart, quarantine."""

import pytest

from tests.simulator.clock import iso
from tests.unit.simulator.calling import Caller, user


@pytest.fixture
def owner(api: Caller) -> Caller:
    api.set(permissions=["SynchronizationData-User.Upload", "Synchronization.ReadWrite.All"])
    return api


def act(api: Caller, action: str, scope: str | None = None) -> int:
    body = {"criteria": {"resetScope": scope}} if scope else None
    return api.graph("POST", f"{api.job_path}/{action}", json=body).status_code


def test_an_active_job_reports_its_last_execution(owner: Caller):
    owner.upload(user("1"), user("2", userName="x@nowhere.test"))
    body = owner.graph("GET", owner.job_path).json()
    assert (body["id"], body["status"]["code"], body["schedule"]["state"]) == (
        owner.tenant.identifiers.job_id,
        "Active",
        "Active",
    )
    last = body["status"]["lastExecution"]
    assert (last["state"], last["countImported"], last["countEscrowed"]) == ("EntryLevelErrors", 2, 1)
    assert body["status"]["steadyStateFirstAchievedTime"] == "0001-01-01T00:00:00Z"


def test_uploads_to_a_paused_job_are_accepted_and_wait_until_it_starts(owner: Caller):
    assert act(owner, "pause") == 204
    assert owner.upload(user()).status_code == 202
    owner.control("POST", "process")
    assert owner.accounts() == {}
    assert act(owner, "start") == 204
    assert list(owner.accounts()) == ["1"]


def test_a_job_that_starts_again_takes_up_what_waited_in_one_cycle_stamped_with_that_moment(owner: Caller):
    act(owner, "pause")
    owner.upload(user("1", manager="2"))
    owner.upload(user("2"))
    owner.advance(3600)
    before = owner.tenant.clock.now()
    act(owner, "start")
    records = owner.control("GET", "logs")
    assert {record["cycleId"] for record in records} == {records[0]["cycleId"]}
    assert {record["activityDateTime"] for record in records} <= {iso(before), iso(before + 1)}
    assert owner.accounts()["1"]["manager"] == "2"


def test_a_restart_purges_what_was_not_processed(owner: Caller):
    act(owner, "pause")
    owner.upload(user())
    assert act(owner, "restart", "Watermark, Escrows, QuarantineState") == 204
    assert owner.accounts() == {}
    assert owner.control("GET", "jobs")[0]["status"] == "Active"


def test_a_quarantined_job_takes_uploads_and_is_released_by_a_restart_that_says_so(owner: Caller):
    owner.set(jobStatus="Quarantine", quarantineReason="IngestionInterrupted")
    assert owner.upload(user()).status_code == 202
    status = owner.graph("GET", owner.job_path).json()["status"]
    assert (status["code"], status["quarantine"]["reason"]) == ("Quarantine", "IngestionInterrupted")
    act(owner, "start")
    act(owner, "restart", "Watermark")
    assert owner.control("GET", "jobs")[0]["status"] == "Quarantine"
    act(owner, "restart", "QuarantineState")
    assert owner.control("GET", "jobs")[0]["status"] == "Active"


def test_reading_and_changing_need_permissions(api: Caller):
    assert api.graph("GET", api.job_path).status_code == 200
    assert act(api, "pause") == 403
    api.set(permissions=["SynchronizationData-User.Upload"])
    token = {"Authorization": f"Bearer {api.fresh_token()}"}
    assert api.graph("GET", api.job_path, headers=token).status_code == 403
    assert api.graph("GET", f"{api.job_path}x").status_code == 404
