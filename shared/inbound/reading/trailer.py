"""The trailer: HR's own word on how many rows the file has. A file that has another number of them was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import HrFileError

if TYPE_CHECKING:
    from shared.inbound.feeds.file_layout import Trailer


def is_trailer(cells: list[str], trailer: Trailer) -> bool:
    """Whether a record is the trailer."""
    return cells[0].strip() == trailer.first_cell


def check_trailer(cells: list[str], trailer: Trailer, line: int, rows: int, *, is_last: bool) -> None:
    """Refuse the file unless its trailer is last and says how many rows there are.

    Raises:
        HrFileError: it is not, or says another number or none.
    """
    if not is_last:
        raise HrFileError(
            "rowsAfterTrailer",
            f"The trailer on line {line} is not the last row of the file.",
            "Drop one file at a time, whole; check trailer under file in the feed file if this is no trailer.",
        )
    count = cells[trailer.count_cell - 1].strip() if len(cells) >= trailer.count_cell else ""
    if not (count.isascii() and count.isdigit() and len(count) <= 18):
        raise _wrong(f"The trailer on line {line} has no number in cell {trailer.count_cell}.")
    if int(count) != rows + len(set(trailer.also_counts)):
        also = "".join(f" and the {name}" for name in dict.fromkeys(trailer.also_counts))
        raise _wrong(f"The file has {rows} rows, but its trailer on line {line} counts {int(count)} (rows{also}).")


def no_trailer(rows: int, trailer: Trailer) -> HrFileError:
    """The refusal of a file without the trailer that it should have."""
    return HrFileError(
        "noTrailer",
        f"The file ends after {rows} rows without the trailer that the feed file says it has: it was cut, or HR writes "
        "none any more.",
        "Transfer the file again, whole; if it has no trailer, take trailer under file out of the feed file. The cell "
        f"that marks it is {trailer.first_cell!r}, letter for letter.",
    )


def _wrong(message: str) -> HrFileError:
    return HrFileError(
        "wrongRowCount",
        message,
        "The file was cut on its way, or rows were lost: export and transfer it again, whole. If HR counts the header "
        "or the trailer too, put also_counts: [header, trailer] under file.trailer in the feed file.",
    )
