"""Sheets of .xlsx and .ods with their error cells as text cells, which the reading library gives as blank."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.reading.workbook_cells import CELL_ERRORS, NO_VALUE, UNNAMED_ERROR, damaged_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LONGEST_ELEMENT = 16 * 1024 * 1024

# An XML tag is matched up to its end, quoted attribute values included; possessive, so that nothing is tried twice.
_PREFIX = rb"(?:[^\s<>/:\"'=!?]++:)?"
_ATTRIBUTES = rb"((?:\s++[^\s<>/\"'=]++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+)\s*+"


def _element(name: bytes) -> re.Pattern[bytes]:
    """Groups: the name as it is written, the attributes, the content (None in an element that closes itself)."""
    return re.compile(rb"<(" + name + rb")" + _ATTRIBUTES + rb"(?:/>|>(.*?)</\1\s*>)", re.DOTALL)


_XLSX_CELL, _XLSX_START = _element(_PREFIX + b"c"), re.compile(rb"<" + _PREFIX + rb"c[\s/>]")
_XLSX_SUSPECT = re.compile(rb"\st\s*=\s*(?:\"e\"|'e')|<" + _PREFIX + rb"f[\s/>]|v>[^<]*<!")
_TYPE = re.compile(rb"\st\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_FORMULA = re.compile(rb"<" + _PREFIX + rb"f[\s/>]")
_SPLIT_VALUE = re.compile(rb"<" + _PREFIX + rb"v(?:\s[^<>]*)?>[^<]*<!")
_VALUE = re.compile(rb"<" + _PREFIX + rb"v(?:\s[^<>]*)?(?:/>|>([^<]*))")

_ODS_CELL, _ODS_START = _element(b"table:(?:covered-)?table-cell"), re.compile(rb"<table:(?:covered-)?table-cell[\s/>]")
_ODS_SUSPECT = re.compile(rb"[\"']error[\"']|>\s*(?:#|Err:)|table:formula")
_ODS_ERROR = re.compile(rb"\scalcext:value-type\s*=\s*[\"']error")
_ODS_TYPE = re.compile(rb"\soffice:value-type\s*=")
_ODS_VALUE = re.compile(
    rb"\s(?:office:[a-z-]*(?:value|currency)[a-z-]*|calcext:value-type)\s*=\s*(?:\"[^\"]*\"|'[^']*')"
)

_ODS_NOT_SHOWN = re.compile(rb"<office:annotation[\s>].*?</office:annotation\s*>|<[^>]*>", re.DOTALL)
_ODS_SHOWN_ERROR = re.compile(rb"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)|Err:[0-9]{3}")


def mended_xlsx_sheet(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A worksheet part of an .xlsx, with error cells, and formulas without a value, as text cells."""
    return _mended_xml(chunks, _XLSX_START, _XLSX_CELL, _XLSX_SUSPECT, _mended_xlsx_cell)


def mended_ods_content(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content.xml of an .ods, mended likewise. ODF has no error value: it is marked, or only shown."""
    return _mended_xml(chunks, _ODS_START, _ODS_CELL, _ODS_SUSPECT, _mended_ods_cell)


def _mended_xml(
    chunks: Iterable[bytes],
    cell_start: re.Pattern[bytes],
    cell: re.Pattern[bytes],
    suspect: re.Pattern[bytes],
    mended: Callable[[re.Match[bytes]], bytes],
) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        block = rest + chunk
        end = _end_of_cells(block, cell_start, cell)
        ready, rest = block[:end], block[end:]
        if len(rest) > _LONGEST_ELEMENT:
            raise HrFileError("workbookTooLarge", "A cell of the workbook is too long.", "No HR file has such cells.")
        yield cell.sub(mended, ready) if suspect.search(ready) else ready
    yield cell.sub(mended, rest)


def _end_of_cells(block: bytes, cell_start: re.Pattern[bytes], cell: re.Pattern[bytes]) -> int:
    """Up to where no cell and no tag is cut in two."""
    for window in (64 * 1024, len(block)):
        starts = [found.start() for found in cell_start.finditer(block, max(0, len(block) - window))]
        if starts:
            whole = cell.match(block, starts[-1])
            if not whole:
                return starts[-1]
            return max(whole.end(), block.rfind(b"<"))
    return max(block.rfind(b"<"), 0)


def _mended_xlsx_cell(found: re.Match[bytes]) -> bytes:
    name, attributes, content = found[1], found[2], found[3] or b""
    if b"<!" in content and _SPLIT_VALUE.search(content):
        raise damaged_workbook()  # the library would take a part of the value for all of it
    kind = _TYPE.search(attributes)
    written = (kind[1] or kind[2]) if kind else b"n"
    value = _VALUE.search(content)
    text = (value[1] or b"").strip() if value else b""
    if written == b"e":
        error = _named(text)
    elif text or not _FORMULA.search(content) or (written == b"str" and value) or written == b"inlineStr":
        return found[0]
    else:
        error = NO_VALUE.encode()
    prefix = name[:-1]
    others = _TYPE.sub(b"", attributes)
    return b'<%bc%b t="str"><%bv>%b</%bv></%bc>' % (prefix, others, prefix, error, prefix, prefix)


def _mended_ods_cell(found: re.Match[bytes]) -> bytes:
    name, attributes, content = found[1], found[2], found[3] or b""
    shown = _ODS_NOT_SHOWN.sub(b"", content).strip()
    if _ODS_ERROR.search(attributes) or _ODS_SHOWN_ERROR.fullmatch(shown):
        error = _named(shown)
    elif b"table:formula" in attributes and not shown and not _ODS_TYPE.search(attributes):
        error = NO_VALUE.encode()
    else:
        return found[0]
    others = _ODS_VALUE.sub(b"", attributes)
    return b'<%b%b office:value-type="string"><text:p>%b</text:p></%b>' % (name, others, error, name)


def _named(text: bytes) -> bytes:
    return (
        text.decode("ascii", "replace") if text.decode("ascii", "replace") in CELL_ERRORS else UNNAMED_ERROR
    ).encode()
