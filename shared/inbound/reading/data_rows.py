"""What is a data row, the same for text and workbooks: the trailer is none, and its count must be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.reading.row_batch import BATCH_ROWS, RowBatch
from shared.inbound.reading.trailer import check_trailer, is_trailer, no_trailer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.inbound.feeds.file_layout import FileLayout


_CELL = 50
"""What a cell takes beside its characters."""
_BATCH_CHARACTERS = 2 * 1024 * 1024
"""Rows can be long; so much text makes a batch, however few rows it is."""


def data_batches(batches: Iterator[RowBatch], layout: FileLayout) -> Iterator[RowBatch]:
    """The batches without the trailer.

    Raises:
        HrFileError: there is no row, or too many, or the trailer does not fit them.
    """
    trailer, count = layout.trailer, 0
    has_trailer = False
    batch = next(batches, None)
    while batch is not None:
        following = next(batches, None)
        if trailer:
            place = next((i for i, row in enumerate(batch.rows) if is_trailer(row, trailer)), None)
            if place is not None:
                is_last = following is None and place == len(batch.rows) - 1
                check_trailer(batch.rows[place], trailer, batch.lines[place], count + place, is_last=is_last)
                has_trailer = True
                del batch.rows[place], batch.lines[place]
        count += len(batch.rows)
        if count > layout.max_rows:
            raise _too_many(layout.max_rows)
        if batch.rows:
            yield batch
        batch = following
    if not count:
        raise HrFileError(
            "noDataRows", "The file has a header and no row below it.", "Export the file again and drop it again."
        )
    if trailer and not has_trailer:
        raise no_trailer(count, trailer)


def batches_of(records: Iterable[tuple[int, list[str]]]) -> Iterator[RowBatch]:
    """Line and cells of each record, many together."""
    batch, size = RowBatch([], []), 0
    for line, cells in records:
        batch.lines.append(line)
        batch.rows.append(cells)
        size += sum(map(len, cells)) + _CELL * len(cells)
        if len(batch.rows) == BATCH_ROWS or size > _BATCH_CHARACTERS:
            yield batch
            batch, size = RowBatch([], []), 0
    if batch.rows:
        yield batch


def _too_many(limit: int) -> HrFileError:
    return HrFileError(
        "tooManyRows",
        f"The file has more than {limit} rows.",
        "Check that it is the right file; for one of that size raise max_rows under file in the feed file.",
    )
