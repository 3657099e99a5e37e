"""`resend` and `send`: rows that came to nothing go again, and a file is dropped and followed to its end."""

from __future__ import annotations

import gzip
import json
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from shared.bootstrap import connector
from tests.integration.operators import THREE_REQUESTS, TOO_MANY_ASIDE, Terminal, child
from tests.platform.accounting import outcomes, run_blob
from tests.platform.hr_files import hr_csv, hr_row, workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import World

COMPANY = hr_csv(*workers(120))


def others_domain(world: World) -> None:
    """Entra refuses every userName, until the domain is verified."""
    world.entra.change(verifiedDomains=["contoso.com"])


def resent(world: World, terminal: Terminal, run: str, states: str) -> dict[str, Any]:
    time.sleep(1.05)  # the log tells whole seconds: what failed must not look as if it came after the second upload
    status, record = terminal.json("resend", run, "--state", states)
    assert status == 0
    return record


def stored(world: World, run: str) -> dict[str, Any]:
    return next(record for record in world.runs() if record["run"] == run)


def operations(world: World, record: dict[str, Any]) -> list[dict[str, Any]]:
    blob = world.blob("runs", f"{record['feed']}/{record['run']}/requests/0001.ndjson.gz")
    return [one for body in gzip.decompress(blob).splitlines() for one in json.loads(body)["Operations"]]


def test_rows_that_failed_are_sent_again_from_the_plan_once_their_cause_is_repaired(world, terminal):
    others_domain(world)
    origin = world.upload(COMPANY)
    world.report()
    assert world.run()["counts"]["failed"] == 120
    world.service.get_blob_client("hr-drop", "contoso/workers.csv").delete_blob()
    world.entra.change(verifiedDomains=["example.com"])
    record = resent(world, terminal, origin["run"], "failed")
    assert (record["state"], record["rows"], record["resendOf"]) == ("planned", 120, origin["run"])
    assert record["requests"]["planned"] == 3
    assert record["barriers"] == [2, 3]
    assert record["run"].partition("-")[0] == origin["run"].partition("-")[0]
    world.resume()
    world.report()
    told = stored(world, record["run"])
    assert (told["counts"]["created"], told["state"]) == (120, "settled")
    assert len(world.accounts()) == 120
    assert sum(told["counts"].values()) == told["rows"]
    lines = [line["line"] for line in outcomes(world.service, told)]
    assert lines == [line["line"] for line in outcomes(world.service, stored(world, origin["run"]))]


def test_a_run_that_is_sent_again_has_the_same_users_under_new_bulk_ids_in_the_same_order(world, terminal):
    others_domain(world)
    origin = world.upload(THREE_REQUESTS)
    world.report()
    record = resent(world, terminal, origin["run"], "failed")
    before, after = operations(world, origin), operations(world, record)
    assert [one["data"] for one in after] == [one["data"] for one in before]
    assert not {one["bulkId"] for one in after} & {one["bulkId"] for one in before}


def test_who_resent_it_stands_in_both_runs(world, terminal):
    others_domain(world)
    origin = world.upload(hr_csv(*workers(3)))
    world.report()
    record = resent(world, terminal, origin["run"], "failed")
    for run in (origin["run"], record["run"]):
        (action,) = stored(world, run)["actions"]
        assert (action["action"], action["by"]) == ("resend", world.entra.settings["AZURE_CLIENT_ID"])
    assert f"resends run {origin['run']}" in terminal.run("show", record["run"])[1]


def test_only_the_rows_in_the_named_states_go_again(world, terminal):
    world.entra.change(rejectExternalIds=["W00002", "W00077"], loseLogsOfExternalIds=["W00005"])
    rows = [*workers(100), hr_row("W00101", UserID="someone@elsewhere.com")]
    origin = world.upload(hr_csv(*rows))
    world.report()
    world.advance(hours=25)
    connector.cache_clear()
    world.report()
    counts = {state: count for state, count in world.run()["counts"].items() if count}
    assert counts == {"rejected": 2, "unaccounted": 1, "failed": 1, "created": 97}
    found = {}
    for states in ("rejected", "unaccounted", "failed", "failed,rejected,unaccounted"):
        record = resent(world, terminal, origin["run"], states)
        found[states] = sorted(one["data"]["externalId"] for one in operations(world, record))
        terminal.run("cancel", record["run"], "--why", "only looking", "--yes")
    assert found == {
        "rejected": ["W00002", "W00077"],
        "unaccounted": ["W00005"],
        "failed": ["W00101"],
        "failed,rejected,unaccounted": ["W00002", "W00005", "W00077", "W00101"],
    }


