"""HR files: bytes to rows, or a refusal that says on which line; never rows that nobody wrote."""

from __future__ import annotations

import csv
import io
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import HrFileError
from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.reading.header_search import MAX_COLUMNS
from shared.inbound.reading.hr_file import HrFile
from shared.inbound.reading.text_lines import MAX_LINE_BYTES
from tests.unit.builders import PROPERTY, pieces

BOM = b"\xef\xbb\xbf"


def table(content: bytes, chunk: int = 1 << 16) -> tuple[list[str], list[tuple[int, list[str]]]]:
    hr_file = HrFile(pieces(content, chunk))
    return hr_file.columns, [(row.line, row.cells) for row in hr_file.rows()]


def rows(content: bytes, chunk: int = 1 << 16) -> list[tuple[int, list[str]]]:
    return table(content, chunk)[1]


def refusal(content: bytes, chunk: int = 1 << 16) -> tuple[str, str]:
    with pytest.raises(HrFileError) as refused:
        table(content, chunk)
    assert refused.value.reason.advice
    return refused.value.reason.code, refused.value.reason.message


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a,b\n1,2\n", [(2, ["1", "2"])]),
        (b"a,b\r\n1,2\r\n", [(2, ["1", "2"])]),
        (b"a,b\n1,2\r\n3,4\n", [(2, ["1", "2"]), (3, ["3", "4"])]),
        (b"a,b\n1,2", [(2, ["1", "2"])]),
        (b"a,b\r\n1,2\r", [(2, ["1", "2"])]),
        (BOM + b"a,b\n1,2\n", [(2, ["1", "2"])]),
        (b' a ,"b"\n1,2\n', [(2, ["1", "2"])]),
        (b"a,b\n1,\n", [(2, ["1", ""])]),
        (b"a,b\n 1 ,2\n", [(2, [" 1 ", "2"])]),
        (b'a,b\n"1,5",2\n', [(2, ["1,5", "2"])]),
        (b'a,b\n"say ""hi""",2\n', [(2, ['say "hi"', "2"])]),
        (b'a,b\n"",""\n"",1\n', [(3, ["", "1"])]),
        (b'a,b\n5" nail,2\n', [(2, ['5" nail', "2"])]),
        (b'a,b\n"1\n2",3\n4,5\n', [(2, ["1\n2", "3"]), (4, ["4", "5"])]),
        (b'a,b\n"1\r\n2",3\r\n4,5\r\n', [(2, ["1\r\n2", "3"]), (4, ["4", "5"])]),
        (b'a,b\n"1\r2",3\n4,5\n', [(2, ["1\r2", "3"]), (3, ["4", "5"])]),
        (b'"a\n",b\n1,2\n', [(3, ["1", "2"])]),
        (b"a,b\r1,2\r3,4", [(2, ["1", "2"]), (3, ["3", "4"])]),
        (b'a,b\r"1\r2",3\r4,"5\n6"\r7,8\r', [(2, ["1\r2", "3"]), (4, ["4", "5\n6"]), (5, ["7", "8"])]),
        (b"a,b\r\r1,2\r", [(3, ["1", "2"])]),
        (b"\n\na,b\n\n1,2\n\n\n3,4\n\n", [(5, ["1", "2"]), (8, ["3", "4"])]),
        (b"a,b\n   \n,\n , ,\n1,2\n,\n", [(5, ["1", "2"])]),
        (b"a,b\n1\n1,2,3\n", [(2, ["1"]), (3, ["1", "2", "3"])]),
        ("a,b\nZoë,鈴木\n".encode(), [(2, ["Zoë", "鈴木"])]),
        ("a,b\n1\x852,3\u20284\n".encode(), [(2, ["1\x852", "3\u20284"])]),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 16], ids=lambda size: f"chunks of {size}")
