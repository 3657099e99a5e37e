"""Cells of workbooks as text, and error cells put where the reading library keeps them."""

from __future__ import annotations

import datetime as dt
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import HrFileError
from shared.inbound.reading.workbook_binary import mended_xls_stream, mended_xlsb_sheet
from shared.inbound.reading.workbook_cells import CELL_ERRORS, cell_text
from shared.inbound.reading.workbook_xml import mended_ods_content, mended_xlsx_sheet
from tests.platform.workbooks import small_xls_stream, xls_record
from tests.unit.builders import PROPERTY, pieces

TEXTS = {
    "nothing": (None, ""),
    "an empty text": ("", ""),
    "a text with spaces and zeros": (" 007 ", " 007 "),
    "true": (True, "TRUE"),
    "false": (False, "FALSE"),
    "an integer": (701984, "701984"),
    "a whole number": (701984.0, "701984"),
    "a negative whole number": (-5.0, "-5"),
    "nothing below zero": (-0.0, "0"),
    "a fraction": (1.5, "1.5"),
    "a fraction that no float is": (0.1, "0.1"),
    "a very small number": (1e-7, "0.0000001"),
    "the largest exact number": (2.0**53, "9007199254740992"),
    "a number beyond exactness": (12345678901234567890.0, "12345678901234567000"),
    "a huge number": (1e21, "1000000000000000000000"),
    "no number": (float("nan"), "#NUM!"),
    "an infinite number": (float("-inf"), "#NUM!"),
    "a date": (dt.date(2021, 5, 1), "2021-05-01"),
    "a moment at midnight": (dt.datetime(2021, 5, 1), "2021-05-01"),
    "a moment": (dt.datetime(2021, 5, 1, 8, 30), "2021-05-01T08:30:00"),
    "a moment just before the second": (dt.datetime(2021, 5, 1, 8, 29, 59, 999_999), "2021-05-01T08:30:00"),
    "a moment just before midnight": (dt.datetime(2021, 4, 30, 23, 59, 59, 999_500), "2021-05-01"),
    "a moment just after midnight": (dt.datetime(2021, 5, 1, 0, 0, 0, 400), "2021-05-01"),
    "the last moment": (dt.datetime.max, "9999-12-31T23:59:59"),
    "an early date": (dt.date(800, 1, 2), "0800-01-02"),
    "a time": (dt.time(8, 30), "08:30:00"),
    "a time just before the second": (dt.time(8, 29, 59, 999_999), "08:30:00"),
    "a time just before midnight": (dt.time(23, 59, 59, 999_999), "24:00:00"),
    "a span": (dt.timedelta(hours=30, minutes=5), "30:05:00"),
    "a negative span": (-dt.timedelta(hours=1, seconds=1), "-1:00:01"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_cell_has_one_text(kind: str):
    value, text = TEXTS[kind]
    assert cell_text(value) == text


def test_a_value_of_an_unknown_type_is_no_text():
    with pytest.raises(TypeError, match="complex"):
        cell_text(1j)


@PROPERTY
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value_and_has_no_exponent(number: float):
    text = cell_text(number)
    assert float(text) == number
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]*[1-9])?", text)


def mended(content: str, chunk: int = 1 << 16, kind: str = "xlsx") -> str:
    mend = mended_xlsx_sheet if kind == "xlsx" else mended_ods_content
    return b"".join(mend(pieces(content.encode(), chunk))).decode()


