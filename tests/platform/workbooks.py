"""Workbooks for tests: a sheet is a list of rows, a cell a Python value, an `Error`, a `Formula` or a `Raw` part.

openpyxl writes .xlsx, xlwt .xls, odfpy .ods. No library writes .xlsb, so its records are laid by hand, just those that
a reader needs ([MS-XLSB] 2.4). Dates are cells with a number format, as Excel stores them.
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlwt
from odf.namespaces import OFFICENS, TABLENS
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableProperties
from odf.table import Table, TableCell, TableRow
from odf.text import P
from xlwt.CompoundDoc import XlsDoc

Rows = list[list[Any]]
ERROR_CODES = {
    "#NULL!": 0x00,
    "#DIV/0!": 0x07,
    "#VALUE!": 0x0F,
    "#REF!": 0x17,
    "#NAME?": 0x1D,
    "#NUM!": 0x24,
    "#N/A": 0x2A,
}


@dataclass(frozen=True)
class Error:
    """A cell with an error value; `formula`: the error is what a formula gave."""

    text: str
    formula: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula and the value that the program which saved the file had computed (None: it had none)."""

    text: str
    cached: Any = None


def workbook(kind: str, sheets: dict[str, Rows], *, hidden: tuple[str, ...] = (), date1904: bool = False) -> bytes:
    """A workbook of that kind: xlsx, xls, xlsb or ods (which has no date system of its own)."""
    makers = {"xlsx": _xlsx, "xls": _xls, "xlsb": _xlsb}
    return makers[kind](sheets, hidden, date1904) if kind in makers else _ods(sheets, hidden)


