"""What a person is told before rows are given up for good, and which of two repairs loses none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.bootstrap import connector
from tests.platform.accounting import run_blob
from tests.platform.hr_files import hr_csv, hr_row, titled, workers

if TYPE_CHECKING:
    from tests.integration.conftest import World
    from tests.integration.operators import Terminal

ASIDE = [hr_row(f"W{number:05}", WorkerStatus="Sabbatical") for number in (9, 10)]
WHY = ("--why", "dropped again", "--yes")


def held(world: World) -> dict[str, Any]:
    """8 rows that could be sent, 2 set aside."""
    run = world.upload(hr_csv(*workers(8), *ASIDE), "all.csv")
    assert (run["state"], run["reason"]["code"]) == ("held", "tooManySetAside")
    world.later()
    return run


def repaired_rows(world: World, run: dict[str, Any]) -> None:
    world.upload(run_blob(world.service, run, "set_aside.csv").replace("Sabbatical", "Active"), "set_aside.csv")


def test_cancel_counts_the_rows_that_no_newer_file_has_before_it_asks(world, terminal):
    run = held(world)
    repaired_rows(world, run)
    status, _, err = terminal.run("cancel", run["run"], "--why", "dropped again")
    assert (status, world.run("all.csv")["actions"]) == (2, [])
    assert "8 of these rows are in no newer file: they will not be sent at all." in err
    assert terminal.json("cancel", run["run"], *WHY)[1]["inNoNewerFile"] == 8


def test_resume_sends_the_others_where_only_the_rows_set_aside_were_repaired(world, terminal):
    run = held(world)
    repaired_rows(world, run)
    helps = terminal.json("show", run["run"])[1]["whatHelps"]
    assert any("set_aside.csv dropped again" in text and "resume" in text and "other 8" in text for text in helps)
    assert any("Only if the WHOLE file" in text and "cancel" in text and "its 8 rows" in text for text in helps)
    assert terminal.run("resume", run["run"])[0] == 0
    world.resume()
    assert len(world.accounts()) == 10


def test_a_newer_file_that_has_all_of_the_rows_leaves_none_to_be_lost(world, terminal):
    run = held(world)
    world.upload(titled(range(1, 11), "again"), "again.csv")
    assert "Newer files have all of these rows." in terminal.run("cancel", run["run"], "--why", "x")[2]
    assert terminal.json("cancel", run["run"], *WHY)[1]["inNoNewerFile"] == 0


def test_keys_are_compared_as_the_sender_compares_them_and_one_row_is_told_as_one(world, terminal):
    run = held(world)
    world.upload(hr_csv(*(hr_row(f"w{number:05}") for number in range(1, 8))), "again.csv")
    assert (
        "1 of these rows is in no newer file: it will not be sent at all."
        in terminal.run("cancel", run["run"], *WHY)[2]
    )


def test_what_a_newer_run_does_not_send_does_not_count(world, terminal):
    run = held(world)
    newer = world.upload(hr_csv(*workers(8), *ASIDE), "held_too.csv")
    world.later()
    assert terminal.json("cancel", newer["run"], *WHY)[1]["inNoNewerFile"] == 8
    world.entra.change(jobStatus="Paused")
    for name in ("cancelled.csv", "cancelled while a sender is at work.csv"):
        world.upload(hr_csv(*workers(3)), name)
        lock = world.service.get_blob_client("state", f"jobs/{world.entra.settings['JOB_ID']}/lock")
        lease = lock.acquire_lease(lease_duration=60) if "sender" in name else None
        terminal.run("cancel", world.run(name)["run"], *WHY)
    assert world.run(name)["counts"]["planned"] == 3, "nobody has marked them yet"
    assert terminal.json("cancel", run["run"], *WHY)[1]["inNoNewerFile"] == 8
    lease.release()


def test_where_blobs_are_damaged_it_says_that_it_can_not_count_and_cancels_all_the_same(world, terminal):
    run = held(world)
    newer = world.upload(titled(range(1, 11), "again"), "again.csv")
    world.service.get_blob_client("runs", f"contoso/{newer['run']}/rows.ndjson").delete_blob()
    status, told = terminal.json("cancel", run["run"], *WHY)
    assert (status, told["inNoNewerFile"], told["counts"]["superseded"]) == (0, None, 8)


def test_that_it_can_not_count_is_said_in_words(world, terminal):
    run = held(world)
    newer = world.upload(titled(range(1, 11), "again"), "again.csv")
    world.service.get_blob_client("runs", f"contoso/{newer['run']}/run.json").upload_blob(b"{", overwrite=True)
    err = terminal.run("cancel", run["run"], "--why", "x")[2]
    assert "How many of these rows are in no newer file can't be said:" in err
    assert newer["run"] in err


def helps(terminal: Terminal, run: dict[str, Any]) -> str:
    return " ".join(terminal.json("show", run["run"])[1]["whatHelps"])


def test_show_names_newer_files_that_were_taken_so_that_an_old_one_is_not_dropped_over_them(world, terminal):
    run, refused = held(world), world.upload(b"", "empty.csv")
    for one in (run, refused):
        assert "taken meanwhile" not in helps(terminal, one)
    world.later()
    world.upload(b"", "empty_too.csv")
    newer = world.upload(titled(range(1, 11), "new"), "new.csv")
    for one in (run, refused):
        assert f"taken meanwhile: new.csv ({newer['run']}). Don't drop this one again" in helps(terminal, one)
    assert "taken meanwhile" not in helps(terminal, newer)
    terminal.run("cancel", run["run"], *WHY)
    assert "taken meanwhile" not in helps(terminal, run)


def test_a_newer_file_that_was_cancelled_or_is_another_feeds_stands_in_nobodys_way(world, terminal):
    run = held(world)
    world.put_feed(name="another")
    world.upload(hr_csv(*workers(3)), "other.csv", "another")
    world.entra.change(jobStatus="Paused")
    connector.cache_clear()
    newer = world.upload(hr_csv(*workers(3)), "cancelled.csv")
    assert newer["run"] in helps(terminal, run)
    terminal.run("cancel", newer["run"], *WHY)
    assert "taken meanwhile" not in helps(terminal, run)


def test_the_newest_three_of_many_newer_files_are_named_newest_first(world, terminal):
    run = held(world)
    runs = []
    for number in range(4):
        runs.append(world.upload(titled([1], str(number)), f"{number}.csv")["run"])
        world.later()
    text = helps(terminal, run)
    assert f"3.csv ({runs[3]}), 2.csv ({runs[2]}), 1.csv ({runs[1]})." in text
    assert runs[0] not in text


def test_a_reason_that_says_drop_it_again_says_to_look_for_newer_files_first(world):
    world.put_feed(b"mapping: {}\n", "broken")
    broken = world.upload(hr_csv(*workers(1)), "broken.csv", "broken")
    missing = world.upload(hr_csv(*workers(1)), "missing.csv", "missing")
    for run in (broken, missing, held(world)):
        assert "python -m shared runs --feed FEED" in run["reason"]["advice"]
        assert "drop today's export" in run["reason"]["advice"]


def test_a_run_of_which_every_row_was_set_aside_is_cancelled_as_what_it_is(world, terminal):
    run = world.upload(hr_csv(*ASIDE), "all.csv")
    shown = terminal.json("show", run["run"])[1]["whatHelps"]
    assert not any("resume" in text for text in shown)
    status, out, err = terminal.run("cancel", "all.csv", *WHY)
    assert (status, "too late" in out) == (0, False)
    assert out.startswith(f"Run {run['run']} is cancelled. No row of it was to be sent: all 2 were set aside.")
    assert "(all.csv): No row of it was to be sent: all 2 were set aside." in err
