"""`show` counts why rows failed or were rejected, without a word about a worker."""

from __future__ import annotations

from tests.platform.hr_files import hr_csv, hr_row, workers


def test_codes_of_failed_and_rejected_rows_are_counted(world, terminal):
    world.entra.change(rejectExternalIds=["W00002"])
    elsewhere = [hr_row(f"W0001{number}", UserID=f"u{number}@elsewhere.com") for number in range(2)]
    run = world.upload(hr_csv(*workers(3), *elsewhere))
    assert terminal.json("show", run["run"])[1]["codes"] == {"rejected": {"status400": 1}}
    world.report()
    told = terminal.json("show", run["run"])[1]["codes"]
    assert told == {"failed": {"InvalidDomain": 2}, "rejected": {"status400": 1}}
    out = terminal.run("show", run["run"])[1]
    assert "codes failed 2: InvalidDomain 2 rejected 1: status400 1" in out
    assert "W0001" not in out


def test_a_run_without_such_rows_has_no_codes(world, terminal):
    run = world.upload(hr_csv(*workers(1)))
    world.report()
    assert terminal.json("show", run["run"])[1]["codes"] == {}
    assert "codes" not in terminal.run("show", run["run"])[1]


def test_where_the_ledger_is_damaged_the_rest_is_shown_all_the_same(world, terminal):
    world.entra.change(rejectExternalIds=["W00002"])
    run = world.upload(hr_csv(*workers(3)))
    world.service.get_blob_client("runs", f"contoso/{run['run']}/ledger.ndjson").upload_blob(b"{", overwrite=True)
    assert terminal.json("show", run["run"])[1]["codes"] is None
    assert "codes can't be told" in terminal.run("show", run["run"])[1]
