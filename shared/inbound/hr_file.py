"""Bytes to rows: delimited text as HR systems write it, packed or not, as the feed file's `file` says.

Streams: no more than one row and the first lines are in memory. Nothing is guessed and no character is replaced; what
does not fit refuses the file, and since nothing is sent before the file's end, it refuses all of it.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

from shared.errors import HrFileError
from shared.inbound.archive import unpacked
from shared.inbound.feed_file import FileLayout
from shared.inbound.header_search import MAX_COLUMNS, find_header, not_csv
from shared.inbound.known_formats import refuse_known_formats
from shared.inbound.text_encoding import encoding_of
from shared.inbound.text_lines import MAX_LINE_BYTES, TextLines, start_of
from shared.inbound.trailer import check_trailer, is_trailer, no_trailer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["MAX_COLUMNS", "MAX_LINE_BYTES", "HrFile", "HrRow"]

_SNIFFED = 64


class HrRow(NamedTuple):
    """One data row: `line` is the 1-based physical line of the unpacked text on which it begins."""

    line: int
    cells: list[str]


class HrFile:
    """An HR file being read: `columns` first, then the rows, once.

    `columns` has the mapped columns as the feed file writes them; `header` says what was made of the header.
    """

    def __init__(self, chunks: Iterable[bytes], layout: FileLayout | None = None, mapped: Sequence[str] = ()) -> None:
        """Reads the header.

        Args:
            chunks: the file's bytes in order, in pieces of any size.
            layout: how the file is written.
            mapped: the columns that the header must have; without any, the first line that is not blank is the header,
                and its cells are separated by commas unless the layout says otherwise.

        Raises:
            HrFileError: the file is empty, has no usable header, or is not text in its encoding.
        """
        self._layout = layout or FileLayout()
        self.row_without_line_end: int | None = None
        """Once all rows are read: the line of the last row if the file ends without a line end, else None."""
        start, content = start_of(unpacked(chunks, self._layout), _SNIFFED)
        encoding, mark = encoding_of(start, self._layout.encoding)
        if not mark:
            refuse_known_formats(start)
        self._lines = TextLines(_without(mark, content), encoding)
        self.header = find_header(self._lines, self._layout, mapped)
        self.columns = self.header.columns
        if self._layout.comment:
            self._lines.skip_comments(self._layout.comment)
        self._records = csv.reader(self._lines, delimiter=self.header.separator, strict=True)

    def rows(self) -> Iterator[HrRow]:
        """Every data row; lines on which every cell is blank are none (Excel leaves them at the end).

        Raises:
            HrFileError: from here on the file is not what it claims to be; the rows so far are void.
        """
        row, count, trailer = self._next_record(), 0, self._layout.trailer
        while row is not None:
            following = self._next_record()
            if trailer and is_trailer(row.cells, trailer):
                check_trailer(row.cells, trailer, row.line, count, is_last=following is None)
                if count:
                    return
                break
            if following is None and self._lines.is_cut:
                if len(row.cells) < len(self.columns):
                    raise _cut(row.line)
                self.row_without_line_end = row.line
            count += 1
            yield row
            row = following
        if not count:
            raise HrFileError(
                "noDataRows", "The file has a header and no row below it.", "Export the file again and drop it again."
            )
        if trailer:
            raise no_trailer(count, trailer)

    def _next_record(self) -> HrRow | None:
        """The next record that has anything in it."""
        lines = self._lines
        while True:
            lines.record_line = 0
            try:
                cells = next(self._records)
            except StopIteration:
                return None
            except csv.Error as error:
                raise not_csv(error, lines.record_line, self.header.separator) from None
            if cells and (cells[0].strip() or any(map(str.strip, cells))):
                return HrRow(lines.record_line, cells)


def _without(mark: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without the byte order mark, all of which is in the first."""
    if mark:
        yield next(chunks)[mark:]
    yield from chunks


def _cut(line: int) -> HrFileError:
    return HrFileError(
        "fileCut",
        f"The file ends in the middle of the row on line {line}.",
        "The file was cut on its way: transfer it again, whole.",
    )
