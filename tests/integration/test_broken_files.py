"""Every way in which we have thought of a file being broken: nobody is disabled, renamed or cleared by it.

Each case begins with a good file, so that twelve accounts exist, and then drops a broken one that gives everybody a new
title. Who is not named as unsure has the new title afterwards and is otherwise as before; everybody else is untouched.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.platform.accounting import run_blob
from tests.platform.workbooks import Error, Formula, compound_file, workbook

if TYPE_CHECKING:
    from collections.abc import Callable

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
HIRE_DATE = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User"
COLUMNS = ("PersonID", "Login", "Status", "GivenName", "FamilyName", "Title", "Mail", "Manager", "Start")
MAPPING: dict[str, Any] = {
    "externalId": {"column": "PersonID", "pattern": r"\d{6}"},
    "userName": "Login",
    "active": {"column": "Status", "true_when": ["Employed"], "false_when": ["Departed"]},
    "name.givenName": "GivenName",
    "name.familyName": "FamilyName",
    "title": "Title",
    'emails[type eq "work"].value': "Mail",
    f"{ENTERPRISE}:manager.value": "Manager",
    f"{HIRE_DATE}:hireDate": {"column": "Start", "date": "%d/%m/%Y"},
}
NO_PATTERN = {**MAPPING, "externalId": "PersonID"}
WORKERS = range(1, 13)
LAST = 13
"""The line of the last worker; the header is on line 1, and worker 1 on line 2 manages all others."""


def person(number: int) -> str:
    return f"00{1000 + number}"


def table(title: str = "Dyer") -> list[list[Any]]:
    """The header and twelve workers, of whom the last has left."""
    rows: list[list[Any]] = [list(COLUMNS)]
    for n in WORKERS:
        status, manager = "Departed" if n == WORKERS[-1] else "Employed", person(1) if n > 1 else ""
        names = [f"Zoë-{n}", f"Quintão {n}", title]
        cells = [person(n), f"login{n}@example.com", status, *names, f"mail{n}@example.com", manager]
        rows.append([*cells, f"{12 + n}/03/2021"])
    return rows


def written(rows: list[list[Any]], separator: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    return text.getvalue()


GOOD = written(table())


def put(line: int, column: str, value: Any, rows: list[list[Any]] | None = None) -> list[list[Any]]:
    """The table with another cell on that line."""
    changed = rows or table()
    changed[line - 1][COLUMNS.index(column)] = value
    return changed


def everywhere(column: str, change: Callable[[Any], Any]) -> list[list[Any]]:
    rows = table()
    for row in rows[1:]:
        row[COLUMNS.index(column)] = change(row[COLUMNS.index(column)])
    return rows


def with_line(line: int, text: str) -> str:
    """The text with one line more, on that line."""
    lines = GOOD.splitlines(keepends=True)
    return "".join([*lines[: line - 1], text + "\n", *lines[line - 1 :]])


def shifted(row: list[Any], missing: str, *, padded: bool = False) -> list[Any]:
    """The row without one of its cells; `padded`: with an empty one at its end instead."""
    at = COLUMNS.index(missing)
    return [*row[:at], *row[at + 1 :], *([""] if padded else [])]


def zipped(*names: str, flags: int = 0) -> bytes:
    """A zip with the good file under each name; `flags` are set in every header of it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, GOOD)
    content = bytearray(packed.getvalue())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), bytes(content)):
            content[found.start() + offset] |= flags
    return bytes(content)


def xlsx(rows: list[list[Any]], **more: list[list[Any]]) -> bytes:
    return workbook("xlsx", {"Workers": rows, **more})


def objects(rows: list[list[Any]] | None = None) -> list[dict[str, Any]]:
    header, *body = rows or table()
    return [dict(zip(header, row, strict=True)) for row in body]


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def each(change: Callable[[dict[str, Any]], object], numbers: range | tuple[int, ...] = WORKERS) -> str:
    """A JSON file in which these workers' objects are changed."""
    found = objects()
    for number in numbers:
        change(found[number - 1])
    return as_json(found)