def test_rows_come_with_the_line_on_which_they_begin(content: bytes, found: list[tuple[int, list[str]]], chunk: int):
    columns, data = table(content, chunk)
    assert columns == ["a", "b"]
    assert data == found


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "emptyFile", None),
        (BOM, "emptyFile", None),
        (b"\n\r\n  \n", "emptyFile", None),
        (b"a,b", "noDataRows", None),
        (b"a,b\n", "noDataRows", None),
        (b"a,b\r\n\r\n\n", "noDataRows", None),
        (b"a,b\n,\n,\n", "noDataRows", None),
        (b"a,b\n1,2\n3", "fileCut", 3),
        (b'a,b,c\n1,2,3\n"4\n5",6', "fileCut", 3),
        (b'a,b\n1,2\n3,"4', "quoteNeverClosed", 3),
        (b'a,b\n1,2\n3,"4\n5,6\n7,8\n', "quoteNeverClosed", 3),
        (b'"a,b\n1,2\n', "quoteNeverClosed", 1),
        (b'a,b\n1,"2"3\n', "notCsv", 2),
        (b'a,b\n1,"2" \n', "notCsv", 2),
        (b"a,b\n1,2\r3,4\n", "lineEndings", 2),
        (b"a,b\r1,2\n3,4\r", "lineEndings", 2),
        (b"a,b\n1,2\n1\0,2\n", "notText", 3),
        ("a,b\n1,2\n".encode("utf-32-le"), "notText", 1),
        ("a,b\n1,2\nZoë,3\n".encode("latin-1"), "notUtf8", 3),
        ("a,b\n1,2\nZoë\n".encode()[:-2], "notUtf8", 3),
        (b'a,b\n"1\n\xff",2\n', "notUtf8", 3),
        (b"\xed\xa0\x80,b\n1,2\n", "notUtf8", 1),
        (b"PK\x03\x04\x14\x00\x06\x00", "damagedArchive", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook", None),
        (b"\xd0\xcf\x11\xe0 no workbook", "damagedWorkbook", None),
        (b"a,b\n1," + b"x" * 140_000 + b"\n", "cellTooLong", 2),
        (b"a" * (MAX_LINE_BYTES + 1), "lineTooLong", 1),
        (b"a,b\n1,2\n" + b"," * (MAX_LINE_BYTES + 1), "lineTooLong", 3),
        (b",".join([b"a"] * (MAX_COLUMNS + 1)) + b"\n1\n", "tooManyColumns", 1),
        (b'a,b\n1,2\n3,"' + b"\n" * 2000, "quoteNeverClosed", 3),
    ],
    ids=lambda value: value[:25] if isinstance(value, bytes) else None,
)
def test_what_is_no_hr_file_is_refused_with_the_line_where_there_is_one(content: bytes, code: str, line: int | None):
    found, message = refusal(content)
    assert found == code
    assert re.findall(r"[Ll]ine (\d+)", message) == ([] if line is None else [str(line)])


def test_a_line_and_a_cell_and_a_header_of_the_greatest_size_are_read():
    cell = "x" * 131_000
    line = ",".join([cell] * 8).encode()
    assert len(line) < MAX_LINE_BYTES
    assert rows(b"a\n" + line + b"\n") == [(2, [cell] * 8)]
    header = ",".join(f"c{n}" for n in range(MAX_COLUMNS)).encode()
    assert len(table(header + b"\n1,2\n")[0]) == MAX_COLUMNS


def test_an_address_of_many_lines_is_one_cell():
    address = "\n".join(["street"] * 500)
    assert rows(f'a,b\n"{address}",2\n3,4\n'.encode()) == [(2, [address, "2"]), (502, ["3", "4"])]


def test_one_wrong_byte_at_the_end_voids_the_rows_before_it_only_once_it_is_read():
    hr_file = HrFile([b"a,b\n" + b"1,2\n" * 200_000, b"\xff,8\n"])
    data = hr_file.rows()
    assert [next(data).line, next(data).line] == [2, 3]
    with pytest.raises(HrFileError, match="Line 200002 "):
        list(data)


@pytest.mark.parametrize("good", [0, 1, 254, 255, 256, 257, 1023, 1024, 5000])
@pytest.mark.parametrize(("bad", "code"), [(b'3,"4\n5,6\n', "quoteNeverClosed"), (b'1,"2"3\n4,5\n', "notCsv")])
def test_a_record_that_is_wrong_is_named_by_its_line_however_many_come_before_it(good: int, bad: bytes, code: str):
    found, message = refusal(b"a,b\n" + b'1,"2\n2"\n' * good + bad)
    assert (found, re.findall(r"line (\d+)", message)) == (code, [str(2 * good + 2)])


def test_blank_lines_and_breaks_within_cells_are_counted_across_batches():
    record = b'\n"1\n2",3\n,\n4,5\r\n'
    found = [line for line, _ in rows(b"a,b\n" + record * 2000, chunk=1000)]
    assert found == [line for n in range(2000) for line in (2 + 5 * n + 1, 2 + 5 * n + 4)]


def test_bytes_are_read_as_they_are_needed():
    taken = []

    def chunks():
        yield b"a,b\n"
        for number in itertools.count():
            taken.append(number)
            yield b"1,2\n" * 100_000

    data = HrFile(chunks()).rows()
    assert [next(data).line for _ in range(1000)][-1] == 1001
    assert len(taken) <= 3


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"a,b\n1,2\n3,4\n", None), (b"a,b\n1,2\n3,4", 3), (b'a,b\n1,2\n"3\n4",5', 3), (b"a,b\n1,2\r\n", None)],
)
def test_it_says_whether_the_last_row_ends_as_a_line_does(content: bytes, line: int | None):
    hr_file = HrFile([content])
    list(hr_file.rows())
    assert hr_file.row_without_line_end == line


def test_what_the_source_raises_comes_through():
    def chunks():
        yield b"a,b\n1,2\n"
        raise LookupError("the drop is gone")

    with pytest.raises(LookupError, match="gone"):
        list(HrFile(chunks()).rows())


def test_a_file_in_one_large_chunk_is_read_whole():
    assert len(rows(b"a,b\n" + b"1,2\n" * 80_000, chunk=1 << 20)) == 80_000


def test_empty_chunks_are_nothing():
    (row,) = HrFile([b"", b"a,b\n", b"", b"", b"1,2", b""]).rows()
    assert row.cells == ["1", "2"]


