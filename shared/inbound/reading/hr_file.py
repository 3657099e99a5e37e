"""Bytes to rows, whatever kind of file it is: its content decides, unless the feed file says what it must be.

Streams: no more than some hundreds of rows are in memory (a workbook is read by a process of its own). Nothing is
guessed, and since nothing is sent before the file's end, what does not fit refuses all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, Self

import orjson

from shared.errors import HrFileError
from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.reading.archive import WorkbookFile, opened
from shared.inbound.reading.data_rows import batches_of, data_batches
from shared.inbound.reading.delimited_text import DelimitedText
from shared.inbound.reading.headers import SEPARATORS, Header, check_found, read_header
from shared.inbound.reading.json_decoding import as_it_is_written
from shared.inbound.reading.json_rows import JsonRows
from shared.inbound.reading.json_values import JsonObject, json_objects
from shared.inbound.reading.known_formats import refuse_known_formats
from shared.inbound.reading.own_set_aside import OWN_COLUMNS, OWN_LAYOUT, own_cells, refuse_excluded, separator_of_own
from shared.inbound.reading.row_batch import RowBatch
from shared.inbound.reading.sheet_rows import SheetRows
from shared.inbound.reading.text_lines import start_of
from shared.inbound.text.text_encoding import BOMS

if TYPE_CHECKING:
    from types import TracebackType

SCIM_COLUMN = "user"
"""The one column of a file that holds SCIM users: each as JSON."""
ReadWorkbook = Callable[[IO[bytes], FileLayout], Iterator[tuple[int, list[str]]]]
"""A workbook to the rows of the sheet that the layout means: number, cells. Raises HrFileError."""

_SNIFFED = 256
_JSON = re.compile(r"\s*(\[\s*(\{|\])|\{\s*(\"|\}))")


class HrRow(NamedTuple):
    """One data row: `line` is where it begins: the line of a text, the row of a sheet, the number of an object."""

    line: int
    cells: list[str]


class _Records(Protocol):
    row_without_line_end: int | None

    @property
    def header(self) -> Header: ...

    def batches(self) -> Iterator[RowBatch]: ...


def no_workbooks(_file: IO[bytes], _layout: FileLayout) -> Iterator[tuple[int, list[str]]]:
    """Where nobody gave a reader for workbooks."""
    raise HrFileError("workbook", "The file is a workbook, which can't be read here.", "Save it as CSV UTF-8.")


class HrFile:
    """An HR file being read: `columns` first, then the rows, once. A context that gives temporary space back.

    `columns` has the mapped columns as the feed file writes them; `header` says what was made of the header.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        layout: FileLayout | None = None,
        mapped: Sequence[str] = (),
        read_workbook: ReadWorkbook = no_workbooks,
    ) -> None:
        """Reads the header.

        Args:
            chunks: the file's bytes in order, in pieces of any size.
            layout: how the file is written.
            mapped: the columns that the file must have, but for the layout's optional ones.
            read_workbook: reads workbooks.

        Raises:
            HrFileError: the file is empty, has no usable header, or is not what the layout says.
        """
        self._layout = layout or FileLayout()
        self._stack = ExitStack()
        self.has_typed_dates = False
        """True for a workbook, whose dates are read as ISO 8601."""
        self.has_header = True
        """False where names come from the rows themselves."""
        self.is_own_set_aside = False
        """True for a `set_aside.csv` that somebody has repaired and dropped."""
        try:
            content = self._stack.enter_context(opened(chunks, self._layout))
            self._records = self._open(content, list(mapped), read_workbook)
        except BaseException:
            self._stack.close()
            raise
        self.header = self._records.header
        self.columns = self.header.columns

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give temporary space back, and end the process that reads a workbook."""
        self._stack.close()

    @property
    def row_without_line_end(self) -> int | None:
        """Once all rows are read: the line of the last row if the file ends without a line end, else None."""
        return self._records.row_without_line_end

    def batches(self) -> Iterator[RowBatch]:
        """Every data row; lines on which every cell is blank are none.

        Raises:
            HrFileError: from here on the file is not what it claims to be; the rows so far are void.
        """
        return data_batches(self._records.batches(), self._layout)

    def rows(self) -> Iterator[HrRow]:
        """The rows of `batches`, one by one."""
        for batch in self.batches():
            for line, cells in zip(batch.lines, batch.rows, strict=True):
                yield HrRow(line, cells)

    def _open(
        self, content: Iterator[bytes] | WorkbookFile, mapped: list[str], read_workbook: ReadWorkbook
    ) -> _Records:
        layout = self._layout
        if isinstance(content, WorkbookFile):
            _must_be(layout, "workbook")
            self.has_typed_dates = True
            rows = read_workbook(content.file, layout)
            self._stack.callback(getattr(rows, "close", lambda: None))
            first = next(rows, None)
            everything: Iterator[tuple[int, list[str]]] = chain([first] if first else [], rows)
            if first and tuple(first[1][: len(OWN_COLUMNS)]) == OWN_COLUMNS:
                self.is_own_set_aside = True
                self._layout = layout = layout.model_copy(update=OWN_LAYOUT)
                everything = ((number, own_cells(cells)) for number, cells in everything)
            return SheetRows(everything, layout, mapped)
        start, chunks = start_of(content, _SNIFFED)
        refuse_excluded(start)
        if separator := separator_of_own(start):
            self.is_own_set_aside = True
            name = next(name for name, mark in SEPARATORS.items() if mark == separator)
            self._layout = layout = layout.model_copy(update={**OWN_LAYOUT, "separator": name})
            return _OwnSetAside(start, chunks, layout, [SCIM_COLUMN] if layout.format == "scim" else mapped)
        if not start.startswith(tuple(BOMS)):
            refuse_known_formats(start)
        if layout.format == "scim":
            return _ScimTexts(chunks, layout)
        if layout.format == "json" or (layout.format == "auto" and _is_json(start)):
            self.has_header = False
            return _JsonTable(chunks, layout, mapped)
        _must_be(layout, "csv")
        return DelimitedText(start, chunks, layout, mapped)


def _must_be(layout: FileLayout, kind: str) -> None:
    if layout.format not in ("auto", kind):
        raise HrFileError(
            "otherFormat",
            f"The file is not of the format {layout.format}, which the feed file says it has.",
            f"Drop a file of that format, or put format: {kind} (or auto) under file in the feed file.",
        )


def _is_json(start: bytes) -> bool:
    """An array or an object of JSON: no header of a text begins so."""
    for mark, encoding in BOMS.items():
        if start.startswith(mark):
            return _JSON.match(start[len(mark) :].decode(encoding, errors="ignore")) is not None
    return _JSON.match(start.decode("latin-1")) is not None


class _OwnSetAside(DelimitedText):
    """HR's own columns and cells, as they were before they were made safe to open."""

    def __init__(self, start: bytes, chunks: Iterator[bytes], layout: FileLayout, mapped: list[str]) -> None:
        super().__init__(start, chunks, layout, [])
        columns = own_cells(self.header.columns)
        self.header = read_header(self.header.line, self.header.separator, columns, mapped)
        check_found(self.header, [name for name in mapped if name not in layout.optional_columns or name in columns])

    def batches(self) -> Iterator[RowBatch]:
        for batch in _with_own_advice(super().batches()):
            yield RowBatch(batch.lines, list(map(own_cells, batch.rows)))