def user(row: dict[str, Any]) -> dict[str, Any]:
    day, month, year = row["Start"].split("/")
    manager = {"manager": {"value": row["Manager"]}} if row["Manager"] else {}
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": row["PersonID"],
        "userName": row["Login"],
        "active": row["Status"] == "Employed",
        "name": {"givenName": row["GivenName"], "familyName": row["FamilyName"]},
        "title": row["Title"],
        "emails": [{"type": "work", "value": row["Mail"]}],
        ENTERPRISE: manager,
        HIRE_DATE: {"hireDate": f"{year}-{month}-{day}T00:00:00Z"},
    }


def bulk(
    change: Callable[[dict[str, Any]], object] = lambda _user: None,
    numbers: range | tuple[int, ...] = (6,),
    **operation: str,
) -> str:
    """A SCIM bulk request in which these workers, or their operations, are changed."""
    operations = [
        {"method": "POST", "bulkId": row["PersonID"], "path": "/Users", "data": user(row)} for row in objects()
    ]
    for number in numbers:
        change(operations[number - 1]["data"])
        operations[number - 1].update(operation)
    urn = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    return json.dumps({"schemas": [urn], "Operations": operations})


@dataclass(frozen=True)
class Case:
    """A broken file and what must become of it.

    `ends`: refused, held, aside (sent but for the rows that are set aside) or read (all of it is sent). `lines`: of a
    refusal, what the message names; else the rows that are set aside, or what a notice names. `says`: words of the
    advice. `unsure`: the workers who stay as they are; those on `lines`, unless given.
    """

    content: bytes | str | list[list[Any]]
    ends: str
    code: str = ""
    says: str = ""
    lines: tuple[int, ...] = ()
    column: str = ""
    unsure: tuple[int, ...] | None = None
    file: dict[str, Any] = field(default_factory=dict)
    mapping: dict[str, Any] = field(default_factory=lambda: MAPPING)

    @property
    def bytes(self) -> bytes:
        content = written(self.content) if isinstance(self.content, list) else self.content
        return content.encode() if isinstance(content, str) else content

    @property
    def untouched(self) -> set[str]:
        if self.ends in ("refused", "held"):
            return {person(n) for n in WORKERS}
        own = [line - 1 for line in self.lines] if self.ends == "aside" else []
        return {person(n) for n in (own if self.unsure is None else self.unsure)}


def refused(content: Any, code: str, says: str, line: int | None = None, column: str = "", **file: Any) -> Case:
    return Case(content, "refused", code, says, (line,) if line else (), column, file=file)


def held(content: Any, code: str, column: str, says: str, lines: Any = range(2, 14), **more: Any) -> Case:
    return Case(content, "held", code, says, tuple(lines), column, **more)


def aside(content: Any, code: str, column: str, says: str, *lines: int, **more: Any) -> Case:
    return Case(content, "aside", code, says, lines or (7,), column, **more)


def read(content: Any, code: str = "", *lines: int, **more: Any) -> Case:
    return Case(content, "read", code, lines=lines, **more)


TRAILER = {"trailer": {"first_cell": "TRAILER"}}
WITH_TRAILER = GOOD + "TRAILER,12\n"
DOUBLE = [*table(), put(7, "FamilyName", "Sampaio")[6]]
SCIM = {"format": "scim"}

