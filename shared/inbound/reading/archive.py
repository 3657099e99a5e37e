"""A packed HR file, by its content: the one file in a `.gz` or `.zip`, unpacked as it is read and within bounds.

A gzip file streams. A zip file has its directory at the end, so it goes into a temporary file first, never into memory;
so does a workbook, which is a zip file of another kind.
"""

from __future__ import annotations

import fnmatch
import re
import struct
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

from shared.errors import HrFileError
from shared.inbound.reading.text_lines import start_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Unpack = Callable[[Iterable[bytes]], Iterator[bytes]]

    from shared.inbound.feeds.file_layout import FileLayout

_GZIP = b"\x1f\x8b\x08"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The container of .xls, and of any workbook that is encrypted."""
_PIECE = 256 * 1024
_MEGABYTE = 1024 * 1024
_SMALL = 16 * _MEGABYTE
"""So much may come out of an archive whatever its ratio."""
_MAX_DIRECTORY = _MEGABYTE
"""Bytes of a zip's directory: ten thousand entries; the library would take any number into memory."""
_IN_MEMORY = 4 * _MEGABYTE
_ESCAPES = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\x00-\x1f]")
_NO_ENTRIES = ("__MACOSX/", ".DS_Store")
_ZIP_TROUBLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError, OverflowError, OSError),
)
_WORKBOOK_PARTS = frozenset({"[Content_Types].xml", "mimetype"})


class WorkbookFile(NamedTuple):
    """A workbook, whole."""

    file: IO[bytes]


@contextmanager
def opened(chunks: Iterable[bytes], layout: FileLayout) -> Iterator[Iterator[bytes] | WorkbookFile]:
    """The HR file, unpacked if it was packed: its bytes as they are read, or a workbook as a whole temporary file.

    Raises:
        HrFileError: now or while the bytes are read: the archive is damaged, encrypted, too large, or holds something
            else.
    """
    start, chunks = start_of(chunks, 8)
    if start.startswith(_GZIP):
        yield _bounded(_not_nested(_gunzipped), chunks, layout)
    elif start.startswith((*_ZIP, _OLE)):
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            packed = _spool(chunks, spool, layout)
            if start.startswith(_OLE) or _is_workbook(spool):
                yield WorkbookFile(spool)
            else:
                yield _bounded(_not_nested(lambda _: _unzipped(spool, layout)), (), layout, packed)
    else:
        yield iter(chunks)


