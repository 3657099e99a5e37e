"""Workbooks of all kinds, read by a child process that no file survives longer than it may."""

from __future__ import annotations

import datetime as dt
import io
import random
import struct
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.adapters.workbook_reader import WorkbookLimits, workbook_rows
from shared.errors import HrFileError
from tests.platform.workbooks import (
    ERROR_CODES,
    Error,
    Formula,
    compound_file,
    edited,
    small_compound_file,
    small_xls_stream,
    workbook,
    xls_record,
)

KINDS = ["xlsx", "xls", "xlsb", "ods"]
every_kind = pytest.mark.parametrize("kind", KINDS)
SMALL = WorkbookLimits(max_megabytes_memory=300, max_seconds=20)
MANY = workbook("xlsb", {"Workers": [[f"worker {row}", row, "some more text"] for row in range(20_000)]})
FEW = {"Workers": [["WorkerID", "Name"], ["1", "Ana"]]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every temporary file of the test; none, and no process, is left when it ends."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(psutil.Process().children(recursive=True))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []
    assert set(psutil.Process().children(recursive=True)) <= before


def rows(content: bytes, sheet: str | int | None = None, limits: WorkbookLimits = SMALL) -> list[tuple[int, list[str]]]:
    return list(workbook_rows(io.BytesIO(content), sheet, limits))


def refusal(content: bytes, sheet: str | int | None = None, limits: WorkbookLimits = SMALL) -> HrFileError:
    with pytest.raises(HrFileError) as refused:
        rows(content, sheet, limits)
    assert refused.value.reason.advice
    assert refused.value.__cause__ is None
    return refused.value


def code(content: bytes, sheet: str | int | None = None, limits: WorkbookLimits = SMALL) -> str:
    return refusal(content, sheet, limits).reason.code


READ_OR_REFUSED = ("damagedWorkbook", "encryptedWorkbook", "workbookTooLarge", "tooManyEntries", "emptyFile", "noSheet")


def outcome(content: bytes) -> str:
    """`read`, or the code of the refusal."""
    try:
        rows(content)
    except HrFileError as refused:
        return refused.reason.code
    return "read"


VALUES = {
    "text": ("Jürgen Ölçer, 山田", "Jürgen Ölçer, 山田"),
    "marks of XML": ("<a & 'b'>", "<a & 'b'>"),
    "leading zeros": ("00701984", "00701984"),
    "a whole number": (701984, "701984"),
    "a negative number": (-5, "-5"),
    "a fraction": (38.5, "38.5"),
    "a long number": (123456789012, "123456789012"),
    "a date": (dt.date(2021, 5, 1), "2021-05-01"),
    "a moment": (dt.datetime(2021, 5, 1, 8, 30), "2021-05-01T08:30:00"),
    "a time": (dt.time(8, 30), "08:30:00"),
    "true": (True, "TRUE"),
    "false": (False, "FALSE"),
    "a blank": (None, ""),
}


@every_kind
def test_every_value_comes_out_as_text(kind: str):
    content = workbook(kind, {"Workers": [list(VALUES), [value for value, _ in VALUES.values()], ["last"]]})
    assert rows(content) == [
        (1, list(VALUES)),
        (2, [text for _, text in VALUES.values()]),
        (3, ["last"] + [""] * (len(VALUES) - 1)),
    ]


@every_kind
def test_an_error_cell_is_never_blank(kind: str):
    errors = [Error(text) for text in ERROR_CODES] + [Error("#N/A", formula=True)]
    content = workbook(kind, {"Workers": [["WorkerID"], errors, [None, 1]], "Other": [[Error("#REF!")]]})
    found = rows(content, "Workers")
    assert found[1] == (2, [*ERROR_CODES, "#N/A"])
    assert found[2][1][:2] == ["", "1"]
    assert rows(content, "Other") == [(1, ["#REF!"])]


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_formula_that_was_never_computed_is_never_blank(kind: str):
    cells = [Formula("A1", "seven"), Formula("A1", 7), Formula("A1", ""), Formula("A1")]
    content = workbook(kind, {"Workers": [["a", "b", "c", "d"], cells]})
    assert rows(content)[1] == (2, ["seven", "7", "", "#N/A"])


def test_a_formula_of_an_xlsb_is_its_value():
    assert rows(workbook("xlsb", {"Workers": [[Formula("A1", 7.0)]]})) == [(1, ["7"])]


@pytest.mark.parametrize("kind", ["xlsx", "xls", "xlsb"])
def test_dates_that_count_from_1904_are_the_same_days(kind: str):
    cells = [dt.date(2021, 5, 1), dt.datetime(2021, 5, 1, 8, 30)]
    content = workbook(kind, {"Workers": [cells]}, date1904=True)
    assert rows(content) == [(1, ["2021-05-01", "2021-05-01T08:30:00"])]


@pytest.mark.parametrize(("kind", "text"), [("xlsx", "30:00:00"), ("xls", "30:00:00"), ("ods", "PT30H00M00S")])
def test_a_span_of_more_than_a_day_keeps_its_hours(kind: str, text: str):
    assert rows(workbook(kind, {"Workers": [[dt.timedelta(hours=30)]]})) == [(1, [text])]


@every_kind
def test_rows_and_columns_keep_their_places(kind: str):
    content = workbook(kind, {"Workers": [[], [], [None, "B3"], [" ", "  "], [], [None, None, "C6"]]})
    assert rows(content) == [(3, ["", "B3", ""]), (6, ["", "", "C6"])]


def test_of_merged_cells_the_first_has_the_value():
    content = edited(
        workbook("xlsx", {"Workers": [["a", None, "c"]]}),
        {"</sheetData>": '</sheetData><mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells>'},
    )
    assert rows(content) == [(1, ["a", "", "c"])]


THREE = {"First": [["1"]], "Zwei": [["2"]], "Third": [["3"]]}


@every_kind
@pytest.mark.parametrize("sheet", ["Zwei", "zWEI", 2])
def test_a_sheet_is_found_by_name_or_number_even_if_it_is_hidden(kind: str, sheet: str | int):
    assert rows(workbook(kind, THREE, hidden=("Zwei",)), sheet) == [(1, ["2"])]


@every_kind
def test_the_only_visible_sheet_with_anything_in_it_is_meant(kind: str):
    content = workbook(kind, {"Secret": [["0"]], "Workers": [["1"]], "Empty": []}, hidden=("Secret",))
    assert rows(content) == [(1, ["1"])]


@every_kind
def test_no_sheet_is_guessed(kind: str):
    refused = refusal(workbook(kind, THREE, hidden=("Third",))).reason
    assert refused.code == "ambiguousSheet"
    assert "First, Zwei." in refused.message
    assert "Third" not in refused.message
    assert "sheet: First" in refused.advice


@every_kind
@pytest.mark.parametrize("sheet", ["Fourth", "", 0, 4, -1])
def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(kind: str, sheet: str | int):
    refused = refusal(workbook(kind, THREE), sheet).reason
    assert refused.code == "noSheet"
    assert "First, Zwei, Third" in refused.message


@every_kind
@pytest.mark.parametrize("sheet", [None, "Workers"])
@pytest.mark.parametrize("content", [[], [[""]], [["  "]]], ids=["nothing", "an empty text", "spaces"])
def test_a_workbook_without_a_used_cell_is_empty(kind: str, sheet: str | None, content: Any):
    assert code(workbook(kind, {"Workers": content}), sheet) == "emptyFile"


def test_a_large_old_workbook_with_errors_is_found_together_again():
    """Its table of sectors is longer than the header holds."""
    error = xls_record(0x205, struct.pack("<HHHBB", 1, 1, 0, 0x2A, 1))
    number = xls_record(0x203, struct.pack("<HHHd", 0, 0, 0, 7))
    stream = small_xls_stream(number, xls_record(0x1234, bytes(8000)) * 1000, error)
    assert rows(compound_file(stream)) == [(1, ["7", ""]), (2, ["", "#N/A"])]


def test_a_small_old_workbook_lies_in_small_pieces():
    error = xls_record(0x205, struct.pack("<HHHBB", 1, 1, 0, 0x2A, 1))
    assert rows(small_compound_file(small_xls_stream(error))) == [(2, ["", "#N/A"])]


# --- what is no workbook, or no whole one

PASSWORD = xls_record(0x2F, struct.pack("<HHH", 1, 1, 1) + bytes(48))


def flagged(content: bytes) -> bytes:
    """As if the first entry were encrypted: the flag is in the local header and in the directory."""
    made = bytearray(content)
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def zipped(*entries: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


ENCRYPTED_ODS = edited(
    workbook("ods", FEW),
    {
        "</manifest:manifest>": '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
    },
    "META-INF/manifest.xml",
)
ENCRYPTED = {
    "an xlsx in an encrypted package": compound_file(bytes(5000), "EncryptedPackage"),
    "an xls": compound_file(small_xls_stream(before_sheet=PASSWORD)),
    "an ods": ENCRYPTED_ODS,
    "an ods of LibreOffice 24": zipped(("mimetype", b"x"), ("encrypted-package", bytes(100))),
    "a zip with a password": flagged(workbook("xlsx", FEW)),
}


@pytest.mark.parametrize("what", ENCRYPTED)
def test_what_needs_a_password_is_refused(what: str):
    assert code(ENCRYPTED[what]) == "encryptedWorkbook"


@every_kind
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_workbook_that_was_cut_is_refused(kind: str, part: float):
    content = workbook(kind, {"Workers": [[f"name {row}", row] for row in range(300)]})
    assert code(content[: int(len(content) * part)]) == "damagedWorkbook"


def test_an_old_workbook_that_was_cut_within_its_rows_is_refused():
    """Its tables come first, so nothing but the rows is missing."""
    numbers = [xls_record(0x203, struct.pack("<HHHd", row, 0, 0, 7)) for row in range(15)]
    stream = small_xls_stream(*numbers)
    content = small_compound_file(stream)
    assert len(rows(content)) == 15
    between_two_rows = content.index(stream) + stream.index(numbers[13])
    assert code(content[:between_two_rows]) == "damagedWorkbook"


@every_kind
def test_a_workbook_with_other_bytes_in_it_is_read_or_refused(kind: str):
    content = workbook(kind, {"Workers": [["a", 1, Error("#N/A")]] * 50})
    chance = random.Random(20260901)
    for _ in range(12):
        made = bytearray(content)
        for _ in range(chance.choice([1, 5, 50])):
            made[chance.randrange(len(made))] = chance.randrange(256)
        assert outcome(bytes(made)) in {"read", *READ_OR_REFUSED}


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", b"PK", b"<html>"], ids=repr)
@pytest.mark.parametrize("length", [0, 100, 600, 100_000])
def test_bytes_that_only_begin_like_a_workbook_are_refused(head: bytes, length: int):
    assert code(head + random.Random(length).randbytes(length)) == "damagedWorkbook"


def test_a_zip_with_something_else_is_refused():
    assert code(zipped(("workers.csv", b"a,b\n"))) == "damagedWorkbook"


def test_a_refusal_holds_no_text_of_a_cell():
    content = edited(
        workbook("xlsx", {"Workers": [["Barbara", 1]]}), {'t="n"': 't="n" s="x"', "<v>1</v>": "<v>Jensen</v>"}
    )
    refused = refusal(content)
    assert refused.reason.code == "damagedWorkbook"
    assert "Jensen" not in repr(refused.reason) + repr(refused.__context__)


# --- what would take too much

FAR_APART = {
    "</sheetData>": '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
    'ref="A1:B2"': 'ref="A1:XFD1048576"',
}


def test_two_cells_far_apart_take_no_more_than_the_limit():
    began = time.monotonic()
    assert code(edited(workbook("xlsx", FEW), FAR_APART)) == "workbookTooLarge"
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("kind", ["xlsb", "ods"])
def test_two_cells_far_apart_end_in_the_other_kinds_too(kind: str):
    if kind == "ods":
        content = edited(
            workbook("ods", FEW),
            {
                "</table:table>": '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/>'
                '</table:table-row><table:table-row><table:table-cell table:number-columns-repeated="16000"/>'
                '<table:table-cell office:value-type="float" office:value="1"/></table:table-row></table:table>'
            },
            "content.xml",
        )
    else:
        content = workbook("xlsb", {"Workers": [["a"], *[[]] * 3000, [None] * 16000 + [1]]})
    assert code(content) in {"workbookTooLarge", "damagedWorkbook"}


def test_a_declared_size_alone_takes_nothing():
    content = edited(workbook("xlsx", FEW), {'ref="A1:B2"': 'ref="A1:XFD1048576"'})
    assert rows(content) == [(1, ["WorkerID", "Name"]), (2, ["1", "Ana"])]


LIMITS = {
    "rows": ({"max_rows": 2}, "more than 2 rows"),
    "columns": ({"max_columns": 1}, "more than 1 columns"),
    "a cell": ({"max_cell_characters": 7}, "more than 7 characters in row 1"),
    "memory": ({"max_megabytes_memory": 1}, "1 MiB of memory"),
}


@pytest.mark.parametrize("what", LIMITS)
def test_a_limit_is_kept(what: str):
    settings, said = LIMITS[what]
    content = MANY if what == "memory" else workbook("xlsx", {"Workers": [["WorkerID", "Name"], ["1"], ["2"]]})
    refused = refusal(content, limits=WorkbookLimits(**settings))
    assert refused.reason.code == "workbookTooLarge"
    assert said in refused.reason.message


def test_just_as_much_as_a_limit_allows_is_read():
    content = workbook("xlsx", {"Workers": [["WorkerID", "Name"], ["1"], [], ["2"]]})
    assert len(rows(content, limits=WorkbookLimits(max_rows=3, max_columns=2, max_cell_characters=8))) == 3


def test_a_row_with_too_much_text_is_refused():
    content = workbook("xlsb", {"Workers": [["x" * 100_000] * 11]})
    assert "more than 1048576 characters" in refusal(content).reason.message


BOMBS = {
    "zeros": zipped(("[Content_Types].xml", b""), ("xl/workbook.xml", bytes(100_000_000))),
    "many entries": zipped(*((f"{n:060}", b"") for n in range(12_000))),
}


@pytest.mark.parametrize(("what", "expected"), [("zeros", "workbookTooLarge"), ("many entries", "tooManyEntries")])
def test_a_zip_that_would_take_too_much_never_reaches_the_child(what: str, expected: str, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert code(BOMBS[what]) == expected


LAUGHS = "<!DOCTYPE w [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(9)) + "]>"


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
@pytest.mark.parametrize("entity", ["bomb", "file"])
def test_an_entity_is_never_resolved(kind: str, entity: str, tmp_path: Path):
    secret = tmp_path.parent / "secret.txt"
    secret.write_text("s3cret-text")
    doctype = LAUGHS if entity == "bomb" else f"<!DOCTYPE w [<!ENTITY a9 SYSTEM '{secret.as_uri()}'>]>"
    part, root = (
        ("xl/worksheets/sheet1.xml", "<worksheet ") if kind == "xlsx" else ("content.xml", "<office:document-content ")
    )
    content = edited(workbook(kind, {"Workers": [["Name", "NAME"]]}), {root: doctype + root, "NAME": "&a9;"}, part)
    if outcome(content) == "read":
        assert len(repr(rows(content))) < 1000
        assert "s3cret" not in repr(rows(content))
    else:
        assert outcome(content) == "damagedWorkbook"


# --- the child


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "shared.adapters.workbook_child" in child.cmdline()]


def test_a_reader_that_stops_early_leaves_nothing_behind(folder: Path):
    found = workbook_rows(io.BytesIO(MANY), None)
    assert next(found) == (1, ["worker 0", "0", "some more text"])
    assert len(children()) == 1
    assert len(list(folder.iterdir())) == 1
    found.close()
    assert children() == []
    assert list(folder.iterdir()) == []


def test_a_reader_that_fails_leaves_nothing_behind():
    def fail() -> None:
        for number, _ in workbook_rows(io.BytesIO(MANY), None):
            if number == 10:
                raise KeyError(number)

    with pytest.raises(KeyError):
        fail()
    assert children() == []


def test_the_child_gets_no_secret_and_keeps_none_of_its_words(monkeypatch: pytest.MonkeyPatch, capfd):
    for name in ("IDENTITY_HEADER", "HR_STORAGE", "AzureWebJobsStorage", "APPLICATIONINSIGHTS_CONNECTION_STRING"):
        monkeypatch.setenv(name, "s3cret")
    found = workbook_rows(io.BytesIO(MANY), None)
    next(found)
    (child,) = children()
    environment = child.environ()
    found.close()
    assert set(environment) <= {"PYTHONPATH", "LD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR", "LC_CTYPE"}
    assert "s3cret" not in repr(environment)
    assert code(edited(workbook("xlsx", FEW), FAR_APART)) == "workbookTooLarge"
    assert capfd.readouterr() == ("", "")


def test_the_time_that_the_reader_takes_does_not_count():
    found = workbook_rows(io.BytesIO(MANY), None, WorkbookLimits(max_seconds=2))
    next(found)
    time.sleep(2.5)
    assert sum(1 for _ in found) == 19_999


def test_a_file_in_memory_only_is_read_from_its_start():
    with tempfile.SpooledTemporaryFile(max_size=1 << 20) as file:
        file.write(workbook("xlsx", FEW))
        assert [number for number, _ in workbook_rows(file, None)] == [1, 2]


ENDS = {
    "it is ended for the memory": ('echo "\\"ready\\""; kill -9 $$', "memory"),
    "an allocation fails": ('echo "\\"ready\\""; echo "[1,[\\"a\\"]]"; kill -6 $$', "memory"),
    "it takes too much computing time": ('echo "\\"ready\\""; kill -XCPU $$', "seconds"),
    "it says nothing any more": ('echo "\\"ready\\""; exec sleep 60', "1 seconds"),
    "it crashes": ('echo "\\"ready\\""; kill -11 $$', "damaged"),
    "it ends without its last word": ('echo "\\"ready\\""; echo "[1,[\\"a\\"]]"', "damaged"),
}


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Path:
    program = folder.parent / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    return program


@pytest.mark.parametrize("what", ENDS)
def test_however_the_child_ends_the_reason_is_told(what: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
    script, said = ENDS[what]
    pretend(monkeypatch, folder, script)
    began = time.monotonic()
    refused = refusal(workbook("xlsx", FEW), limits=WorkbookLimits(max_seconds=1))
    assert said in refused.reason.message
    assert time.monotonic() - began < 20, "it was waited for"


def test_a_child_that_does_not_start_is_no_fault_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch):
    pretend(monkeypatch, folder, "exit 1")
    with pytest.raises(RuntimeError, match="did not start"):
        rows(workbook("xlsx", FEW))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps RLIMIT_AS")
def test_the_childs_memory_is_bounded():
    found = workbook_rows(io.BytesIO(MANY), None, WorkbookLimits(max_megabytes_memory=200))
    next(found)
    (child,) = children()
    soft, hard = child.rlimit(psutil.RLIMIT_AS)
    core = child.rlimit(psutil.RLIMIT_CORE)
    found.close()
    assert soft == hard
    assert 200 < soft / 1024 / 1024 < 400
    assert core == (0, 0)