TEXTS = {
    "a renamed column": refused(GOOD.replace("Status", "State"), "missingColumns", "renamed", column="Status"),
    "a column with an invisible character in its name": refused(
        GOOD.replace("Status", "Sta\u200btus"), "missingColumns", "header", column="Status"
    ),
    "one column only": refused([row[:1] for row in table()], "missingColumns", "header", column="Status"),
    "no header": refused(GOOD.split("\n", 1)[1], "missingColumns", "header", column="PersonID"),
    "two columns that look like the mapped one": refused(
        [[*row, row[2].upper()] for row in put(1, "Status", "status")], "ambiguousColumns", "one of them", 1, "Status"
    ),
    "a mapped column twice": refused([[*row, row[2]] for row in table()], "repeatedColumns", "once", column="Status"),
    "an empty file": refused(b"", "emptyFile", "Export"),
    "a header only": refused(GOOD.split("\n", 1)[0] + "\n", "noDataRows", "Export"),
    "the last line cut": refused(GOOD[:-30], "fileCut", "transfer it again", LAST),
    "a trailer with a wrong count": refused(
        GOOD + "TRAILER,13\n", "wrongRowCount", "transfer it again", LAST + 1, **TRAILER
    ),
    "a trailer with a word for a count": refused(
        GOOD + "TRAILER,twelve\n", "wrongRowCount", "export", LAST + 1, **TRAILER
    ),
    "no trailer": refused(GOOD, "noTrailer", "Transfer the file again", **TRAILER),
    "rows after the trailer": refused(
        WITH_TRAILER + GOOD.splitlines()[1] + "\n", "rowsAfterTrailer", "one file at a time", LAST + 1, **TRAILER
    ),
    "two files in one": refused(WITH_TRAILER * 2, "rowsAfterTrailer", "one file at a time", LAST + 1, **TRAILER),
    "Windows-1252 as UTF-8": refused(GOOD.encode("cp1252"), "notUtf8", "encoding: windows-1252", 2),
    "one damaged byte": refused(GOOD.encode().replace("Zoë-6".encode(), b"Zo\xc3-6"), "notUtf8", "damaged", 7),
    "UTF-8 declared as windows-1252, with a byte that is none there": refused(
        GOOD.replace("Zoë-6", "Ágnes"), "otherEncoding", "encoding: utf-8", encoding="windows-1252"
    ),
    "UTF-16 that ends within a character": refused(
        GOOD.encode("utf-16")[:-1], "notInEncoding", "transfer it again", LAST
    ),
    "NUL bytes": refused(GOOD.replace("Zoë-6", "Zo\0-6"), "notText", "UTF-8", 7),
    "a quote that is never closed": refused(GOOD.replace("Zoë-6", '"Zoë-6'), "quoteNeverClosed", "single", 7),
    "text after a closing quote": refused(GOOD.replace("Zoë-6", '"Zo"ë-6'), "notCsv", "written twice", 7),
    "lines that end with CR from the middle on": refused(
        GOOD[:400].replace("\n", "\r\n") + GOOD[400:].replace("\n", "\r"), "lineEndings", "one kind"
    ),
    "a bare CR within a row": refused(GOOD.replace("Zoë-6", "Zo\rë-6"), "lineEndings", "quotes", 7),
    "tabs in a file declared as semicolons": refused(
        written(table(), "\t"), "otherSeparator", "separator: tab", separator="semicolon"
    ),
    "a byte order mark twice": refused("\ufeff\ufeff" + GOOD, "missingColumns", "header", column="PersonID"),
    "no line where the header should be": refused(GOOD, "noHeaderRow", "header_row: auto", 40, header_row=40),
    "a header on another line than declared": refused(GOOD, "missingColumns", "header", column="Status", header_row=3),
}