@pytest.mark.parametrize("size", range(1, 40))
def test_no_size_of_chunks_changes_what_is_read(size: int):
    content = BOM + 'Größe,"b ""q"""\r\n"鈴木\r\n😀",2\r\n\r\n,\r\n3,4'.encode()
    expected = (["Größe", 'b "q"'], [(2, ["鈴木\r\n😀", "2"]), (6, ["3", "4"])])
    assert table(content, size) == expected


@PROPERTY
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.sampled_from([b'"', b",", b"\r", b"\n", b"a", b" ", b"\0", b"\xff", BOM, "é".encode()])).map(
            b"".join
        ),
    ),
    st.integers(1, 20),
)
def test_any_bytes_are_rows_or_are_refused(content: bytes, chunk: int):
    try:
        columns, data = table(content, chunk)
    except HrFileError as refused:
        reason = refused.reason
        assert all((reason.code, reason.message, reason.advice))
    else:
        assert columns
        assert data
        assert [line for line, _ in data] == sorted({line for line, _ in data})


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TABLE = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
)


def not_blank(cells: list[list[str]]) -> list[list[str]]:
    """The rows that have anything in them; what spreadsheets leave below the table is no row."""
    return [row for row in cells if any(map(str.strip, row))]


@PROPERTY
@given(TABLE, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.integers(1, 30), st.booleans())
def test_any_table_comes_back_as_it_was_written(cells: list[list[str]], quoting: int, chunk: int, with_bom: bool):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting).writerows([[f"c{n}" for n in range(len(cells[0]))], *cells])
    content = BOM * with_bom + text.getvalue().encode()
    kept = not_blank(cells)
    if not kept:
        assert refusal(content, chunk)[0] == "noDataRows"
        return
    columns, data = table(content, chunk)
    assert columns == [f"c{n}" for n in range(len(cells[0]))]
    assert [found for _, found in data] == kept


@PROPERTY
@given(TABLE, st.data())
def test_a_file_that_was_cut_gives_no_row_that_nobody_wrote_but_in_its_last_cell(
    cells: list[list[str]], data: st.DataObject
):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[f"c{n}" for n in range(len(cells[0]))], *cells])
    whole = text.getvalue().encode()
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        found = [row for _, row in rows(cut)]
    except HrFileError:
        return
    kept = not_blank(cells)
    assert found[:-1] == kept[: len(found) - 1]
    assert found[-1][:-1] == kept[len(found) - 1][:-1]


def test_a_record_of_more_than_a_thousand_lines_is_refused_and_one_of_a_thousand_is_read():
    def content(breaks: int) -> bytes:
        return b"a,b\n1,2\n" + b'3,"' + b"x\n" * breaks + b'"\n5,6\n'

    assert [line for line, _ in rows(content(990))] == [2, 3, 994]
    code, message = refusal(content(1001))
    assert (code, re.findall(r"line (\d+)", message)) == ("quoteNeverClosed", ["3"])


@pytest.mark.parametrize("line", [b'"\n",' + b"y," * 1000, b'"\n",' + b"y," * 250_000], ids=["short", "long"])
def test_a_row_that_never_ends_is_refused_before_it_fills_the_memory(line: bytes):
    taken = 0

    def chunks():
        nonlocal taken
        yield b"a,b\n1,"
        while True:
            taken += len(line)
            yield line

    with pytest.raises(HrFileError) as refused:
        list(HrFile(chunks()).rows())
    assert re.search(r"line \d+", refused.value.reason.message)
    assert taken < 100 * MAX_LINE_BYTES


def test_a_workbook_is_what_the_reader_makes_of_it():
    def read(file, layout):
        assert file.read(4) == b"\xd0\xcf\x11\xe0"
        yield from [(1, ["Title", ""]), (3, ["b", "a"]), (4, ["", " "]), (7, ["x", "2021-05-13"])]

    hr_file = HrFile([b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)], mapped=["a", "b"], read_workbook=read)
    with hr_file:
        assert (hr_file.columns, hr_file.has_typed_dates) == (["b", "a"], True)
        assert [(row.line, row.cells) for row in hr_file.rows()] == [(7, ["x", "2021-05-13"])]


def test_json_is_read_as_what_it_is():
    hr_file = HrFile([b'[{"a": "1", "b": "x"},', b'{"b": "y", "a": "2"}]'], mapped=["a", "b"])
    rows = [(row.line, dict(zip(hr_file.columns, row.cells, strict=True))) for row in hr_file.rows()]
    assert rows == [(1, {"a": "1", "b": "x"}), (2, {"a": "2", "b": "y"})]


@pytest.mark.parametrize(
    ("content", "declared"),
    [(b"a,b\n1,2\n", "workbook"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "csv")],
)
def test_a_declared_format_is_not_exchanged_for_another(content: bytes, declared: str):
    with pytest.raises(HrFileError) as refused:
        HrFile([content], FileLayout(format=declared), ["a"])
    assert refused.value.reason.code == "otherFormat"
