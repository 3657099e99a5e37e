"""Cells of workbooks: what a cell is as text, and what reading a workbook may take.

python-calamine 0.9.1 gives an error value (#N/A, #REF!) as an empty string, in every format, and a blank can clear an
attribute. It also gives a formula that was never computed as blank, and a date in an .xlsb as a bare number. So a sheet
is mended before it is read (`workbook_xml`, `workbook_binary`): each of its error cells becomes a text cell with one of
CELL_ERRORS.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from shared.errors import HrFileError

NO_VALUE = "#N/A"
UNNAMED_ERROR = "#VALUE!"
ERROR_OF_CODE = {
    **{0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: UNNAMED_ERROR, 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!"},
    **{0x2A: NO_VALUE, 0x2B: "#GETTING_DATA"},
}
CELL_ERRORS = frozenset(ERROR_OF_CODE.values())
"""The text of an error cell is one of these, in every format and language; what has no name of its own is #VALUE!."""
MAX_ROW_CHARACTERS = 1024 * 1024
"""A row with more text than this is no HR row."""
_EXACT = 2**53


@dataclass(frozen=True)
class WorkbookLimits:
    """How much a workbook may take. `max_rows` counts rows that have anything in them; `max_seconds` is computing time,
    and also how long, in sum, one waits for it."""

    max_megabytes_memory: int = 1024
    max_seconds: int = 300
    max_rows: int = 1_048_576
    max_columns: int = 1000
    max_cell_characters: int = 131_072


def cell_text(value: object) -> str:
    """A cell's value as text: plain digits, ISO 8601 dates, TRUE or FALSE.

    A span of time is hours, minutes and seconds, as the format [h]:mm:ss shows it: 30:00:00. Seconds are rounded,
    since Excel stores a moment as a fraction of days.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number(value)
        case dt.datetime():
            moment = _to_seconds(value)
            return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(timespec="seconds")
        case dt.date():
            return value.isoformat()
        case dt.time():
            rounded = _to_seconds(dt.datetime.combine(dt.date(2000, 1, 1), value))
            return "24:00:00" if rounded.day > 1 else rounded.time().isoformat(timespec="seconds")
        case dt.timedelta():
            return _span(round(value.total_seconds()))
    raise TypeError(type(value).__name__)


def _number(value: float) -> str:
    if isinstance(value, int) or (abs(value) <= _EXACT and value.is_integer()):
        return str(int(value))
    if value - value != 0.0:  # not a number, or infinite: neither is a value of a cell
        return "#NUM!"
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _span(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _to_seconds(moment: dt.datetime) -> dt.datetime:
    whole = moment.replace(microsecond=0)
    if moment.microsecond < 500_000 or whole == dt.datetime.max.replace(microsecond=0):
        return whole
    return whole + dt.timedelta(seconds=1)


def encrypted_workbook() -> HrFileError:
    """The refusal of a workbook that needs a password."""
    return HrFileError(
        "encryptedWorkbook",
        "The workbook is encrypted with a password.",
        "Save it without one: storage and transfer are encrypted already.",
    )


def damaged_workbook() -> HrFileError:
    """The refusal of what can't be read as a workbook."""
    return HrFileError(
        "damagedWorkbook",
        "The workbook is damaged, was cut, or is no workbook.",
        "Open it in Excel or LibreOffice, save it as .xlsx or as CSV UTF-8, and transfer that file whole.",
    )


def workbook_too_large(what: str) -> HrFileError:
    """The refusal of a workbook of which `what` is said, such as `has more than 1000 columns`."""
    return HrFileError(
        "workbookTooLarge",
        f"The workbook {what}.",
        "Delete what is no HR data, such as single cells far away from the others, or save the sheet as CSV UTF-8.",
    )