XLSX_CELLS = {
    "an error": ('<c r="B2" t="e"><v>#N/A</v></c>', "#N/A"),
    "an error in single quotes": ("<c r='B2' t='e'><v>#REF!</v></c>", "#REF!"),
    "an error with a prefix": ('<x:c r="B2" t = "e" s="1"><x:v>#DIV/0!</x:v></x:c>', "#DIV/0!"),
    "an error of a formula": ('<c t="e" r="B2"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
    "an error that is new": ('<c r="B2" t="e"><v>#SPILL!</v></c>', "#VALUE!"),
    "an error without its name": ('<c r="B2" t="e"/>', "#VALUE!"),
    "an error beside an odd attribute": ('<c r="B2" x="a>b" t="e"><v>#N/A</v></c>', "#N/A"),
    "a formula never computed": ('<c r="B2"><f>A1&amp;"x"</f><v /></c>', "#N/A"),
    "a formula without any value": ('<c r="B2" t="n"><f>A1</f></c>', "#N/A"),
    "a text formula without any value": ('<c r="B2" t="str"><f>A1</f></c>', "#N/A"),
    "a shared formula never computed": ('<c r="B2"><f t="shared" si="0"/></c>', "#N/A"),
}
XLSX_GOOD = {
    "a formula with a value": '<c r="B2"><f>A1</f><v>5</v></c>',
    "a formula whose text is empty": '<c r="B2" t="str"><f>A1</f><v></v></c>',
    "a number": '<c r="B2" s="3"><v>5</v></c>',
    "a text like an error's type": '<c r="B2" t="inlineStr"><is><t>a t="e" b</t></is></c>',
    "a blank cell with a format": '<c r="B2" s="3"/>',
    "a column": '<cols><col min="1" t="e"/></cols>',
}
ROW = '<row r="2"><c r="A2"><v>1</v></c>{}<c r="C2" t="s"><v>0</v></c></row><tail t="e"/>'


@pytest.mark.parametrize("kind", XLSX_CELLS)
def test_an_error_cell_of_an_xlsx_becomes_text(kind: str):
    cell, error = XLSX_CELLS[kind]
    made = mended(ROW.format(cell))
    before, after = ROW.split("{}")
    assert made.startswith(before)
    assert made.endswith(after)
    cell_made = made[len(before) : -len(after)]
    assert re.search(r'\st="str"', cell_made)
    assert not re.search(r"<(\w+:)?f", cell_made)
    assert re.search(r"v>(.*)</(?:x:)?v>", cell_made)[1] == error
    assert ('r="B2"' in cell_made or "r='B2'" in cell_made) == ("B2" in cell)
    assert error in CELL_ERRORS


@pytest.mark.parametrize("kind", XLSX_GOOD)
def test_every_other_cell_of_an_xlsx_stays(kind: str):
    content = ROW.format(XLSX_GOOD[kind])
    assert mended(content) == content
    assert mended(content + XLSX_CELLS["an error"][0]).startswith(content)


@pytest.mark.parametrize("value", ["<![CDATA[5]]>", "<!-- five -->5", "1<!-- -->5"])
def test_a_value_of_which_the_library_would_leave_out_a_part_is_refused(value: str):
    with pytest.raises(HrFileError) as refused:
        mended(ROW.format(f'<c r="B2"><v>{value}</v></c>'))
    assert refused.value.reason.code == "damagedWorkbook"


@PROPERTY
@given(st.lists(st.sampled_from([*XLSX_GOOD.values(), *(cell for cell, _ in XLSX_CELLS.values())])), st.integers(1, 80))
def test_mending_does_not_depend_on_how_the_bytes_are_cut(cells: list[str], chunk: int):
    content = "".join(map(ROW.format, cells))
    assert mended(content, chunk) == mended(content, 1 << 20)


def test_a_cell_of_any_length_is_refused_before_it_fills_the_memory():
    endless = (b"<c r='A1'>" if number == 0 else b"x" * 1_000_000 for number in range(10_000))
    with pytest.raises(HrFileError) as refused:
        list(mended_xlsx_sheet(endless))
    assert refused.value.reason.code == "workbookTooLarge"


CELL = "table:table-cell"
ODS_CELLS = {
    "LibreOffice": (
        f'<{CELL} table:formula="of:=1/0" office:value-type="string" office:string-value="" '
        f'calcext:value-type="error"><text:p>#DIV/0!</text:p></{CELL}>',
        "#DIV/0!",
    ),
    "LibreOffice in German": (
        f'<{CELL} office:value-type="string" office:string-value="" calcext:value-type="error">'
        f"<text:p>#WERT!</text:p></{CELL}>",
        "#VALUE!",
    ),
    "a number is stored": (
        f'<{CELL} office:value-type="float" office:value="0"><text:p>#N/A</text:p></{CELL}>',
        "#N/A",
    ),
    "an own code": (f'<{CELL} office:value-type="float" office:value="0"><text:p>Err:502</text:p></{CELL}>', "#VALUE!"),
    "a formula never computed": (f'<{CELL} table:formula="of:=1/0"/>', "#N/A"),
    "a comment": (
        f'<{CELL} office:value-type="float" office:value="0"><office:annotation><text:p>see</text:p>'
        f"</office:annotation><text:p>#REF!</text:p></{CELL}>",
        "#REF!",
    ),
}


@pytest.mark.parametrize("kind", ODS_CELLS)
def test_an_error_cell_of_an_ods_becomes_text(kind: str):
    cell, error = ODS_CELLS[kind]
    repeated = cell.replace(CELL, f'{CELL} table:number-columns-repeated="3"', 1)
    made = mended(f"<table:table-row>{repeated}</table:table-row>", kind="ods")
    assert f'office:value-type="string"><text:p>{error}</text:p></{CELL}></table:table-row>' in made
    assert 'table:number-columns-repeated="3"' in made
    assert "string-value" not in made
    assert "office:value=" not in made


def test_every_other_cell_of_an_ods_stays():
    cell = f'<{CELL} office:value-type="float" office:value="1"><text:p>1</text:p></{CELL}><{CELL}/>'
    formula = f'<{CELL} table:formula="of:=A1" office:value-type="string" office:string-value=""><text:p/></{CELL}>'
    number = f'<{CELL} office:value-type="string"><text:p>#1 of the team</text:p></{CELL}>'
    assert mended(cell + formula + number, kind="ods") == cell + formula + number


def test_the_records_of_an_xlsb_keep_their_places():
    start = struct.pack("<II", 4, 1)
    rk = b"\x02\x0c" + start + struct.pack("<i", -44317 << 2 | 2)
    hundredth = b"\x02\x0c" + start + struct.pack("<i", 150 << 2 | 3)
    error = b"\x03\x09" + start + b"\x2a"
    rare = b"\xaa\x03\x80\x01" + b"\x02" * 128
    text = "#N/A".encode("utf-16-le")
    as_text = b"\x06\x14" + start + struct.pack("<I", 4) + text
    as_real = b"\x05\x10" + start + struct.pack("<d", -44317)
    assert mended_xlsb_sheet(rare + rk + hundredth + error + rare) == rare + as_real + hundredth + as_text + rare


def test_a_form_of_cells_that_the_library_leaves_out_is_refused():
    with pytest.raises(HrFileError, match="rare form"):
        mended_xlsb_sheet(b"\x81\x01\x00\x0d\x04\0\0\0\0")


def test_an_xls_still_finds_its_sheets():
    error = xls_record(0x205, struct.pack("<HHHBB", 0, 0, 0, 0x2A, 1))
    boolean = xls_record(0x205, struct.pack("<HHHBB", 0, 1, 0, 0x2A, 0))
    formula = xls_record(0x06, struct.pack("<HHHBBBBHHHI", 0, 2, 0, 2, 0, 0x17, 0, 0, 0xFFFF, 0, 0) + b"\0\0")
    before = small_xls_stream(boolean, before_sheet=error)
    made = mended_xls_stream(before)
    pointer = made.index(xls_record(0x85, bytes(14))[:4]) + 4
    assert made[struct.unpack_from("<I", made, pointer)[0] :].startswith(b"\x09\x08")
    assert len(made) > len(before)
    assert made.endswith(boolean + xls_record(0x0A))
    label = xls_record(0x204, struct.pack("<HHHHB", 0, 2, 0, 5, 0) + b"#REF!")
    assert label in mended_xls_stream(small_xls_stream(formula))


@pytest.mark.parametrize("method", [0, 1], ids=["obfuscated", "encrypted"])
def test_an_xls_with_a_password_is_refused(method: int):
    with pytest.raises(HrFileError) as refused:
        mended_xls_stream(small_xls_stream(before_sheet=xls_record(0x2F, struct.pack("<HHH", method, 1, 2))))
    assert refused.value.reason.code == "encryptedWorkbook"
