"""The program that reads one workbook in a process of its own: `python -m shared.adapters.workbook_child`.

The reading library holds a sheet densely in memory, and its panics and failed allocations end the process; so this
process may end at any moment, and its parent makes a refusal of that. It takes one JSON object on standard input and
prints one JSON value a line: "ready", then [row number, [text, ...]] for each row, at last "end" or
{"refused": [code, message, advice]}.
"""

from __future__ import annotations

import contextlib
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from shared.errors import HrFileError
from shared.inbound.reading.compound_file import compound_file, streams_of
from shared.inbound.reading.workbook_binary import mended_xls_stream, mended_xlsb_sheet
from shared.inbound.reading.workbook_cells import (
    MAX_ROW_CHARACTERS,
    WorkbookLimits,
    cell_text,
    damaged_workbook,
    encrypted_workbook,
    workbook_too_large,
)
from shared.inbound.reading.workbook_xml import mended_ods_content, mended_xlsx_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 256 * 1024
_SHEETS_NAMED = 20
_BEGIN_SHEET = b"\x81\x01"


def main() -> None:
    """Read what standard input asks for."""
    request = orjson.loads(sys.stdin.buffer.read())
    limits = WorkbookLimits(**request["limits"])
    output = sys.stdout.buffer
    output.write(b'"ready"\n')
    output.flush()
    _bound_this_process(limits)
    try:
        for row in _rows(Path(request["path"]), request["sheet"], limits):
            output.write(orjson.dumps(row) + b"\n")
        last: object = "end"
    except BaseException as error:  # noqa: BLE001 - a panic of the library is no Exception
        reason = _refusal(error, limits).reason
        last = {"refused": [reason.code, reason.message, reason.advice]}
    output.write(orjson.dumps(last) + b"\n")
    output.flush()


def _bound_this_process(limits: WorkbookLimits) -> None:
    """Limits that the system enforces; macOS takes RLIMIT_AS and does not keep it, so there it is not set.

    The memory that this process has by now is given in addition: it is the interpreter's.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.max_seconds, limits.max_seconds + 1))
        if sys.platform.startswith("linux"):
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            memory = taken + limits.max_megabytes_memory * 1024 * 1024
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _refusal(error: BaseException, limits: WorkbookLimits) -> HrFileError:
    if isinstance(error, HrFileError):
        return error
    if isinstance(error, PasswordError):
        return encrypted_workbook()
    if isinstance(error, MemoryError) or "capacity overflow" in str(error):
        return workbook_too_large(f"needs more than {limits.max_megabytes_memory} MiB of memory")
    return damaged_workbook()


def _rows(path: Path, wanted: str | int | None, limits: WorkbookLimits) -> Iterator[tuple[int, list[str]]]:
    mended = {".xls": _mended_xls, ".xlsx": _mended_zip, ".xlsb": _mended_zip, ".ods": _mended_zip}[path.suffix](path)
    sheet = _sheet(CalamineWorkbook.from_path(mended), wanted)
    if sheet.start is None or sheet.end is None:
        raise _empty(f"The sheet {sheet.name} has no cell with anything in it.")
    left = [""] * sheet.start[1]
    if sheet.end[1] >= limits.max_columns:
        raise workbook_too_large(f"has more than {limits.max_columns} columns in use in the sheet {sheet.name}")
    count = 0
    for number, values in enumerate(sheet.iter_rows(), start=1):
        cells = left + [value if type(value) is str else cell_text(value) for value in values]
        if any(map(str.strip, cells)):
            count += 1
            _check_row(number, count, cells, limits)
            yield number, cells
    if not count:
        raise _empty(f"The sheet {sheet.name} has no cell with anything in it.")


def _check_row(number: int, count: int, cells: list[str], limits: WorkbookLimits) -> None:
    if count > limits.max_rows:
        raise workbook_too_large(f"has more than {limits.max_rows} rows")
    lengths = list(map(len, cells))
    if max(lengths) > limits.max_cell_characters:
        raise workbook_too_large(f"has a cell with more than {limits.max_cell_characters} characters in row {number}")
    if sum(lengths) > MAX_ROW_CHARACTERS:
        raise workbook_too_large(f"has more than {MAX_ROW_CHARACTERS} characters in row {number}")


def _sheet(book: CalamineWorkbook, wanted: str | int | None) -> CalamineSheet:
    """The sheet that is meant; a number counts all worksheets from 1, hidden ones too."""
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if wanted is None:
        return _only_sheet(book, [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible])
    names = [sheet.name for sheet in sheets]
    if isinstance(wanted, int):
        found = names[wanted - 1 : wanted] if wanted > 0 else []
    else:
        found = [n for n in names if n == wanted] or [n for n in names if n.casefold() == wanted.casefold()]
    if len(found) == 1:
        return book.get_sheet_by_name(found[0])
    raise HrFileError(
        "noSheet",
        f"The workbook has no sheet {wanted}. Its sheets: {_listed(names)}.",
        "Correct sheet under file in the feed file, or the name of the sheet.",
    )


def _only_sheet(book: CalamineWorkbook, names: list[str]) -> CalamineSheet:
    used: list[CalamineSheet] = []
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if sheet.start is not None:
            used.append(sheet)
    if not used:
        raise _empty("The workbook has no visible sheet with anything in it.")
    if len(used) > 1:
        raise HrFileError(
            "ambiguousSheet",
            f"Several sheets have something in them: {_listed([sheet.name for sheet in used])}.",
            f"Say which is meant under file in the feed file, such as sheet: {used[0].name}.",
        )
    return used[0]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHEETS_NAMED]) + (" and more" if len(names) > _SHEETS_NAMED else "")


def _empty(message: str) -> HrFileError:
    return HrFileError("emptyFile", message, "Export the file again and drop it again.")


def _mended_zip(path: Path) -> Path:
    """The workbook with error cells as text: the same file where that changes nothing, else another beside it."""
    with zipfile.ZipFile(path) as old:
        names = old.namelist()
        if len(set(names)) < len(names):
            raise damaged_workbook()
        if all(_checksum(_mended_part(old, entry.filename)) == entry.CRC for entry in old.infolist()):
            return path
        made = path.with_name("mended" + path.suffix)
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
            for name in names:
                with new.open(name, "w") as target:
                    for piece in _mended_part(old, name):
                        target.write(piece)
    return made


def _checksum(pieces: Iterator[bytes]) -> int:
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return checksum


def _mended_part(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as part:
        pieces = iter(lambda: part.read(_PIECE), b"")
        lower = name.lower()
        if lower.endswith(".bin"):
            content = b"".join(pieces)
            yield mended_xlsb_sheet(content) if content.startswith(_BEGIN_SHEET) else content
        elif lower == "content.xml":
            yield from mended_ods_content(pieces)
        elif lower.endswith(".xml") and not lower.endswith("sharedstrings.xml"):
            yield from mended_xlsx_sheet(pieces)
        else:
            yield from pieces


def _mended_xls(path: Path) -> Path:
    """As `_mended_zip`."""
    streams = streams_of(path.read_bytes())
    if "EncryptedPackage" in streams:
        raise encrypted_workbook()
    name = next(name for name in ("Workbook", "Book", "WORKBOOK", "BOOK") if name in streams)
    stream = streams[name]()
    mended = mended_xls_stream(stream)
    if mended == stream:
        return path
    made = path.with_name("mended.xls")
    made.write_bytes(compound_file(mended))
    return made


if __name__ == "__main__":
    main()
