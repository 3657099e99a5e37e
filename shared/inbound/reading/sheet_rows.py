"""Rows of a workbook's sheet, to a header and records, as `delimited_text` does it for text."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.reading.data_rows import batches_of
from shared.inbound.reading.headers import Header, below, check_found, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.inbound.feeds.file_layout import FileLayout
    from shared.inbound.reading.row_batch import RowBatch

    SheetRow = tuple[int, list[str]]

_FIRST_ROWS = 20
"""So far down `header_row: auto` looks, from the first row that is not blank."""


class SheetRows:
    """A sheet being read: `header` first, then the records, once. A row has its number in the sheet."""

    row_without_line_end: int | None = None

    def __init__(self, rows: Iterator[SheetRow], layout: FileLayout, mapped: Sequence[str]) -> None:
        """Reads the header.

        Raises:
            HrFileError: there is none that can be used.
        """
        self._comment = layout.comment
        head: list[SheetRow] = []
        self.header = _find(rows, head, layout, mapped)
        check_found(self.header, [name for name in mapped if name not in layout.optional_columns])
        if layout.header_row == "auto":
            self.header = below(self.header, [row for row in head if row[0] < self.header.line])
        rest = [row for row in head if row[0] > self.header.line]
        self._rows = chain(rest, rows)

    def batches(self) -> Iterator[RowBatch]:
        """Number and cells of each row below the header that has anything in it."""
        return batches_of(self._records())

    def _records(self) -> Iterator[SheetRow]:
        for number, cells in self._rows:
            if self._comment and cells[0].startswith(self._comment):
                continue
            if any(map(str.strip, cells)):
                yield number, cells


def _find(rows: Iterator[SheetRow], head: list[SheetRow], layout: FileLayout, mapped: Sequence[str]) -> Header:
    """The header; `head` gets the rows that were read on the way."""
    needed = [name for name in mapped if name not in layout.optional_columns]
    misfits: list[Header] = []
    for number, cells in rows:
        head.append((number, cells))
        if layout.header_row != "auto":
            if number < layout.header_row:
                continue
            if number > layout.header_row:
                break
            return read_header(number, "", cells, mapped)
        header = read_header(number, "", cells, mapped)
        if not [name for name in header.missing if name in needed]:
            return header
        misfits.append(header)
        if len(misfits) == _FIRST_ROWS:
            break
    if not misfits:
        raise HrFileError(
            "noHeaderRow",
            "The sheet has no row with the number on which the header should be, or nothing in it.",
            "Put the header's row as header_row under file in the feed file, or header_row: auto.",
        )
    return min(misfits, key=lambda header: (len(header.missing), header.line))
