"""Files and feed files that can't be used: a run that says so, nothing sent, and no exception for the host to retry."""

from __future__ import annotations

import gzip

import pytest

from tests.demo.company import COLUMNS
from tests.platform.accounting import set_aside
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, hr_row, workers

HEADER = ",".join(COLUMNS) + "\n"
GOOD = hr_csv(*workers(2))

REFUSED = {
    "an empty file": (b"", "emptyFile"),
    "blank lines only": (b"\n \n\n", "emptyFile"),
    "a header and nothing else": (HEADER, "noDataRows"),
    "a renamed column": (GOOD.replace("WorkerStatus", "Status", 1), "missingColumns"),
    "a separator that nobody uses": (GOOD.replace(",", ":"), "missingColumns"),
    "a title above a header with a renamed column": (
        "Workers as of today\n" + GOOD.replace("WorkerStatus", "Status", 1),
        "missingColumns",
    ),
    "a mapped column twice": ("FirstName," + "Ana,".join(GOOD.splitlines(keepends=True)), "repeatedColumns"),
    "the end cut off": (GOOD[:-30], "fileCut"),
    "a quote that never closes": (GOOD.replace("Analyst", '"Analyst', 1), "quoteNeverClosed"),
    "text after a closing quote": (GOOD.replace("Analyst", '"Ana"lyst', 1), "notCsv"),
    "Windows-1252 bytes": (GOOD.replace("Silva", "Simões").encode("cp1252"), "notUtf8"),
    "NUL characters": (GOOD.replace("Analyst", "Ana\0lyst", 1), "notText"),
    "a damaged workbook": (b"\xd0\xcf\x11\xe0" + bytes(range(256)) * 20, "damagedWorkbook"),
    "half an archive": (gzip.compress(GOOD.encode())[:-20], "damagedArchive"),
    "a file that is encrypted with PGP": (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA", "pgpEncrypted"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_can_not_be_used_is_refused_whole(world, kind):
    content, code = REFUSED[kind]
    run = world.upload(content)
    assert (run["state"], run["reason"]["code"]) == ("refused", code)
    assert run["reason"]["message"]
    assert run["reason"]["advice"]
    assert run["rows"] == sum(run["counts"].values()) == 0
    assert world.posts() == []
    assert [(e["event"], e["level"], e["code"]) for e in world.events()] == [("run.refused", "error", code)]


READ = {
    "semicolons": (GOOD.replace(",", ";"), []),
    "a title above the header": ("Workers as of today\n" + GOOD, ["linesAboveHeader"]),
    "UTF-16": (GOOD.encode("utf-16"), []),
    "UTF-16 without a byte order mark": (GOOD.encode("utf-16-le"), []),
    "lines that end with CR": (GOOD.replace("\r\n", "\n").replace("\n", "\r"), []),
    "gzip": (gzip.compress(GOOD.encode()), []),
    "a header in capitals": (HEADER.upper() + GOOD.split("\n", 1)[1], ["columnsMatchedLoosely"]),
    "a column more": ("".join(f"x,{line}" for line in GOOD.splitlines(keepends=True)), ["columnsIgnored"]),
}


@pytest.mark.parametrize("kind", READ)
def test_a_file_that_is_written_otherwise_is_read_as_what_it_is(world, kind):
    content, notices = READ[kind]
    run = world.upload(content)
    assert (run["reason"], run["counts"]["setAside"], run["rows"]) == (None, 0, 2)
    assert [notice["code"] for notice in run["notices"]] == notices


def test_a_folder_without_a_feed_file_refuses_the_file(bare_world):
    run = bare_world.upload(GOOD)
    assert (run["state"], run["reason"]["code"]) == ("refused", "noFeedFile")
    assert "contoso.yaml" in run["reason"]["message"]


@pytest.mark.parametrize("name", ["workers.csv", "a folder with blanks/workers.csv", "über/workers.csv", "a.b/w.csv"])
def test_a_file_that_lies_in_no_feeds_folder_has_a_run_too(world, name):
    world.service.get_blob_client("hr-drop", name).upload_blob(GOOD.encode())
    world.host.blob_created(name)
    (run,) = world.runs()
    assert (run["state"], run["reason"]["code"], run["file"]) == ("refused", "noFeedFolder", name)
    assert world.posts() == []


def test_an_invalid_feed_file_refuses_the_file_and_names_every_problem_with_its_line(bare_world):
    settings = bare_world.entra.settings
    feed = sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"]).decode()
    feed = feed.replace("  title: JobTitle", "  titel: JobTitle").replace("leavers: ignore", "leavers: disable")
    bare_world.put_feed(feed.encode())
    run = bare_world.upload(GOOD)
    lines = feed.splitlines()
    assert (run["state"], run["reason"]["code"]) == ("refused", "invalidFeedFile")
    for wrong in ("  titel: JobTitle", "  leavers: disable"):
        assert f"Line {lines.index(wrong) + 1}:" in run["reason"]["message"]
    assert bare_world.posts() == []


ASIDE = {
    "a blank externalId": ({"WorkerID": "  "}, "WorkerID", "blank"),
    "a blank userName": ({"UserID": ""}, "UserID", "blank"),
    "a status that nobody declared": ({"WorkerStatus": "Sabbatical"}, "WorkerStatus", "unknownStatus"),
    "a status in other letters": ({"WorkerStatus": "ACTIVE"}, "WorkerStatus", "unknownStatus"),
    "a blank status": ({"WorkerStatus": " "}, "WorkerStatus", "blankStatus"),
    "a date of another format": ({"HireDate": "2021-05-01"}, "HireDate", "dateFormat"),
    "a day that no calendar has": ({"HireDate": "31/02/2021"}, "HireDate", "dateFormat"),
    "a worker who manages themself": ({"ManagerID": "W00011"}, "ManagerID", "managerIsSelf"),
}


@pytest.mark.parametrize("kind", ASIDE)
def test_a_row_that_can_not_be_a_user_is_set_aside_and_the_others_go_on(world, kind):
    cells, column, code = ASIDE[kind]
    world.upload(hr_csv(*workers(10), hr_row("W00011") | cells))
    world.report()
    run = world.run()
    assert [(row["line"], row["column"], row["reason"]) for row in set_aside(world.service, run)] == [
        ("12", column, code)
    ]
    assert world.faults() == []
    assert len(world.accounts()) == 10


@pytest.mark.parametrize(
    ("row", "code"), [("W00011,short\n", "tooFewCells"), ("W00011" + "," * 40 + "\n", "tooManyCells")]
)
def test_a_row_with_another_number_of_cells_is_set_aside(world, row, code):
    world.upload(hr_csv(*workers(10)) + row)
    world.report()
    assert [row["reason"] for row in set_aside(world.service, world.run())] == [code]
    assert world.faults() == []


def test_a_row_with_two_problems_is_one_row_that_names_both(world):
    world.upload(hr_csv(*workers(10), hr_row("W00011", WorkerStatus="", HireDate="soon")))
    world.report()
    rows = set_aside(world.service, world.run())
    assert [(row["reason"], row["column"]) for row in rows] == [("blankStatus; dateFormat", "WorkerStatus; HireDate")]
    assert rows[0]["WorkerID"] == "W00011"
    assert world.run()["counts"]["setAside"] == 1
    assert world.faults() == []


def test_a_new_status_word_for_everybody_holds_the_run_and_disables_nobody(world):
    world.upload(hr_csv(*workers(20)), "monday.csv")
    renamed = [{**row, "WorkerStatus": "Employed"} for row in workers(18)] + workers(2, first=19)
    run = world.upload(hr_csv(*renamed), "tuesday.csv")
    assert (run["state"], run["reason"]["code"]) == ("held", "tooManySetAside")
    assert "18 of 20" in run["reason"]["message"]
    world.resume()
    assert len(world.posts()) == 1
    assert all(account["accountEnabled"] for account in world.accounts().values())


def test_a_worker_who_stands_twice_with_other_data_is_not_sent_at_all(world):
    twice = [hr_row("W00001", JobTitle="Director"), hr_row("w00001", JobTitle="Porter")]
    world.upload(hr_csv(*workers(20, first=2), *twice))
    world.report()
    assert [row["line"] for row in set_aside(world.service, world.run())] == ["22", "23"]
    assert "W00001" not in world.accounts()
    assert world.faults() == []


BAD_HALVES = {
    "a date of another format": hr_csv(hr_row("W00001", HireDate="2021-05-01")).splitlines()[1] + "\n",
    "an unknown status": hr_csv(hr_row("W00001", WorkerStatus="Back again")).splitlines()[1] + "\n",
    "a comma without quotes": "W00001,u1@example.com,Active,Silva, Ana" + "," * 30 + "\n",
}


@pytest.mark.parametrize("kind", BAD_HALVES)
def test_a_worker_with_a_good_and_a_bad_row_is_not_decided_by_the_good_one(world, kind):
    world.upload(hr_csv(*workers(20)), "monday.csv")
    leaves = hr_csv(*workers(19, first=2), hr_row("W00001", WorkerStatus="Terminated"))
    world.upload(leaves + BAD_HALVES[kind], "tuesday.csv")
    world.report()
    assert world.accounts()["W00001"]["accountEnabled"] is True
    assert {
        row["line"]: row["WorkerID"].split(",")[0] for row in set_aside(world.service, world.run("tuesday.csv"))
    } == {
        "21": "W00001",
        "22": "W00001",
    }
    assert world.faults("tuesday.csv") == []


def test_half_a_login_is_not_sent(bare_world):
    settings = bare_world.entra.settings
    feed = sample_feed(settings["SERVICE_PRINCIPAL_ID"], settings["JOB_ID"]).decode()
    rule = 'userName: {template: "{FirstName}.{LastName}@example.com"}'
    bare_world.put_feed(feed.replace("userName: {column: UserID, transforms: [trim, lower]}", rule).encode())
    rows = [{**row, "LastName": f"Silva{number}"} for number, row in enumerate(workers(10))]
    bare_world.upload(hr_csv(*rows, hr_row("W00011", FirstName=" ")))
    aside = set_aside(bare_world.service, bare_world.run())
    assert [(row["line"], row["column"], row["reason"]) for row in aside] == [("12", "FirstName, LastName", "blank")]


def test_lines_that_excel_left_empty_are_no_rows(world):
    world.upload(hr_csv(*workers(3)) + ("," * 27 + "\n") * 5)
    world.report()
    assert world.run()["rows"] == 3
    assert world.faults() == []


def test_a_missing_last_line_end_is_pointed_out(world):
    run = world.upload(hr_csv(*workers(3)).rstrip("\n"))
    assert [(notice["code"], notice["lines"]) for notice in run["notices"]] == [("noLineEnd", [4])]


def test_a_worker_who_stands_twice_with_the_same_data_is_sent_once(world):
    world.upload(hr_csv(*workers(20), *workers(1)))
    world.report()
    assert [(row["line"], row["reason"]) for row in set_aside(world.service, world.run(), "excluded.csv")] == [
        ("22", "repeatedRow")
    ]
    assert world.accepted()["W00001"] == 1
    assert world.faults() == []
