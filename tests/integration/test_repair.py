"""Somebody does just what set_aside.csv says, and drops it again: then every row is sent, as it was meant.

Each row is told apart by its column `Ref`, which no feed maps. The person who repairs knows the right cells, changes
those of the named columns, and leaves all others as they stand in set_aside.csv.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.platform.workbooks import Error, workbook

if TYPE_CHECKING:
    from collections.abc import Callable

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CONTOSO = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User"
MAPPING: dict[str, Any] = {
    "externalId": {"column": "ID", "pattern": r"\d{6}"},
    "userName": "Login",
    "active": {"column": "Status", "true_when": ["Employed"], "false_when": ["Departed"]},
    "name.givenName": "First",
    "name.familyName": "Last",
    "title": {"column": "Title", "required": True},
    "preferredLanguage": "Language",
    'emails[type eq "work"].value': "Mail",
    'phoneNumbers[type eq "work"].value': "Phone",
    f"{ENTERPRISE}:manager.value": "Manager",
    f"{ENTERPRISE}:department": {"column": "Unit", "values": {"S": "Sales", "-F": "Finance"}},
    f"{CONTOSO}:hireDate": {"column": "Start", "date": "%d/%m/%Y"},
    f"{CONTOSO}:level": {"column": "Level", "type": "Integer"},
}
COLUMNS = (
    *("Ref", "ID", "Login", "Status", "First", "Last", "Title", "Language", "Mail", "Phone", "Manager", "Unit"),
    *("Start", "Level", "-Note"),
)
OWN = ["line", "column", "problem", "what to do"]
LAST_NAMES = ("=Quintão", "-Sousa", "@Sá", "+Reis", "'=Vaz", "Café")

PROBLEMS: dict[int, tuple[str, dict[str, str], str]] = {
    2: ("blank", {"ID": " "}, "ID"),
    3: ("patternMismatch", {"ID": "1003"}, "ID"),
    4: ("blank", {"Login": ""}, "Login"),
    5: ("invalidUserName", {"Login": "nobody"}, "Login"),
    6: ("invisibleCharacter", {"Login": "login6\u200b@example.com"}, "Login"),
    7: ("unknownStatus", {"Status": "-"}, "Status"),
    8: ("blankStatus", {"Status": ""}, "Status"),
    9: ("dateFormat", {"Start": "44317"}, "Start"),
    10: ("invalidEmail", {"Mail": "=mail"}, "Mail"),
    11: ("invalidPhone", {"Phone": "+0"}, "Phone"),
    12: ("errorCell", {"Manager": "#N/A"}, "Manager"),
    13: ("managerIsSelf", {"Manager": "001013"}, "Manager"),
    14: ("tooLong", {"Title": "=" * 129}, "Title"),
    15: ("blank", {"Title": ""}, "Title"),
    16: ("invalidLanguage", {"Language": "de_AT"}, "Language"),
    17: ("unknownValue", {"Unit": "+X"}, "Unit"),
    18: ("numberFormat", {"Level": "-high"}, "Level"),
    19: ("blankStatus; dateFormat", {"Status": "", "Start": "soon"}, "Status; Start"),
}
"""By `Ref`: the codes, the bad cells, the columns that are named."""
REFS = range(1, 21)
"""Row 1 is right and manages all others; row 20 stands twice."""


def right(ref: int) -> dict[str, str]:
    """The row as it is meant."""
    return {
        "Ref": str(ref),
        "ID": f"00{1000 + ref}",
        "Login": f"login{ref}@example.com",
        "Status": "Departed" if ref == 18 else "Employed",
        "First": f"Zoë-{ref}",
        "Last": LAST_NAMES[ref % len(LAST_NAMES)],
        "Title": "-" if ref % 2 else "=1+1",
        "Language": "pt-PT",
        "Mail": f"mail{ref}@example.com",
        "Phone": f"+351 21 000 00{ref:02}",
        "Manager": "001001" if ref > 1 else "",
        "Unit": "-F",
        "Start": f"{ref:02}/03/2021",
        "Level": "-7",
        "-Note": "\t+note",
    }


def account(ref: int) -> dict[str, Any]:
    """What the account must be in the end."""
    row = right(ref)
    return {
        "userName": row["Login"],
        "accountEnabled": row["Status"] == "Employed",
        "manager": row["Manager"] or None,
        "attributes": {
            "givenName": row["First"],
            "surname": row["Last"],
            "jobTitle": row["Title"],
            "preferredLanguage": "pt-PT",
            'emails[type eq "work"].value': row["Mail"],
            "telephoneNumber": row["Phone"],
            "department": "Finance",
            f"{CONTOSO}:hireDate": f"2021-03-{ref:02}T00:00:00Z",
            f"{CONTOSO}:level": -7,
        },
    }


def broken_rows() -> list[dict[str, str]]:
    rows = [right(ref) | (PROBLEMS[ref][1] if ref in PROBLEMS else {}) for ref in REFS]
    return [*rows, right(20) | {"Title": "Other"}]


def as_text(rows: list[list[Any]], separator: str = ",", line_end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=line_end).writerows(rows)
    return text.getvalue()


def table() -> list[list[Any]]:
    return [list(COLUMNS), *(list(row.values()) for row in broken_rows())]


def old_fashioned(rows: list[list[Any]]) -> bytes:
    """Two title lines, a comment, a trailer, semicolons, Windows-1252."""
    header, *body = rows
    lines = ["Pessoal", "", as_text([header], ";").strip(), "# começo", as_text(body, ";").strip(), f"FIM;{len(body)}"]
    return "\r\n".join([*lines, ""]).encode("cp1252", errors="ignore")


def as_workbook(rows: list[list[Any]]) -> bytes:
    """Dates are date cells, errors error cells, and a blank cell is none."""

    def cell(text: str) -> Any:
        if text == "#N/A":
            return Error(text)
        day, _, rest = text.partition("/03/")
        return dt.date(2021, 3, int(day)) if rest == "2021" else text or None

    return workbook("xlsx", {"Pessoal": [rows[0], *([cell(text) for text in row] for row in rows[1:])]})


def as_json(rows: list[list[Any]]) -> bytes:
    return json.dumps([dict(zip(rows[0], row, strict=True)) for row in rows[1:]]).encode()


def excel_semicolons(rows: list[list[str]]) -> bytes:
    return b"\xef\xbb\xbf" + as_text(rows, ";").encode()


def excel_unicode_text(rows: list[list[str]]) -> bytes:
    return as_text(rows, "\t").encode("utf-16")


def plain(rows: list[list[str]]) -> bytes:
    return b"\xef\xbb\xbf" + as_text(rows).encode()


def without_mark(rows: list[list[str]]) -> bytes:
    return as_text(rows, line_end="\n").encode()


@dataclass(frozen=True)
class Layout:
    """How the feed says that HR's file is written, how the test writes it, and how set_aside.csv is saved again."""

    write: Callable[[list[list[Any]]], bytes]
    save: Callable[[list[list[str]]], bytes] = plain
    file: dict[str, Any] = field(default_factory=dict)


