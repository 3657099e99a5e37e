"""Delimited text as HR systems write it, to records.

Streams: some hundreds of lines are in memory. Nothing is guessed and no character is replaced; what does not fit
refuses the file, and since nothing is sent before the file's end, it refuses all of it.
"""

from __future__ import annotations

import csv
from itertools import chain, islice
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.reading.data_rows import batches_of
from shared.inbound.reading.header_search import find_header, not_csv
from shared.inbound.reading.row_batch import BATCH_ROWS, RowBatch
from shared.inbound.reading.text_lines import MAX_RECORD_LINES, TextLines, quote_never_closed
from shared.inbound.reading.trailer import is_trailer
from shared.inbound.text.text_encoding import UTF_8, encoding_of, surely

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.inbound.feeds.file_layout import FileLayout


_AT_ONCE = 16
_BATCH_BYTES = 1024 * 1024
"""Rows can be long; so much text makes a batch, however few rows it is."""


class DelimitedText:
    """A text being read: `header` first, then the records, once."""

    def __init__(self, start: bytes, chunks: Iterator[bytes], layout: FileLayout, mapped: Sequence[str]) -> None:
        """Reads the header.

        Args:
            start: the first bytes again, for a byte order mark.
            chunks: all bytes, in order, in pieces of any size.
            layout: how the file is written.
            mapped: the columns that the header must have; without any, the first line that is not blank is the header,
                and its cells are separated by commas unless the layout says otherwise.

        Raises:
            HrFileError: the file is empty, has no usable header, or is not text in its encoding.
        """
        encoding, mark = encoding_of(start, layout.encoding)
        if encoding != UTF_8 and not encoding.startswith("utf-16"):
            chunks = surely(encoding, chunks)
        self._lines = TextLines(_without(mark, chunks), encoding)
        self.header = find_header(self._lines, layout, mapped)
        self._width = len(self.header.columns)
        self._trailer = layout.trailer
        self.row_without_line_end: int | None = None
        """Once all records are read: the line of the last one if the text ends without a line end, else None."""
        if layout.comment:
            self._lines.skip_comments(layout.comment)

    def batches(self) -> Iterator[RowBatch]:
        """Line and cells of each record; those on which every cell is blank are none (Excel leaves them at the end).

        Raises:
            HrFileError: from here on the file is not what it claims to be; the rows so far are void.
        """
        last: RowBatch | None = None
        for batch in batches_of(self._one_by_one()) if self._lines.is_special else self._many():
            last = batch
            yield batch
        if last and self._lines.is_cut and not (self._trailer and is_trailer(last.rows[-1], self._trailer)):
            if len(last.rows[-1]) < self._width:
                raise _cut(last.lines[-1])
            self.row_without_line_end = last.lines[-1]

    def _many(self) -> Iterator[RowBatch]:
        """Many records by one call of the csv reader; where each begins follows from the line breaks within it."""
        lines, separator = self._lines, self.header.separator
        line = lines.number + 1
        reader = csv.reader(chain.from_iterable(lines.blocks()), delimiter=separator, strict=True)
        while True:
            before, rows = reader.line_num, list[list[str]]()
            try:
                known, enough = -1, lines.read_bytes + _BATCH_BYTES
                while known < len(rows) < BATCH_ROWS and lines.read_bytes < enough:
                    known = len(rows)
                    rows.extend(islice(reader, _AT_ONCE))
                    lines.still_reading()
            except csv.Error as error:
                raise not_csv(error, _where_each_begins([*rows, []], line, -1)[0][-1], separator) from None
            if not rows:
                return
            begins, line = _where_each_begins(rows, line, reader.line_num - before)
            if not all(map(_first_cell, rows)):
                kept = [i for i, cells in enumerate(rows) if _first_cell(cells) or any(map(str.strip, cells))]
                begins, rows = [begins[i] for i in kept], [rows[i] for i in kept]
            if rows:
                yield RowBatch(begins, rows)

    def _one_by_one(self) -> Iterator[tuple[int, list[str]]]:
        lines, separator = self._lines, self.header.separator
        reader = csv.reader(lines, delimiter=separator, strict=True)
        try:
            while True:
                lines.begin_record()
                cells = next(reader, None)
                if cells is None:
                    return
                if any(map(str.strip, cells)):
                    yield lines.record_line, cells
        except csv.Error as error:
            raise not_csv(error, lines.record_line, separator) from None


def _first_cell(cells: list[str]) -> bool:
    return bool(cells) and not cells[0].isspace() and bool(cells[0])


def _where_each_begins(rows: list[list[str]], line: int, lines: int) -> tuple[list[int], int]:
    """The line on which each record begins, and the next one; `lines`: how many the records have together."""
    if lines == len(rows):
        return list(range(line, line + lines)), line + lines
    begins = []
    for cells in rows:
        begins.append(line)
        breaks = sum(cell.count("\n") for cell in cells)
        if breaks >= MAX_RECORD_LINES:
            raise quote_never_closed(line)
        line += 1 + breaks
    return begins, line


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