PACKED = {
    "a gzip file that was cut": refused(gzip.compress(GOOD.encode())[:-20], "damagedArchive", "transfer it whole"),
    "a zip that was cut": refused(zipped("workers.csv")[:-40], "damagedArchive", "transfer it whole"),
    "a zip with two files": refused(zipped("a.csv", "b.csv"), "archiveMember", "member"),
    "a zip with no file that is meant": refused(zipped("a.csv"), "archiveMember", "member", member="workers*.csv"),
    "a zip with a password": refused(zipped("workers.csv", flags=1), "encryptedArchive", "without"),
    "a zip with a path that leads out of it": refused(zipped("../workers.csv"), "unsafeArchive", "alone"),
    "a zip in a gzip file": refused(gzip.compress(zipped("workers.csv")), "nestedArchive", "once"),
    "PGP in letters": refused("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "pgpEncrypted", "decrypted before"),
    "PGP in bytes": refused(b"\x85\x01\x0c\x03" + bytes(range(256)), "pgpEncrypted", "decrypted before"),
    "a 7z archive": refused(b"7z\xbc\xaf\x27\x1c" + bytes(40), "otherArchive", ".zip"),
    "a workbook that was cut": refused(xlsx(table())[:-60], "damagedArchive", "transfer it whole"),
    "a workbook with a password": refused(
        compound_file(bytes(5000), "EncryptedPackage"), "encryptedWorkbook", "without"
    ),
    "a workbook with two sheets": refused(xlsx(table(), Other=table()), "ambiguousSheet", "sheet"),
    "a workbook without the sheet that is declared": refused(xlsx(table()), "noSheet", "sheet", sheet="Staff"),
    "a workbook where text is declared": refused(xlsx(table()), "otherFormat", "format", format="csv"),
    "a workbook with a renamed column": refused(
        xlsx(put(1, "Status", "State")), "missingColumns", "renamed", column="Status"
    ),
}

JSON = {
    "JSON that was cut": refused(as_json(objects())[:-40], "fileCut", "transfer it again", 1),
    "JSON that was cut between two workers": refused(
        as_json(objects())[:-1].rsplit(", {", 1)[0], "fileCut", "transfer it again", 1
    ),
    "JSON with a key twice": refused(
        as_json(objects()).replace('"Status": "Emp', '"Status": "Departed", "Status": "Emp', 1),
        "repeatedKey",
        "once",
        1,
    ),
    "JSON without a mapped key anywhere": refused(
        each(lambda one: one.pop("Status")), "missingColumns", "renamed", column="Status"
    ),
    "JSON in which one worker's key is written otherwise": refused(
        each(lambda one: one.update(STATUS=one.pop("Status")), (6,)), "ambiguousColumns", "one spelling", 1, "Status"
    ),
    "JSON that lists something else than objects": refused(
        as_json([objects()[0], ["x"]]), "notJson", "array of objects", 1
    ),
    "JSON with NaN": refused(each(lambda one: one.update(Title=float("nan")), (6,)), "notJson", "JSON", 1),
    "JSON with an empty list": refused("[]", "emptyFile", "Export"),
    "a bulk request that deletes": refused(bulk(method="DELETE"), "notScimUpsert", "active false", 1, **SCIM),
    "a bulk request that patches": refused(bulk(method="PATCH"), "notScimUpsert", "POST", 1, **SCIM),
    "SCIM users that were cut": refused(bulk()[:-100], "fileCut", "transfer it again", 1, **SCIM),
    "a text where SCIM is declared": refused(GOOD, "notJson", "JSON", 1, **SCIM),
}

FOR_ALL = {
    "a new status word": held(everywhere("Status", lambda _: "Verkauft"), "unknownStatus", "Status", "true_when"),
    "the status in other letters": held(everywhere("Status", str.upper), "unknownStatus", "Status", "true_when"),
    "no status": held(everywhere("Status", lambda _: " "), "blankStatus", "Status", "Fill in"),
    "ids without leading zeros": held(
        everywhere("PersonID", lambda i: str(int(i))), "patternMismatch", "PersonID", "pad"
    ),
    "ids as Excel shows large numbers": held(
        everywhere("PersonID", lambda _: "1.00E+03"), "patternMismatch", "PersonID", "Correct"
    ),
    "ids with a zero-width space": held(
        everywhere("PersonID", lambda i: f"{i}\u200b"), "invisibleCharacter", "PersonID", "anew"
    ),
    "ids with a zero-width space, and no pattern": held(
        everywhere("PersonID", lambda i: f"\u200b{i}"), "invisibleCharacter", "PersonID", "anew", mapping=NO_PATTERN
    ),
    "a cell missing in the middle": held(
        [table()[0], *(shifted(row, "GivenName") for row in table()[1:])], "tooFewCells", "", "separator for every"
    ),
    "a cell missing in the middle, and the rows filled up": held(
        [table()[0], *(shifted(row, "GivenName", padded=True) for row in table()[1:])],
        "invalidEmail",
        "Mail",
        "Correct",
        range(3, 14),
    ),
    "a status missing, and the rows filled up": held(
        [table()[0], *(shifted(row, "Status", padded=True) for row in table()[1:])],
        "unknownStatus",
        "Status",
        "Correct",
    ),
    "a comma more at the end": held(GOOD.replace("2021\n", "2021,\n"), "tooManyCells", "", "quotes"),
    "month before day": held(
        everywhere("Start", lambda d: f"{d[3:5]}/{d[:2]}/2021"), "dateFormat", "Start", "declared format"
    ),
    "a date with two figures for the year": held(
        everywhere("Start", lambda d: d.replace("2021", "21")), "dateFormat", "Start", "declared format"
    ),
    "a date as Excel's number": held(everywhere("Start", lambda _: "44317"), "dateFormat", "Start", "declared format"),
    "a lookup that finds nothing": held(everywhere("Manager", lambda _: "#N/A"), "errorCell", "Manager", "formula"),
    "the same login": held(
        everywhere("Login", lambda _: "login1@example.com"), "duplicateUserName", "", "of their own"
    ),
    "ids that a workbook has as numbers": held(xlsx(everywhere("PersonID", int)), "patternMismatch", "PersonID", "pad"),
    "a status that a workbook has as true": held(
        xlsx(everywhere("Status", lambda _: True)), "unknownStatus", "Status", "true_when"
    ),
    "formulas that were never computed": held(
        xlsx(everywhere("FamilyName", lambda _: Formula("A1"))), "errorCell", "FamilyName", "formula"
    ),
    "JSON with a status that is true": held(
        each(lambda one: one.update(Status=True)), "unknownStatus", "Status", "true_when", range(1, 13)
    ),
    "JSON with a status that is null": held(
        each(lambda one: one.update(Status=None)), "blankStatus", "Status", "Fill in", range(1, 13)
    ),
    "JSON with ids that are numbers": held(
        each(lambda one: one.update(PersonID=int(one["PersonID"]))), "patternMismatch", "PersonID", "pad", range(1, 13)
    ),
    "SCIM users with active as text": held(
        bulk(lambda one: one.update(active="true"), WORKERS), "wrongType", "active", "RFC 7643", range(1, 13), file=SCIM
    ),
}

ERRORS = {
    f"errors of a spreadsheet in {column}": aside(
        put(7, column, "#N/A", put(6, column, "#REF!", put(5, column, " #nv "))),
        "errorCell",
        column,
        "formula",
        5,
        6,
        7,
    )
    for column in ("PersonID", "Status", "FamilyName", "Manager", "Start")
}

FOR_ONE = {
    **ERRORS,
    "a new status word": aside(put(7, "Status", "Verkauft"), "unknownStatus", "Status", "true_when"),
    "the status in other letters": aside(put(7, "Status", "EMPLOYED"), "unknownStatus", "Status", "true_when"),
    "a status with a zero-width space": aside(
        put(7, "Status", "Employed\u200b"), "unknownStatus", "Status", "true_when"
    ),
    "no status": aside(put(7, "Status", ""), "blankStatus", "Status", "Fill in"),
    "no id": aside(put(7, "PersonID", " "), "blank", "PersonID", "Fill in"),
    "no login": aside(put(7, "Login", ""), "blank", "Login", "Fill in"),
    "an id without leading zeros": aside(put(7, "PersonID", "1006"), "patternMismatch", "PersonID", "pad"),
    "an id with a zero-width space": aside(
        put(7, "PersonID", "001006\u200b"), "invisibleCharacter", "PersonID", "anew"
    ),
    "a login with a soft hyphen": aside(
        put(7, "Login", "log\u00adin6@example.com"), "invisibleCharacter", "Login", "anew"
    ),
    "a manager with a byte order mark": aside(
        put(7, "Manager", "\ufeff001001"), "invisibleCharacter", "Manager", "anew"
    ),
    "a cell missing in the middle": aside(
        [*table()[:6], shifted(table()[6], "Status"), *table()[7:]], "tooFewCells", "", "separator for every"
    ),
    "a cell missing in the middle, and the row filled up": aside(
        [*table()[:6], shifted(table()[6], "GivenName", padded=True), *table()[7:]], "invalidEmail", "Mail", "Correct"
    ),
    "a comma without quotes": aside(GOOD.replace("Quintão 6", "Quintão, 6"), "tooManyCells", "", "quotes"),
    "the last cell cut": aside(GOOD[:-4], "dateFormat", "Start", "Correct", LAST),
    "the same header again below the first": aside(
        with_line(2, GOOD.split("\n", 1)[0]), "patternMismatch", "PersonID", "Correct", 2, unsure=()
    ),
    "another header below the first, and no pattern": aside(
        with_line(2, "Nummer,Konto,Lage,Vorname,Nachname,Stelle,Post,Chef,Beginn"),
        *("unknownStatus", "Status", "Correct", 2),
        unsure=(),
        mapping=NO_PATTERN,
    ),
    "the header again in the middle": aside(
        with_line(8, GOOD.split("\n", 1)[0]), "patternMismatch", "PersonID", "Correct", 8, unsure=()
    ),
    "a byte order mark in the middle": aside(
        GOOD.replace("001006,login6", "\ufeff001006,login6"), "invisibleCharacter", "PersonID", "anew"
    ),
    "a trailer that nobody declared": aside(WITH_TRAILER, "tooFewCells", "", "separator", LAST + 1, unsure=()),
    "month before day": aside(put(7, "Start", "03/18/2021"), "dateFormat", "Start", "declared format"),
    "a day that no calendar has": aside(put(7, "Start", "31/02/2021"), "dateFormat", "Start", "Correct"),
    "a date as Excel's number": aside(put(7, "Start", "44317"), "dateFormat", "Start", "declared format"),
    "a worker twice with other data": aside(
        DOUBLE, "duplicateExternalId", "", "one row for each worker", 7, LAST + 1, unsure=(6,)
    ),
    "a worker twice, once as a leaver": aside(
        [*table(), put(7, "Status", "Departed")[6]],
        *("duplicateExternalId", "", "one row for each worker", 7, LAST + 1),
        unsure=(6,),
    ),
    "the login of another worker": aside(
        put(7, "Login", "LOGIN5@example.com"), "duplicateUserName", "", "of their own", 6, 7
    ),
    "a worker who is their own manager": aside(
        put(7, "Manager", "001006"), "managerIsSelf", "Manager", "manager's key"
    ),
    "an error in a workbook": aside(xlsx(put(7, "Manager", Error("#N/A"))), "errorCell", "Manager", "formula"),
    "a formula with an error in a workbook": aside(
        xlsx(put(7, "Status", Error("#REF!", formula=True))), "errorCell", "Status", "formula"
    ),
    "a formula that was never computed": aside(
        xlsx(put(7, "FamilyName", Formula("A1"))), "errorCell", "FamilyName", "formula"
    ),
    "JSON without a worker's status": aside(
        each(lambda one: one.pop("Status"), (6,)), "blankStatus", "Status", "Fill in", 6, unsure=(6,)
    ),
    "JSON with an id that is a number": aside(
        each(lambda one: one.update(PersonID=1006), (6,)), "patternMismatch", "PersonID", "pad", 6, unsure=(6,)
    ),
    "SCIM with active as text": aside(
        bulk(lambda one: one.update(active="true")), "wrongType", "active", "RFC 7643", 6, unsure=(6,), file=SCIM
    ),
    "SCIM without active": aside(
        bulk(lambda one: one.pop("active")), "blankStatus", "active", "Fill in", 6, unsure=(6,), file=SCIM
    ),
    "SCIM with an id that is a number": aside(
        bulk(lambda one: one.update(externalId=1006)), "wrongType", "externalId", "RFC 7643", 6, unsure=(6,), file=SCIM
    ),
    "SCIM with an attribute that the API ignores": aside(
        bulk(lambda one: one.update(accountEnabled=False)),
        *("notTaken", "accountEnabled", "left out", 6),
        unsure=(6,),
        file=SCIM,
    ),
    "SCIM with emails that are null": aside(
        bulk(lambda one: one.update(emails=None)), "nullValue", "emails", "Leave it out", 6, unsure=(6,), file=SCIM
    ),
}

READ = {
    "a manager circle": read(put(2, "Manager", "001006"), "managerCircle", 2),
    "a title line with a mapped word": read("Status,as of today\n\n" + GOOD),
    "a line for Excel about the separator": read("sep=,\n" + GOOD),
    "lines that end in LF and in CRLF": read(GOOD[:400] + GOOD[400:].replace("\n", "\r\n")),
    "no line end at the end": read(GOOD[:-1], "noLineEnd", LAST),
    "a column that looks like the mapped one beside it": read(
        [[*row, row[2].upper()] for row in table()], "columnsIgnored"
    ),
    "JSON without a worker's title": read(each(lambda one: one.pop("Mail"), (6,))),
}

UNSENT = {"text": TEXTS, "packed": PACKED, "JSON": JSON, "for everybody": FOR_ALL}


def feed_of(world: Any, file: dict[str, Any], mapping: dict[str, Any]) -> str:
    settings = world.entra.settings
    job = {"servicePrincipalId": settings["SERVICE_PRINCIPAL_ID"], "jobId": settings["JOB_ID"]}
    rules = {} if file.get("format") == "scim" else {"mapping": mapping}
    return json.dumps({"job": job, "file": file, **rules, "safety": {"max_set_aside_percent": 30}})


def accounts(world: Any) -> dict[str, dict[str, Any]]:
    """Every account, without the time of its last change."""
    found = world.accounts().items()
    return {worker: {k: v for k, v in account.items() if k != "updated"} for worker, account in found}


def told(run: dict[str, Any]) -> str:
    """All of run.json that is words."""
    numbers = ("run", "etag", "plan", "jobId", "servicePrincipalId")
    words = {k: v for k, v in run.items() if k not in numbers and not k.endswith(("At", "Sha256"))}
    return json.dumps(words, ensure_ascii=False)


def cells_in(content: bytes, feed: str) -> set[str]:
    """What stands in the cells of the file, as far as it could be told by mistake and is not in the feed file."""
    is_text = not content.startswith((b"PK", b"[", b"{"))
    text = written(table()) + (content.decode("utf-8", errors="ignore") if is_text else "")
    known = " ".join([feed, *COLUMNS]).lower()
    parts = {part.strip() for part in re.split(r"[,;\t\r\n\"|]", text)}
    return {part for part in parts if len(part) > 3 and part.lower() not in known}


def rows_aside(world: Any, run: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run_blob(world.service, run, "set_aside.csv"), newline="")))