OLD = {
    "separator": "semicolon",
    "encoding": "windows-1252",
    "header_row": 3,
    "comment": "#",
    "trailer": {"first_cell": "FIM"},
}
LAYOUTS = {
    "text": Layout(lambda rows: as_text(rows).encode()),
    "text, saved with semicolons": Layout(lambda rows: as_text(rows).encode(), excel_semicolons),
    "text, saved as Unicode text": Layout(lambda rows: as_text(rows).encode(), excel_unicode_text),
    "text, saved without a mark": Layout(lambda rows: as_text(rows).encode(), without_mark),
    "semicolons, titles, trailer": Layout(old_fashioned, plain, OLD),
    "semicolons, titles, trailer, saved with semicolons": Layout(old_fashioned, excel_semicolons, OLD),
    "a workbook": Layout(as_workbook, plain, {"format": "workbook"}),
    "a workbook, saved with semicolons": Layout(as_workbook, excel_semicolons, {"format": "workbook"}),
    "JSON": Layout(as_json, plain, {"format": "json"}),
    "JSON, saved with semicolons": Layout(as_json, excel_semicolons, {"format": "json"}),
}


def put_feed(world: Any, file: dict[str, Any], mapping: dict[str, Any] = MAPPING) -> None:
    settings = world.entra.settings
    feed = {
        "job": {"servicePrincipalId": settings["SERVICE_PRINCIPAL_ID"], "jobId": settings["JOB_ID"]},
        "file": file,
        "safety": {"max_set_aside_percent": 100},
    }
    world.put_feed(json.dumps(feed if file.get("format") == "scim" else feed | {"mapping": mapping}).encode())


