"""From an HR export to a feed file that reads it, or that says what a person has to decide."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from shared.adapters.workbook_reader import read_workbook
from shared.errors import FeedFileError, HrFileError
from shared.inbound.drafting.draft_yaml import flow, quoted
from shared.inbound.drafting.feed_draft import draft_feed
from shared.inbound.feeds.feed_file import Feed, parse_feed
from shared.inbound.planning.conversion import convert, open_working_set
from tests.platform.workbooks import workbook
from tests.unit.builders import CONTOSO, CORE, EMAIL, ENTERPRISE, NOON, PROPERTY, pieces

HEADER = [
    "Employee ID",
    "User Name",
    "First Name",
    "Last Name",
    "Work Email",
    "Department",
    "Manager ID",
    "Hire Date",
    "Status",
]
ROWS = [
    ["1001", "bjensen@example.com", "Barbara", "Jensen", "b.jensen@example.com", "Tours", "", "05/13/2019", "Active"],
    ["1002", "jsmith@example.com", "John", "Smith, Jr.", "js@example.com", "Tours", "1001", "04/01/2020", "Terminated"],
    ["1003", "kklein@example.com", "Kim", "Klein", "", "Sales", "1001", "12/31/2021", "Active"],
]  # fmt: skip
GERMAN = [
    ["Personalnummer", "Benutzername", "Vorname", "Nachname", "E-Mail", "Abteilung", "Vorgesetzter", "Eintrittsdatum",
     "Austrittsdatum", "Beschäftigungsstatus", "Straße", "Ort", "Gehalt"],
    ["0007", "jgross@example.com", "Jörg", "Groß", "jgross@example.com", "Außendienst", "", "13.05.2019", "", "Aktiv",
     "Ring 1", "Köln", "5.000,00"],
    ["0008", "soez@example.com", "Selin", "Öz", "soez@example.com", "Einkauf", "0007", "01.04.2020", "31.12.2025",
     "Ausgeschieden", "Ring 2", "Köln", "4.000,00"],
]  # fmt: skip


def delimited(rows: list[list[str]], separator: str = ",", *, end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue()


def draft(content: bytes, **more: Any) -> str:
    return draft_feed(pieces(content, 1000), "workers.csv", **more)


def document(text: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(text)


def sent(content: bytes, text: str, **more: Any) -> list[dict[str, Any]]:
    """The users that the drafted feed file makes of the very file; every row must be planned."""
    feed = parse_feed(text.encode())
    with open_working_set(feed) as working_set:
        convert(pieces(content, 1000), feed, working_set, NOON, **more)
        assert list(working_set.problem_kinds()) == []
        assert working_set.planned_count() == working_set.row_count > 0
        return [json.loads(user) for *_, user in working_set.planned()]


def drafted(content: bytes, **more: Any) -> tuple[str, Feed, list[dict[str, Any]]]:
    text = draft(content, **more)
    assert not text.startswith("# decide:")
    return text, parse_feed(text.encode()), sent(content, text, **more)


def test_an_english_export_is_read_by_its_draft() -> None:
    text, feed, users = drafted(delimited([HEADER, *ROWS]).encode())
    assert feed.file.separator == "comma"
    assert list(feed.mapping) == [
        *("externalId", "userName", "active", "name.givenName", "name.familyName", "displayName", EMAIL),
        *(f"{ENTERPRISE}:department", f"{ENTERPRISE}:manager.value", f"{CONTOSO}:hireDate"),
    ]
    smith = next(user for user in users if user["externalId"] == "1002")
    assert (smith["active"], smith["displayName"]) == (False, "John Smith, Jr.")
    assert smith[ENTERPRISE]["manager"] == {"value": "1001"}
    assert smith[CONTOSO] == {"hireDate": "2020-04-01T00:00:00Z"}
    assert "externalId: Employee ID   # sure: name and cells fit" in text


def test_a_german_export_in_an_older_encoding_is_read_by_its_draft() -> None:
    content = delimited(GERMAN, ";").encode("windows-1252")
    text, feed, users = drafted(content)
    assert (feed.file.separator, feed.file.encoding) == ("semicolon", "windows-1252")
    assert "iso-8859-15, iso-8859-1, windows-1250 would give the same letters so far. decide:" in text
    assert {user["displayName"]: user["active"] for user in users} == {"Jörg Groß": True, "Selin Öz": False}
    assert '# addresses[type eq "work"].locality: Ort' in text  # beside a street it could be the home
    assert text.endswith("# Columns of the file that nothing above reads:\n# - Gehalt\n")


def test_a_file_with_titles_tabs_and_a_trailer_is_read_by_its_draft() -> None:
    titles = 'Workers of "Contoso\nas of\t01.09.2026\n\n'
    content = (titles + delimited([HEADER, *ROWS, ["TRAILER", "3"]], "\t", end="\n")).encode()
    text, feed, users = drafted(content)
    assert feed.file.separator == "tab"
    assert (feed.file.trailer.first_cell, feed.file.trailer.count_cell) == ("TRAILER", 2)
    assert "header_row: auto   # sure: line 4, below 3 others" in text
    assert len(users) == 3


def test_a_header_so_far_down_that_auto_does_not_look_there_is_named() -> None:
    content = ("A title\n" * 25 + delimited([HEADER, *ROWS])).encode()
    assert drafted(content)[1].file.header_row == 26


def test_a_title_with_as_many_cells_is_not_taken_for_the_header() -> None:
    title = ["All", "our", "people", "as", "of", "this", "very", "Monday", "morning"]
    text, _, users = drafted(delimited([title, HEADER, *ROWS]).encode())
    assert "header_row: 2   # likely: a line above it looks like a row" in text
    assert len(users) == 3


def test_what_is_frequent_within_a_cell_is_not_taken_for_the_separator() -> None:
    rows = [[*row, "a,b,c,d,e,f,g,h,i,j,k"] for row in ROWS]
    assert drafted(delimited([[*HEADER, "Skills"], *rows], ";").encode())[1].file.separator == "semicolon"
    listed = [[*HEADER, "Skills, one, or, more, of, a, very, long, list, of, them"], rows[0], rows[2]]
    assert drafted(delimited(listed, ";").encode())[1].file.separator == "semicolon"
    unknown = delimited([["Uno", "Due", "Tre"], *[["x", f"y{n},5", "z"] for n in range(5)]], ";")
    assert "separator: semicolon   # likely: 6 lines have 3 cells" in draft(unknown.encode())


@pytest.mark.parametrize("kind", ["array", "wrapped", "ndjson"])
def test_json_is_read_by_its_draft(kind: str) -> None:
    keys = [
        "employeeId",
        "userName",
        "name.given",
        "name.family",
        "email",
        "department",
        "managerId",
        "hireDate",
        "active",
    ]
    objects = []
    for row in ROWS:
        cells = dict(zip(keys, row, strict=True))
        name = {"given": cells.pop("name.given"), "family": cells.pop("name.family")}
        objects.append({**cells, "name": name, "active": row[-1] == "Active"})
    content = {
        "array": json.dumps(objects),
        "wrapped": json.dumps({"value": objects}),
        "ndjson": "\n".join(map(json.dumps, objects)),
    }[kind]
    _, feed, users = drafted(content.encode())
    assert feed.file.format == "json"
    assert feed.mapping["name.givenName"].column == "name.given"
    assert feed.mapping["active"].true_when == ("true",)
    assert sorted(user["externalId"] for user in users) == ["1001", "1002", "1003"]


def test_scim_users_need_no_mapping() -> None:
    users = [{"schemas": [CORE], "externalId": "1", "userName": "a@example.com", "active": True}]
    text, feed, found = drafted(json.dumps(users).encode())
    assert (feed.file.format, feed.mapping, len(found)) == ("scim", {}, 1)
    assert "mapping" not in document(text)


def test_what_of_scim_users_would_not_be_sent_is_named_without_values() -> None:
    users = [{"schemas": [CORE], "externalId": "1", "userName": "a@example.com", "active": True, "groups": ["Secret"]}]
    text = draft(json.dumps(users).encode())
    assert '# "groups": notTaken, in 1 user' in text
    assert "# ignore_attributes: [groups]" in text
    assert "Secret" not in text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"], ids=repr)
def test_text_is_read_whatever_its_separator_encoding_and_line_ends(separator: str, encoding: str, end: str) -> None:
    content = delimited(GERMAN, separator, end=end).encode(encoding)
    assert {user["name"]["familyName"] for user in drafted(content)[2]} == {"Groß", "Öz"}


def test_a_packed_file_is_read_as_well() -> None:
    content = gzip.compress(delimited([HEADER, *ROWS]).encode())
    assert len(drafted(content)[2]) == 3


# --- what a person has to decide


def test_encodings_that_give_other_letters_are_for_a_person() -> None:
    rows = [
        *GERMAN,
        ["0009", "muñoz@example.com".replace("ñ", "n"), "Ana", "Muñoz", "", "", "", "01.04.2020", "", "Aktiv", *"   "],
    ]
    content = delimited(rows, ";").encode("windows-1252")
    text = draft(content)
    assert text.startswith("# decide: encoding.")
    assert "encoding" not in document(text)["file"]
    with pytest.raises(HrFileError):
        sent(content, text)
    decided = text.replace("  # encoding: windows-1252\n", "  encoding: windows-1252\n")
    assert "Muñoz" in {user["name"]["familyName"] for user in sent(content, decided)}
    assert "  # encoding: windows-1250\n" in text
    assert "  # encoding: windows-1251\n" not in text  # Latin and Cyrillic letters in one word


@pytest.mark.parametrize("encoding", ["cp850", "mac-roman", "windows-1251"])
def test_an_encoding_of_another_kind_is_never_taken_for_a_western_one(encoding: str) -> None:
    name = "Ивановы" if encoding == "windows-1251" else "Größe"
    rows = [HEADER, *[[*row[:3], name, *row[4:]] for row in ROWS]]
    text = draft(delimited(rows).encode(encoding))
    assert text.startswith("# decide: encoding.")
    assert f"  # encoding: {encoding}\n" in text


def test_letters_that_only_windows_has_are_for_a_person_although_its_encodings_agree() -> None:
    content = delimited([HEADER, *[[*row[:3], "Bär", *row[4:]] for row in ROWS]]).encode("mac-roman")
    assert draft(content).startswith("# decide: encoding.")


@pytest.mark.parametrize(
    ("gone", "first"),
    [
        (["Employee ID"], "externalId"),
        (["User Name"], "userName"),
        (["Status"], "active"),
        (["Employee ID", "User Name", "Status"], "externalId, userName, active"),
    ],
)
def test_what_is_needed_and_was_not_found_is_the_first_thing_that_the_draft_says(gone: list[str], first: str) -> None:
    kept = [index for index, name in enumerate(HEADER) if name not in gone]
    rows = [[row[index] for index in kept] for row in [HEADER, *ROWS]]
    text = draft(delimited(rows).encode())
    assert text.splitlines()[0].startswith(f"# decide: {first}. ")
    for path in first.split(", "):
        assert f"  # {path}: " in text
        assert path not in document(text)["mapping"]
    with pytest.raises(FeedFileError, match=first.split(", ")[0]):
        parse_feed(text.encode())


@pytest.mark.parametrize("rule", ["externalId", "userName", "active"])
def test_taking_the_mark_away_without_deciding_sends_nobody(rule: str) -> None:
    rows = [["A", "B"], ["x", "y"], ["x", "y"]]
    text = draft(delimited(rows).encode())
    line = next(line for line in text.splitlines() if line.startswith(f"  # {rule}: "))
    assert "decide" in line
    hasty = text.replace(line, line.replace("# ", "", 1))
    with pytest.raises(FeedFileError):
        parse_feed(hasty.encode())


def test_no_key_at_all_is_still_yaml() -> None:
    text = draft(b"Colour,Taste\nred,sweet\ngreen,sour\n")
    assert document(text)["mapping"] is None
    with pytest.raises(FeedFileError):
        parse_feed(text.encode())


def test_nobodys_data_are_in_the_draft() -> None:
    rows = [[cell or "Unsaid" for cell in row] for row in ROWS]
    for gone in range(len(HEADER)):
        table = [[cell for index, cell in enumerate(row) if index != gone] for row in [HEADER, *rows]]
        text = draft(delimited(table).encode())
        for row in rows:
            assert not [cell for cell in row[:-1] if cell in text], HEADER[gone]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_only_the_first_rows_are_looked_at(kind: str) -> None:
    many = [[str(n), f"u{n}@example.com", "A", "B", "", "Sales", "", "13/05/2020", "Active"] for n in range(2100)]
    many[2050][8] = "Vanished"
    objects = [dict(zip(HEADER, row, strict=True)) for row in many]
    text = draft(delimited([HEADER, *many]).encode() if kind == "csv" else json.dumps(objects).encode())
    assert "its first 2000 rows were looked at" in text
    assert '"Active" (2000 rows)' in text
    assert "Vanished" not in text
    assert ("# trailer: {first_cell: TRAILER, count_cell: 2}" in text) == (kind == "csv")


def test_a_number_that_is_no_count_of_rows_makes_no_trailer() -> None:
    text = draft(delimited([HEADER, *ROWS, ["TRAILER", "7"]]).encode())
    assert "trailer" not in document(text)["file"]
    assert "decide: the last line has other cells than the rest" in text


@pytest.mark.parametrize(("count", "also"), [(3, ()), (4, ("header",)), (5, ("header", "trailer"))])
def test_a_trailer_may_count_itself_and_the_header(count: int, also: tuple[str, ...]) -> None:
    padded = ["Total rows:", str(count), *[""] * (len(HEADER) - 2)]
    for trailer in (padded, padded[:2]):
        _, feed, users = drafted(delimited([HEADER, *ROWS, trailer]).encode())
        assert (feed.file.trailer.first_cell, feed.file.trailer.also_counts) == ("Total rows:", also)
        assert len(users) == 3


def test_columns_that_stand_twice_and_ragged_rows_are_named() -> None:
    rows = [[*row, row[0], row[0]] for row in [[*HEADER], *ROWS]]
    rows[0][-2:] = ["Note", "Note"]
    text = draft(delimited([*rows[:2], ["1"], *rows[2:]]).encode())
    assert "- Note" in text.split("more than once")[1]
    assert "# 1 rows have another number of cells than the header" in text


# --- what can't be read


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "emptyFile"),
        (b" \r\n", "emptyFile"),
        (b"\x00\x01\x02\x03,\x00\x00;\x00,\n" * 3, "notText"),
        (b"just a text\nin a few lines\n", "noCells"),
        (delimited([HEADER]).encode(), "noDataRows"),
        (delimited(ROWS).encode(), "noHeaderRow"),
        (delimited([row[1:] for row in ROWS]).encode(), "noHeaderRow"),
        (delimited([[row[0], "Manager", "Active", row[2]] for row in ROWS]).encode(), "noHeaderRow"),
        (b"[]", "emptyFile"),
        (b'[{"a": 1}, {"a"', "fileCut"),
        (b"-----BEGIN PGP MESSAGE-----\n", "pgpEncrypted"),
        (b"line,column,problem,what to do,WorkerID\n2,,x,y,1\n", "ownSetAside"),
        (b"PK\x03\x04 no zip", "damagedArchive"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(HrFileError) as refused:
        draft(content)
    assert refused.value.reason.code == code
    assert "Jensen" not in f"{refused.value.reason}"


# --- workbooks, as somebody else reads them


def sheets(*found: list[list[str]]) -> Any:
    """A reader of workbooks with these sheets."""

    def read(_file: Any, layout: Any) -> Any:
        if layout.sheet is None and len(found) > 1:
            raise HrFileError("ambiguousSheet", "Several.", "Say which.")
        if layout.sheet and layout.sheet > len(found):
            raise HrFileError("noSheet", "None.", "Correct it.")
        return iter([(number, row) for number, row in enumerate(found[(layout.sheet or 1) - 1], 1) if any(row)])

    return read


WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TITLED = [["Workers", *[""] * 8], [""] * 9, HEADER, *[[*row[:7], "2020-04-01", row[8]] for row in ROWS]]


def test_a_workbook_is_read_by_its_draft() -> None:
    text, feed, users = drafted(WORKBOOK, read_workbook=sheets(TITLED))
    assert (feed.file.format, len(users)) == ("workbook", 3)
    assert users[0][CONTOSO] == {"hireDate": "2020-04-01T00:00:00Z"}
    assert "header_row: auto   # sure: row 3" in text


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_a_real_workbook_with_typed_dates_is_read_by_its_draft(kind: str) -> None:
    rows = [[*row[:7], dt.date(2020, 4, 1), row[8]] for row in ROWS]
    book = workbook(kind, {"Notes": [["Colour"], ["red"]], "Workers": [["Workers"], HEADER, *rows]}, hidden=("Notes",))
    text, _, users = drafted(book, read_workbook=read_workbook)
    assert 'hireDate: {column: Hire Date, date: "%Y-%m-%d"}' in text
    assert [user[CONTOSO] for user in users] == [{"hireDate": "2020-04-01T00:00:00Z"}] * 3


def test_of_several_sheets_a_person_decides() -> None:
    several = sheets([["Colour", "Taste"], ["red", "sweet"]], TITLED)
    text = draft(WORKBOOK, read_workbook=several)
    assert text.startswith("# decide: sheet.")
    assert "sheet" not in document(text)["file"]
    decided = text.replace("  # sheet: 2", "  sheet: 2")
    assert len(sent(WORKBOOK, decided, read_workbook=several)) == 3


# --- any text at all


@PROPERTY
@given(st.text(min_size=1))
@example("a: b # c\n- 'd' \"e\" \\ {f} [g], &h *i !j |k >l %m @n `o ?p")
@example("\x00\x07\x1b\x7f\x85\xa0\u2028\u2029\ufeff\u202e\u200f\ufffe\U000e0001\U0001f600")
@example("true")
@example("No")
@example("~")
@example("- x")
def test_any_text_reads_back_as_it_was(text: str) -> None:
    for written in (quoted(text), flow(text)):
        assert document(f"key: {written}   # remark\nlist: {{a: [{written}, {written}]}}") == {
            "key": text,
            "list": {"a": [text, text]},
        }
        assert len(written.splitlines()) == 1
        assert written.isprintable()


NOISE = st.text(alphabet=st.sampled_from("\n\r\t \x07\x85\u202e\u200f\u2028\ufeff#:'\"{}[],&*!|>%@`-?\\~"), max_size=8)


@PROPERTY
@given(st.lists(NOISE, min_size=9, max_size=9), st.lists(st.text(max_size=20), max_size=5), st.booleans())
def test_hostile_names_of_columns_read_back_as_they_were(noise: list[str], more: list[str], is_json: bool) -> None:
    names = [f"{name}{mark}" for name, mark in zip(HEADER, noise, strict=True)]
    others = [f"?{name}" for name in dict.fromkeys(more)]
    rows = [[*row, *["x"] * len(others)] for row in ROWS]
    if is_json:
        content = json.dumps([dict(zip([*names, *others], row, strict=True)) for row in rows]).encode()
    else:
        content = delimited([[*names, *others], *rows]).encode("utf-8")
    try:
        text = draft(content)
    except HrFileError:  # such as a header that has a NUL character
        return
    mapping = document(text)["mapping"] or {}
    expected = names if is_json else [name.strip() for name in names]
    assert mapping["externalId"] == expected[0]
    assert mapping["userName"]["column"] == expected[1]
    assert mapping["active"]["column"] == expected[8]
    assert all(line.isprintable() for line in text.splitlines())
    parse_feed(text.encode())