def check_account(case: Case, run: dict[str, Any], aside: list[dict[str, str]]) -> None:
    """The run names what is wrong, where, and what to do."""
    states = {"refused": "refused", "held": "held"}
    assert run["state"] == states.get(case.ends, "sent"), run["reason"]
    if case.ends == "refused":
        reason = run["reason"]
        assert (reason["code"], run["rows"], aside) == (case.code, 0, [])
        assert all(re.search(rf"\b[Ll]ine {line}\b", reason["message"]) for line in case.lines), reason["message"]
        assert case.column in reason["message"]
        assert case.says in reason["advice"]
        return
    if case.ends == "read":
        assert (run["reason"], aside) == (None, [])
        notices = {notice["code"]: notice["lines"] for notice in run["notices"]}
        assert not case.code or notices[case.code][: len(case.lines)] == list(case.lines)
        return
    assert (run["reason"] or {}).get("code") == ("tooManySetAside" if case.ends == "held" else None)
    assert [int(row["line"]) for row in aside] == list(case.lines)
    for row in aside:
        assert f"[{case.code}]" in row["problem"]
        assert case.column in row["column"].split("; ")
        assert case.says in row["what to do"]


def with_accounts(world: Any) -> Any:
    """The world once a good file has gone through; a value that is left out then clears."""
    world.entra.change(flowNullValues=True)
    world.put_feed(feed_of(world, {}, MAPPING).encode())
    world.upload(written(table("Weaver")), "good.csv")
    assert [account["accountEnabled"] for account in world.accounts().values()] == [True] * 11 + [False]
    return world


