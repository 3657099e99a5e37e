"""Rows that nobody sends any more since a file was cancelled: `cancel` says which, `resend` sends them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from shared.bootstrap import connector
from tests.integration.operators import Terminal, half_sent
from tests.integration.test_operators_resend import resent, stored
from tests.platform.hr_files import hr_csv, hr_row, workers
from tests.platform.storage_faults import SLOW, Calls, storage_fault

if TYPE_CHECKING:
    import pytest

    from tests.integration.conftest import World


def titled(numbers: range, title: str) -> str:
    return hr_csv(*(hr_row(f"W{number:05}", JobTitle=title) for number in numbers))


def titles(world: World) -> dict[str, str]:
    return {worker: account["attributes"]["jobTitle"] for worker, account in world.accounts().items()}


def tick(world: World, hours: float = 0.2) -> None:
    """The next time that every run is looked at, and the job is asked anew how it is."""
    world.advance(hours=hours)
    connector.cache_clear()
    world.resume()


def newer_file_took_over(world: World, older: range, newer: range) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two files for a job that is paused: what the newer one speaks of is superseded in the older one."""
    world.entra.change(jobStatus="Paused")
    world.upload(titled(older, "good"), "older.csv")
    time.sleep(1.05)
    world.upload(titled(newer, "mistake"), "newer.csv")
    tick(world)
    return world.run("older.csv"), world.run("newer.csv")


def cancelled(terminal: Terminal, run: str) -> str:
    status, out, _ = terminal.run("cancel", run, "--why", "wrong file", "--yes")
    assert status == 0
    return out


def test_cancelling_a_newer_file_names_the_rows_that_its_older_sibling_lost_and_the_command_that_sends_them(
    world, terminal
):
    older, newer = newer_file_took_over(world, range(1, 11), range(4, 14))
    assert older["counts"]["superseded"] == 7
    out = cancelled(terminal, newer["run"])
    assert f"7 rows of run {older['run']}" in out
    assert f"python -m shared resend {older['run']} --state superseded" in out


def test_what_a_cancelled_file_had_superseded_is_sent_again_by_resend(world, terminal):
    older, newer = newer_file_took_over(world, range(1, 11), range(1, 14))
    cancelled(terminal, newer["run"])
    world.entra.change(jobStatus="Active")
    record = resent(world, terminal, older["run"], "superseded")
    assert (record["rows"], record["resendOf"]) == (10, older["run"])
    tick(world)
    assert titles(world) == {f"W{number:05}": "good" for number in range(1, 11)}
    world.report()
    told = stored(world, record["run"])
    assert (told["state"], told["counts"]["created"]) == ("settled", 10)


def test_in_json_cancel_names_the_older_runs_with_their_rows_and_the_command(world, terminal):
    older, newer = newer_file_took_over(world, range(1, 11), range(4, 14))
    _, told = terminal.json("cancel", newer["run"], "--why", "wrong file", "--yes")
    assert told["run"] == newer["run"]
    assert told["supersededOlder"] == [
        {
            "run": older["run"],
            "feed": "contoso",
            "file": "older.csv",
            "rows": 7,
            "resend": f"python -m shared resend {older['run']} --state superseded",
        }
    ]


