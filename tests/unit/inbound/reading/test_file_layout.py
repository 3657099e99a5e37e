"""Delimited text as HR systems write it: what decides how a file is read, and that nothing is guessed."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import FeedFileError, HrFileError
from shared.inbound.feeds.feed_file import parse_feed
from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.planning.file_notices import file_notices
from shared.inbound.reading.headers import SEPARATORS
from shared.inbound.reading.hr_file import HrFile
from shared.inbound.text.text_encoding import ENCODINGS
from tests.unit.builders import PROPERTY, feed_file, pieces

MAPPED = ("Id", "Name", "Status")
HEADER = "Id,Name,Status\n"
ROW = "1,Ana,Active\n"


def read(content: str | bytes, chunk: int = 1 << 16, mapped: tuple[str, ...] = MAPPED, **layout: Any) -> HrFile:
    data = content if isinstance(content, bytes) else content.encode()
    return HrFile(pieces(data, chunk), FileLayout.model_validate(layout), mapped)


def rows(content: str | bytes, chunk: int = 1 << 16, **layout: Any) -> list[tuple[int, list[str]]]:
    return [(row.line, row.cells) for row in read(content, chunk, **layout).rows()]


def refusal(content: str | bytes, **layout: Any) -> tuple[str, str, str]:
    with pytest.raises(HrFileError) as refused:
        rows(content, **layout)
    return refused.value.reason.code, refused.value.reason.message, refused.value.reason.advice


# Separators


@pytest.mark.parametrize("mark", SEPARATORS.values(), ids=SEPARATORS)
def test_the_separator_is_that_under_which_the_header_has_all_mapped_columns(mark: str):
    text = f"Id{mark}Name{mark}Status\n1{mark}Silva, Ana; | b\tc{mark}Active\n"
    quoted = text.replace("Silva, Ana; | b\tc", '"Silva, Ana; | b\tc"')
    assert rows(quoted) == [(2, ["1", "Silva, Ana; | b\tc", "Active"])]


def test_no_separator_wins_by_being_frequent():
    text = "Id;Name,Title,Team,Place,Floor,Desk;Status\n1;a,b,c,d,e,f;Active\n"
    code, message, _ = refusal(text)
    assert (code, "Name" in message) == ("missingColumns", True)


def test_a_declared_separator_is_not_exchanged_for_another_one():
    code, message, advice = refusal("Id;Name;Status\n1;Ana;Active\n", separator="comma")
    assert (code, "semicolons" in message, "separator: semicolon" in advice) == ("otherSeparator", True, True)


def test_a_header_that_fits_under_two_separators_is_refused():
    code, _, advice = refusal("Id,x;y;Id\n1,2\n", mapped=("Id",))
    assert (code, "separator: semicolon" in advice) == ("ambiguousSeparator", True)
    assert rows("Id,x;y;Id\n1,2\n", mapped=("Id",), separator="comma") == [(2, ["1", "2"])]


# Encodings

CANDIDATES = ["windows-1252", "iso-8859-15", "iso-8859-1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", ["auto", "windows-1252", "utf-16-le"])
def test_a_byte_order_mark_decides_whatever_is_declared(encoding: str, declared: str):
    content = f"\ufeff{HEADER}1,Zoë 鈴木 😀,Active\n".encode(encoding)
    assert rows(content, encoding=declared, chunk=3) == [(2, ["1", "Zoë 鈴木 😀", "Active"])]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("windows-1252", "Zoë €"),
        ("iso-8859-1", "Zoë ¤"),
        ("iso-8859-15", "Zoë €"),
        ("windows-1251", "Анна"),
        ("utf-16-le", "Zoë 鈴木"),
        ("utf-16-be", "Ċ਍ 😀"),
        ("cp932", "鈴木 ソ"),
        ("gb18030", "陈"),
        ("mac-roman", "Zoë"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_a_declared_encoding_is_read_as_declared(encoding: str, name: str, end: str):
    content = f"{HEADER}1,{name},Active\n".replace("\n", end).encode(encoding)
    for chunk in (1, 7, 1 << 16):
        assert rows(content, encoding=encoding, chunk=chunk) == [(2, ["1", name, "Active"])]


def test_bytes_that_are_not_utf_8_are_refused_with_what_they_could_be_and_the_setting():
    code, message, advice = refusal((HEADER + ROW + "2,Zoë,Active\n").encode("windows-1252"))
    assert (code, "Line 3" in message) == ("notUtf8", True)
    assert all(name in message for name in CANDIDATES)
    assert "encoding: windows-1252" in advice


@pytest.mark.parametrize(
    ("content", "encoding", "line"),
    [
        (HEADER.encode() + b"1,\x81,Active\n", "windows-1252", 2),
        (HEADER.encode() + ROW.encode() + b"1,\x80,Active\n", "iso-8859-1", 3),
        ((HEADER + ROW).encode("utf-16-le") + b"\x00\xd8,\x00", "utf-16-le", 3),
        ((HEADER + ROW).encode("utf-16-le") + b"1", "utf-16-le", 3),
        ((HEADER + ROW).replace("\n", "\r").encode("utf-16-be") + b"\xdc\x00\x00,", "utf-16-be", 3),
    ],
)
def test_bytes_that_a_declared_encoding_does_not_have_are_refused_by_line(content: bytes, encoding: str, line: int):
    code, message, advice = refusal(content, encoding=encoding)
    assert (code, f"Line {line} " in message, "encoding" in advice) == ("notInEncoding", True, True)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("chunk", [1, 7, 1 << 16])
def test_utf_16_without_a_mark_is_read_where_every_first_character_has_a_zero_beside_it(encoding: str, chunk: int):
    content = (HEADER + ROW + "1,Zoë 鈴木 😀,Active\n").encode(encoding)
    assert rows(content, chunk)[1] == (3, ["1", "Zoë 鈴木 😀", "Active"])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_refused_where_it_begins_with_other_characters(encoding: str):
    content = ("Größe 鈴木 \n" + HEADER + ROW).encode(encoding)
    code, _, advice = refusal(content)
    assert (code, f"encoding: {encoding}" in advice) in (("notText", True), ("notUtf8", False))
    assert rows(content, encoding=encoding) == [(3, ["1", "Ana", "Active"])]


def test_a_declared_encoding_is_not_exchanged_for_utf_16():
    assert refusal((HEADER + ROW).encode("utf-16-le"), encoding="windows-1252")[0] == "notText"
    assert refusal((HEADER + ROW).encode("utf-16-le"), encoding="utf-8")[0] == "notText"


@pytest.mark.parametrize("content", [b"", b"\0", b"I\0", b"\0I\0", b"\0\0\0\0", b"I\0\0\0d\0\0\0", b"\0" * 99])
def test_a_few_bytes_or_other_zeros_are_not_taken_for_utf_16(content: bytes):
    assert refusal(content)[0] in ("emptyFile", "notText")


def test_a_nul_character_is_refused_in_utf_16_too():
    assert refusal((HEADER + "1,A\0na,Active\n").encode("utf-16"))[0] == "notText"


# The header


@pytest.mark.parametrize(
    "title", ["Workers as of today\n", '"An open quote\n', "a,b,c,d\n", '\n\n"x" y\n', "Id,Name\n"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_title_lines_above_the_header_are_skipped(title: str, end: str):
    text = title + "\n" + HEADER + ROW
    line = text.count("\n")
    assert rows(text.replace("\n", end)) == [(line, ["1", "Ana", "Active"])]


@pytest.mark.parametrize(("lines", "is_read"), [(0, True), (18, True), (19, True), (20, False), (60, False)])
def test_the_header_is_looked_for_in_the_first_twenty_lines(lines: int, is_read: bool):
    text = "title\n" * lines + HEADER + ROW
    if is_read:
        assert rows(text) == [(lines + 2, ["1", "Ana", "Active"])]
    else:
        assert refusal(text)[0] == "missingColumns"
        assert "header_row" in refusal(text)[2]
    assert rows(text, header_row=lines + 1) == [(lines + 2, ["1", "Ana", "Active"])]


def test_a_header_with_line_breaks_in_its_cells_is_found_below_a_title():
    assert rows('Title\n"Id",Name,Status,"Date\nof\nhire"\n1,Ana,Active,x\n') == [(5, ["1", "Ana", "Active", "x"])]


def test_a_declared_header_row_is_that_line_and_no_other():
    assert refusal("x\n" + HEADER + ROW, header_row=1)[0] == "missingColumns"
    assert refusal(HEADER + ROW, header_row=9)[0] == "noHeaderRow"


def test_columns_come_in_any_order_and_those_that_nobody_maps_are_told_once():
    hr_file = read("Salary,Status,,Id,Salary,Name\n9,Active,,1,9,Ana\n")
    assert [row.cells for row in hr_file.rows()] == [["9", "Active", "", "1", "9", "Ana"]]
    (notice,) = file_notices(hr_file)
    assert (notice.code, notice.rows, "(3)" in notice.message) == ("columnsIgnored", 0, True)


@pytest.mark.parametrize("name", ["status", "STATUS", "Ｓｔａｔｕｓ", "Sta tus", " Status ", "Status\u00a0"])
def test_a_column_that_only_looks_different_is_taken_and_told(name: str):
    hr_file = read(f"Id,Name,{name}\n" + ROW)
    assert hr_file.columns == list(MAPPED)
    assert len(list(hr_file.rows())) == 1
    assert [notice.code for notice in file_notices(hr_file)] == ["columnsMatchedLoosely"]


def test_a_column_that_is_written_as_mapped_is_taken_before_those_that_look_like_it():
    hr_file = read("Id,Name,STATUS,Status,status\n1,Ana,x,Active,y\n")
    assert hr_file.columns == ["Id", "Name", "STATUS", "Status", "status"]
    assert hr_file.header.loosely == {}


@pytest.mark.parametrize(
    ("header", "mapped", "code"),
    [
        ("Id,Name,status,STATUS", MAPPED, "ambiguousColumns"),
        ("Id,status", ("Id", "Status", "STATUS"), "ambiguousColumns"),
        ("Id,Status", ("Id", "Status", "STATUS"), "missingColumns"),
        ("Id,Name,Status,Status", MAPPED, "repeatedColumns"),
        ("Id,Name", MAPPED, "missingColumns"),
    ],
)
def test_a_column_that_could_be_another_is_refused(header: str, mapped: tuple[str, ...], code: str):
    assert refusal(header + "\n1,2\n", mapped=mapped)[0] == code


# Comments and trailers


def test_comment_lines_are_left_out_and_counted_as_lines():
    text = "# by HR\n" + HEADER + "# x,\n" + ROW + '#"\n2,"# no\n# comment",Active\n#'
    assert rows(text, comment="#") == [(4, ["1", "Ana", "Active"]), (6, ["2", "# no\n# comment", "Active"])]


def test_without_the_setting_nothing_is_a_comment():
    assert rows(HEADER + "#1,Ana,Active\n") == [(2, ["#1", "Ana", "Active"])]


TRAILER = {"first_cell": "TRAILER"}


@pytest.mark.parametrize(
    ("trailer", "end"),
    [
        (TRAILER, "TRAILER,2\n"),
        (TRAILER, " TRAILER , 0002 ,,\n\n,,\n"),
        (TRAILER, "TRAILER,2"),
        ({**TRAILER, "count_cell": 3}, "TRAILER,x,2\n"),
        ({**TRAILER, "also_counts": ["header", "trailer"]}, "TRAILER,4\n"),
    ],
)
def test_a_trailer_that_counts_the_rows_is_no_row(trailer: dict[str, Any], end: str):
    assert [line for line, _ in rows(HEADER + ROW + "\n" + ROW + end, trailer=trailer)] == [2, 4]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("TRAILER,1\n", "wrongRowCount"),
        ("TRAILER,3\n", "wrongRowCount"),
        ("TRAILER,2.0\n", "wrongRowCount"),
        ("TRAILER,²\n", "wrongRowCount"),
        ("TRAILER,\n", "wrongRowCount"),
        ("TRAILER\n", "wrongRowCount"),
        ("TRAILER,2\n" + ROW, "rowsAfterTrailer"),
        ("TRAILER,2\nTRAILER,2\n", "rowsAfterTrailer"),
        ("", "noTrailer"),
        ("trailer,2,\n", "noTrailer"),
        ("TRAI", "fileCut"),
    ],
)
def test_a_trailer_that_is_missing_or_counts_other_rows_refuses_the_file(end: str, code: str):
    found, message, advice = refusal(HEADER + ROW + ROW + end, trailer=TRAILER)
    assert found == code
    assert message
    assert advice


def test_a_file_with_a_trailer_and_no_row_is_refused():
    assert refusal(HEADER + "TRAILER,0\n", trailer=TRAILER)[0] == "noDataRows"
    assert refusal(HEADER + "TRAILER,7\n", trailer=TRAILER)[0] == "wrongRowCount"
    assert refusal(HEADER + "TRAILER,0\n" + ROW, trailer=TRAILER)[0] == "rowsAfterTrailer"


# The settings


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("separator: colon", "file.separator"),
        ("encoding: ebcdic", "file.encoding must be one of auto, utf-8"),
        ("header_row: 0", "file.header_row must be auto"),
        ("header_row: first", "file.header_row must be auto"),
        ("header_row: true", "file.header_row must be auto"),
        ("comment: #", "file.comment must be text in quotes"),
        ('comment: ","', "file.comment must be text in quotes"),
        ("trailer: TRAILER", "file.trailer must be a block of keys"),
        ("trailer: {first_cell: T, count_cell: 1}", "file.trailer.count_cell"),
        ("trailer: {count_cell: 2}", "file.trailer.first_cell is missing"),
        ("max_unpacked_ratio: 0", "file.max_unpacked_ratio"),
        ("seperator: comma", "file.seperator is not a known key"),
    ],
)
def test_a_layout_that_can_not_be_is_refused_with_its_line(line: str, words: str):
    with pytest.raises(FeedFileError) as refused:
        parse_feed(feed_file("file:", f"  {line}"))
    (problem,) = refused.value.problems
    assert problem.startswith("Line ")
    assert words in problem


def test_every_encoding_can_be_declared_in_any_letter_case():
    for name in ENCODINGS:
        assert parse_feed(feed_file("file:", f"  encoding: {name.upper()}")).file.encoding == name
        assert name == "auto" or "é1,".encode(name, "ignore").decode(name)


# Any file


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "separator": st.sampled_from(["auto", *SEPARATORS]),
        "encoding": st.sampled_from(ENCODINGS),
        "header_row": st.sampled_from(["auto", 1, 2, 3]),
        "comment": st.just("#"),
        "trailer": st.just({"first_cell": "T"}),
    },
)
PARTS = [*b'",;|\t\r\n #', 0, 0xFF, 0xFE, 0x81, 0xD8, 0x1F, 0x8B, 8]
CONTENT = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([*(bytes([part]) for part in PARTS), b"Id", b"Name", b"Status", b"T", b"1", HEADER.encode()]),
        max_size=60,
    ).map(b"".join),
    st.tuples(
        st.sampled_from([HEADER, HEADER.replace(",", ";")]), st.text(max_size=40), st.sampled_from(ENCODINGS)
    ).map(lambda made: (made[0] + made[1]).encode("utf-8" if made[2] == "auto" else made[2], "ignore")),
)


@PROPERTY
@given(CONTENT, SETTINGS, st.integers(1, 30))
def test_any_bytes_under_any_layout_are_rows_or_a_refusal(content: bytes, settings: dict[str, Any], chunk: int):
    try:
        hr_file = read(content, chunk, **settings)
        found = list(hr_file.rows())
    except HrFileError as refused:
        reason = refused.reason
        assert all((reason.code, reason.message, reason.advice))
    else:
        assert found
        assert set(MAPPED) <= set(hr_file.columns)
        assert [row.line for row in found] == sorted({row.line for row in found})
        file_notices(hr_file)


CELL = st.text(st.sampled_from("aé,;|\t\"' \r\n#½"), max_size=8)
TABLE = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5)


def is_utf_8(content: bytes) -> bool:
    """By chance, letters of another encoding can be UTF-8 throughout; then the file is refused."""
    try:
        return not content.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


@PROPERTY
@given(TABLE, st.integers(1, 40), st.data())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "windows-1252", "iso-8859-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("mark", SEPARATORS.values(), ids=SEPARATORS)
def test_any_table_comes_back_whatever_it_is_written_with(
    mark: str, end: str, encoding: str, cells: list[list[str]], chunk: int, data: st.DataObject
):
    text = io.StringIO(newline="")
    # Python's writer quotes a CR only where the line ends with one.
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])) if end == "\r\n" else csv.QUOTE_ALL
    kept = [row for row in cells if any(map(str.strip, row))]
    # A trailing row keeps the table from being empty and shows that no row before it swallowed another.
    csv.writer(text, delimiter=mark, lineterminator=end, quoting=quoting).writerows([MAPPED, *cells, ["last", "", ""]])
    declared = "auto" if encoding == "utf-8" else encoding
    assume(declared == "auto" or encoding.startswith("utf-16") or not is_utf_8(text.getvalue().encode(encoding)))
    found = rows(text.getvalue().encode(encoding), chunk, encoding=declared)
    assert [row for _, row in found] == [*kept, ["last", "", ""]]
