"""`doctor`: each thing that can be wrong is found, named and explained; nothing is posted and no token is shown."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from shared.bootstrap import connector
from tests.integration.operators import TOO_MANY_ASIDE, Terminal, child
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, workers

if TYPE_CHECKING:
    from tests.integration.conftest import World

OTHER_JOB = "API2AAD.00000000000000000000000000000000.00000000-0000-0000-0000-000000000000"
NOBODY = "http://127.0.0.1:9"


def examined(terminal: Terminal, *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    status, findings = terminal.json("doctor", *arguments)
    return status, {finding["check"]: finding for finding in findings}


def failed(findings: dict[str, dict[str, str]]) -> set[str]:
    return {check for check, finding in findings.items() if finding["outcome"] == "failed"}


def warned(findings: dict[str, dict[str, str]]) -> set[str]:
    return {check for check, finding in findings.items() if finding["outcome"] == "warning"}


def test_where_all_is_well_every_check_says_so(world, terminal):
    world.upload(hr_csv(*workers(3)))
    posts = len(world.posts())
    status, findings = examined(terminal)
    assert (status, failed(findings), warned(findings)) == (0, set(), set())
    assert set(findings) == {
        "settings",
        "storage",
        *(f"container {name}" for name in ("hr-drop", "feeds", "runs", "state", "summaries")),
        "feed file contoso.yaml",
        "runs",
        "event path",
        "daily quota",
        "Graph token",
        "permission SynchronizationData-User.Upload",
        "permission ProvisioningLog.Read.All",
        "permission Synchronization.Read.All",
        "Graph endpoint",
        "provisioning logs",
        "job of feed contoso",
    }
    assert "1 of 2,000 calls" in findings["daily quota"]["message"]
    assert world.entra.settings["AZURE_CLIENT_ID"] in findings["Graph token"]["message"]
    assert len(world.posts()) == posts


def test_no_token_and_no_key_is_shown_and_no_probe_is_left(world, terminal):
    _, out, err = terminal.run("doctor")
    assert "eyJ" not in out + err
    assert "AccountKey" not in out + err
    assert "0 failed" in out
    for container in ("runs", "state"):
        names = list(world.service.get_container_client(container).list_blob_names())
        assert [name for name in names if name.startswith("doctor/")] == []


def test_a_container_that_is_gone(world, terminal):
    world.service.get_container_client("summaries").delete_container()
    status, findings = examined(terminal)
    assert (status, failed(findings)) == (1, {"container summaries"})


def test_without_the_container_of_feeds_the_other_checks_go_on(world, terminal):
    world.service.get_container_client("feeds").delete_container()
    _, findings = examined(terminal)
    assert failed(findings) == {"container feeds", "feed files"}
    assert findings["Graph token"]["outcome"] == "ok"


def test_permissions_that_are_missing(world, terminal):
    world.entra.change(permissions=[])
    status, findings = examined(terminal)
    assert status == 1
    assert failed(findings) == {
        "permission SynchronizationData-User.Upload",
        "permission ProvisioningLog.Read.All",
        "provisioning logs",
    }
    assert warned(findings) == {"permission Synchronization.Read.All", "job of feed contoso"}
    assert "SynchronizationData-User.Upload" in findings["permission SynchronizationData-User.Upload"]["advice"]


@pytest.mark.parametrize(("state", "word"), [("Paused", "paus"), ("Quarantine", "quarantine"), ("NotRun", "disabled")])
def test_a_job_that_should_not_be_given_data(world, terminal, state, word):
    world.entra.change(jobStatus=state)
    status, findings = examined(terminal)
    assert (status, failed(findings)) == (1, {"job of feed contoso"})
    assert word in findings["job of feed contoso"]["message"].lower()


def test_a_job_that_is_none(world, terminal):
    world.put_feed(sample_feed(world.entra.settings["SERVICE_PRINCIPAL_ID"], OTHER_JOB), "other")
    status, findings = examined(terminal)
    assert (status, failed(findings)) == (1, {"job of feed other"})
    assert "404" in findings["job of feed other"]["message"]
    assert failed(examined(terminal, "--feed", "contoso")[1]) == set()


def test_feed_files_that_can_not_be_used(world, terminal):
    world.put_feed(b"job: {}\n", "broken")
    world.service.get_blob_client("feeds", "contoso.yml").upload_blob(b"job: {}\n")
    _, findings = examined(terminal)
    assert failed(findings) == {"feed file broken.yaml"}
    assert "Line 1" in findings["feed file broken.yaml"]["message"]
    assert warned(findings) == {"feed file contoso.yml"}
    assert failed(examined(terminal, "--feed", "nobody")[1]) == {"feed files"}


def test_runs_that_are_held_blocked_or_wait(world, terminal, monkeypatch):
    held = world.upload(TOO_MANY_ASIDE, "held.csv")
    world.upload(TOO_MANY_ASIDE.replace("W0000", "V0000"), "held-too.csv")
    status, findings = examined(terminal)
    assert (status, failed(findings)) == (1, {"runs held"})
    assert findings["runs held"]["message"].startswith("2 held (tooManySetAside 2)")
    assert held["run"].partition("-")[0] in findings["runs held"]["message"]


def test_runs_that_are_blocked(world, terminal):
    world.entra.change(permissions=["ProvisioningLog.Read.All"])
    run = world.upload(hr_csv(*workers(3)))
    _, findings = examined(terminal)
    assert "runs blocked" in failed(findings)
    assert "forbidden 1" in findings["runs blocked"]["message"]
    assert findings["runs blocked"]["advice"].endswith(run["run"])


def test_a_job_that_has_to_rest_although_the_run_that_was_told_is_over(world, terminal):
    world.entra.post("faults", {"on": "bulkUpload", "status": 429, "headers": {"Retry-After": "3000"}})
    wrong = world.upload(hr_csv(*workers(3)))
    assert terminal.run("cancel", wrong["run"], "--why", "wrong file", "--yes")[0] == 0
    world.resume()
    assert world.run()["state"] == "sent"
    status, findings = examined(terminal)
    assert (status, warned(findings)) == (0, {"jobs resting"})
    until = datetime.fromisoformat(world.run()["notBefore"])
    assert f"{wrong['jobId']} until {until:%Y-%m-%d %H:%M:%S} UTC" in findings["jobs resting"]["message"]
    world.later()
    world.put_feed(name="another")
    world.upload(hr_csv(*workers(3, first=500)), "another.csv", "another")
    assert "jobs resting" in warned(examined(terminal, "--feed", "another")[1])
    world.put_feed(sample_feed(world.entra.settings["SERVICE_PRINCIPAL_ID"], OTHER_JOB), "elsewhere")
    assert "jobs resting" not in warned(examined(terminal, "--feed", "elsewhere")[1])
    world.advance(hours=1)
    assert warned(examined(terminal)[1]) == set()


def test_a_quota_that_is_used_up(world, terminal, monkeypatch):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "1")
    connector.cache_clear()
    world.upload(hr_csv(*workers(60)))
    status, findings = examined(terminal)
    assert (status, warned(findings)) == (0, {"daily quota", "runs waiting"})
    assert "1 of 1 calls" in findings["daily quota"]["message"]
    assert "dailyQuota" in findings["runs waiting"]["message"]
    assert "assumed" not in findings["daily quota"]["message"]
    monkeypatch.delenv("BULK_REQUESTS_PER_DAY")
    _, findings = examined(terminal)
    assert "limit 2,000 assumed: BULK_REQUESTS_PER_DAY is not set here" in findings["daily quota"]["message"]
    assert findings["daily quota"]["outcome"] == "warning"


def test_files_that_were_refused_lately(world, terminal):
    refused = world.upload(b"", "empty.csv")
    status, findings = examined(terminal)
    assert (status, warned(findings)) == (0, {"runs refused"})
    assert refused["run"] in findings["runs refused"]["message"]
    world.advance(hours=8 * 24)
    assert "runs refused" not in examined(terminal)[1]


def test_a_drop_that_nobody_has_taken_up(world, terminal):
    world.drop(hr_csv(*workers(3)))
    assert examined(terminal)[1]["event path"]["outcome"] == "ok"
    world.advance(hours=0.2)
    status, findings = examined(terminal)
    assert (status, failed(findings)) == (1, {"event path"})
    assert "event subscription" in findings["event path"]["advice"]


def test_drops_that_only_the_timer_finds(world, terminal):
    world.drop(hr_csv(*workers(3)))
    world.advance(hours=0.2)
    world.resume()
    status, findings = examined(terminal)
    assert (status, warned(findings)) == (0, {"event path"})


def test_where_storage_can_not_be_reached_graph_is_examined_all_the_same(world, terminal, monkeypatch):
    dead = world.connection_string.split("BlobEndpoint=")[0] + f"BlobEndpoint={NOBODY}/{world.account};"
    monkeypatch.setenv("HR_STORAGE", dead)
    status, findings = examined(terminal)
    assert (status, failed(findings)) == (1, {"storage"})
    assert findings["provisioning logs"]["outcome"] == "ok"


def test_where_there_is_no_token_storage_is_examined_all_the_same(world, terminal, monkeypatch):
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    monkeypatch.setenv("PATH", "")
    _, findings = examined(terminal)
    assert {"Graph token", "job of feed contoso"} >= failed(findings) >= {"Graph token"}
    assert findings["container runs"]["outcome"] == "ok"


def test_an_endpoint_that_does_not_answer(world, terminal):
    _, findings = examined(terminal, "--graph-endpoint", NOBODY)
    assert "Graph endpoint" in failed(findings)
    assert findings["container runs"]["outcome"] == "ok"


def test_doctor_runs_as_a_process_of_its_own(world):
    done = child(world, "doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert {finding["outcome"] for finding in json.loads(done.stdout)} == {"ok"}


def test_without_settings_doctor_says_what_is_missing(world: World):
    done = child(world, "doctor", HR_STORAGE="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--storage ACCOUNT" in done.stderr