def test_where_nothing_older_was_superseded_cancel_names_nothing(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    assert terminal.json("cancel", run["run"], "--why", "wrong file", "--yes")[1]["supersededOlder"] == []


def test_a_run_that_was_cancelled_by_mistake_is_sent_by_resend(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    out = cancelled(terminal, run["run"])
    assert f"python -m shared resend {run['run']} --state superseded" in out
    tick(world, hours=25)
    assert f"resend {run['run']} --state superseded" in terminal.run("show", run["run"])[1]
    record = resent(world, terminal, run["run"], "superseded")
    assert (record["rows"], record["state"]) == (20, "planned")
    world.resume()
    assert set(world.accepted().values()) == {1}
    assert len(world.accounts()) == 120


def test_what_a_newer_file_says_stands_when_superseded_rows_are_sent_again(world, terminal):
    older, newer = newer_file_took_over(world, range(1, 11), range(1, 11))
    cancelled(terminal, newer["run"])
    world.entra.change(jobStatus="Active")
    time.sleep(1.05)
    connector.cache_clear()
    world.upload(titled(range(1, 4), "newest"), "newest.csv")
    record = resent(world, terminal, older["run"], "superseded")
    world.resume()
    assert stored(world, record["run"])["counts"]["superseded"] == 3
    found = titles(world)
    assert [found[f"W{number:05}"] for number in (1, 3, 4, 10)] == ["newest", "newest", "good", "good"]


def test_while_the_newer_file_is_not_cancelled_its_data_stand(world, terminal):
    older, _ = newer_file_took_over(world, range(1, 11), range(1, 11))
    record = resent(world, terminal, older["run"], "superseded")
    world.entra.change(jobStatus="Active")
    tick(world)
    assert stored(world, record["run"])["counts"]["superseded"] == 10
    assert set(titles(world).values()) == {"mistake"}


def test_both_files_can_be_sent_again_and_the_newer_one_wins(world, terminal):
    older, newer = newer_file_took_over(world, range(1, 11), range(6, 16))
    cancelled(terminal, newer["run"])
    world.entra.change(jobStatus="Active")
    resent(world, terminal, newer["run"], "superseded")
    tick(world)
    record = resent(world, terminal, older["run"], "superseded")
    world.resume()
    assert stored(world, record["run"])["counts"]["superseded"] == 5
    found = titles(world)
    assert (found["W00001"], found["W00006"], found["W00015"]) == ("good", "mistake", "mistake")


def test_rows_that_a_sender_has_not_given_up_yet_are_not_sent_again(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    lock = world.service.get_blob_client("state", f"jobs/{world.entra.settings['JOB_ID']}/lock")
    lease = lock.acquire_lease(lease_duration=60)
    cancelled(terminal, run["run"])
    status, _, err = terminal.run("resend", run["run"], "--state", "superseded")
    assert (status, "try again in a minute" in err, len(world.runs())) == (1, True, 1)
    lease.release()
    world.resume()
    assert terminal.json("resend", run["run"], "--state", "superseded")[1]["rows"] == 20


def test_a_cancel_that_meets_a_sender_who_is_just_done_says_what_became_of_the_run(
    world: World, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    run = half_sent(world, monkeypatch)

    def settle() -> None:
        world.resume()
        world.report()
        assert world.run()["state"] == "settled"

    with storage_fault(SLOW, Calls("PUT", "/planned"), meanwhile=settle):
        out = cancelled(terminal, run["run"])
    assert "Superseded: 20 rows; sent before: 100." in out
    assert world.run()["state"] == "settled"


def test_a_cancel_that_comes_too_late_says_so(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)

    def send_the_rest() -> None:
        tick(world, hours=25)
        assert world.run()["counts"]["planned"] == 0

    with storage_fault(SLOW, Calls("GET", f"{run['run']}/run.json"), after=1, meanwhile=send_the_rest):
        status, out, err = terminal.run("cancel", run["run"], "--why", "wrong file", "--yes")
    assert (status, out) == (1, "")
    assert "everything of it is sent" in err


def test_a_cancel_that_a_sender_overtakes_says_that_it_was_too_late(world, terminal):
    world.entra.change(latencyMs=1500)
    sender = threading.Thread(target=world.upload, args=[hr_csv(*workers(3))])
    sender.start()
    while not (sending := [run for run in world.runs() if run["state"] == "sending"]):
        time.sleep(0.05)
    with storage_fault(SLOW, Calls("PUT", "/planned"), meanwhile=sender.join):
        status, out, _ = terminal.run("cancel", sending[0]["run"], "--why", "x", "--by", "ann", "--yes")
    assert (status, "too late to cancel" in out) == (0, True)
    assert (world.run()["state"], world.run()["counts"]["accepted"]) == ("sent", 3)


def test_of_three_files_the_cancelled_one_names_what_each_older_one_lost_to_it(world, terminal):
    world.entra.change(jobStatus="Paused")
    for name, rows in {"oldest": range(1, 7), "middle": range(1, 5), "newest": range(3, 9)}.items():
        world.upload(titled(rows, name), f"{name}.csv")
        time.sleep(1.05)
    tick(world)
    assert {run["file"]: run["counts"]["superseded"] for run in world.runs()} == {
        "oldest.csv": 6,
        "middle.csv": 2,
        "newest.csv": 0,
    }
    newest = world.run("newest.csv")["run"]
    _, told = terminal.json("cancel", newest, "--why", "wrong file", "--yes")
    assert [(older["file"], older["rows"]) for older in told["supersededOlder"]] == [
        ("oldest.csv", 4),
        ("middle.csv", 2),
    ]


def test_a_worker_whose_newer_file_was_cancelled_is_told_how_the_older_row_is_sent(world, terminal):
    older, newer = newer_file_took_over(world, range(1, 11), range(1, 11))
    (row, _) = terminal.json("worker", "W00003")[1]
    assert row["whatHelps"] == [f"A newer file speaks of this worker: python -m shared show {newer['run']}"]
    cancelled(terminal, newer["run"])
    helps = {row["file"]: row["whatHelps"][0] for row in terminal.json("worker", "W00003")[1]}
    for run in (older, newer):
        assert helps[run["file"]].endswith(f"python -m shared resend {run['run']} --state superseded")
    assert helps["older.csv"].startswith("The newer file was cancelled.")


def test_nobody_waits_for_a_run_that_is_cancelled(world, terminal):
    older, newer = newer_file_took_over(world, range(1, 11), range(4, 14))
    assert f"may have to wait for run {older['run']}" in terminal.run("show", newer["run"])[1]
    assert "goes on in" in terminal.run("runs")[1]
    cancelled(terminal, older["run"])
    assert "have to wait" not in terminal.run("show", newer["run"])[1]
    assert "goes on in" not in terminal.run("runs")[1]