def check(world: Any, case: Case, name: str) -> None:
    """Drop the broken file, and look at the tenant and at what is told."""
    before, feed = accounts(world), feed_of(world, case.file, case.mapping)
    accepted = world.accepted()
    world.put_feed(feed.encode())
    run = world.upload(case.bytes, name)
    world.resume()
    check_account(case, run, aside := rows_aside(world, run))
    sent = {worker for worker, times in world.accepted().items() if times != accepted.get(worker)}
    assert sent == before.keys() - case.untouched
    after = accounts(world)
    assert after.keys() == before.keys()
    for worker, account in after.items():
        attributes = before[worker]["attributes"] | ({"jobTitle": "Dyer"} if worker in sent else {})
        manager = account["manager"] if case.code == "managerCircle" else before[worker]["manager"]
        assert account == before[worker] | {"attributes": attributes, "manager": manager}
    words = told(run) + "".join(" ".join(list(row.values())[:4]) for row in aside) + str(world.events())
    assert {cell for cell in cells_in(case.bytes, feed) if cell in words} == set()


@pytest.mark.parametrize("family", UNSENT)
def test_a_file_of_which_nothing_can_be_sent_changes_nobody_and_says_why(bare_world, subtests, family):
    """One world for many files, since none of them may leave a trace in it."""
    world = with_accounts(bare_world)
    for kind, case in UNSENT[family].items():
        with subtests.test(kind):
            check(world, case, kind)


