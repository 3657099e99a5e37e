"""Sheets of .xlsb and .xls with their error cells as text cells, which the reading library gives as blank."""

from __future__ import annotations

import struct

from shared.errors import HrFileError
from shared.inbound.reading.workbook_cells import ERROR_OF_CODE, UNNAMED_ERROR, encrypted_workbook

_RK, _ERROR, _REAL, _TEXT, _FORMULA_ERROR = 2, 3, 5, 6, 11
_SHORT_CELLS = range(12, 19)


def mended_xlsb_sheet(part: bytes) -> bytes:
    """A worksheet part of an .xlsb ([MS-XLSB] 2.1.4), with error cells as text and whole numbers in the long form.

    Raises:
        HrFileError: there are cells in a form that the reading library leaves out.
        IndexError, struct.error: the part was cut.
    """
    made, kept, at = [], 0, 0
    while at < len(part):
        start, number, at = at, part[at], at + 1
        if number >= 0x80:
            number, at = number & 0x7F | (part[at] & 0x7F) << 7, at + 1
        size = shift = 0
        while True:
            byte, at = part[at], at + 1
            size, shift = size | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80 or shift == 28:
                break
        if number in (_RK, _ERROR, _FORMULA_ERROR) and (mended := _mended_record(number, part, at)):
            made += [part[kept:start], mended]
            kept = at + size
        elif number in _SHORT_CELLS:
            raise HrFileError(
                "damagedWorkbook", "The workbook has cells in a rare form, which can't be read.", "Save it as .xlsx."
            )
        at += size
    return b"".join([*made, part[kept:]])


def _mended_record(number: int, part: bytes, at: int) -> bytes:
    """The record instead of the one whose payload begins at `at`: column, style, value; b"" where it is good."""
    if number == _RK:
        (value,) = struct.unpack_from("<i", part, at + 8)
        return b"\x05\x10" + part[at : at + 8] + struct.pack("<d", value >> 2) if value & 3 == 2 else b""
    text = ERROR_OF_CODE.get(part[at + 8], UNNAMED_ERROR).encode("utf-16-le")
    payload = part[at : at + 8] + struct.pack("<I", len(text) // 2) + text
    return bytes([_TEXT, len(payload)]) + payload


_BOF, _BOUND_SHEET, _FILE_PASS, _BOOL_ERR, _FORMULA_RECORD, _LABEL = 0x0809, 0x0085, 0x002F, 0x0205, 0x0006, 0x0204


def mended_xls_stream(stream: bytes) -> bytes:
    """The workbook stream of an .xls ([MS-XLS] 2.1.7.20), with error cells as text.

    Raises:
        HrFileError: it is encrypted.
        KeyError, struct.error: it was cut, or points to where no sheet begins.
    """
    made, moved, pointers, at = bytearray(), {}, [], 0
    is_biff8 = False
    while at + 4 <= len(stream):
        number, size = struct.unpack_from("<HH", stream, at)
        payload = stream[at + 4 : at + 4 + size]
        if number == _BOF:
            moved[at], is_biff8 = len(made), payload[:2] == b"\x00\x06"
        elif number == _BOUND_SHEET:
            pointers.append(len(made) + 4)
        elif number == _FILE_PASS:
            raise encrypted_workbook()
        elif (error := _error_in(number, payload)) is not None:
            text = ERROR_OF_CODE.get(error, UNNAMED_ERROR).encode()
            flags = b"\0" if is_biff8 else b""
            number, payload = _LABEL, payload[:6] + struct.pack("<H", len(text)) + flags + text
        made += struct.pack("<HH", number, len(payload)) + payload
        at += 4 + size
    for place in pointers:
        struct.pack_into("<I", made, place, moved[struct.unpack_from("<I", made, place)[0]])
    return bytes(made)


def _error_in(number: int, payload: bytes) -> int | None:
    """The code of the error that this record holds: as a cell's value, or as a formula's."""
    if number == _BOOL_ERR and payload[7:8] == b"\1":
        return payload[6]
    if number == _FORMULA_RECORD and payload[12:14] == b"\xff\xff" and payload[6] == 2:
        return payload[8]
    return None
