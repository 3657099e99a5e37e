"""What an operator does at a terminal to runs that are there: list, show, resume, cancel."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from shared.bootstrap import connector
from tests.integration.operators import THREE_REQUESTS, TOO_MANY_ASIDE, child, half_sent
from tests.platform.hr_files import hr_csv, workers

if TYPE_CHECKING:
    pass


class Typing(io.StringIO):
    """A person's keyboard."""

    def isatty(self) -> bool:
        return True


def test_runs_are_listed_newest_last_and_can_be_chosen(world, terminal):
    good = world.upload(hr_csv(*workers(3)))
    held = world.upload(TOO_MANY_ASIDE, "held.csv")
    status, listed = terminal.json("runs")
    assert (status, [line["run"] for line in listed]) == (1, [good["run"], held["run"]])
    assert terminal.json("runs", "--state", "held")[1][0]["reason"] == "tooManySetAside"
    assert [line["run"] for line in terminal.json("runs", "--state", "sent")[1]] == [good["run"]]
    status, out, err = terminal.run("runs", "--feed", "another")
    assert (status, out) == (2, "")
    assert "no feed file another.yaml" in err
    assert "the feeds are: contoso" in err
    world.put_feed(name="another")
    assert terminal.json("runs", "--feed", "another") == (0, [])
    _, out, _ = terminal.run("runs")
    assert "held.csv held tooManySetAside 5 setAside 1, planned 4" in out


def test_only_the_newest_fifty_are_listed_unless_all_are_wanted(world, terminal, monkeypatch):
    monkeypatch.setattr("shared.cli.runs.NEWEST", 1)
    world.upload(hr_csv(*workers(1)), "one.csv")
    world.upload(hr_csv(*workers(1)), "two.csv")
    status, out, err = terminal.run("runs")
    assert (status, "1 older run not shown" in err, out.count("contoso")) == (0, True, 1)
    assert len(terminal.json("runs", "--all")[1]) == 2


def test_a_run_whose_record_is_damaged_is_listed_as_such(world, terminal):
    run = world.upload(hr_csv(*workers(1)))
    members = [*terminal.json("runs")[1][0]]
    world.service.get_blob_client("runs", f"contoso/{run['run']}/run.json").upload_blob(b"{}", overwrite=True)
    status, listed = terminal.json("runs")
    (line,) = listed
    assert (status, line["run"], line["state"], line["needsPerson"]) == (1, run["run"], "unreadable", True)
    assert [*line] == members
    status, out, err = terminal.run("show", run["run"])
    assert (status, out) == (2, "")
    assert "not a record of a run" in err


