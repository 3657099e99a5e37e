"""Bytes to rows: CSV in UTF-8 with commas and a header row.

Streams: no more than one physical line of bytes and one row are in memory. Nothing is guessed and no character is
replaced; what does not fit refuses the file, and since nothing is sent before the file's end, it refuses all of it.
"""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from shared.errors import HrFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed import WriteableBuffer

MAX_LINE_BYTES = 1024 * 1024
"""A physical line with more than this is no HR row."""
MAX_COLUMNS = 1000
_MAX_RECORD_LINES = 1000
"""A quoted cell that goes on for more lines than this has lost its closing quote."""


class HrRow(NamedTuple):
    """One data row: `line` is the 1-based physical line on which it begins (the header is on line 1)."""

    line: int
    cells: list[str]


class HrFile:
    """An HR file being read: `columns` first, then the rows, once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Reads the header.

        Args:
            chunks: the file's bytes in order, in pieces of any size.

        Raises:
            HrFileError: the file is empty, has no usable header, or is not text in UTF-8.
        """
        self.row_without_line_end: int | None = None
        """Once all rows are read: the line of the last row if the file ends without a line end, else None."""
        self._lines = _Lines(chunks)
        self._records = csv.reader(self._lines, strict=True)
        header = self._next_record()
        if header is None:
            raise HrFileError("emptyFile", "The file is empty.", "Export the file again and drop it again.")
        self.columns = [name.strip() for name in header.cells]
        if len(self.columns) > MAX_COLUMNS:
            raise HrFileError(
                "tooManyColumns",
                f"The header on line {header.line} has more than {MAX_COLUMNS} columns.",
                "Check that the file is a comma-separated HR export.",
            )

    def rows(self) -> Iterator[HrRow]:
        """Every data row; lines on which every cell is blank are none (Excel leaves them at the end).

        Raises:
            HrFileError: from here on the file is not what it claims to be; the rows so far are void.
        """
        row = self._next_record()
        if row is None:
            raise HrFileError(
                "noDataRows", "The file has a header and no row below it.", "Export the file again and drop it again."
            )
        while row is not None:
            following = self._next_record()
            if following is None and len(row.cells) < len(self.columns) and self._lines.is_cut:
                raise HrFileError(
                    "fileCut",
                    f"The file ends in the middle of the row on line {row.line}.",
                    "The file was cut on its way: transfer it again, whole.",
                )
            if following is None and self._lines.is_cut:
                self.row_without_line_end = row.line
            yield row
            row = following

    def _next_record(self) -> HrRow | None:
        """The next record that has anything in it."""
        while True:
            before = self._records.line_num
            self._lines.record_starts_at = before
            try:
                cells = next(self._records)
            except StopIteration:
                return None
            except csv.Error as error:
                raise _not_csv(error, before + 1) from None
            if cells and (cells[0].strip() or any(map(str.strip, cells))):
                return HrRow(before + 1, cells)


class _Lines:
    """Physical lines as text, each decoded by itself so that a wrong byte is reported with its line."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._bytes = io.BufferedReader(_ChunkReader(chunks), buffer_size=256 * 1024)
        self._number = 0
        self.record_starts_at = 0
        self._record_bytes = 0
        self.is_cut = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._bytes.readline(MAX_LINE_BYTES + 1)
        if not line:
            raise StopIteration
        self._number += 1
        if self._number == 1:
            _refuse_known_formats(line)
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > MAX_LINE_BYTES:
            raise HrFileError(
                "lineTooLong",
                f"Line {self._number} has more than {MAX_LINE_BYTES // 1024} KiB.",
                "Check that the file is an HR export with one worker on a line.",
            )
        if self.record_starts_at == self._number - 1:
            self._record_bytes = 0
        self._record_bytes += len(line)
        if self._number - self.record_starts_at > _MAX_RECORD_LINES or self._record_bytes > MAX_LINE_BYTES:
            raise _quote_never_closed(self.record_starts_at + 1)
        self.is_cut = not line.endswith(b"\n")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise HrFileError(
                "notUtf8",
                f"Line {self._number} has bytes that are not UTF-8 text.",
                "Export the file as CSV in UTF-8 (in Excel: Save as, CSV UTF-8).",
            ) from None
        if "\0" in text:
            raise HrFileError(
                "notText",
                f"Line {self._number} has a NUL character, so this is not a text file in UTF-8.",
                "Export the file as CSV in UTF-8, not as Excel or UTF-16.",
            )
        return text


class _ChunkReader(io.RawIOBase):
    """An iterable of bytes as a raw stream, for BufferedReader's quick line splitting."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _refuse_known_formats(start: bytes) -> None:
    """What is often dropped instead of CSV, by its first bytes, so that the advice can be to the point."""
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise HrFileError(
            "workbook", "The file is a workbook or an archive, not text.", "Save it as CSV UTF-8 and drop that file."
        )
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise HrFileError("notUtf8", "The file is text in UTF-16, not in UTF-8.", "Export the file as CSV in UTF-8.")


def _quote_never_closed(line: int) -> HrFileError:
    return HrFileError(
        "quoteNeverClosed",
        f"A quoted cell in the row on line {line} never ends.",
        'Look for a single " in that row; a quote inside a quoted cell is written twice.',
    )


def _not_csv(error: csv.Error, line: int) -> HrFileError:
    words = str(error)
    if "unexpected end of data" in words:
        return _quote_never_closed(line)
    if "field larger" in words:
        return HrFileError(
            "cellTooLong",
            f"A cell in the row on line {line} is longer than {csv.field_size_limit()} characters.",
            "Check that the file is an HR export with one worker on a line.",
        )
    if "new-line" in words:
        return HrFileError(
            "lineEndings",
            f"The row on line {line} has a carriage return that ends no line.",
            "Export the file with line ends of one kind: CRLF or LF.",
        )
    return HrFileError(
        "notCsv",
        f"The row on line {line} is not comma-separated text: a closing quote is followed by more than a comma.",
        "A quote inside a quoted cell is written twice.",
    )
