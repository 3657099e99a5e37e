"""What a person should know of a file that was read, although nothing was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.run.record import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.inbound.feeds.feed_file import Feed
    from shared.inbound.planning.working_set import WorkingSet
    from shared.inbound.reading.hr_file import HrFile

_NAMED = 20


def file_notices(hr_file: HrFile) -> list[Notice]:
    """The notices of a file whose rows have all been read.

    Columns are named where the file has a header: one that has all mapped columns holds nobody's data. Names within a
    JSON object can be anything.
    """
    notices = []
    header = hr_file.header
    if line := hr_file.row_without_line_end:
        message = "The file ends without a line end. If it was cut on its way, its last row may be wrong."
        notices.append(Notice(code="noLineEnd", message=message, rows=1, lines=[line]))
    if header.above:
        message = "Lines above the header were left out; they are no rows."
        notices.append(Notice(code="linesAboveHeader", message=message, rows=0, lines=list(header.above[:10])))
    if header.loosely:
        pairs = [f"{cell!r} for {name}" for name, cell in header.loosely.items()]
        message = (
            f"Columns that are written otherwise than in the feed file, and were taken all the same ({len(pairs)}): "
            f"{_few(pairs)}. They differ in letter case, width or spaces only."
        )
        notices.append(Notice(code="columnsMatchedLoosely", message=message, rows=0, lines=[header.line]))
    if header.missing:
        message = f"Optional columns that the file lacks read as blank: {_few(header.missing)}."
        notices.append(Notice(code="columnsAbsent", message=message, rows=0, lines=[header.line]))
    if header.ignored:
        names = [name for name in header.ignored if name]
        named = f": {_few(names)}" if names and hr_file.has_header else ""
        message = f"Columns of the file that are not mapped and were ignored ({len(header.ignored)}){named}."
        notices.append(Notice(code="columnsIgnored", message=message, rows=0, lines=[header.line]))
    return notices


def dropped_notice(dropped: Mapping[str, int]) -> Notice:
    """Attributes of SCIM users that were left out, each with how many users had it."""
    named = _few([f"{name} ({count})" for name, count in sorted(dropped.items())])
    message = f"Attributes of the file's users were left out: {named}."
    return Notice(code="attributesDropped", message=message, rows=max(dropped.values()))


def manager_notices(working_set: WorkingSet, feed: Feed) -> list[Notice]:
    """Managers who form a circle, or who are not in a file that has everyone."""
    notices = []
    if circles := working_set.in_circles():
        message = "Managers form a circle; these rows are sent before their manager, and sent as they are."
        notices.append(Notice(code="managerCircle", message=message, rows=len(circles), lines=circles[:10]))
    rows, lines = working_set.manager_not_in_file()
    if rows and feed.file.contains == "everyone":
        message = "The manager is not among the rows that are sent; Entra sets them only if the job knows them already."
        notices.append(Notice(code="managerNotInFile", message=message, rows=rows, lines=lines))
    return notices


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(name[:100] for name in names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
