"""`worker`: every row about one worker in every run, whatever became of it."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.bootstrap import connector
from tests.integration.operators import TOO_MANY_ASIDE, Terminal, child, half_sent
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, hr_row, workers

if TYPE_CHECKING:
    from tests.integration.conftest import World


def seen(terminal: Terminal, external_id: str, *arguments: str) -> list[dict[str, Any]]:
    status, found = terminal.json("worker", external_id, *arguments)
    assert status == (0 if found else 1)
    return found


def short(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["file"], row["line"], row["state"], row["code"]) for row in found]


def test_a_worker_is_found_in_every_run_newest_last(world, terminal):
    world.upload(hr_csv(*workers(60)), "monday.csv")
    world.report()
    time.sleep(1.05)
    world.upload(hr_csv(*workers(60), hr_row("W00061", WorkerStatus="")), "tuesday.csv")
    world.report()
    assert short(seen(terminal, "W00055")) == [
        ("monday.csv", 56, "created", None),
        ("tuesday.csv", 56, "skipped", "RedundantExport"),
    ]
    status, out, _ = terminal.run("worker", "W00055")
    assert status == 0
    at = datetime.fromisoformat(terminal.json("worker", "W00055")[1][0]["at"])
    assert f"line 56 created, {at:%Y-%m-%d %H:%M:%S} UTC" in out
    assert "UTC [RedundantExport] → Nothing: Entra had the same data already." in out


def test_a_row_that_was_set_aside_tells_its_problem_and_its_remedy(world, terminal):
    world.upload(hr_csv(*workers(20), hr_row("W00021", WorkerStatus="")))
    (row,) = seen(terminal, "W00021")
    assert (row["line"], row["state"], row["code"]) == (22, "setAside", "blankStatus")
    assert "blank" in row["words"]
    assert row["whatHelps"] == ["Fill in the worker's status in the HR system."]


def test_a_manager_is_not_taken_for_the_worker_of_the_row(world, terminal):
    world.upload(hr_csv(*workers(20), hr_row("W00021", WorkerStatus="", ManagerID="W00003")))
    assert short(seen(terminal, "W00003")) == [("workers.csv", 4, "accepted", None)]


def test_keys_are_compared_as_the_connector_does(world, terminal):
    settings = world.entra.settings
    feed = sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"])
    key = b"externalId: {column: WorkerID, transforms: [trim, keep_digits]}"
    world.put_feed(feed.replace(b"externalId: WorkerID", key))
    world.upload(hr_csv(*workers(20), hr_row(" w00021 ", WorkerStatus="", LastName="two\nlines")))
    assert short(seen(terminal, "00004"))[0][1:3] == (5, "accepted")
    assert short(seen(terminal, "00021"))[0][2] == "setAside"
    assert short(seen(terminal, "W00021"))[0][2] == "setAside"
    assert short(seen(terminal, "Ｗ00021"))[0][2] == "setAside"
    assert seen(terminal, "W0002") == []


def test_a_row_that_was_left_out_on_purpose_is_found_too(world, terminal):
    settings = world.entra.settings
    feed = sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"])
    world.put_feed(feed + b"\nrows:\n  exclude:\n    - {JobTitle: {equals: Intern}}\n")
    run = world.upload(hr_csv(*workers(3), hr_row("W00004", JobTitle="Intern")))
    assert run["counts"]["excluded"] == 1, run["reason"]
    (row,) = seen(terminal, "W00004")
    assert (row["line"], row["state"]) == (5, "excluded")


def test_in_a_file_of_scim_users_the_key_is_that_of_the_user(world, terminal):
    settings = world.entra.settings
    job = f"job: {{servicePrincipalId: {settings['SERVICE_PRINCIPAL_ID']}, jobId: {settings['JOB_ID']}}}\n"
    world.put_feed(f"{job}file: {{format: scim}}\nsafety: {{max_set_aside_percent: 90}}\n".encode())
    good = {"userName": "ana@example.com", "active": True, "displayName": "Ana", "externalId": "W00001"}
    bad = {**good, "userName": "ben@example.com", "externalId": "w00002", "active": "perhaps"}
    run = world.upload(json.dumps([good, bad]), "users.json")
    assert (run["counts"]["setAside"], run["counts"]["accepted"]) == (1, 1), run["reason"]
    assert [(row["line"] > 0, row["state"]) for row in seen(terminal, "W00002")] == [(True, "setAside")]
    assert [row["state"] for row in seen(terminal, "W00001")] == ["accepted"]


def test_without_the_runs_copy_of_the_feed_file_nobody_can_say_who_was_set_aside(world, terminal):
    run = world.upload(hr_csv(*workers(20), hr_row("W00021", WorkerStatus="")))
    world.service.get_blob_client("runs", f"contoso/{run['run']}/feed.yaml").delete_blob()
    status, _, err = terminal.run("worker", "W00021")
    assert (status, run["run"] in err) == (1, True)


def test_a_rejected_row_has_the_words_of_the_api_and_the_command_that_sends_it_again(world, terminal):
    world.entra.change(rejectExternalIds=["W00002"])
    origin = world.upload(hr_csv(*workers(3)))
    (row,) = seen(terminal, "W00002")
    assert (row["state"], row["code"]) == ("rejected", "status400")
    assert row["words"]
    assert row["whatHelps"] == [
        "Repaired in HR or in the feed file: drop a new file, since resend sends the data as they were.",
        "Repaired in Entra (the domain verified, the other account renamed, the mapping changed): "
        f"python -m shared resend {origin['run']} --state rejected",
    ]
    world.entra.change(rejectExternalIds=[])
    _, again = terminal.json("resend", origin["run"], "--state", "rejected")
    found = seen(terminal, "W00002")
    assert [(row["state"], row["resendOf"]) for row in found] == [("rejected", None), ("planned", origin["run"])]
    assert f"resends run {origin['run']}" in terminal.run("worker", "W00002")[1]
    assert again["run"] == found[1]["run"]


def test_a_row_of_a_cancelled_run_and_one_that_a_newer_file_overtook(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    assert short(seen(terminal, "W00120")) == [("workers.csv", 121, "planned", None)]
    assert f"show {run['run']}" in seen(terminal, "W00120")[0]["whatHelps"][0]
    time.sleep(1.05)
    newer = world.upload(hr_csv(*workers(1, first=120)), "newer.csv")
    world.advance(hours=25)
    connector.cache_clear()
    world.resume()
    old, new = seen(terminal, "W00120")
    assert (old["state"], old["code"], old["byRun"]) == ("superseded", "newerRun", newer["run"])
    assert new["state"] == "accepted"
    held = world.upload(TOO_MANY_ASIDE, "held.csv")
    terminal.run("cancel", held["run"], "--why", "wrong file", "--yes")
    assert short(seen(terminal, "W00004"))[-1] == ("held.csv", 5, "superseded", "cancelled")


def test_nobody_is_said_with_status_1_and_another_feed_is_not_searched(world, terminal):
    world.upload(hr_csv(*workers(1)))
    status, out, err = terminal.run("worker", "X1")
    assert (status, out, err) == (1, "", "No row of the runs that are kept (1) has the externalId X1.")
    assert seen(terminal, "W00001", "--feed", "another") == []


def test_a_run_that_can_not_be_read_is_named_and_hides_no_other(world, terminal):
    world.upload(hr_csv(*workers(1)), "good.csv")
    broken = world.upload(hr_csv(*workers(1)), "broken.csv")
    world.service.get_blob_client("runs", f"contoso/{broken['run']}/run.json").upload_blob(b"{}", overwrite=True)
    status, out, err = terminal.run("worker", "W00001")
    assert (status, "good.csv" in out) == (0, True)
    assert broken["run"] in err


def test_worker_works_as_a_process_of_its_own_and_writes_whole_lines(world: World):
    run = world.upload(hr_csv(*workers(20), hr_row("W00021", WorkerStatus="")))
    done = child(world, "worker", "W00021")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"{run['run']}  feed contoso, workers.csv"
    assert json.loads(child(world, "worker", "W00021", "--json").stdout)[0]["run"] == run["run"]