def _with_own_advice(batches: Iterator[RowBatch]) -> Iterator[RowBatch]:
    """The feed's encoding does not hold for this file, so it is no remedy."""
    try:
        yield from batches
    except HrFileError as error:
        if error.reason.code != "notUtf8":
            raise
        advice = "This is a set_aside.csv: save it as CSV UTF-8 (in Excel: Save as, CSV UTF-8) and drop it again."
        raise HrFileError("notUtf8", error.reason.message, advice) from None


class _JsonTable:
    """Objects as records; each is numbered, since several can stand on one line."""

    row_without_line_end: int | None = None

    def __init__(self, chunks: Iterator[bytes], layout: FileLayout, mapped: list[str]) -> None:
        self._rows = JsonRows(json_objects(chunks, layout.records), mapped, layout.optional_columns)

    @property
    def header(self) -> Header:
        rows = self._rows
        return Header(1, "", list(rows.columns), [], [], rows.loosely, rows.ignored)

    def batches(self) -> Iterator[RowBatch]:
        return batches_of((number, cells) for number, (_, cells) in enumerate(self._rows.rows(), start=1))


class _ScimTexts:
    """SCIM users as records of one cell."""

    row_without_line_end: int | None = None
    header = Header(1, "", [SCIM_COLUMN], [], [], {}, [])

    def __init__(self, chunks: Iterator[bytes], layout: FileLayout) -> None:
        self._objects = json_objects(chunks, layout.records)

    def batches(self) -> Iterator[RowBatch]:
        return batches_of((number, [_json_text(one)]) for number, one in enumerate(self._objects, start=1))


def _json_text(one: JsonObject) -> str:
    try:
        return orjson.dumps(one.value, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=as_it_is_written).decode()
    except orjson.JSONEncodeError:
        raise HrFileError(
            "notJson",
            f"The object on line {one.line} has values that are nested far too deeply.",
            "Check that the file is an HR export with one object for each worker.",
        ) from None
