"""Hostile HR files that are packed, and hostile feed files."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from tests.integration.bounded_child import Outcome, feed_outcome, outcome_of
from tests.integration.hostile_texts import CONTOSO, GOOD, HEADER, MEGABYTE, feed
from tests.platform.workbooks import edited, workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROW = b"1,u1@example.com,1," + b"x" * 1000 + b",\n"
_SHEET = {"Workers": [HEADER.decode().strip().split(","), GOOD.decode().strip().split(",")]}
_LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
_ENTITIES = f'<!DOCTYPE x [<!ENTITY e0 "ha">{_LAUGHS}<!ENTITY secret SYSTEM "file:///etc/hostname">]>'


def package_outcome(name: str, size: int, sections: Any = None) -> Outcome:
    """What becomes of the package of that name."""
    return outcome_of(PACKAGES[name](size), feed(**(sections or {})))


def feed_file_outcome(name: str, size: int) -> Outcome:
    """Whether the feed file of that name can be used."""
    return feed_outcome(FEED_FILES[name](size))


def expression_outcome(kind: str, expression: str, rows: int) -> Outcome:
    """What becomes of long cells under a feed file with that expression as `regex`, `pattern` or `matches`."""
    rules: dict[str, Any] = {
        "regex": {"column": "title", "regex": {"extract": expression}},
        "replace": {"column": "title", "regex": {"replace": expression, "with": ""}},
        "pattern": {"column": "title", "pattern": expression},
        "matches": {"column": "login", "when": {"title": {"matches": expression}}},
        "template": {"template": expression},
    }
    cells = (f"{n},u{n}@example.com,1,{'a' * 120_000}{n}!,\n".encode() for n in range(rows))
    return outcome_of(chain([HEADER], cells), feed({f"{CONTOSO}:x": rules[kind]}))


def _gzip_bomb(megabytes: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    yield packer.compress(HEADER)
    rows = _ROW * (MEGABYTE // len(_ROW))
    for _ in range(megabytes):
        yield packer.compress(rows)
    yield packer.flush()


def _many_gzip_members(count: int) -> Iterator[bytes]:
    yield gzip.compress(HEADER + GOOD)
    yield from repeat(gzip.compress(b"") * 1000, count // 1000)


def _zip(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


def _zip_bomb(megabytes: int) -> Iterator[bytes]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as entry:
        entry.write(HEADER)
        for _ in range(megabytes):
            entry.write(_ROW * (MEGABYTE // len(_ROW)))
    yield made.getvalue()


def _forged_directory(entries: int) -> Iterator[bytes]:
    """A zip of which every entry is a lie of 47 bytes."""
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    yield b"PK\3\4"
    block = entry * 1000
    yield from repeat(block, entries // 1000)
    size = len(block) * (entries // 1000)
    yield struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, 4, 0)


def _nested(depth: int) -> Iterator[bytes]:
    content = HEADER + GOOD
    for level in range(depth):
        content = _zip(f"{level}.zip" if level else "a.csv", content)
    yield content


def _declared_size(size: int) -> Iterator[bytes]:
    """A workbook whose sheet says of itself that it is as large as a sheet can be, with a cell in each corner."""
    corner = f'</row><row r="{size}"><c r="XFD{size}" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    content = workbook("xlsx", _SHEET)
    yield edited(
        content, {"</row></sheetData>": corner, '<dimension ref="A1:E2" />': f'<dimension ref="A1:XFD{size}"/>'}
    )


def _entities(reference: str) -> Callable[[int], Iterator[bytes]]:
    def chunks(_size: int) -> Iterator[bytes]:
        cell = '<c r="D2" t="inlineStr"><is><t>Guide</t></is></c>'
        content = workbook("xlsx", _SHEET)
        part = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
        start = part.index('<c r="D2"')
        old = part[start : part.index("</c>", start) + 4]
        yield edited(content, {"<worksheet": f"{_ENTITIES}<worksheet", old: cell.replace("Guide", reference)})

    return chunks


def _sheet_bomb(megabytes: int) -> Iterator[bytes]:
    yield edited(workbook("xlsx", _SHEET), {"</sheetData>": "</sheetData>" + " " * (megabytes * MEGABYTE)})


PACKAGES: dict[str, Callable[[int], Iterator[bytes]]] = {
    "a gzip bomb": _gzip_bomb,
    "empty gzip members": _many_gzip_members,
    "a zip bomb": _zip_bomb,
    "a zip of very many entries": _forged_directory,
    "a zip in a zip": _nested,
    "a workbook of a huge sheet": _declared_size,
    "a workbook that unpacks to much": _sheet_bomb,
    "a workbook with a billion laughs": _entities("&e9;"),
    "a workbook with an external entity": _entities("&secret;"),
}


_FEED = """job: {servicePrincipalId: 4f7c2d58-2f3e-4d84-9a2c-3a0c5b1e7d11, jobId: API2AAD.8c3f.1a03de52}
mapping:
  externalId: id
  userName: login
  active: {column: status, true_when: ["1"], false_when: ["0"]}
"""


def _laughing_keys(levels: int) -> bytes:
    lines = ["a0: &a0 [ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return (_FEED + "\n".join(lines)).encode()


def _laughing_rules(levels: int) -> bytes:
    """Rules of rules, each an alias of the one before."""
    lines = [f'  "{CONTOSO}:a0": &a0 {{first_of: [id, id]}}']
    for n in range(1, levels):
        lines.append(f'  "{CONTOSO}:a{n}": &a{n} {{first_of: [{", ".join([f"*a{n - 1}"] * 9)}]}}')
    return (_FEED + "\n".join(lines)).encode()


def _line(start: str, piece: str, end: str = "") -> Callable[[int], bytes]:
    return lambda count: (_FEED + start + piece * count + end).encode()


def _nested_rules(depth: int) -> bytes:
    return (_FEED + "  title: " + "{first_of: [" * depth + "A" + "]}" * depth).encode()


FEED_FILES: dict[str, Callable[[int], bytes]] = {
    "keys of a billion laughs": _laughing_keys,
    "rules of a billion laughs": _laughing_rules,
    "a rule that contains itself": lambda _: (_FEED + "  title: &x {first_of: [*x, *x]}").encode(),
    "brackets": _line("x: ", "["),
    "brackets that are closed": lambda count: (_FEED + "x: " + "[" * count + "]" * count).encode(),
    "nested rules": _nested_rules,
    "too large": _line("", "# x\n"),
    "wrong lines": _line("", "  x: {\n"),
    "unknown keys": lambda count: (_FEED + "".join(f"k{n}: 1\n" for n in range(count))).encode(),
    "a template of many columns": _line("  title: {template: '", "{id}", "'}"),
    "digits": _line("  title: {pad: ", "9", "}"),
    "hexadecimal digits": _line("  title: {pad: 0x", "f", "}"),
}