def test_before_the_first_report_rejected_rows_can_go_again(world, terminal):
    world.entra.change(rejectExternalIds=["W00002"])
    origin = world.upload(hr_csv(*workers(3)))
    assert run_blob(world.service, origin, "outcomes.ndjson") == ""
    world.entra.change(rejectExternalIds=[])
    record = resent(world, terminal, origin["run"], "rejected")
    connector.cache_clear()
    world.resume()
    assert stored(world, record["run"])["counts"]["accepted"] == 1


def test_where_there_is_nothing_to_resend_it_says_so(world, terminal):
    origin = world.upload(hr_csv(*workers(3)))
    world.report()
    status, out, err = terminal.run("resend", origin["run"], "--state", "failed,unaccounted")
    assert (status, out) == (1, "")
    assert "no row of this run is failed or unaccounted" in err
    assert len(world.runs()) == 1
    with pytest.raises(SystemExit) as ended:
        terminal.run("resend", origin["run"], "--state", "created")
    assert ended.value.code == 2


def test_of_whom_a_newer_file_speaks_is_not_sent_again(world, terminal):
    others_domain(world)
    origin = world.upload(hr_csv(*workers(3)), "old.csv")
    world.report()
    world.entra.change(verifiedDomains=["example.com"])
    time.sleep(1.05)
    world.upload(hr_csv(*workers(1)), "new.csv")
    posts = len(world.posts())
    record = resent(world, terminal, origin["run"], "failed")
    world.resume()
    told = stored(world, record["run"])
    assert (told["counts"]["superseded"], told["counts"]["accepted"]) == (1, 2)
    assert [post["externalIds"] for post in world.posts()[posts:]] == [["W00002", "W00003"]]


def test_what_is_sent_again_twice_takes_its_place_behind_the_first_time(world, terminal):
    others_domain(world)
    origin = world.upload(hr_csv(*workers(3)))
    world.report()
    first = resent(world, terminal, origin["run"], "failed")
    second = resent(world, terminal, origin["run"], "failed")
    assert origin["plannedAt"] < first["plannedAt"] < second["plannedAt"]
    world.resume()
    assert stored(world, first["run"])["counts"]["superseded"] == 3
    assert stored(world, second["run"])["counts"]["accepted"] == 3


def test_from_a_damaged_plan_nothing_is_sent_again(world, terminal):
    others_domain(world)
    origin = world.upload(hr_csv(*workers(3)))
    world.report()
    blob = world.service.get_blob_client("runs", f"contoso/{origin['run']}/requests/0001.ndjson.gz")
    blob.upload_blob(b"something else", overwrite=True)
    status, _, err = terminal.run("resend", origin["run"], "--state", "failed")
    assert (status, "not what was planned" in err, len(world.runs())) == (1, True, 1)


@pytest.fixture
def host(world) -> Iterator[None]:
    """A functions host that takes up what is dropped, and a job whose cycles are short."""
    stop = threading.Event()

    def process() -> None:
        while not stop.wait(0.3):
            world.entra.post("process")

    run = partial(world.host.run, stop, poll_seconds=0.1, timer_seconds=0.5)
    threads = [threading.Thread(target=work) for work in (run, process)]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()