def set_aside(world: Any, run: dict[str, Any]) -> list[list[str]]:
    """set_aside.csv as a spreadsheet program opens it."""
    content = world.blob("runs", f"{run['feed']}/{run['run']}/set_aside.csv")
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def repaired(rows: list[list[str]]) -> list[list[str]]:
    """What HR makes of it: the cells of the named columns are typed anew, and of a worker's two rows one is deleted."""
    header, *body = rows
    places = [name.removeprefix("'") for name in header]
    kept = [header]
    for row in body:
        meant = right(int(row[places.index("Ref")]))
        if "[duplicateExternalId]" in row[2] and row[places.index("Title")].removeprefix("'") != meant["Title"]:
            continue
        for column in filter(None, row[1].split("; ")):
            row[places.index(column)] = meant[column]
        kept.append(row)
    return kept


def accounts(world: Any) -> dict[str, dict[str, Any]]:
    wanted = ("userName", "accountEnabled", "manager", "attributes")
    return {worker: {name: found[name] for name in wanted} for worker, found in world.accounts().items()}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_repaired_set_aside_file_is_clean_and_says_what_was_meant(bare_world, kind):
    world, layout = bare_world, LAYOUTS[kind]
    put_feed(world, layout.file)
    rows = table()
    if layout.file is OLD:  # a code page has no zero-width space
        rows[6][2] = "login6\u00ad@example.com"
    run = world.upload(layout.write(rows), "workers")
    assert (run["state"], run["counts"]["setAside"]) == ("sent", 20), run["reason"]
    opened = set_aside(world, run)
    ref = opened[0].index("Ref")
    problems = {int(row[ref]): (row[1], row[2]) for row in opened[1:]}
    for number, (codes, _, columns) in PROBLEMS.items():
        assert problems[number][0] == columns
        assert all(f"[{code}]" in problems[number][1] for code in codes.split("; ")), problems[number]

    run = world.upload(layout.save(repaired(opened)), "repaired")

    assert run["reason"] is None
    assert [row[1:3] for row in set_aside(world, run)[1:]] == []
    assert (run["state"], run["rows"], run["counts"]["setAside"]) == ("sent", 19, 0)
    assert accounts(world) == {right(number)["ID"]: account(number) for number in REFS}


def test_rows_of_the_wrong_width_and_shared_logins_can_be_repaired_too(bare_world):
    put_feed(bare_world, {})
    rows = [list(right(ref).values()) for ref in range(1, 7)]
    rows[1].pop(5)
    rows[2][4:5] = ["Zoë", "-3"]
    rows[4][2] = rows[3][2]
    run = bare_world.upload(as_text([list(COLUMNS), *rows, rows[5]]), "workers")
    header, *body = set_aside(bare_world, run)
    codes = {row[4]: row[2].rpartition("[")[2] for row in body}
    shared = "duplicateUserName]"
    assert codes == {"2": "tooFewCells]", "3": "tooManyCells]", "4": shared, "5": shared}
    few, many, _, five = body
    few.insert(4 + 5, right(2)["Last"])
    many[4 + 4 : 4 + 6] = [right(3)["First"]]
    five[4 + 2] = right(5)["Login"]

    run = bare_world.upload(plain([header, *body]), "repaired")

    assert (run["state"], run["rows"], run["counts"]["setAside"]) == ("sent", 4, 0)
    assert accounts(bare_world) == {right(ref)["ID"]: account(ref) for ref in range(1, 7)}


