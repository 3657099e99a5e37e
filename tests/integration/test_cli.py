"""The commands at a terminal, run as a person runs them: what they print, what they write, and their exit status."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from shared.cli.commands import main
from shared.scim.bulk import BulkRequest
from tests.demo.company import COLUMNS
from tests.platform.feeds import SAMPLES
from tests.platform.hr_files import hr_csv, hr_row, workers
from tests.platform.processes import ROOT
from tests.platform.workbooks import workbook

FEED = SAMPLES / "contoso.yaml"
TABLE = [COLUMNS, *[list(row.values()) for row in workers(3)]]
OBJECTS = workers(3)
SCIM_FEED = "job: {servicePrincipalId: 00000000-0000-0000-0000-000000000000, jobId: API2AAD.0}\nfile: {format: scim}\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error; blanks and line ends folded, since tables are wrapped."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, " ".join(captured.out.split()), " ".join(captured.err.split())


def checked(capsys: pytest.CaptureFixture[str], file: Path, feed: Path, out: Path) -> tuple[int, dict[str, Any]]:
    status = main(["check", str(file), "--feed", str(feed), "--out", str(out), "--json"])
    return status, json.loads(capsys.readouterr().out)


def zipped(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("workers.csv", content)


WRITERS = {
    "workers.csv": lambda path: path.write_text(hr_csv(*workers(3)), encoding="utf-8"),
    "semicolons.txt": lambda path: path.write_text(hr_csv(*workers(3)).replace(",", ";"), encoding="utf-16"),
    "tabs.tsv": lambda path: path.write_text(hr_csv(*workers(3)).replace(",", "\t"), encoding="utf-8-sig"),
    "workers.csv.gz": lambda path: path.write_bytes(gzip.compress(hr_csv(*workers(3)).encode())),
    "workers.zip": lambda path: zipped(path, hr_csv(*workers(3)).encode()),
    "workers.xlsx": lambda path: path.write_bytes(workbook("xlsx", {"Workers": TABLE})),
    "workers.xls": lambda path: path.write_bytes(workbook("xls", {"Workers": TABLE})),
    "workers.xlsb": lambda path: path.write_bytes(workbook("xlsb", {"Workers": TABLE})),
    "workers.ods": lambda path: path.write_bytes(workbook("ods", {"Workers": TABLE})),
    "workers.json": lambda path: path.write_text(json.dumps(OBJECTS), encoding="utf-8"),
    "workers.ndjson": lambda path: path.write_text("\n".join(map(json.dumps, OBJECTS)) + "\n", encoding="utf-8"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_check_reads_a_file_of_each_format_and_writes_what_would_be_posted(capsys, tmp_path, name):
    file = tmp_path / name
    WRITERS[name](file)
    status, account = checked(capsys, file, FEED, tmp_path / "out")
    assert (status, account["rows"], account["sent"], account["set_aside"]) == (0, 3, 3, 0), account
    (body,) = (tmp_path / "out" / "requests.ndjson").read_bytes().splitlines()
    request = BulkRequest.model_validate_json(body)
    assert [operation.data.external_id for operation in request.operations] == ["W00001", "W00002", "W00003"]


def test_check_takes_scim_users_as_they_are(capsys, tmp_path):
    data = {"externalId": "1", "userName": "a@example.com", "active": True, "title": "Analyst"}
    operations = [{"method": "POST", "path": "/Users", "bulkId": "x", "data": data}]
    (tmp_path / "users.json").write_text(json.dumps({"Operations": operations}), encoding="utf-8")
    (tmp_path / "scim.yaml").write_text(SCIM_FEED, encoding="utf-8")
    status, account = checked(capsys, tmp_path / "users.json", tmp_path / "scim.yaml", tmp_path / "out")
    assert (status, account["sent"]) == (0, 1)
    (body,) = (tmp_path / "out" / "requests.ndjson").read_bytes().splitlines()
    sent = json.loads(body)["Operations"][0]["data"]
    assert {name: sent[name] for name in data} == data


def test_check_says_1_and_shows_each_kind_of_problem_where_rows_are_set_aside(capsys, tmp_path):
    file = tmp_path / "workers.csv"
    bad = [hr_row("W00011", WorkerStatus="Sabbatical"), hr_row("W00012", HireDate="soon"), hr_row("W00013", UserID="-")]
    file.write_text(hr_csv(*workers(10), *bad, hr_row("W00014", WorkerStatus="Retired")), encoding="utf-8")
    status, out, err = run(capsys, "check", file, "--feed", FEED, "--out", tmp_path / "out")
    assert (status, err) == (1, "")
    assert "14 rows" in out
    assert "10 would be sent, in 1 bulk request:" in out
    assert "4 would be set aside" in out
    assert "nothing would be sent" in out
    assert "[unknownStatus]" in out
    assert "[dateFormat]" in out
    assert "Sabbatical" not in out
    with (tmp_path / "out" / "set_aside.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["line"] for row in rows] == ["12", "13", "14", "15"]
    assert list(rows[0]) == ["line", "column", "problem", "what to do", *COLUMNS]


REFUSED = {
    "a file that is none": (None, "No such file"),
    "an empty file": (b"", "emptyFile"),
    "a column that is gone": (hr_csv(*workers(2)).replace("WorkerStatus", "Status", 1).encode(), "missingColumns"),
    "a file that was cut": (hr_csv(*workers(2)).encode()[:-30], "fileCut"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_check_says_2_and_why_where_a_file_is_refused(capsys, tmp_path, kind):
    content, words = REFUSED[kind]
    if content is not None:
        (tmp_path / "file.csv").write_bytes(content)
    status, out, err = run(capsys, "check", tmp_path / "file.csv", "--feed", FEED, "--out", tmp_path / "out")
    assert (status, out) == (2, "")
    assert words in err


def test_a_feed_file_with_problems_names_all_of_them_with_their_lines(capsys, tmp_path):
    text = FEED.read_text(encoding="utf-8").replace("  title: ", "  titel: ").replace("leavers: ignore", "leavers: all")
    (tmp_path / "feed.yaml").write_text(text, encoding="utf-8")
    for arguments in (["feed", "check"], ["check", SAMPLES / "tour-guides.csv", "--feed"]):
        status, out, err = run(capsys, *arguments, tmp_path / "feed.yaml")
        assert (status, out) == (2, "")
        for wrong in ("  titel: ", "  leavers: "):
            line = next(i for i, one in enumerate(text.splitlines(), start=1) if one.startswith(wrong))
            assert f"Line {line}:" in err


def test_feed_check_names_the_columns_that_a_file_must_have(capsys):
    status, out, _ = run(capsys, "feed", "check", FEED)
    assert status == 0
    assert "WorkerID, UserID, WorkerStatus" in out


def test_preview_shows_a_row_attribute_by_attribute(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    file = tmp_path / "workers.csv"
    file.write_text(hr_csv(*workers(2), hr_row("W00003", ManagerID="W00001", HireDate="31/02/2024")), encoding="utf-8")
    status, out, err = run(capsys, "preview", file, "--feed", FEED, "--row", 2)
    assert (status, err) == (0, "")
    assert '"userName": "uw00001@example.com"' in out
    assert "WorkerStatus: Active" in out
    status, out, _ = run(capsys, "preview", file, "--feed", FEED, "--row", 4)
    assert status == 1
    assert "[dateFormat]" in out
    assert "What would be sent" not in out
    status, out, err = run(capsys, "preview", file, "--feed", FEED, "--row", 99)
    assert (status, out) == (2, "")
    assert "No row begins on line 99" in err


def test_feed_new_drafts_a_feed_file_that_reads_the_very_export(capsys, tmp_path):
    out = tmp_path / "contoso.yaml"
    (tmp_path / "workers.csv").write_text(hr_csv(*workers(30)), encoding="utf-8")
    assert run(capsys, "feed", "new", tmp_path / "workers.csv", "--out", out)[0] == 0
    assert run(capsys, "feed", "check", out)[0] == 0
    status, account = checked(capsys, tmp_path / "workers.csv", out, tmp_path / "out")
    assert (status, account["sent"]) == (0, 30)
    status, _, err = run(capsys, "feed", "new", tmp_path / "workers.csv", "--out", out)
    assert status == 2
    assert "there already" in err


def test_the_program_runs_as_a_module_without_settings_or_network():
    command = [sys.executable, "-m", "shared", "feed", "check", str(FEED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PATH": ""})
    assert (done.returncode, done.stderr) == (0, "")
    assert "can be used" in done.stdout
