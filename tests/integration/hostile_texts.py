"""Hostile HR files as text and JSON, made while they are read, so that none of them is in memory."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from shared.inbound.feeds.feed_file import Feed
from tests.integration.bounded_child import Outcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTOSO = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User"
MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"
MEGABYTE = 1024 * 1024
HEADER = b"id,login,status,title,boss\n"
GOOD = b"1,u1@example.com,1,Guide,\n"
_MAPPING = {
    "externalId": "id",
    "userName": "login",
    "active": {"column": "status", "true_when": ["1"], "false_when": ["0"]},
    "title": "title",
    MANAGER: "boss",
}


def feed(mapping: dict[str, Any] | None = None, **sections: Any) -> Feed:
    """Five columns; `mapping` has further rules."""
    job = {"servicePrincipalId": "4f7c2d58-2f3e-4d84-9a2c-3a0c5b1e7d11", "jobId": "API2AAD.8c3f.1a03de52"}
    rules = {} if sections.get("file", {}).get("format") == "scim" else {**_MAPPING, **(mapping or {})}
    return Feed.model_validate({"job": job, "mapping": rules, **sections})


def text_outcome(name: str, size: int, mapping: dict[str, Any] | None = None, sections: Any = None) -> Outcome:
    """What becomes of the text of that name."""
    return outcome_of(TEXTS[name](size), feed(mapping, **(sections or {})))


def _rows(count: int, row: Callable[[int], str], start: bytes = HEADER) -> Iterator[bytes]:
    yield start
    for first in range(0, count, 500):
        yield "".join(map(row, range(first, min(first + 500, count)))).encode()


def _fill(piece: bytes, size: int) -> Iterator[bytes]:
    """About so many bytes of it."""
    block = piece * (256 * 1024 // len(piece) + 1)
    return repeat(block, size // len(block) + 1)


def _filled(start: bytes, piece: bytes, end: bytes = b"") -> Callable[[int], Iterator[bytes]]:
    def chunks(size: int) -> Iterator[bytes]:
        yield start
        yield from _fill(piece, size)
        yield end

    return chunks


def _table(row: Callable[[int], str], start: bytes = HEADER) -> Callable[[int], Iterator[bytes]]:
    return lambda count: _rows(count, row, start)


def _circle(count: int) -> Iterator[bytes]:
    return _rows(count, lambda n: f"{n},u{n}@example.com,1,,{(n + 1) % count}\n")


def _wide_header(count: int) -> Iterator[bytes]:
    yield b",".join(b"c%d" % n for n in range(count)) + b"\n" + GOOD


def _long_first_lines(count: int) -> Iterator[bytes]:
    """Lines of a megabyte in cells as long as a cell may be."""
    for _ in range(count):
        yield (b"x" * 130_000 + b",") * 8 + b"\n"
    yield HEADER + GOOD


def _utf_16(count: int) -> Iterator[bytes]:
    yield b"\xff\xfe" + HEADER.decode().encode("utf-16-le")
    yield from repeat(GOOD.decode().encode("utf-16-le"), count)
    yield "1,u@example.com,1,".encode("utf-16-le") + b"\x00\xd8" + ",\n".encode("utf-16-le")


def _object(inner: str) -> str:
    return f'{{"id":"1","login":"u@example.com","status":"1","title":"","boss":"",{inner}}}'


def _json(value: str) -> Callable[[int], Iterator[bytes]]:
    """An array of so many equal objects."""

    def chunks(count: int) -> Iterator[bytes]:
        yield b"[" + value.encode()
        yield from repeat(b"," + value.encode(), count - 1)
        yield b"]"

    return chunks


def _nested(depth: int) -> Iterator[bytes]:
    yield b"[" + _object('"x":' + "[" * depth + "]" * depth).encode() + b"]"


def _nested_scim(depth: int) -> Iterator[bytes]:
    yield b'[{"externalId":"1","userName":"u@example.com","active":true,"x":' + b"[" * depth + b"]" * depth + b"}]"


def _many_keys(count: int) -> Iterator[bytes]:
    yield b"[" + _object(",".join(f'"k{n}":1' for n in range(count))).encode() + b"]"


def _other_attributes(count: int) -> Iterator[bytes]:
    """SCIM users, every one with an unknown attribute of its own."""
    yield b"["
    for n in range(count):
        yield b'%b{"externalId":"%d","userName":"u%d@example.com","active":true,"a%d":1}' % (
            b"," if n else b"",
            n,
            n,
            n,
        )
    yield b"]"


def _large_objects(count: int) -> Iterator[bytes]:
    """Each is one worker, with a title of almost a megabyte."""
    yield b"["
    for n in range(count):
        title = "x" * (MEGABYTE - 200)
        user = f'{{"id":"{n}","login":"u{n}@example.com","status":"1","boss":"","title":"{title}"}}'
        yield (("," if n else "") + user).encode()
    yield b"]"


def _large_scim_users(count: int) -> Iterator[bytes]:
    yield b"["
    for n in range(count):
        start = b'%b{"externalId":"%d","userName":"u%d@example.com","active":true,' % (b"," if n else b"", n, n)
        yield start + b'"%b":{"note":"' % CONTOSO.encode() + b"x" * (MEGABYTE - 200) + b'"}}'
    yield b"]"


def _wide_rows(count: int) -> Iterator[bytes]:
    """Each has a few bytes less than what may stand unread, in cells of two bytes."""
    yield HEADER
    yield from repeat("ā,".encode() * 21_000 + b"\n", count)


def _long_rows(count: int) -> Iterator[bytes]:
    """Of lines that are as long as a line may be, in cells that are as long as a cell may be."""
    yield HEADER
    for n in range(count):
        yield b"%d,u%d@example.com,1," % (n, n) + (b"x" * 130_000 + b",") * 7 + b"\n"


def _combining(count: int) -> Iterator[bytes]:
    """Managers whose names are marks above and below by turns, which normalizing has to sort."""
    marks = "\u0301\u0316" * 60_000
    return _rows(count, lambda n: f"{n},u{n}@example.com,1,,{marks}\n")


def _combining_header(count: int) -> Iterator[bytes]:
    yield ("a" + "\u0301\u0316" * 60_000 + ",").encode() * count + HEADER + GOOD


def _title_with_a_quote(size: int) -> Iterator[bytes]:
    """A title with a lone quote, then rows that together are longer than a line may be: nothing is wrong with them."""
    yield b'"Report of today\n' + HEADER[:-1] + b",note\n"
    for n in range(40):
        yield b"%d,u%d@example.com,1,,,%b\n" % (n, n, b"x" * size)


TEXTS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "one line": _filled(b"", b"x"),
    "one line of cells": _filled(b"", b"x,"),
    "one line below the header": _filled(HEADER, b"x"),
    "one line of line separators": _filled(HEADER, "\u2028".encode()),
    "a header of many columns": _wide_header,
    "long first lines": _long_first_lines,
    "a quote that is never closed, first": _filled(b'"', b"x\n"),
    "a quote that is never closed": _filled(HEADER + b'"', b"x\n"),
    "a quote that is never closed, short lines": _filled(HEADER + b'"', b"\n"),
    "cells with line breaks without end": _filled(HEADER, b'"\n",'),
    "a title with a lone quote": _title_with_a_quote,
    "blank lines": _filled(HEADER, b"\n"),
    "blank lines first": _filled(b"", b"\n", HEADER + GOOD),
    "blank cells": _filled(HEADER, b",,,,\n"),
    "rows of cells of a thousand lines": _table(lambda n: f'{n},u{n}@example.com,1,"{chr(10) * 1200}",\n'),
    "rows of one cell": _table(lambda n: "x\n"),
    "rows of no cells": _table(lambda n: ",\n"),
    "rows that are all set aside": _table(lambda n: f"{n},u{n}@example.com,?,t,\n"),
    "rows with everything wrong": _table(lambda n: f" ,?,,{'t' * 200},#N/A\n"),
    "rows of far too many cells": _wide_rows,
    "rows of long cells": _long_rows,
    "one worker, the same": _table(lambda n: "7,u@example.com,1,t,\n"),
    "one worker, other data": _table(lambda n: f"7,u{n}@example.com,1,t{n},\n"),
    "one worker, half known": _table(lambda n: f"7,u{n}@example.com,{n % 2 or ''},t,\n"),
    "one login": _table(lambda n: f"{n},u@example.com,1,t,\n"),
    "a chain of managers": _table(lambda n: f"{n},u{n}@example.com,1,,{n + 1}\n"),
    "a circle of managers": _circle,
    "managers of themselves": _table(lambda n: f"{n},u{n}@example.com,1,,{n}\n"),
    "managers of marks": _combining,
    "column names of marks": _combining_header,
    "NUL characters": _filled(HEADER, b"\0\n"),
    "NUL characters first": _filled(b"", b"\0\0\n"),
    "half a surrogate pair in UTF-16": _utf_16,
    "rows of byte order marks": _table(lambda n: "\ufeff\n"),
    "a byte order mark in the middle": _table(lambda n: f"\ufeff{n},u{n}@example.com,1,\ufeff,\n"),
    "carriage returns": _filled(HEADER.replace(b"\n", b"\r"), b"\r", GOOD.replace(b"\n", b"\r")),
    "bytes that are no text": _filled(HEADER, b"\xff\xfe\xfd\n"),
    "empty objects": _json("{}"),
    "objects that say nothing": _json(_object('"x":{}')),
    "an object nested deep": _nested,
    "a SCIM user nested deep": _nested_scim,
    "an object of many keys": _many_keys,
    "objects of almost a megabyte": _large_objects,
    "SCIM users of almost a megabyte": _large_scim_users,
    "a string without end": _filled(b'[{"id":"', b"x"),
    "a name without end": _filled(b'[{"', b"x"),
    "a number without end": _filled(b'[{"id":', b"9"),
    "white space without end": _filled(b"[{", b" "),
    "arrays without end": _filled(b'[{"id":', b"["),
    "members around the array": _filled(b'{"a":1', b',"x":{"y":[]}'),
    "SCIM users, each wrong in its own way": _other_attributes,
}
