"""JSON objects as rows of cells: a column for each path into them, and only such columns as the feed file means.

A column that no object has refuses the file at its end: a name that HR changed must never read as blank.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.errors import HrFileError
from shared.inbound.reading.headers import MAX_COLUMNS, loose_key
from shared.inbound.reading.json_values import MAX_OBJECT_BYTES, JsonNumber

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from shared.inbound.reading.json_values import JsonObject

_SAMPLE = 100
"""So many first objects tell the layout; fewer if they hold more text than one object may."""
_MAX_NAME = 1000
"""A column with a longer name is nobody's."""
_MAX_EXPONENT = 30
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]{1,3}))?", re.ASCII)


def flatten(value: dict[str, Any], line: int | None = None) -> dict[str, str]:
    """The cells of one object by dotted path ("name.first", "phones.0.value"), in its order.

    Text is as it is; a whole number has neither fraction nor exponent, any other number is as it is written; true and
    false are words; null, {} and [] are a blank cell.

    Args:
        value: as `json_objects` gives it.
        line: where it begins, for messages.

    Raises:
        HrFileError: it has more columns than a file may have, or two with the same name.
    """
    cells: dict[str, str] = {}
    size = 0
    waiting: list[tuple[str, Any]] = [(name, inner) for name, inner in reversed(value.items())]
    while waiting:
        path, inner = waiting.pop()
        if inner and isinstance(inner, dict | list):
            size += (len(path) + 1) * len(inner)
            if len(inner) > MAX_COLUMNS or size > MAX_OBJECT_BYTES:
                raise _too_many(line)
            members = inner.items() if isinstance(inner, dict) else enumerate(inner)
            waiting += [(f"{path}.{name}", part) for name, part in members][::-1]
            continue
        if path in cells:
            raise _same_column(line)
        cells[path] = _cell(inner)
        if len(cells) > MAX_COLUMNS:
            raise _too_many(line)
    return cells


def _cell(value: Any) -> str:
    if isinstance(value, JsonNumber):
        return _number(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value else ""


def _number(number: JsonNumber) -> str:
    """Digits only for a whole number (a key of HR's may come as 701984.0), else as it is written."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        return str(number)
    sign, whole, fraction, exponent = match.groups(default="")
    power = int(exponent or 0)
    if abs(power) > _MAX_EXPONENT:
        return str(number)
    point = len(whole) + power
    digits = (whole + fraction).ljust(max(point, 0), "0")
    if digits[max(point, 0) :].strip("0"):
        return str(number)
    kept = digits[: max(point, 0)].lstrip("0")
    return sign + kept if kept else "0"


class JsonRows:
    """The objects of a file as rows of one width: `columns` first, then the rows, once.

    `columns` has the mapped columns, then others that the first objects have (to show HR its own layout).
    """

    def __init__(
        self, objects: Iterator[JsonObject], mapped: Sequence[str], optional: Collection[str] = frozenset()
    ) -> None:
        """Reads the first objects.

        Args:
            objects: as `json_objects` gives them.
            mapped: the columns that the feed file means.
            optional: those of them that may be absent from every object.

        Raises:
            HrFileError: as `flatten` and `json_objects`, or a mapped column can't be told from another.
        """
        self._names = list(dict.fromkeys(mapped))
        self._optional = frozenset(optional)
        by_key: dict[str, list[str]] = {}
        for name in self._names:
            by_key.setdefault(loose_key(name), []).append(name)
        self._alike = lru_cache(maxsize=10_000)(lambda spelling: by_key.get(loose_key(spelling), ()))
        self._exact: set[str] = set()
        self._loosely: dict[str, str] = {}
        self._objects = objects
        self._sample: list[tuple[int, dict[str, str]]] = []
        self._read_sample()
        names = dict.fromkeys(itertools.chain.from_iterable(cells for _, cells in self._sample))
        others = (name for name in names if name not in self._names and name not in self._loosely.values())
        self._ignored = list(itertools.islice(others, max(MAX_COLUMNS - len(self._names), 0)))
        self.columns = [*self._names, *self._ignored]

    @property
    def ignored(self) -> list[str]:
        """The columns that are not mapped, as far as `columns` has them."""
        return list(self._ignored)

    @property
    def loosely(self) -> dict[str, str]:
        """The file's own spelling of columns that it writes otherwise, by the feed's name; complete after all rows."""
        return dict(self._loosely)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line and cells of each object, as wide as `columns`; what an object lacks is blank.

        Raises:
            HrFileError: the file is not what it claims to be, or no object has a mapped column; all rows are void.
        """
        columns = self.columns
        read = ((line, self._matched(line, flatten(value, line))) for line, value in self._objects)
        sample, self._sample = self._sample, []
        for line, cells in itertools.chain(sample, read):
            yield line, [cells.get(column, "") for column in columns]
        self._check_complete()

    def _read_sample(self) -> None:
        size = 0
        for line, value in itertools.islice(self._objects, _SAMPLE):
            cells = self._matched(line, flatten(value, line))
            self._sample.append((line, cells))
            size += sum(map(len, cells)) + sum(map(len, cells.values()))
            if size > MAX_OBJECT_BYTES:
                return

    def _matched(self, line: int, cells: dict[str, str]) -> dict[str, str]:
        """The cells, also under the feed's names where only the look of a name differs.

        A name means the same in the whole file: once a column was found by its exact name, nothing else is taken for
        it, and an object that has only what looks like it refuses the file, since its cell would read as blank.
        """
        found: dict[str, str] = {}
        for spelling in cells:
            names = self._alike(spelling) if len(spelling) <= _MAX_NAME else ()
            if spelling in names:
                self._exact.add(spelling)
            elif absent := [name for name in names if name not in cells]:
                if len(names) > 1 or absent[0] in found:
                    raise _ambiguous(line, absent[0])
                found[absent[0]] = spelling
        for name, spelling in found.items():
            if self._loosely.setdefault(name, spelling) != spelling:
                raise _ambiguous(line, name)
        if self._loosely and (both := self._exact & self._loosely.keys()):
            raise _ambiguous(line, min(both))
        return {**cells, **{name: cells[spelling] for name, spelling in found.items()}} if found else cells

    def _check_complete(self) -> None:
        had = self._exact | self._loosely.keys() | self._optional
        if missing := [name for name in self._names if name not in had]:
            raise HrFileError(
                "missingColumns",
                f"No object of the file has these columns, which the feed file maps: {', '.join(missing)}.",
                "Export the file with them, or change the mapping in the feed file if they were renamed. A nested "
                "value's column is its path, such as name.first or phones.0.value.",
            )


def _at(line: int | None) -> str:
    return "An object" if line is None else f"The object on line {line}"


def _too_many(line: int | None) -> HrFileError:
    return HrFileError(
        "tooManyColumns",
        f"{_at(line)} has more than {MAX_COLUMNS} columns, or names that are far too long.",
        "Check that the file is an HR export with one object for each worker.",
    )


def _same_column(line: int | None) -> HrFileError:
    return HrFileError(
        "repeatedKey",
        f"{_at(line)} has two values that are the same column: a name with a dot in it looks like a path.",
        "Export the file without dots in names, or without the nested object of that name.",
    )


def _ambiguous(line: int, name: str) -> HrFileError:
    return HrFileError(
        "ambiguousColumns",
        f"The object on line {line} leaves open which of its names is the column {name}: the file writes it in several "
        "ways, and letter case, width and spaces tell no columns apart.",
        "Export the file with one spelling of each name, that of the feed file.",
    )