def _spool(chunks: Iterable[bytes], spool: IO[bytes], layout: FileLayout) -> int:
    """Put the whole file into the temporary one; how many bytes it has."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > layout.max_unpacked_megabytes * _MEGABYTE:
            raise _too_large(layout)
        spool.write(chunk)
    spool.seek(0)
    return size


def _bounded(unpack: Unpack, chunks: Iterable[bytes], layout: FileLayout, packed: int = 0) -> Iterator[bytes]:
    """What `unpack` makes of the chunks (and of bytes that were packed before), until it is too much."""
    size = 0
    limit = layout.max_unpacked_megabytes * _MEGABYTE

    def counted() -> Iterator[bytes]:
        nonlocal packed
        for chunk in chunks:
            packed += len(chunk)
            if packed > limit:
                raise _too_large(layout)
            yield chunk

    for piece in unpack(counted()):
        size += len(piece)
        if size > limit:
            raise _too_large(layout)
        if size > _SMALL and size > packed * layout.max_unpacked_ratio:
            raise HrFileError(
                "archiveRatio",
                f"The archive unpacks to more than {layout.max_unpacked_ratio} times its size, as no HR file does.",
                "Drop the file unpacked, or raise max_unpacked_ratio under file in the feed file.",
            )
        yield piece


def _too_large(layout: FileLayout) -> HrFileError:
    return HrFileError(
        "archiveTooLarge",
        f"The archive unpacks to more than {layout.max_unpacked_megabytes} MiB.",
        "Check what is in it; for a file of that size raise max_unpacked_megabytes under file in the feed file.",
    )


def _not_nested(unpack: Unpack) -> Unpack:
    def unpack_once(packed: Iterable[bytes]) -> Iterator[bytes]:
        start, pieces = start_of(unpack(packed), 8)
        if start.startswith((_GZIP, *_ZIP, _OLE)):
            raise HrFileError(
                "nestedArchive",
                "The archive holds another archive or a workbook.",
                "Drop the HR file itself, or pack it once; a workbook is packed already.",
            )
        yield from pieces

    return unpack_once


def _damaged() -> HrFileError:
    return HrFileError(
        "damagedArchive",
        "The archive or workbook is damaged or was cut.",
        "Pack the file again, and transfer it whole.",
    )


def _gunzipped(packed: Iterable[bytes]) -> Iterator[bytes]:
    """A gzip file can have several members, which are one text, and zeros to fill its last block."""
    member = None
    for chunk in packed:
        data = chunk
        while data:
            if member is None:
                data = data.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31) if data else None
            if member is not None:
                yield from _member_pieces(member, data)
                data = member.unused_data
                member = None if member.eof else member
    if member is not None:
        raise _damaged()


def _member_pieces(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What these bytes add to the member's text, piece by piece, to its end if that is among them."""
    while True:
        try:
            piece = member.decompress(data, _PIECE)
        except zlib.error:
            raise _damaged() from None
        if piece:
            yield piece
        data = member.unconsumed_tail
        if member.eof or (not data and len(piece) < _PIECE):
            return


def _unzipped(spool: IO[bytes], layout: FileLayout) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(BoundedReads(spool)) as archive:
            entry = _entry(archive, layout.member)
            with archive.open(entry) as content:
                while piece := content.read(_PIECE):
                    yield piece
    except _ZIP_TROUBLE:
        raise _damaged() from None


def _is_workbook(spool: IO[bytes]) -> bool:
    try:
        with zipfile.ZipFile(BoundedReads(spool)) as archive:
            names = {entry.filename for entry in archive.infolist()}
    except _ZIP_TROUBLE:
        raise _damaged() from None
    return bool(_WORKBOOK_PARTS & names)


class BoundedReads:
    """A file of which no large piece is read at once: the size of a zip's directory is what the zip says it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """As a file's, but for the bound."""
        if size > _MAX_DIRECTORY:
            raise HrFileError(
                "tooManyEntries",
                "The archive has more entries than an archive with an HR file has.",
                "Pack the HR file alone.",
            )
        return self._file.read(size if size >= 0 else _MAX_DIRECTORY)


def _entry(archive: zipfile.ZipFile, pattern: str | None) -> zipfile.ZipInfo:
    """The one file that is meant."""
    entries = archive.infolist()
    if any(_ESCAPES.search(entry.orig_filename) for entry in entries):
        raise HrFileError(
            "unsafeArchive",
            "The archive has an entry whose path leads out of it, so it was not made to carry an HR file.",
            "Find out who made it; pack the HR file alone.",
        )
    files = [e for e in entries if not e.is_dir() and not e.filename.startswith(_NO_ENTRIES)]
    if pattern is not None:
        files = [e for e in files if fnmatch.fnmatchcase(e.filename, pattern)]
    if len(files) != 1:
        which = "a file that member in the feed file means" if pattern is not None else "a file in it"
        raise HrFileError(
            "archiveMember",
            f"The archive must have just one such file, and it has {len(files)}: {which}.",
            "Pack the HR file alone, or name it under file in the feed file, such as member: workers*.csv.",
        )
    if files[0].flag_bits & 0x1:
        raise HrFileError(
            "encryptedArchive",
            "The archive is encrypted with a password.",
            "Pack it without one: storage and transfer are encrypted already.",
        )
    if files[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise HrFileError(
            "archiveMethod", "The archive is packed by a rare method.", "Pack it with the usual one, Deflate."
        )
    return files[0]
