"""Where the header is, what separates its cells, and which of its columns the feed file means.

All three are decided by one thing: the header is what has every mapped column. Nothing is taken because it is frequent.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.errors import HrFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
MAX_COLUMNS = 1000
_LONGEST_NAME = 1000
"""Unicode's normal forms take time that grows with the square of a run of marks."""

_PLURALS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", ",": "commas"}


@dataclass(frozen=True, slots=True)
class Header:
    """A line read as the header.

    `columns` has the names as the feed file writes them where it means them. `loosely` has the file's own spelling of
    those that it writes otherwise, by the feed's name; `ambiguous` the feed's names that several columns could be;
    `ignored` what is not mapped.
    """

    line: int
    separator: str
    columns: list[str]
    missing: list[str]
    ambiguous: list[str]
    loosely: dict[str, str]
    ignored: list[str]
    above: tuple[int, ...] = ()
    """Lines above the header that are not blank, where the header was looked for."""


def read_header(line: int, separator: str, cells: Sequence[str], mapped: Iterable[str]) -> Header:
    """Match the cells of a line with the mapped columns: exactly first, then those that only look different."""
    names = dict.fromkeys(mapped)
    columns = [cell.strip() for cell in cells]
    exact = names.keys() & set(columns)
    alike: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        if column not in exact:
            alike.setdefault(loose_key(column), []).append(index)
    inexact = [name for name in names if name not in exact]
    wanted = Counter(map(loose_key, inexact))
    missing, ambiguous = [], []
    for name in inexact:
        places = alike.get(loose_key(name))
        if not places:
            missing.append(name)
        elif len(places) > 1 or wanted[loose_key(name)] > 1:
            ambiguous.append(name)
        else:
            columns[places[0]] = name
    loosely = {name: cell for name, cell in zip(columns, cells, strict=True) if name in names and name != cell}
    ignored = [name for name in columns if name not in names]
    return Header(line, separator, columns, missing, ambiguous, loosely, ignored)


def below(header: Header, above: Sequence[tuple[int, Sequence[str]]]) -> Header:
    """The header with the lines that were found above it.

    Raises:
        HrFileError: one of them looks like a row of the file: it has as many cells, most of which are not blank.
    """
    for line, cells in above:
        if looks_like_row(cells, len(header.columns)):
            raise HrFileError(
                "rowsAboveHeader",
                f"The header is on line {header.line}, and line {line} above it looks like a row: was the file sorted, "
                "header and all?",
                "Put the header on top of the rows and drop the file again. If the lines above are no rows, put "
                f"header_row: {header.line} under file in the feed file.",
            )
    return replace(header, above=tuple(line for line, _ in above))


def looks_like_row(cells: Sequence[str], width: int) -> bool:
    """Whether a line above a header of that width could be one of the file's rows: as wide, and mostly not blank."""
    return len(cells) == width > 1 and sum(map(bool, map(str.strip, cells))) * 2 > width


def loose_key(name: str) -> str:
    """Equal for names that differ in letter case, width or spaces only. What is too long for a name is as it is."""
    if len(name) > _LONGEST_NAME:
        return name
    return "".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


def check_header(mapped: Iterable[str], columns: Sequence[str]) -> None:
    """Refuse a header without the mapped columns, or with one of them twice.

    Raises:
        HrFileError: no name of the file is in its words but the feed's own and those alike: a header that is none
            may be the data of a person.
    """
    names = list(dict.fromkeys(mapped))
    missing = [name for name in names if name not in columns]
    marks = (mark for mark in _PLURALS if len(columns) == 1 and mark in columns[0])
    if missing and (other := next(marks, None)):
        setting = next(name for name, mark in SEPARATORS.items() if mark == other)
        raise HrFileError(
            "otherSeparator",
            f"The header is a single cell with {_PLURALS[other]} in it: cells are separated by another character than "
            "the feed file says.",
            f"Put separator: {setting} (or auto) under file in the feed file, or export the file with the separator "
            "that it names.",
        )
    if missing:
        raise HrFileError(
            "missingColumns",
            f"The header lacks columns that the feed file maps: {', '.join(missing)}.{_alike(missing, columns)}",
            "Export the file with these columns in its header, or change the mapping in the feed file if they were "
            "renamed. A header below line 20 needs header_row under file in the feed file, with its line.",
        )
    if repeated := [name for name in names if columns.count(name) > 1]:
        raise HrFileError(
            "repeatedColumns",
            f"The header has mapped columns more than once: {', '.join(repeated)}.",
            "Export the file with each mapped column once.",
        )


def check_found(header: Header, mapped: Iterable[str]) -> None:
    """Refuse a header that was found in a file but can't be used.

    Raises:
        HrFileError: as `check_header`, or a name can't be told from another.
    """
    if header.ambiguous and not header.missing:
        raise HrFileError(
            "ambiguousColumns",
            f"The header on line {header.line} leaves open which column is meant by {', '.join(header.ambiguous)}: "
            "letter case, width and spaces tell no columns apart.",
            "Write the column in the feed file just as the file does, or export the file with one of them.",
        )
    check_header([name for name in mapped if name not in header.ambiguous], header.columns)


def _alike(missing: list[str], columns: Sequence[str]) -> str:
    """Columns that only look different from a missing one, as a sentence."""
    found = {loose_key(name): name for name in columns}
    pairs = [f"{found[key]} for {name}" for name in missing if (key := loose_key(name)) in found]
    return f" It has {', '.join(pairs)}: letters and spaces must be the same." if pairs else ""