def file_of(tmp_path: Path, text: str, name: str = "workers.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_send_drops_a_file_and_follows_it_to_its_end(world, terminal, tmp_path, host):
    status, out, err = terminal.run("send", file_of(tmp_path, THREE_REQUESTS), "--feed", "contoso")
    assert (status, err) == (0, "")
    assert "settled" in out
    assert "120 created" in out
    assert world.blob("hr-drop", "contoso/workers.csv").decode() == THREE_REQUESTS


def test_send_ends_where_a_person_is_needed(world, terminal, tmp_path, host):
    status, record = terminal.json("send", file_of(tmp_path, TOO_MANY_ASIDE), "--feed", "contoso", "--name", "x.csv")
    assert (status, record["state"], record["file"]) == (1, "held", "x.csv")
    status, record = terminal.json("send", file_of(tmp_path, ""), "--feed", "contoso")
    assert (status, record["state"], record["reason"]["code"]) == (1, "refused", "emptyFile")


def test_send_follows_exactly_the_version_that_it_wrote(world, terminal, tmp_path, host):
    first = terminal.json("send", file_of(tmp_path, hr_csv(*workers(1))), "--feed", "contoso")[1]
    time.sleep(1.05)
    second = terminal.json("send", file_of(tmp_path, hr_csv(*workers(2))), "--feed", "contoso")[1]
    assert (first["rows"], second["rows"]) == (1, 2)
    assert first["run"] != second["run"]


def test_send_does_not_overwrite_what_nobody_has_taken_up_yet(world, terminal, tmp_path):
    file = file_of(tmp_path, hr_csv(*workers(3)))
    status, out, _ = terminal.run("send", file, "--feed", "contoso", "--no-wait")
    assert "It takes up to a minute until a dropped file has its run" in out
    assert (status, "python -m shared show" in out) == (0, True)
    status, _, err = terminal.run("send", file, "--feed", "contoso", "--no-wait")
    assert (status, "has no run yet" in err) == (2, True)
    world.host.blob_created("contoso/workers.csv")
    status, told = terminal.json("send", file, "--feed", "contoso", "--no-wait")
    assert status == 0
    world.host.blob_created("contoso/workers.csv")
    assert told["run"] in [record["run"] for record in world.runs()]


NOT_SENT = {
    "a feed without a feed file": (["--feed", "nobody"], "the feeds are: contoso"),
    "a feed that can be none": (["--feed", "../contoso"], "the feeds are: contoso"),
    "a name that is left alone": (["--feed", "contoso", "--name", "a.tmp"], "leaves files of such a name alone"),
}


@pytest.mark.parametrize("kind", NOT_SENT)
def test_send_refuses_what_the_connector_would_not_take(world, terminal, tmp_path, kind):
    arguments, words = NOT_SENT[kind]
    status, _, err = terminal.run("send", file_of(tmp_path, "x"), *arguments)
    assert (status, words in err) == (2, True), err
    assert list(world.service.get_container_client("hr-drop").list_blob_names()) == []


def test_send_of_a_file_that_is_none_uploads_nothing(world, terminal, tmp_path):
    status, _, err = terminal.run("send", tmp_path / "none.csv", "--feed", "contoso")
    assert (status, "No such file" in err) == (2, True)
    assert list(world.service.get_container_client("hr-drop").list_blob_names()) == []


def test_send_that_nobody_takes_up_says_so_when_its_time_is_over(world, terminal, tmp_path):
    file = file_of(tmp_path, hr_csv(*workers(1)))
    status, _, err = terminal.run("send", file, "--feed", "contoso", "--timeout", "0.02")
    assert (status, "no run yet" in err, "doctor --feed contoso" in err) == (1, True, True)


def test_send_stops_at_once_where_the_run_waits_for_longer_than_it_would_follow(
    world, terminal, tmp_path, host, monkeypatch
):
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "2")
    connector.cache_clear()
    begun = time.monotonic()
    status, out, err = terminal.run("send", file_of(tmp_path, THREE_REQUESTS), "--feed", "contoso", "--timeout", "2")
    assert (status, "dailyQuota" in out) == (1, True)
    assert "Not followed any more: it waits for longer than --timeout" in err
    assert "python -m shared show" in err
    assert time.monotonic() - begun < 60


def test_ctrl_c_only_stops_the_following(world, terminal, tmp_path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shared.adapters.system_clock.SystemClock.sleep", interrupted)
    status, out, err = terminal.run("send", file_of(tmp_path, hr_csv(*workers(1))), "--feed", "contoso")
    assert (status, "the run goes on by itself" in err, "python -m shared show" in out) == (1, True, True)
    monkeypatch.undo()
    assert list(world.service.get_container_client("hr-drop").list_blob_names()) == ["contoso/workers.csv"]


def test_send_works_as_a_process_of_its_own(world, tmp_path, host):
    done = child(world, "send", str(file_of(tmp_path, hr_csv(*workers(3)))), "--feed", "contoso")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 created" in " ".join(done.stdout.split())