def test_show_tells_counts_waits_reason_and_what_helps(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    status, out, _ = terminal.run("show", run["run"][-6:])
    assert status == 0
    for words in ("2 of 3 accepted", "100 accepted", "20 planned", "[dailyQuota]", "goes on by itself in 24 hours"):
        assert words in out.replace("1 day", "24 hours")
    assert f"resume {run['run']}" in out
    assert "1 request (20 rows) left; at 2 a day" in out
    status, told = terminal.json("show", run["run"])
    assert told["counts"]["accepted"] == 100
    assert told["folder"].endswith(f"/runs/contoso/{run['run']}/")


def test_before_the_first_run_it_says_so(world, terminal):
    assert terminal.run("runs") == (0, "", "No run yet.")
    world.upload(hr_csv(*workers(1)))
    assert terminal.run("runs", "--state", "held,blocked") == (0, "", "There is no such run.")
    assert len(terminal.json("runs", "--state", "held,sent")[1]) == 1


def test_a_run_is_named_by_its_feed_or_by_its_files_name_too(world, terminal):
    first = world.upload(hr_csv(*workers(1)), "daily.csv")
    newest = world.upload(hr_csv(*workers(2)), "daily.csv")
    world.upload(hr_csv(*workers(3)), "other.csv")
    shown = {text: terminal.json("show", text)[1]["run"] for text in ("daily.csv", "contoso/daily.csv")}
    assert set(shown.values()) == {newest["run"]}
    assert terminal.json("show", f"contoso/{first['run']}")[1]["run"] == first["run"]
    for nothing in (f"another/{first['run']}", "daily", "another/daily.csv"):
        assert terminal.run("show", nothing)[0] == 2


def test_a_files_name_means_its_newest_drop_also_once_rows_of_it_were_sent_again(world, terminal):
    world.entra.change(rejectExternalIds=["W00002"])
    drop = world.upload(hr_csv(*workers(3)), "daily.csv")
    assert terminal.json("show", "daily.csv")[1]["resentBy"] == []
    first, second = (terminal.json("resend", "daily.csv", "--state", "rejected")[1]["run"] for _ in range(2))
    _, told = terminal.json("show", "contoso/daily.csv")
    assert (told["run"], told["resentBy"]) == (drop["run"], [first, second])
    assert f"resent by run {first} by run {second}" in terminal.run("show", "daily.csv")[1]
    assert terminal.json("show", second)[1]["resendOf"] == drop["run"]
    world.later()
    assert world.upload(hr_csv(*workers(3)), "daily.csv")["run"] == terminal.json("show", "daily.csv")[1]["run"]


def test_a_part_that_several_runs_have_lists_them_and_one_that_none_has_says_so(world, terminal):
    runs = [world.upload(hr_csv(*workers(1)), name)["run"] for name in ("one.csv", "two.csv")]
    status, out, err = terminal.run("show", "T")
    assert (status, out) == (2, "")
    assert all(run in err for run in runs)
    status, _, err = terminal.run("show", "xyz")
    assert (status, "No run has xyz" in err) == (2, True)


def test_a_held_run_is_sent_once_a_person_resumes_it(world, terminal):
    run = world.upload(TOO_MANY_ASIDE)
    status, out, _ = terminal.run("show", run["run"])
    assert (status, f"resume {run['run']} sends the other 4" in out) == (1, True)
    status, out, _ = terminal.run("resume", run["run"], "--why", "one is on sabbatical")
    assert (status, "within a minute" in out) == (0, True)
    assert world.run()["state"] == "planned"
    world.resume()
    world.report()
    assert world.run()["counts"]["created"] == 4
    (action,) = world.run()["actions"]
    assert (action["action"], action["why"]) == ("resume", "one is on sabbatical")
    assert action["by"] == world.entra.settings["AZURE_CLIENT_ID"]
    assert world.faults() == []


def test_a_blocked_run_is_tried_again_at_the_next_tick(world, terminal):
    world.entra.change(permissions=[])
    run = world.upload(THREE_REQUESTS)
    assert run["state"] == "blocked"
    world.entra.change(permissions=["SynchronizationData-User.Upload", "ProvisioningLog.Read.All"])
    world.resume()
    assert world.run()["state"] == "blocked"
    assert terminal.run("resume", run["run"], "--by", "ann")[0] == 0
    assert "Resumed by ann at" in terminal.run("show", run["run"])[1]
    connector.cache_clear()
    world.resume()
    world.report()
    assert world.run()["actions"][0]["by"] == "ann"
    assert world.faults() == []


def test_what_can_not_be_resumed_says_why(world, terminal):
    settled = world.upload(hr_csv(*workers(1)))
    world.report()
    status, _, err = terminal.run("resume", settled["run"])
    assert (status, "nothing to resume: it is settled" in err) == (1, True)
    refused = world.upload(b"", "empty.csv")
    assert "it was refused" in terminal.run("resume", refused["run"])[2]
    assert "it was refused" in terminal.run("cancel", refused["run"], "--why", "x")[2]
    assert world.run()["actions"] == []


def test_a_run_with_a_damaged_plan_can_not_be_resumed(world, terminal):
    world.entra.change(permissions=[])
    run = world.upload(THREE_REQUESTS)
    blob = world.service.get_blob_client("runs", f"contoso/{run['run']}/requests/0001.ndjson.gz")
    blob.upload_blob(b"something else", overwrite=True)
    world.entra.change(permissions=["SynchronizationData-User.Upload"])
    terminal.run("resume", run["run"])
    connector.cache_clear()
    world.resume()
    assert world.run()["reason"]["code"] == "planDamaged"
    status, _, err = terminal.run("resume", run["run"])
    assert (status, "drop the HR file again" in err) == (1, True)
    assert world.run()["state"] == "held"


def test_what_a_cancelled_run_has_not_sent_is_superseded_and_never_sent(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    status, out, err = terminal.run("cancel", run["run"], "--why", "wrong file", "--yes")
    assert (status, "Superseded: 20 rows; sent before: 100." in out) == (0, True)
    assert "To undo what was sent, drop the right file" in out
    assert "Sent already: 100 rows, which can't be called back" in err
    world.advance(hours=25)
    connector.cache_clear()
    world.resume()
    world.report()
    assert len(world.posts()) == 2
    told = world.run()
    assert (told["counts"]["superseded"], told["counts"]["created"], told["state"]) == (20, 100, "settled")
    assert [(action["action"], action["why"]) for action in told["actions"]] == [("cancel", "wrong file")]
    assert world.faults() == []


def test_while_a_sender_is_at_work_cancelling_leaves_it_the_rest(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    lock = world.service.get_blob_client("state", f"jobs/{world.entra.settings['JOB_ID']}/lock")
    lease = lock.acquire_lease(lease_duration=60)
    status, out, _ = terminal.run("cancel", run["run"], "--why", "wrong file", "--yes")
    assert (status, "it stops within seconds" in out) == (0, True)
    assert world.run()["counts"]["planned"] == 20
    assert world.blob("state", f"jobs/{world.entra.settings['JOB_ID']}/planned").decode() == run["run"]
    lease.release()
    assert "it is cancelled" in terminal.run("show", run["run"])[1].lower()
    world.resume()
    assert world.run()["counts"]["superseded"] == 20
    assert len(world.posts()) == 2


def test_a_held_run_can_be_cancelled_and_then_not_resumed(world, terminal):
    run = world.upload(TOO_MANY_ASIDE)
    assert terminal.json("cancel", run["run"], "--why", "wrong file", "--yes")[1]["counts"]["superseded"] == 4
    assert "was cancelled by" in terminal.run("resume", run["run"])[2]
    world.resume()
    assert world.posts() == []


def test_cancelling_twice_says_who_did_it_and_when(world, terminal):
    run = world.upload(TOO_MANY_ASIDE)
    terminal.run("cancel", run["run"], "--why", "wrong file", "--yes", "--by", "ann")
    status, _, err = terminal.run("cancel", run["run"], "--why", "again", "--yes")
    assert (status, "already cancelled by ann at 20" in err) == (1, True)
    assert len(world.run()["actions"]) == 1
    assert terminal.json("runs")[1][0]["reason"] == "cancelled"
    assert "[cancelled]" in terminal.run("show", run["run"])[1]


def test_where_nobody_can_be_asked_cancelling_needs_a_yes(world, terminal):
    run = world.upload(TOO_MANY_ASIDE)
    status, out, err = terminal.run("cancel", run["run"], "--why", "wrong file")
    assert (status, out, "--yes" in err) == (2, "", True)
    assert (world.run()["state"], world.run()["actions"]) == ("held", [])


def test_at_a_terminal_cancelling_asks_first(world, terminal, monkeypatch):
    run = world.upload(TOO_MANY_ASIDE)
    monkeypatch.setattr("sys.stdin", Typing("no\n"))
    status, _, err = terminal.run("cancel", run["run"], "--why", "x")
    assert (status, "Nothing was changed" in err, world.run()["actions"]) == (1, True, [])
    monkeypatch.setattr("sys.stdin", Typing("yes\n"))
    assert terminal.run("cancel", run["run"], "--why", "x")[0] == 0
    assert len(world.run()["actions"]) == 1


def test_the_program_lists_runs_as_a_process_of_its_own(world):
    run = world.upload(hr_csv(*workers(1)))
    done = child(world, "runs", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line["run"] for line in json.loads(done.stdout)] == [run["run"]]


WRONG = {
    "no settings": ({"HR_STORAGE": ""}, "--storage ACCOUNT"),
    "a wrong key": ({"HR_STORAGE": "key"}, "HR_STORAGE"),
    "no such machine": ({"HR_STORAGE": "port"}, "can't be reached"),
    "a connection string that is none": ({"HR_STORAGE": "nonsense"}, "connection string"),
    "another host for tokens": ({"GRAPH_ENDPOINT": "https://example.com"}, "GRAPH_ENDPOINT"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_can_not_be_reached_is_said_in_a_sentence_without_a_trace_or_a_key(world, kind):
    change, words = WRONG[kind]
    key = world.connection_string.split("AccountKey=")[1].split(";")[0]
    spoilt = {
        "key": world.connection_string.replace(key, "d3Jvbmc="),
        "port": world.connection_string.replace("127.0.0.1:", "127.0.0.1:1#").split("#")[0] + f"/{world.account};",
    }
    done = child(world, "runs", **{name: spoilt.get(value, value) for name, value in change.items()})
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert key not in done.stderr
    assert "d3Jvbmc=" not in done.stderr
