"""How a text file is written: encoding, separator and header, as its first lines have it."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.drafting.draft_encoding import decoded
from shared.inbound.drafting.draft_header import FIRST_LINES, Place, header_place, no_header
from shared.inbound.drafting.draft_yaml import Line
from shared.inbound.reading.headers import SEPARATORS, looks_like_row
from shared.inbound.text.text_encoding import undecodable

if TYPE_CHECKING:
    from collections.abc import Iterator

_COUNTED_LINES = 1000
_HEADER_LINES = 30
_AUTO_LINES = 20
"""So far down `header_row: auto` looks, from the first line that is not blank."""


@dataclass(frozen=True)
class TextLayout:
    """What HrFile needs to read the file, and the same as lines of a feed file."""

    encoding: str
    separator: str
    header_row: int
    lines: list[Line]
    undecided: list[str]


@dataclass(frozen=True)
class _Reading:
    """The text under one separator; `even` is how many lines have the number of cells that most have."""

    separator: str
    width: int
    even: int
    place: Place | None

    @property
    def rank(self) -> tuple[int, int, int]:
        return (self.place.known if self.place else 0, self.even, self.width)


def text_layout(start: bytes, *, is_whole: bool) -> TextLayout:
    """Find out how a text is written that starts so.

    Raises:
        HrFileError: it is no text that can be read, or has no cells, or no header.
    """
    read = decoded(start)
    if read is None:
        raise _no_text(start)
    lines = _lines(read.text)
    if not is_whole and len(lines) > 1:
        lines.pop()
    reading = max((_reading(lines, name) for name in SEPARATORS), key=lambda reading: reading.rank)
    if reading.width < 2:
        raise _no_cells()
    if reading.place is None:
        raise no_header()
    settings = [_separator(reading), *read.lines, _header_row(lines, reading.place.line, SEPARATORS[reading.separator])]
    undecided = ["encoding"] if read.is_undecided else []
    return TextLayout(read.encoding, reading.separator, reading.place.line, settings, undecided)


def _lines(text: str) -> list[str]:
    """Physical lines, each with its end, by the ends that the text has."""
    end = "\n" if "\n" in text else "\r"
    return [line + end for line in text.split(end)]


def _reading(lines: list[str], separator: str) -> _Reading:
    mark = SEPARATORS[separator]
    widths = Counter(len(_record([line], mark)) for line in lines[:_COUNTED_LINES] if mark in line)
    del widths[0], widths[1]
    width, even = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    return _Reading(separator, width, even, header_place(_records(lines, mark), width))


def _records(lines: list[str], mark: str) -> Iterator[tuple[int, list[str]]]:
    """The first lines, each as the first of a record: a title above the header can hold a lone quote."""
    for index in range(min(len(lines), FIRST_LINES)):
        yield index + 1, _record(lines[index : index + _HEADER_LINES], mark)


def _record(lines: list[str], mark: str) -> list[str]:
    try:
        return next(csv.reader(lines, delimiter=mark, strict=True), [])
    except csv.Error:
        return []


def _separator(reading: _Reading) -> Line:
    return Line(f"separator: {reading.separator}", f"likely: {reading.even} lines have {reading.width} cells under it")


def _header_row(lines: list[str], line: int, mark: str) -> Line:
    first = next((number for number, text in enumerate(lines, start=1) if text.strip()), 1)
    if line - first >= _AUTO_LINES:
        return Line(f"header_row: {line}", f"sure: auto looks at the first {_AUTO_LINES} lines only")
    records = [(number, _record([text], mark)) for number, text in enumerate(lines[:line], start=1)]
    if any(looks_like_row(cells, len(records[-1][1])) for _, cells in records[:-1]):
        return Line(f"header_row: {line}", "likely: a line above it looks like a row; decide: is that a title?")
    above = f"line {line}, below {line - 1} others" if line > 1 else "the first line"
    return Line("header_row: auto", f"sure: {above}; auto finds it by the mapped columns")


def _no_text(start: bytes) -> HrFileError:
    """The refusal of bytes that are text in no encoding that is often used."""
    for number, line in enumerate(start.split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return undecodable(number, line, "utf-8")
    return undecodable(1, start, "utf-8")


def _no_cells() -> HrFileError:
    return HrFileError(
        "noCells",
        "Under no separator (comma, semicolon, tab, vertical bar) the file has lines with several cells.",
        "Check that it is an HR export: a header, then one worker on a line.",
    )
