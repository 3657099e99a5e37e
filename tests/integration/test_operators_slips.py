"""What a person types by mistake, or finds damaged, is answered in a sentence: no trace, and nothing is changed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.integration.operators import TOO_MANY_ASIDE, Terminal
from tests.platform.hr_files import hr_csv, workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import World


BLANK = [
    ("show", ""),
    ("resume", " "),
    ("cancel", "", "--why", "x", "--yes"),
    ("cancel", "2", "--why", " ", "--yes"),
    ("resend", "", "--state", "failed"),
    ("worker", ""),
    ("send", "x.csv", "--feed", ""),
]
"""What is left of a command where a shell's variable is not set."""


@pytest.mark.parametrize("arguments", BLANK, ids=" ".join)
def test_a_blank_where_a_word_is_needed_is_a_wrong_argument(world, terminal, capsys, arguments):
    world.upload(TOO_MANY_ASIDE)
    with pytest.raises(SystemExit) as ended:
        terminal.run(*arguments)
    assert (ended.value.code, "is blank" in capsys.readouterr().err) == (2, True)
    assert (world.run()["state"], world.run()["actions"]) == ("held", [])


def test_a_feed_alone_names_no_run(world, terminal):
    world.upload(TOO_MANY_ASIDE)
    status, _, err = terminal.run("cancel", "contoso/", "--why", "x", "--yes")
    assert (status, "No run has contoso/" in err, world.run()["actions"]) == (2, True, [])


def test_a_timeout_that_is_no_number_says_what_is_wanted(terminal, capsys):
    with pytest.raises(SystemExit) as ended:
        terminal.run("send", "x.csv", "--feed", "contoso", "--timeout", "soon")
    assert (ended.value.code, "a number of minutes" in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize("name", ["../other/x.csv", "a/../x.csv", "./x.csv", "a\x01.csv"])
def test_a_name_that_storage_would_take_for_another_is_not_uploaded(world, terminal, tmp_path, name):
    file = tmp_path / "x.csv"
    file.write_text(hr_csv(*workers(1)), encoding="utf-8")
    status, _, err = terminal.run("send", file, "--feed", "contoso", "--name", name, "--no-wait")
    assert (status, "--name" in err) == (2, True), err
    assert list(world.service.get_container_client("hr-drop").list_blob_names()) == []


class Interrupted(io.StringIO):
    """Ctrl+C where an answer is awaited."""

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        raise KeyboardInterrupt


def test_ctrl_c_where_cancel_asks_changes_nothing_and_says_so(world, terminal, monkeypatch):
    run = world.upload(TOO_MANY_ASIDE)
    monkeypatch.setattr("sys.stdin", Interrupted())
    status, out, err = terminal.run("cancel", run["run"], "--why", "x")
    assert (status, out, "Nothing was changed." in err, world.run()["actions"]) == (1, "", True, [])


def test_ctrl_c_ends_a_command_without_a_trace(world, terminal, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("azure.storage.blob.ContainerClient.list_blobs", interrupted)
    assert terminal.run("runs") == (130, "", "Interrupted.")


DAMAGES = {
    "a line is cut": lambda rows: rows[:-9],
    "lines are gone": lambda rows: b"".join(rows.splitlines(keepends=True)[:-1]),
    "it is gone": None,
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_row_list_that_is_damaged_is_named_and_nothing_is_sent_again(
    world: World, terminal: Terminal, kind: str
) -> None:
    world.entra.change(rejectExternalIds=["W00002"])
    run = world.upload(hr_csv(*workers(3)))
    blob = world.service.get_blob_client("runs", f"contoso/{run['run']}/rows.ndjson")
    damage: Callable[[bytes], bytes] | None = DAMAGES[kind]
    if damage:
        blob.upload_blob(damage(blob.download_blob().readall()), overwrite=True)
    else:
        blob.delete_blob()
    status, out, err = terminal.run("resend", run["run"], "--state", "rejected")
    assert (status, out, "rows.ndjson" in err, len(world.runs())) == (1, "", True, 1)
    status, _, err = terminal.run("worker", "W00003")
    assert (status, f"1 run can't be read, so they may name the worker too: {run['run']}" in err) == (1, True)


def test_outcomes_that_are_damaged_are_named(world, terminal):
    run = world.upload(hr_csv(*workers(3)))
    world.report()
    blob = world.service.get_blob_client("runs", f"contoso/{run['run']}/outcomes.ndjson")
    blob.upload_blob(b"{}\n{", overwrite=True)
    status, _, err = terminal.run("resend", run["run"], "--state", "failed")
    assert (status, "outcomes.ndjson" in err) == (1, True)
    assert "can't be read" in terminal.run("worker", "W00002")[2]


def test_a_cancelled_run_whose_ledger_is_damaged_says_so_and_bothers_nobody_any_more(world, terminal):
    world.entra.change(permissions=[])
    run = world.upload(hr_csv(*workers(3)))
    assert terminal.json("runs")[0] == 1
    world.service.get_blob_client("runs", f"contoso/{run['run']}/ledger.ndjson").upload_blob(b"{", overwrite=True)
    status, out, _ = terminal.run("cancel", run["run"], "--why", "wrong file", "--yes")
    assert (status, "its ledger can't be read" in out) == (0, True)
    world.resume()
    assert world.run()["state"] == "held"
    assert terminal.json("runs")[0] == 0
    assert "runs held" not in [one["check"] for one in terminal.json("doctor")[1]]
