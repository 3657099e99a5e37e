"""Look for the header among the first lines of a file, under every separator that is allowed.

A title line can hold anything, a lone quote included, so every line is tried as the first of a record by itself.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.reading.headers import SEPARATORS, Header, below, check_found, read_header
from shared.inbound.reading.text_lines import MAX_LINE_BYTES, quote_never_closed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.reading.text_lines import TextLines

MAX_COLUMNS = 1000
_FIRST_LINES = 20
"""So far down `header_row: auto` looks, from the first line that is not blank."""
_MORE_LINES = 30
"""So many lines more are read for a header with line breaks in quotes."""


def find_header(lines: TextLines, layout: FileLayout, mapped: Sequence[str]) -> Header:
    """The header; the lines go on with the first one below it.

    Raises:
        HrFileError: there is none that can be used.
    """
    header, last_line = _Search(lines, layout, mapped).find()
    check_found(header, [name for name in mapped if name not in layout.optional_columns or name in header.columns])
    lines.go_back(last_line)
    lines.begin_record()
    return header


class _Search:
    """The first lines of a file, read as they are needed."""

    def __init__(self, lines: TextLines, layout: FileLayout, mapped: Sequence[str]) -> None:
        self._lines = lines
        self._layout = layout
        self._mapped = mapped
        auto = layout.separator == "auto"
        self._separators = list(SEPARATORS.values()) if auto else [SEPARATORS[layout.separator]]
        self._line = 1
        self._head: list[str] = []
        self._size = 0
        self._errors: list[HrFileError] = []

    def find(self) -> tuple[Header, int]:
        """The header, and the number of its last line."""
        self._skip()
        misfits: list[Header] = []
        for start in self._starts():
            tried = list(self._candidates(start))
            if fits := [(header, last) for header, last in tried if self._has_needed(header)]:
                header, last = self._one(fits)
                return below(header, list(self._above(start, header.separator))), last
            misfits += [header for header, _ in tried]
        raise self._why_not(misfits)

    def _above(self, start: int, separator: str) -> Iterator[tuple[int, list[str]]]:
        """The lines above the header, read one by one: a title can hold a lone quote."""
        comment = self._layout.comment
        for index, text in enumerate(self._head[:start]):
            if text.strip() and not (comment and text.startswith(comment)):
                try:
                    yield self._line + index, next(csv.reader([text], delimiter=separator))
                except csv.Error:
                    yield self._line + index, [text]

    def _has_needed(self, header: Header) -> bool:
        return set(header.missing) <= set(self._layout.optional_columns)

    def _skip(self) -> None:
        """Go to the first line that can be the header, and keep it."""
        number = self._layout.header_row
        while True:
            self._lines.look_ahead()
            self._lines.begin_record()
            text = next(self._lines, None)
            if text is None:
                raise self._no_line(number)
            if self._lines.number == number or (number == "auto" and text.strip()):
                break
        self._line = self._lines.number
        self._head.append(text)

    def _no_line(self, number: str | int) -> HrFileError:
        if self._lines.number == 0 or number == "auto":
            return HrFileError("emptyFile", "The file is empty.", "Export the file again and drop it again.")
        return HrFileError(
            "noHeaderRow",
            f"The file has no line {number}, on which the header should be.",
            "Put the header's line as header_row under file in the feed file, or header_row: auto.",
        )

    def _starts(self) -> Iterator[int]:
        """The indexes of the lines on which the header can begin."""
        comment = self._layout.comment
        is_fixed = self._layout.header_row != "auto"
        for start in range(1 if is_fixed else _FIRST_LINES):
            if not self._has(start):
                return
            text = self._head[start]
            if is_fixed or (text.strip() and not (comment and text.startswith(comment))):
                yield start
                if not self._mapped and not self._is_blank(start):
                    return  # nothing tells a header from a title: it is the first record

    def _is_blank(self, start: int) -> bool:
        return not self._head[start].strip(f"{self._separators[0]} \t\r\n")

    def _candidates(self, start: int) -> Iterator[tuple[Header, int]]:
        """The record that begins there, under each separator, with the number of its last line."""
        for separator in self._separators if self._mapped else self._separators[:1]:
            reader = csv.reader(self._from(start), delimiter=separator, strict=True)
            try:
                cells = next(reader)
            except csv.Error as error:
                self._errors.append(not_csv(error, self._line + start, separator))
                continue
            if len(cells) > MAX_COLUMNS:
                self._errors.append(_too_wide(self._line + start))
            elif any(map(str.strip, cells)):
                header = read_header(self._line + start, separator, cells, self._mapped)
                yield header, self._line + start + reader.line_num - 1

    def _from(self, start: int) -> Iterator[str]:
        while self._has(start):
            yield self._head[start]
            start += 1

    def _has(self, index: int) -> bool:
        while len(self._head) <= index:
            if len(self._head) >= _FIRST_LINES + _MORE_LINES or self._size > MAX_LINE_BYTES:
                return False
            self._lines.begin_record()
            text = next(self._lines, None)
            if text is None:
                return False
            self._head.append(text)
            self._size += len(text)
        return True

    def _one(self, fits: list[tuple[Header, int]]) -> tuple[Header, int]:
        header = fits[0][0]
        if any(other.columns != header.columns for other, _ in fits):
            raise HrFileError(
                "ambiguousSeparator",
                f"The header on line {header.line} has all mapped columns under more than one separator.",
                "Put the separator under file in the feed file, such as separator: semicolon.",
            )
        return fits[0]

    def _why_not(self, misfits: list[Header]) -> HrFileError:
        """The refusal by what comes nearest; this choice decides words only."""

        def nearness(header: Header) -> tuple[int, int, int]:
            return -len(header.missing), -header.line, len(header.columns)

        best = max(misfits, key=nearness, default=None)
        if self._errors and (best is None or len(best.missing) == len(set(self._mapped))):
            return self._errors[0]
        if best is None:
            return self._no_line("auto")
        try:
            check_found(best, [name for name in self._mapped if name not in self._layout.optional_columns])
        except HrFileError as refusal:
            return refusal
        raise AssertionError("a header that lacks nothing is taken")


def not_csv(error: csv.Error, line: int, separator: str) -> HrFileError:
    """The refusal of a record that the csv module can't read."""
    words = str(error)
    if "unexpected end of data" in words:
        return quote_never_closed(line)
    if "field larger" in words:
        return HrFileError(
            "cellTooLong",
            f"A cell in the row on line {line} is longer than {csv.field_size_limit()} characters.",
            "Check that the file is an HR export with one worker on a line.",
        )
    if "new-line" in words:
        return HrFileError(
            "lineEndings",
            f"The row on line {line} has a carriage return or a line feed that ends no line as the first line ends.",
            "Export the file with line ends of one kind, CRLF, LF or CR, and put cells with line breaks in quotes.",
        )
    name = next(name for name, mark in SEPARATORS.items() if mark == separator)
    return HrFileError(
        "notCsv",
        f"The row on line {line} is not text separated by {name}: more than that follows a closing quote.",
        "A quote inside a quoted cell is written twice. If cells are separated otherwise, put separator under file in "
        "the feed file.",
    )


def _too_wide(line: int) -> HrFileError:
    return HrFileError(
        "tooManyColumns",
        f"The header on line {line} has more than {MAX_COLUMNS} columns.",
        "Check that the file is an HR export, and that separator under file in the feed file is right.",
    )