def test_a_set_aside_file_that_was_saved_as_a_workbook_renames_nobody(bare_world):
    """It need not be read; if it is, the apostrophe before a formula is no letter of anybody's name."""
    put_feed(bare_world, {}, {path: MAPPING[path] for path in ("externalId", "userName", "active", "name.familyName")})
    rows = [right(ref) for ref in range(1, 7)]
    bare_world.upload(as_text([list(COLUMNS), *(list(row.values()) for row in rows)]), "good")
    before = accounts(bare_world)
    bad = [list((row | {"Status": "?"}).values()) for row in rows]
    opened = set_aside(bare_world, bare_world.upload(as_text([list(COLUMNS), *bad]), "workers"))

    bare_world.upload(workbook("xlsx", {"set_aside": repaired(opened)}), "repaired")

    assert accounts(bare_world) == before


def scim_user(ref: int) -> dict[str, Any]:
    row = right(ref)
    return {
        "schemas": [CORE, ENTERPRISE],
        "externalId": row["ID"],
        "userName": row["Login"],
        "active": row["Status"] == "Employed",
        "name": {"givenName": row["First"], "familyName": row["Last"]},
        "title": row["Title"],
        "preferredLanguage": row["Language"],
        "emails": [{"type": "work", "value": row["Mail"]}],
        "phoneNumbers": [{"type": "work", "value": row["Phone"]}],
        ENTERPRISE: {"department": "Finance", **({"manager": {"value": row["Manager"]}} if row["Manager"] else {})},
        CONTOSO: {"hireDate": f"2021-03-{ref:02}T00:00:00Z", "level": -7},
    }


SCIM_PROBLEMS: dict[int, tuple[str, str, Any]] = {
    2: ("blank", "externalId", " "),
    3: ("invalidUserName", "userName", "nobody"),
    4: ("invisibleCharacter", "userName", "login4\u200b@example.com"),
    5: ("wrongType", "active", "true"),
    6: ("blankStatus", "active", None),
    7: ("wrongType", "title", 12),
    8: ("blank", "title", ""),
}


@pytest.mark.parametrize("save", [plain, excel_semicolons, excel_unicode_text])
def test_a_repaired_set_aside_file_of_scim_users_is_clean_too(bare_world, save):
    put_feed(bare_world, {"format": "scim"})
    users = [scim_user(ref) for ref in range(1, 10)]
    for ref, (_, attribute, value) in SCIM_PROBLEMS.items():
        users[ref - 1][attribute] = value
    run = bare_world.upload(json.dumps([*users, scim_user(9) | {"title": "Other"}]), "users")
    assert (run["state"], run["counts"]["setAside"]) == ("sent", 9)
    header, *body = set_aside(bare_world, run)
    assert header == [*OWN, "user"]
    for row, (code, attribute, _) in zip(body[:7], SCIM_PROBLEMS.values(), strict=True):
        assert (row[1], row[2].endswith(f"[{code}]")) == (attribute, True)
        given = json.loads(row[4])
        meant = scim_user(int(given["name"]["givenName"].removeprefix("Zoë-")))
        row[4] = json.dumps(given | {attribute: meant[attribute]}, ensure_ascii=False)

    run = bare_world.upload(save([header, *body[:-1]]), "repaired")

    assert run["reason"] is None
    assert (run["state"], run["rows"], run["counts"]["setAside"]) == ("sent", 8, 0)
    assert accounts(bare_world) == {right(ref)["ID"]: account(ref) for ref in range(1, 10)}


MARKS = ("=", "+", "-", "@", "\t", "\r", "'=", "''-", "=cmd|' /C calc'!A0", '="x"', "\t=", "\t", "'", "x=", ";=")


def test_no_cell_of_a_set_aside_file_is_a_formula(bare_world):
    """One apostrophe goes before what is one, however many stand there already; all else is as HR wrote it."""
    put_feed(bare_world, {})
    names = [*COLUMNS[:-1], "=Sum", "+Cost", "-Note", "@Home", "'=Quoted", "'Quoted"]
    rows = [[f"{mark}{n}" for n in range(len(names))] for mark in MARKS]
    header, *body = set_aside(bare_world, bare_world.upload(as_text([names, *rows]), "workers"))

    def safe(cell: str) -> str:
        return f"'{cell}" if cell.lstrip("'").startswith(("=", "+", "-", "@", "\t", "\r")) else cell

    assert header == [*OWN, *map(safe, names)]
    assert [row[4:] for row in body] == [[safe(cell) for cell in row] for row in rows]
    assert [c for row in [header, *body] for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
