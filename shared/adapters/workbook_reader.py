"""Rows of a workbook, which a child process reads: whatever a file does to that process, this one goes on.

The child's standard error is thrown away, since a panic can print what is in a cell.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Never

import orjson

from shared.errors import HrFileError
from shared.inbound.reading.archive import BoundedReads
from shared.inbound.reading.workbook_cells import (
    WorkbookLimits,
    damaged_workbook,
    encrypted_workbook,
    workbook_too_large,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.inbound.feeds.file_layout import FileLayout

__all__ = ["WorkbookLimits", "workbook_rows"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_MEGABYTE = 1024 * 1024
_MAX_UNPACKED = 1024 * _MEGABYTE
_SMALL, _MAX_RATIO = 16 * _MEGABYTE, 200
"""So much may come out of a workbook whatever its ratio; beyond that, so many times its packed size."""
_PIECE = 256 * 1024
_PASSED_ON = ("LD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR")
"""Of the environment the child gets what an interpreter needs to start, and nothing that opens anything."""
_MEMORY_SIGNALS = frozenset({signal.SIGABRT, signal.SIGKILL})
_ROOT = str(Path(__file__).parents[2])


def workbook_rows(
    file: IO[bytes], sheet: str | int | None, limits: WorkbookLimits | None = None
) -> Iterator[tuple[int, list[str]]]:
    """The rows of one sheet that have anything in them: the row's number as Excel shows it, and its cells as text.

    The first cell is that of column A, and all rows have the same number of cells. A formula is the value that was
    computed when the file was saved, an error one of `workbook_cells.CELL_ERRORS`. Of merged cells the first has the
    value. Close the generator to end the child early.

    Args:
        file: the whole workbook, seekable; its content decides which of .xlsx, .xls, .xlsb and .ods it is.
        sheet: a name (exactly, else in other letter case), a number from 1 that counts hidden worksheets too, or None
            for the only visible one with anything in it.
        limits: the defaults where left out.

    Raises:
        HrFileError: damagedWorkbook, encryptedWorkbook, noSheet, ambiguousSheet, workbookTooLarge, tooManyEntries or
            emptyFile; the rows so far are void.
        RuntimeError: the child could not be started.
    """
    limits = limits or WorkbookLimits()
    suffix = _suffix(file)
    with tempfile.TemporaryDirectory(prefix="workbook-") as folder:
        path = Path(folder, "workbook" + suffix)
        file.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy, _PIECE)
        with _child() as process:
            _ask(process, {"path": str(path), "sheet": sheet, "limits": asdict(limits)})
            yield from _rows(process, limits)


def read_workbook(file: IO[bytes], layout: FileLayout) -> Iterator[tuple[int, list[str]]]:
    """As `workbook_rows`, for the sheet and within the limits that a feed file names."""
    limits = WorkbookLimits(
        max_megabytes_memory=layout.max_workbook_memory_megabytes,
        max_seconds=layout.max_workbook_seconds,
        max_rows=layout.max_rows,
    )
    return workbook_rows(file, layout.sheet, limits)


def _suffix(file: IO[bytes]) -> str:
    """What kind of workbook it is; one that may take too much is refused here."""
    file.seek(0)
    start = file.read(len(_OLE))
    if start == _OLE:
        return ".xls"
    if not start.startswith(_ZIP):
        raise damaged_workbook()
    file.seek(0)
    try:
        with zipfile.ZipFile(BoundedReads(file)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, OSError, NotImplementedError, EOFError):
        raise damaged_workbook() from None
    _check_sizes(entries)
    names = {entry.filename.lower() for entry in entries}
    if "encrypted-package" in names:
        raise encrypted_workbook()
    if "xl/workbook.bin" in names:
        return ".xlsb"
    return ".ods" if "content.xml" in names else ".xlsx"


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise encrypted_workbook()
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if unpacked > _MAX_UNPACKED:
        raise workbook_too_large("unpacks to more than 1 GiB")
    if unpacked > _SMALL and unpacked > packed * _MAX_RATIO:
        raise workbook_too_large(f"unpacks to more than {_MAX_RATIO} times its size, as no HR file does")


@contextlib.contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    """A running child, which is ended and reaped whatever happens."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join([_ROOT, *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, "-P", "-B", "-m", "shared.adapters.workbook_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        with process:  # closes the pipes and waits
            pass


def _ask(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as question:
            question.write(orjson.dumps(request))


def _rows(process: subprocess.Popen[bytes], limits: WorkbookLimits) -> Iterator[tuple[int, list[str]]]:
    is_started = False
    for line in _lines(process, limits):
        answer = orjson.loads(line)
        if isinstance(answer, list):
            yield answer[0], answer[1]
        elif isinstance(answer, dict):
            raise HrFileError(*answer["refused"])
        elif answer == "ready":
            is_started = True
        else:
            return
    _explain(process.wait(), limits, is_started=is_started)


def _lines(process: subprocess.Popen[bytes], limits: WorkbookLimits) -> Iterator[bytes]:
    """What the child prints. The time that the reader of the rows takes does not count, only the wait for the child."""
    if process.stdout is None:
        return
    left, rest = float(limits.max_seconds), b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            began = time.monotonic()
            is_ready = selector.select(max(left, 0.0))
            left -= time.monotonic() - began
            if not is_ready:
                raise _too_slow(limits)
            piece = os.read(process.stdout.fileno(), _PIECE)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines


def _explain(status: int, limits: WorkbookLimits, *, is_started: bool) -> Never:
    """The child has ended without its last line."""
    if not is_started:
        raise RuntimeError(f"the program that reads workbooks did not start (status {status})")
    if -status == getattr(signal, "SIGXCPU", None):
        raise _too_slow(limits)
    if -status in _MEMORY_SIGNALS:
        raise workbook_too_large(f"needs more than {limits.max_megabytes_memory} MiB of memory")
    raise damaged_workbook()


def _too_slow(limits: WorkbookLimits) -> HrFileError:
    return workbook_too_large(f"takes more than {limits.max_seconds} seconds to read")
