"""What a person should know of a file that was read, although nothing was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.run.record import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.inbound.hr_file import HrFile

_NAMED = 20


def file_notices(hr_file: HrFile) -> list[Notice]:
    """The notices of a file whose rows have all been read.

    Columns are named: a header that has all mapped columns is one, and holds nobody's data.
    """
    notices = []
    header = hr_file.header
    if line := hr_file.row_without_line_end:
        message = "The file ends without a line end. If it was cut on its way, its last row may be wrong."
        notices.append(Notice(code="noLineEnd", message=message, rows=1, lines=[line]))
    if header.loosely:
        pairs = [f"{cell!r} for {name}" for name, cell in header.loosely.items()]
        message = (
            f"{len(pairs)} columns are written otherwise than in the feed file, and were taken all the same: "
            f"{_few(pairs)}. They differ in letter case, width or spaces only."
        )
        notices.append(Notice(code="columnsMatchedLoosely", message=message, rows=0, lines=[header.line]))
    if header.ignored:
        names = [name for name in header.ignored if name]
        named = f": {_few(names)}" if names else ""
        message = f"{len(header.ignored)} columns of the file are not mapped and were ignored{named}."
        notices.append(Notice(code="columnsIgnored", message=message, rows=0, lines=[header.line]))
    return notices


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(name[:100] for name in names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
