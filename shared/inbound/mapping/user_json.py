"""Columns of values to SCIM Users as JSON, put together column by column: nothing is built for a row but its bytes."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import orjson

from shared.inbound.mapping.column_memo import ColumnMemo
from shared.scim.attribute_path import MANAGER, AttributePath
from shared.scim.user import CORE_USER, ENTERPRISE_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class UserEncoder:
    """The users of a feed: `encode` takes one column of values for each path, in the same order."""

    def __init__(self, paths: Sequence[AttributePath]) -> None:
        extensions = [path.container for path in paths if path.is_custom and path.container]
        schemas = [CORE_USER, ENTERPRISE_USER, *dict.fromkeys(extensions)]
        self._start = b'{"schemas":' + orjson.dumps(schemas)
        self._own = [(index, _Member(path)) for index, path in enumerate(paths) if path.container is None]
        names = dict.fromkeys(path.container for path in paths if path.container is not None)
        self._containers = [_Container(name, paths) for name in names if name is not None]

    def encode(self, values: Sequence[list[Any]], count: int) -> list[bytes]:
        """One JSON object a row; where a value is none of text, Boolean, whole number or None, it says nothing."""
        parts: list[Iterable[bytes]] = [repeat(self._start, count)]
        parts += [member.fragments(values[index]) for index, member in self._own]
        for container in self._containers:
            parts += container.parts(values, count)
        parts.append(repeat(b"}", count))
        return list(map(b"".join, zip(*parts, strict=True)))


class _Container:
    """A complex or multi-valued attribute or an extension, with its members; it is left out where it has none."""

    def __init__(self, name: str, paths: Sequence[AttributePath]) -> None:
        inner = [(index, path) for index, path in enumerate(paths) if path.container == name]
        self._is_list = inner[0][1].multi_valued
        opening, self._closing = (b':[{"type":"work"', b"}]") if self._is_list else (b":{", b"}")
        self._opening = b"," + orjson.dumps(name) + opening
        self._first = (inner[0][0], _Member(inner[0][1], comma=self._is_list))
        self._others = [(index, _Member(path)) for index, path in inner[1:]]

    def parts(self, values: Sequence[list[Any]], count: int) -> list[Iterable[bytes]]:
        """Columns of bytes which, joined row by row, are the container."""
        index, member = self._first
        first = member.fragments(values[index])
        others = [member.fragments(values[index]) for index, member in self._others]
        if all(first):
            return [repeat(self._opening, count), first, *others, repeat(self._closing, count)]
        comma = b"" if self._is_list else b","
        rows = map(b"".join, zip([comma + text if text else b"" for text in first], *others, strict=True))
        skip = 0 if self._is_list else 1
        return [[self._opening + row[skip:] + self._closing if row else b"" for row in rows]]


class _Member:
    """`,"name":value` for each value of a column, nothing for ""."""

    def __init__(self, path: AttributePath, *, comma: bool = True) -> None:
        before = (b"," if comma else b"") + orjson.dumps(path.attribute)
        self._before, self._after = before + b":", b""
        if path == MANAGER:
            self._before, self._after = before + b':{"value":', b"}"
        self._memo = ColumnMemo(self._fragment)

    def fragments(self, column: list[Any]) -> list[bytes]:
        """To a dictionary True is 1: but no attribute has both Booleans and numbers."""
        if self._memo.is_worth_it:
            return list(map(self._memo.__getitem__, column))
        if set(map(type, column)) == {str}:
            before, after = self._before + b'"', b'"' + self._after
            return [before + text + after if text else b"" for text in _json_texts(column)]
        return list(map(self._fragment, column))

    def _fragment(self, value: Any) -> bytes:
        if value == "" or not (value is None or isinstance(value, str | bool | int)):
            return b""
        return self._before + orjson.dumps(value) + self._after


def _json_texts(texts: list[str]) -> list[bytes]:
    """The inside of each JSON string. One call encodes them all; that can be split where no quote is escaped."""
    encoded = orjson.dumps(texts)
    if b'\\"' in encoded:
        dumps: Callable[[Any], bytes] = orjson.dumps
        return [dumps(text)[1:-1] for text in texts]
    return encoded[2:-2].split(b'","')
