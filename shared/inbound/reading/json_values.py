"""JSON to objects with the line on which each begins: an array, NDJSON, or an object that wraps an array.

Streams: one object and what was read ahead are in memory, whatever the file. Nothing is guessed: numbers stay as they
are written, and what one reader takes for another value than the next (a key given twice, NaN) refuses the file.

Sources: RFC 8259 (JSON), RFC 7644 §3.4.2 (ListResponse) and §3.7 (bulk request), OData JSON Format 4.01 §13 and 2.0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shared.errors import HrFileError
from shared.inbound.reading.json_decoding import MAX_OBJECT_BYTES, JsonNumber, decoded_json, not_json, repeated_key
from shared.inbound.reading.json_text import JsonObject, JsonText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["MAX_OBJECT_BYTES", "JsonNumber", "JsonObject", "WrappedRowsError", "json_objects"]

_ARRAYS = ("Operations", "Resources", "value")


def json_objects(chunks: Iterable[bytes], records: str | None = None) -> Iterator[JsonObject]:
    """Every object of the file.

    The values are dict, list, str, JsonNumber, bool and None.

    Args:
        chunks: the file's bytes in order, in pieces of any size; UTF-8, or UTF-16 with a byte order mark.
        records: a member of a wrapping object that has the rows, besides those that standards name.

    Raises:
        HrFileError: from here on the file is not what it claims to be; the objects so far are void.
    """
    text = JsonText(decoded_json(chunks))
    objects = _array(text) if text.peek() == "[" else _wrapped_or_lines(text, records)
    first = next(objects, None)
    if first is None:
        raise HrFileError("emptyFile", "The file has no objects.", "Export the file again and drop it again.")
    yield first
    yield from objects


def _array(text: JsonText) -> Iterator[JsonObject]:
    yield from _elements(text)
    text.end()


def _elements(text: JsonText) -> Iterator[JsonObject]:
    text.mark("[")
    if text.peek() == "]":
        text.mark("]")
        return
    yield text.object()
    while text.mark(",]") == ",":
        yield text.object()


def _wrapped_or_lines(text: JsonText, records: str | None) -> Iterator[JsonObject]:
    """The first object decides: it wraps an array, or it is the first of the rows."""
    if not text.peek():
        return
    line = text.line
    members: dict[str, Any] = {}
    if levels := _find_array(text, (*_ARRAYS, records) if records else _ARRAYS, members, is_outer=True):
        is_bulk = "Operations" in levels[0]
        yield from (map(_upserted, _elements(text)) if is_bulk else _elements(text))
        for names in reversed(levels):
            while text.mark(",}") == ",":
                _name(text, names)
                text.member()
        text.end()
        return
    spaces = 0
    if arrays := wrappers(members):
        if not text.peek():
            raise _wrapped_rows(arrays)
        spaces = text.spaces
    yield JsonObject(line, members)
    while text.peek():
        if not text.spaces + spaces:
            raise not_json(text.line, "something right behind an object, without white space")
        yield text.object()


def _find_array(
    text: JsonText, arrays: Collection[str], members: dict[str, Any], *, is_outer: bool = False
) -> list[set[str]]:
    """Read an object up to the array that it wraps.

    Returns:
        the names so far in each object that is still open, outermost first; none if the object is read to its end,
        since it wraps nothing: then `members` is all of it.
    """
    names: set[str] = set()
    text.mark("{")
    if text.peek() == "}":
        text.mark("}")
        return []
    while True:
        name = _name(text, names)
        mark = text.peek()
        if mark == "[" and name in arrays:
            return [names]
        if mark == "{" and name == "d" and is_outer:
            members[name] = {}
            if inner := _find_array(text, ("results",), members[name]):
                return [names, *inner]
        else:
            members[name] = text.member()
        if text.mark(",}") == "}":
            return []


class WrappedRowsError(HrFileError):
    """The file is one object, and its rows are in one of these members."""

    def __init__(self, names: list[str], refusal: HrFileError) -> None:
        super().__init__(refusal.reason.code, refusal.reason.message, refusal.reason.advice)
        self.names = names


def _wrapped_rows(names: list[str]) -> WrappedRowsError:
    refusal = HrFileError(
        "wrappedRows",
        f"The file is one object with arrays of objects in it ({', '.join(names)}), not one for each worker.",
        f"Put records: {names[0]} (the name of the array with the workers) under file in the feed file. If it is one "
        "worker, export an array of one.",
    )
    return WrappedRowsError(names, refusal)


def wrappers(members: dict[str, Any]) -> list[str]:
    """The members of an object that look as if they held the rows of the file, the longest first."""
    arrays = {name: inner for name, inner in members.items() if isinstance(inner, list) and len(inner) > 1}
    names = [name for name, inner in arrays.items() if all(isinstance(one, dict) for one in inner)]
    named = sorted(names, key=lambda name: -len(arrays[name]))
    return [name for name in named if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", name)]


def _name(text: JsonText, names: set[str]) -> str:
    """The next member's name and the colon after it; `names` are those that the object has already."""
    if text.peek() != '"':
        text.stop()
    line, name = text.line, str(text.member())
    if name in names:
        raise repeated_key(line, name)
    names.add(name)
    text.mark(":")
    return name


def _upserted(operation: JsonObject) -> JsonObject:
    """The user of a bulk operation."""
    line, value = operation
    data = value.get("data")
    if value.get("method") != "POST" or value.get("path") != "/Users" or not isinstance(data, dict):
        raise HrFileError(
            "notScimUpsert",
            f"The bulk operation on line {line} is not a POST to /Users with the user as its data.",
            "Send every worker as a POST to /Users, the leavers too (with active false): Entra finds out what to do.",
        )
    return JsonObject(line, data)
