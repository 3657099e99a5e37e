"""Compound files ([MS-CFB]), the container of .xls: their streams read, and one stream written."""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING

from shared.inbound.reading.workbook_cells import damaged_workbook, workbook_too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_SECTOR, _END = 0xFFFFFFFA, 0xFFFFFFFE
_STREAM, _SMALL_STREAM, _TABLES_IN_HEADER = 2, 4096, 109


def streams_of(file: bytes) -> dict[str, Callable[[], bytes]]:
    """The streams of a compound file ([MS-CFB]), by name, each read when it is called.

    Raises:
        struct.error, IndexError: it is damaged.
    """
    size = 1 << struct.unpack_from("<H", file, 30)[0]

    def sector(number: int) -> bytes:
        return file[(number + 1) * size : (number + 2) * size]

    def chain(number: int, table: Sequence[int]) -> Iterator[int]:
        for _ in table:
            if number >= _NO_SECTOR:
                return
            yield number
            number = table[number]
        raise damaged_workbook()

    def read(first: int) -> bytes:
        return b"".join(map(sector, chain(first, table)))

    places = list(struct.unpack_from("<109I", file, 76))
    (more,) = struct.unpack_from("<I", file, 68)
    while more < _NO_SECTOR and len(places) < len(file) // 4:
        *further, more = _numbers(sector(more))
        places += further
    table = [n for place in places if place < _NO_SECTOR for n in _numbers(sector(place))]
    directory = read(struct.unpack_from("<I", file, 48)[0])
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    small_first, small_table = _start_and_size(entries[0])[0], _numbers(read(struct.unpack_from("<I", file, 60)[0]))

    def content(first: int, length: int) -> bytes:
        if length >= _SMALL_STREAM:
            found = read(first)
        else:
            small = read(small_first)
            found = b"".join(small[n * 64 : n * 64 + 64] for n in chain(first, small_table))
        if len(found) < length:
            raise damaged_workbook()  # the library would take the rows that are left for all rows
        return found[:length]

    return {_name(entry): partial(content, *_start_and_size(entry)) for entry in entries if entry[66] == _STREAM}


def _numbers(sector: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(sector) // 4}I", sector)


def _name(entry: bytes) -> str:
    return entry[: max(entry[64] - 2, 0)].decode("utf-16-le")


def _start_and_size(entry: bytes) -> tuple[int, int]:
    start, size = struct.unpack_from("<II", entry, 116)
    return start, size


def compound_file(stream: bytes) -> bytes:
    """A compound file of version 4 whose one stream is `Workbook`: its table, its directory, the stream."""
    size = 4096
    stream_sectors = max(-(-len(stream) // size), 1)
    tables = -(-(stream_sectors + 2) // (size // 4 - 1))
    if tables > _TABLES_IN_HEADER:
        raise workbook_too_large("has more than 400 MiB of cells")
    first = tables + 1
    table = [0xFFFFFFFD] * tables + [0xFFFFFFFE] + [*range(first + 1, first + stream_sectors), 0xFFFFFFFE]
    table += [0xFFFFFFFF] * (tables * size // 4 - len(table))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", _OLE, 0x3E, 4, 0xFFFE, 12, 6, 1, tables, tables, 0, size, _END, 0, _END, 0
    )
    places = [*range(tables), *[0xFFFFFFFF] * (_TABLES_IN_HEADER - tables)]
    head = (header + struct.pack("<109I", *places)).ljust(size, b"\0")
    length = max(len(stream), size)
    directory = _entry("Root Entry", 5, 0, 0, child=1) + _entry("Workbook", _STREAM, first, length, child=0xFFFFFFFF)
    content = stream.ljust(stream_sectors * size, b"\0")
    return head + struct.pack(f"<{len(table)}I", *table) + directory.ljust(size, b"\0") + content


def _entry(name: str, kind: int, start: int, length: int, *, child: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    none = 0xFFFFFFFF
    return struct.pack("<64sHBBIII36xIQ", text, len(text), kind, 1, none, none, child, start, length)
