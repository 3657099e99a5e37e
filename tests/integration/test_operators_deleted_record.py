"""A run whose run.json was deleted after something was sent: what it says of itself, and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.test_planned_once import a_day_passes, delete_record, sent_in_part
from tests.platform.hr_files import hr_csv, hr_row, workers

if TYPE_CHECKING:
    from tests.integration.conftest import World


def refused_as_sent_in_part(world: World) -> tuple[dict[str, Any], bytes]:
    """The run as it was, and its run.json."""
    run = sent_in_part(world)
    return run, deleted(world, run)


def deleted(world: World, run: dict[str, Any]) -> bytes:
    record = world.blob("runs", f"contoso/{run['run']}/run.json")
    delete_record(world, run)
    a_day_passes(world)
    world.resume()
    assert world.run()["reason"]["code"] == "sentInPart"
    return record


def put_back(world: World, run: dict[str, Any], record: bytes, metadata: dict[str, str] | None) -> None:
    world.service.get_blob_client("runs", f"contoso/{run['run']}/run.json").upload_blob(
        record, overwrite=True, metadata=metadata
    )


@pytest.mark.parametrize("with_metadata", [True, False], ids=["a snapshot is copied", "it is uploaded"])
def test_an_older_run_json_that_is_put_back_over_the_refused_one_goes_on_as_it_was(world, with_metadata):
    run = sent_in_part(world)
    metadata = world.service.get_blob_client("runs", f"contoso/{run['run']}/run.json").get_blob_properties().metadata
    record = deleted(world, run)
    put_back(world, run, record, metadata if with_metadata else None)
    world.resume()
    world.report()
    assert world.run()["state"] == "settled"
    assert world.faults() == []
    assert set(world.accepted().values()) == {1}


def test_show_says_how_it_comes_back_before_it_says_to_drop_the_file_again(world, terminal):
    run, _ = refused_as_sent_in_part(world)
    told = terminal.json("show", run["run"])[1]
    assert "in part or in whole" in told["reason"]["message"]
    assert "not changed by it" not in told["reason"]["advice"]
    back, again = told["whatHelps"]
    assert back.startswith("Bring the old run.json back")
    assert again.startswith("Only if that can't be done, and no newer file of this feed was taken")
    world.later()
    newer = world.upload(hr_csv(*workers(2)), "newer.csv")
    helps = terminal.json("show", run["run"])[1]["whatHelps"]
    assert any(f"taken meanwhile: newer.csv ({newer['run']})" in text for text in helps)


def test_worker_looks_into_what_is_left_of_such_a_run(world, terminal):
    run, _ = refused_as_sent_in_part(world)
    for worker, state in (("W00001", "accepted"), ("W00120", "planned")):
        status, (row,) = terminal.json("worker", worker)
        assert (status, row["run"], row["state"]) == (0, run["run"], state)
        assert row["whatHelps"] == [f"The record of its run was deleted: python -m shared show {run['run']}"]


def test_worker_finds_a_row_that_such_a_run_has_set_aside(world, terminal):
    run = world.upload(hr_csv(*workers(20), hr_row("W00021", WorkerStatus="")))
    deleted(world, run)
    (row,) = terminal.json("worker", "W00021")[1]
    assert (row["state"], row["code"]) == ("setAside", "blankStatus")


def test_worker_names_such_a_run_where_its_rows_are_gone_too(world, terminal):
    run, _ = refused_as_sent_in_part(world)
    world.service.get_blob_client("runs", f"contoso/{run['run']}/rows.ndjson").delete_blob()
    status, out, err = terminal.run("worker", "W00001")
    assert (status, out, f"1 run can't be read, so they may name the worker too: {run['run']}" in err) == (1, "", True)


def test_nothing_of_such_a_run_can_be_sent_again(world, terminal):
    run, _ = refused_as_sent_in_part(world)
    status, out, err = terminal.run("resend", run["run"], "--state", "superseded")
    assert (status, out, "run.json was deleted" in err, len(world.runs())) == (1, "", True, 1)


def test_worker_says_how_many_refused_files_it_did_not_look_into(world, terminal):
    refused_as_sent_in_part(world)
    world.upload(b"", "empty.csv")
    assert "1 refused file was not looked into" in terminal.run("worker", "W00001")[2]
    assert "No row of the runs that are kept (1) has the externalId X1." in terminal.run("worker", "X1")[2]
