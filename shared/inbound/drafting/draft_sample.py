"""The first rows of an HR file of any kind, read without a feed file, and what a feed file should say about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, tee
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.drafting.draft_header import FIRST_LINES, header_place, no_header
from shared.inbound.drafting.draft_scim import are_scim_users, scim_lines
from shared.inbound.drafting.draft_table import Table
from shared.inbound.drafting.draft_text import text_layout
from shared.inbound.drafting.draft_trailer import trailer_of
from shared.inbound.drafting.draft_yaml import Line, comment
from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.reading.archive import WorkbookFile, opened
from shared.inbound.reading.hr_file import HrFile
from shared.inbound.reading.json_rows import JsonRows
from shared.inbound.reading.json_values import WrappedRowsError, json_objects
from shared.inbound.reading.known_formats import refuse_known_formats
from shared.inbound.reading.own_set_aside import separator_of_own
from shared.inbound.reading.text_lines import start_of
from shared.inbound.text.text_encoding import BOMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from shared.inbound.reading.hr_file import ReadWorkbook

MAX_ROWS = 2000
"""More rows are not looked at."""
_START = 4 * 1024 * 1024
"""So many bytes tell how a text is written."""
_MAX_SHEETS = 10
_JSON = re.compile(r"\s*(\[\s*(\{|\])|\{\s*(\"|\}))")


@dataclass(frozen=True)
class Sample:
    """`table` is None for SCIM users. `lines` belong under `file`; `undecided` are its keys that a person must set."""

    table: Table | None
    row_count: int
    lines: list[Line]
    undecided: list[str]


def read_sample(chunks: Iterable[bytes], read_workbook: ReadWorkbook) -> Sample:
    """The file's first rows.

    Raises:
        HrFileError: it can't be read, whatever a feed file says.
    """
    with opened(chunks, FileLayout()) as content:
        if isinstance(content, WorkbookFile):
            return _of_workbook(content.file, read_workbook)
        start, content = start_of(content, _START)
        if separator_of_own(start[:256]):
            raise _own_file()
        if not start.startswith(tuple(BOMS)):
            refuse_known_formats(start)
        if not start.strip():
            raise HrFileError("emptyFile", "The file is empty.", "Export the file again.")
        return _of_json(content) if _is_json(start) else _of_text(start, content)


def _is_json(start: bytes) -> bool:
    mark = next((mark for mark in BOMS if start.startswith(mark)), b"")
    encoding = BOMS.get(mark, "latin-1")
    return _JSON.match(start[len(mark) :][:512].decode(encoding, errors="ignore")) is not None


def _of_text(start: bytes, chunks: Iterator[bytes]) -> Sample:
    layout = text_layout(start[:_START], is_whole=len(start) < _START)
    declared = FileLayout.model_validate(
        {"separator": layout.separator, "encoding": layout.encoding, "header_row": layout.header_row}
    )
    with HrFile(chunks, declared) as hr_file:
        rows = [row.cells for row in islice(hr_file.rows(), MAX_ROWS + 1)]
        return _sample([Line("format: csv"), *layout.lines], layout.undecided, hr_file.columns, rows)


def _of_json(chunks: Iterator[bytes]) -> Sample:
    lines, (chunks, again) = [Line("format: json")], tee(chunks)
    try:
        objects = list(islice(json_objects(chunks), MAX_ROWS + 1))
    except WrappedRowsError as wrapped:
        name = wrapped.names[0]
        lines.append(Line(f"records: {name}", "likely: the array of objects with the most of them"))
        objects = list(islice(json_objects(again, name), MAX_ROWS + 1))
    values = [value for _, value in objects]
    if are_scim_users(values):
        return Sample(None, min(len(values), MAX_ROWS), scim_lines(values), [])
    rows = JsonRows(iter(objects), [])
    cells = [cells for _, cells in islice(rows.rows(), MAX_ROWS)]
    table = Table(rows.columns, cells, is_whole=len(objects) <= MAX_ROWS)
    return Sample(table, table.row_count, lines, [])


def _of_workbook(file: IO[bytes], read_workbook: ReadWorkbook) -> Sample:
    lines, undecided = [Line("format: workbook")], list[str]()
    try:
        records = _sheet(file, read_workbook, FileLayout())
    except HrFileError as error:
        if error.reason.code != "ambiguousSheet":
            raise
        number, records = _best_sheet(file, read_workbook)
        lines.append(comment(f"decide: several sheets have something in them; this draft is of sheet {number}."))
        lines.append(Line(f"sheet: {number}", is_active=False))
        undecided.append("sheet")
    place = header_place(islice(records, FIRST_LINES), len(records[0][1]))
    if place is None:
        raise no_header()
    lines.append(Line("header_row: auto", f"sure: row {place.line}; auto finds it by the mapped columns"))
    header = next(cells for number, cells in records if number == place.line)
    rows = [cells for number, cells in records if number > place.line]
    return _sample(lines, undecided, [cell.strip() for cell in header], rows, typed_dates=True)


def _sheet(file: IO[bytes], read_workbook: ReadWorkbook, layout: FileLayout) -> list[tuple[int, list[str]]]:
    rows = read_workbook(file, layout)
    try:
        return list(islice(rows, FIRST_LINES + MAX_ROWS + 1))
    finally:
        getattr(rows, "close", lambda: None)()


def _best_sheet(file: IO[bytes], read_workbook: ReadWorkbook) -> tuple[int, list[tuple[int, list[str]]]]:
    """The sheet with the most usual names in its header, by its number."""
    found: list[tuple[int, int, list[tuple[int, list[str]]]]] = []
    for number in range(1, _MAX_SHEETS + 1):
        try:
            records = _sheet(file, read_workbook, FileLayout.model_validate({"sheet": number}))
        except HrFileError as error:
            if error.reason.code == "noSheet":
                break
            continue
        place = header_place(records[:FIRST_LINES], len(records[0][1]))
        found.append((place.known if place else -1, -number, records))
    if not found:
        raise no_header()
    _, number, records = max(found, key=lambda sheet: sheet[:2])
    return -number, records


def _sample(
    lines: list[Line], undecided: list[str], columns: list[str], rows: list[list[str]], *, typed_dates: bool = False
) -> Sample:
    is_whole = len(rows) <= MAX_ROWS
    rows = rows[:MAX_ROWS]
    filled = [row for row in rows if any(map(str.strip, row))]
    trailer = trailer_of(filled, len(columns), is_whole=is_whole)
    table = Table(columns, filled[: trailer.rows], is_whole=is_whole, typed_dates=typed_dates)
    if not table.row_count:
        raise HrFileError(
            "noDataRows", "The file has a header and no row below it with as many cells.", "Export the file again."
        )
    return Sample(table, table.row_count, [*lines, *trailer.lines], undecided)


def _own_file() -> HrFileError:
    return HrFileError(
        "ownSetAside", "This is a set_aside.csv of the connector.", "Take a file as the HR system writes it."
    )