@pytest.mark.parametrize("kind", FOR_ONE | READ)
def test_only_rows_that_are_unquestionably_right_are_sent(bare_world, kind):
    check(with_accounts(bare_world), (FOR_ONE | READ)[kind], "broken")


RENAMED = {
    "UTF-8 declared as windows-1252": (GOOD, {"encoding": "windows-1252"}),
    "UTF-8 declared as iso-8859-15": (GOOD, {"encoding": "iso-8859-15"}),
    "UTF-8 declared as windows-1252, with a mark": ("\ufeff" + GOOD, {"encoding": "windows-1252"}),
    "a letter that was replaced on the way": (GOOD.replace("Zoë-6", "Zo\ufffd-6"), {}),
    "an error in Portuguese": (GOOD.replace("Zoë-6", "#N/D"), {}),
    "an error in Spanish": (GOOD.replace("Zoë-6", "#¡VALOR!"), {}),
    "an error in French": (GOOD.replace("Zoë-6", "#VALEUR!"), {}),
}


@pytest.mark.parametrize("kind", RENAMED)
def test_nobody_gets_a_name_of_letters_that_were_lost_on_the_way(bare_world, kind):
    """How this is told is open; that nobody is renamed is not."""
    world = with_accounts(bare_world)
    content, file = RENAMED[kind]
    world.put_feed(feed_of(world, file, MAPPING).encode())
    world.upload(content, "broken")
    names = {account["attributes"]["givenName"] for account in world.accounts().values()}
    assert names == {f"Zoë-{n}" for n in WORKERS}


def test_rows_above_the_header_are_told(bare_world):
    """Somebody sorted the file, header and all: the rows above it must not be gone without a word."""
    world = with_accounts(bare_world)
    header, *rows = GOOD.splitlines(keepends=True)
    run = world.upload("".join([*rows[:6], header, *rows[6:]]), "broken")
    lines = {line for notice in run["notices"] for line in notice["lines"] if notice["code"] != "columnsIgnored"}
    assert run["state"] == "refused" or run["rows"] == 12 or set(range(1, 7)) <= lines, run