def _serial(value: Any, date1904: bool) -> float:
    """Days since the epoch; times are parts of a day."""
    if isinstance(value, dt.timedelta):
        return value / dt.timedelta(days=1)
    if isinstance(value, dt.time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86400
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    epoch = dt.datetime(1904, 1, 1) if date1904 else dt.datetime(1899, 12, 30)
    return (moment - epoch) / dt.timedelta(days=1)


def _style(value: Any) -> int:
    """Which of the five styles: number, date, moment, time, span."""
    kinds = (dt.datetime, dt.date, dt.time, dt.timedelta)
    found = next((number for number, kind in enumerate(kinds) if isinstance(value, kind)), None)
    return {None: 0, 0: 2, 1: 1, 2: 3, 3: 4}[found]


FORMATS = ("General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss", "[h]:mm:ss")


# --- xlsx


def _xlsx(sheets: dict[str, Rows], hidden: tuple[str, ...], date1904: bool) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.epoch = openpyxl.utils.datetime.MAC_EPOCH if date1904 else openpyxl.utils.datetime.WINDOWS_EPOCH
    cached: dict[str, str] = {}
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row, cells in enumerate(rows, 1):
            for column, value in enumerate(cells, 1):
                if value is not None:
                    _xlsx_cell(sheet.cell(row, column), value, cached)
    made = io.BytesIO()
    book.save(made)
    return edited(made.getvalue(), cached) if cached else made.getvalue()


def _xlsx_cell(cell: Any, value: Any, cached: dict[str, str]) -> None:
    """openpyxl writes no computed values, so those of formulas are put in afterwards."""
    if isinstance(value, Error):
        cell.value = f"=X{cell.row}" if value.formula else value.text
        if value.formula:
            cached[f'<c r="{cell.coordinate}"><f>X{cell.row}</f><v /></c>'] = (
                f'<c r="{cell.coordinate}" t="e"><f>X{cell.row}</f><v>{value.text}</v></c>'
            )
    elif isinstance(value, Formula):
        cell.value = f"={value.text}"
        text = escape(value.text)
        if value.cached is not None:
            kind = ' t="str"' if isinstance(value.cached, str) else ""
            cached[f'<c r="{cell.coordinate}"><f>{text}</f><v /></c>'] = (
                f'<c r="{cell.coordinate}"{kind}><f>{text}</f><v>{escape(str(value.cached))}</v></c>'
            )
    else:
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
        if _style(value):
            cell.number_format = FORMATS[_style(value)]


def edited(workbook: bytes, replacements: dict[str, str], part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """The zip with other text in one of its parts; each text to be replaced must be there."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == part:
                text = content.decode()
                for before, after in replacements.items():
                    assert before in text, before
                    text = text.replace(before, after)
                content = text.encode()
            new.writestr(entry.filename, content)
    return made.getvalue()


# --- xls


def _xls(sheets: dict[str, Rows], hidden: tuple[str, ...], date1904: bool) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = date1904
    styles = [xlwt.easyxf(num_format_str=text) for text in FORMATS]
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        sheet.visibility = 1 if name in hidden else 0
        for number, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, Error):
                    sheet.row(number).set_cell_error(column, ERROR_CODES[value.text])
                elif isinstance(value, Formula):
                    sheet.write(number, column, xlwt.Formula(value.text))
                elif _style(value):
                    sheet.row(number).set_cell_number(column, _serial(value, date1904), styles[_style(value)])
                elif value is not None:
                    sheet.write(number, column, value)
    if not sheets:
        book.add_sheet("Sheet1")
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


# --- ods


def _ods(sheets: dict[str, Rows], hidden: tuple[str, ...]) -> bytes:
    document = OpenDocumentSpreadsheet()
    unseen = Style(name="unseen", family="table")
    unseen.addElement(TableProperties(display="false"))
    document.automaticstyles.addElement(unseen)
    for name, rows in sheets.items():
        table = Table(name=name, stylename=unseen) if name in hidden else Table(name=name)
        for cells in rows:
            row = TableRow()
            for value in cells:
                row.addElement(_ods_cell(value))
            table.addElement(row)
        document.spreadsheet.addElement(table)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _ods_cell(value: Any) -> TableCell:
    attributes, text = _ods_value(value)
    cell = TableCell()
    for (namespace, name), content in attributes.items():
        cell.setAttrNS(namespace, name, content)
    if text is not None:
        for line in text.split("\n"):
            cell.addElement(P(text=line))
    return cell


_CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"


def _ods_value(value: Any) -> tuple[dict[tuple[str, str], str], str | None]:
    """Attributes and shown text, as LibreOffice writes them."""
    kind, name = (OFFICENS, "value-type"), (OFFICENS, "value")
    if isinstance(value, Formula):
        attributes, text = _ods_value(value.cached)
        return attributes | {(TABLENS, "formula"): f"of:={value.text}"}, text
    if isinstance(value, Error):
        # LibreOffice: a string without a value, the error in an extension's attribute and in the shown text.
        error = {kind: "string", (OFFICENS, "string-value"): "", (_CALCEXT, "value-type"): "error"}
        return error | {(TABLENS, "formula"): "of:=1/0"}, value.text
    if value is None:
        return {}, None
    if isinstance(value, str):
        return {kind: "string"}, value
    if isinstance(value, bool):
        return {kind: "boolean", (OFFICENS, "boolean-value"): str(value).lower()}, str(value).upper()
    if isinstance(value, (dt.datetime, dt.date)):
        return {kind: "date", (OFFICENS, "date-value"): value.isoformat()}, str(value)
    if isinstance(value, (dt.time, dt.timedelta)):
        seconds = round(_serial(value, False) * 86400)
        span = f"PT{seconds // 3600:02}H{seconds // 60 % 60:02}M{seconds % 60:02}S"
        return {kind: "time", (OFFICENS, "time-value"): span}, str(value)
    return {kind: "float", name: repr(value)}, str(value)


# --- xlsb


def _record(number: int, payload: bytes = b"") -> bytes:
    """Type in one or two bytes, length in up to four, seven bits each."""
    head = bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80, number >> 7])
    size, length = len(payload), b""
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | 0x80 if size else low])
        if not size:
            return head + length + payload


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def _xlsb_cell(column: int, value: Any, date1904: bool) -> bytes:
    start = struct.pack("<II", column, _style(value))
    no_formula = struct.pack("<HII", 0, 0, 0)
    if isinstance(value, Error):
        code = bytes([ERROR_CODES[value.text]])
        return _record(0x0B, start + code + no_formula) if value.formula else _record(3, start + code)
    if isinstance(value, Formula):
        return _record(9, start + struct.pack("<d", value.cached) + no_formula)
    if isinstance(value, bool):
        return _record(4, start + bytes([value]))
    if isinstance(value, str):
        return _record(6, start + _wide(value))
    number = _serial(value, date1904) if _style(value) else value
    if number == int(number) and abs(number) < 2**29:
        # Excel stores whole numbers, and so dates, in the short form.
        return _record(2, start + struct.pack("<i", int(number) << 2 | 2))
    return _record(5, start + struct.pack("<d", number))


def _xlsb_sheet(rows: Rows, date1904: bool) -> bytes:
    width = max((len(cells) for cells in rows), default=1) or 1
    size = struct.pack("<IIII", 0, max(len(rows), 1) - 1, 0, width - 1)
    made = [_record(0x81), _record(0x94, size), _record(0x91)]
    for number, cells in enumerate(rows):
        made.append(_record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0)))
        made += [_xlsb_cell(at, value, date1904) for at, value in enumerate(cells) if value is not None]
    return b"".join([*made, _record(0x92), _record(0x82)])


def _xlsb_styles() -> bytes:
    own = [(164 + number, text) for number, text in enumerate(FORMATS[1:])]
    made = _record(0x116) + _record(0x267, struct.pack("<I", len(own)))
    made += b"".join(_record(0x2C, struct.pack("<H", code) + _wide(text)) for code, text in own) + _record(0x268)
    codes = [0, *(code for code, _ in own)]
    made += _record(0x269, struct.pack("<I", len(codes)))
    made += b"".join(_record(0x2F, struct.pack("<HHHHHHHH", 0, code, *[0] * 6)) for code in codes)
    return made + _record(0x26A) + _record(0x117)


def _xlsb(sheets: dict[str, Rows], hidden: tuple[str, ...], date1904: bool) -> bytes:
    bundle = b"".join(
        _record(0x9C, struct.pack("<II", int(name in hidden), number) + _wide(f"rId{number}") + _wide(name))
        for number, name in enumerate(sheets, 1)
    )
    properties = _record(0x99, struct.pack("<II", int(date1904), 0) + _wide(""))
    book = (
        _record(0x83) + properties + _record(0x8F) + bundle + _record(0x90) + _record(0x9D, bytes(26)) + _record(0x84)
    )
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        f'worksheet" Target="worksheets/sheet{number}.bin"/>'
        for number, _ in enumerate(sheets, 1)
    )
    space = "http://schemas.openxmlformats.org/package/2006/"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{space}content-types"/>')
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/styles.bin", _xlsb_styles())
        rels = f'<Relationships xmlns="{space}relationships">{relations}</Relationships>'
        archive.writestr("xl/_rels/workbook.bin.rels", rels)
        for number, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{number}.bin", _xlsb_sheet(rows, date1904))
    return made.getvalue()


# --- compound files, which hold .xls and encrypted workbooks


def compound_file(stream: bytes, name: str = "Workbook") -> bytes:
    """A compound file with one large stream of that name."""
    made = io.BytesIO()
    XlsDoc().save(made, stream)
    usual = "Workbook".encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 18)
    assert made.getvalue().count(usual) == 1
    other = name.encode("utf-16-le")
    return made.getvalue().replace(usual, other.ljust(64, b"\0") + struct.pack("<H", len(other) + 2))


def small_compound_file(stream: bytes) -> bytes:
    """A compound file whose stream lies, as short ones do, in 64-byte pieces of the root entry's stream."""
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    pieces = -(-len(stream) // 64)
    assert pieces <= 8, "one sector is meant to hold it"

    def entry(text: str, kind: int, start: int, size: int, child: int) -> bytes:
        letters = text.encode("utf-16-le") + b"\0\0"
        return struct.pack("<64sHBBIII36xIQ", letters, len(letters), kind, 1, free, free, child, start, size)

    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        1,
        0,
        4096,
        2,
        1,
        end,
        0,
    )
    header += struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, end, end, end, *[free] * 124)
    directory = entry("Root Entry", 5, 3, pieces * 64, 1) + entry("Workbook", 2, 0, len(stream), free)
    small_table = struct.pack("<128I", *range(1, pieces), end, *[free] * (128 - pieces))
    return header + table + directory.ljust(512, b"\0") + small_table + stream.ljust(512, b"\0")


def xls_record(number: int, payload: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(payload)) + payload


def small_xls_stream(*cells: bytes, before_sheet: bytes = b"") -> bytes:
    """The workbook stream of an .xls with one sheet, of the given cell records."""
    bof = struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0)
    name = b"\6\0Sheet1"
    head = xls_record(0x809, bof) + before_sheet
    start = len(head) + len(xls_record(0x85, bytes(6) + name)) + 4
    book = head + xls_record(0x85, struct.pack("<IBB", start, 0, 0) + name) + xls_record(0x0A)
    return book + xls_record(0x809, bof.replace(b"\5\0", b"\x10\0", 1)) + b"".join(cells) + xls_record(0x0A)
