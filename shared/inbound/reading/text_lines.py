"""Bytes to physical lines of text, each decoded by itself so that a wrong byte is reported with its line.

No more than one line is in memory, but for the lines that a search for the header looks ahead at.
"""

from __future__ import annotations

import io
import itertools
import re
from typing import TYPE_CHECKING

from shared.errors import HrFileError
from shared.inbound.text.text_encoding import UTF_8, as_utf_8, is_no_text, nul_found, undecodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import WriteableBuffer

MAX_LINE_BYTES = 1024 * 1024
"""A physical line with more than this is no HR row."""
MAX_RECORD_LINES = 1000
"""A quoted cell that goes on for more lines than this has lost its closing quote."""

_BLOCK_BYTES = 256 * 1024
_MAX_UNREAD_BYTES = 8 * 1024 * 1024
"""So much without a call of `still_reading`."""
_BREAK = re.compile(rb'"|\r*\n|\r+')
_SWAP_BYTES = bytes.maketrans(b"\r\n", b"\n\r")
_SWAP_TEXT = str.maketrans("\r\n", "\n\r")


class TextLines:
    """Physical lines; whoever reads them as records calls `begin_record` before each.

    `number` is that of the last line, `record_line` that on which the record begins, `is_cut` says that the last line
    has no line end, `read_bytes` counts what `blocks` has given.
    """

    def __init__(self, chunks: Iterable[bytes], encoding: str) -> None:
        """Finds out how lines end.

        Args:
            chunks: the bytes without a byte order mark.
            encoding: one of ENCODINGS.
        """
        self._declared = encoding
        if encoding.startswith("utf-16"):
            chunks, encoding = as_utf_8(chunks, encoding), UTF_8
        self._encoding = encoding
        self._is_mac, chunks = _ends_lines_with_cr(chunks)
        if self._is_mac:
            # A file with CR as line end is read with CR and LF swapped, and each line swapped back: the splitting is
            # then the same, and a line break within quotes stays what it was.
            chunks = (chunk.translate(_SWAP_BYTES) for chunk in chunks)
        self._bytes = io.BufferedReader(_ChunkReader(chunks), buffer_size=256 * 1024)
        self._readline: Callable[[int], bytes] = self._bytes.readline
        self._ahead: list[bytes] = []
        self._again: list[bytes] = []
        self._comment: str | None = None
        self._is_special = self._is_mac or encoding.startswith("iso-8859")
        self._record_bytes = 0
        self._unread = 0
        self.read_bytes = 0
        self.number = 0
        self.record_line = 0
        self.is_cut = False

    def __iter__(self) -> Iterator[str]:
        return self

    def begin_record(self) -> None:
        """The next line is the first of a record."""
        self.record_line = 0

    def __next__(self) -> str:
        line = self._readline(MAX_LINE_BYTES + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if not self.record_line:
            self.record_line = self.number
            self._record_bytes = 0
        self._record_bytes += len(line)
        if self._record_bytes > MAX_LINE_BYTES or self.number - self.record_line >= MAX_RECORD_LINES:
            raise self._too_long(line)
        self.is_cut = not line.endswith(b"\n") and bool(line.strip())
        text = self._decoded_line(line, self.number)
        return self._special(text, line) if self._is_special else text

    @property
    def is_special(self) -> bool:
        """Lines have to be looked at one by one: `blocks` is not for this text."""
        return self._is_special

    def blocks(self) -> Iterator[Iterable[str]]:
        """The lines from here on, decoded many at a time; `number` runs ahead of them.

        Whoever reads them calls `still_reading` now and then; else a record that goes on for ever is refused.
        """
        while self._again:
            yield (next(self),)
        while block := self._bytes.read(_BLOCK_BYTES):
            block += self._bytes.readline(MAX_LINE_BYTES + 1)
            text = self._decoded(block)
            self.number += block.count(b"\n")
            self.is_cut = bool(block.rpartition(b"\n")[2].strip())
            self._unread += len(block)
            self.read_bytes += len(block)
            if self._unread > _MAX_UNREAD_BYTES:
                raise _rows_too_long(self.number)
            yield io.StringIO(text, newline="\n")

    def still_reading(self) -> None:
        """Records come out of the lines."""
        self._unread = 0

    def _decoded(self, block: bytes) -> str:
        """The text of whole lines; what is wrong with it is found line by line, for its number."""
        if len(block) > MAX_LINE_BYTES and max(map(len, block.split(b"\n"))) > MAX_LINE_BYTES:
            place = next(i for i, line in enumerate(block.split(b"\n")) if len(line) > MAX_LINE_BYTES)
            raise _line_too_long(self.number + place + 1)
        try:
            text = block.decode(self._encoding)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            for number, line in enumerate(block.split(b"\n"), start=self.number + 1):
                self._decoded_line(line, number)
        return text

    def _decoded_line(self, line: bytes, number: int) -> str:
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError:
            raise undecodable(number, line.removesuffix(b"\n"), self._declared) from None
        if "\0" in text:
            raise nul_found(number, line, self._declared)
        return text

    def _special(self, text: str, line: bytes) -> str:
        """What only some files need, out of the way of the others."""
        if is_no_text(text, self._declared):
            raise undecodable(self.number, line.removesuffix(b"\n"), self._declared)
        if self._is_mac:
            text = text.translate(_SWAP_TEXT)
        if self._comment and self.record_line == self.number and text.startswith(self._comment):
            self.begin_record()
            return next(self)
        return text

    def _too_long(self, line: bytes) -> HrFileError:
        if len(line) > MAX_LINE_BYTES:
            return _line_too_long(self.number)
        return quote_never_closed(self.record_line)

    def skip_comments(self, mark: str) -> None:
        """From here on, lines that begin with the mark where a record would begin are left out."""
        self._comment, self._is_special = mark, True

    def look_ahead(self) -> None:
        """Keep the lines from here on, for `go_back`; those kept before are forgotten."""
        self._ahead = []
        self._readline = self._keep

    def go_back(self, number: int) -> None:
        """End looking ahead; the line after that number is the next."""
        self._again = self._ahead[len(self._ahead) - (self.number - number) :]
        self._ahead = []
        self.number = number
        self._readline = self._replay if self._again else self._bytes.readline

    def _keep(self, limit: int) -> bytes:
        line = self._bytes.readline(limit)
        if line:
            self._ahead.append(line)
        return line

    def _replay(self, _limit: int) -> bytes:
        line = self._again.pop(0)
        if not self._again:
            self._readline = self._bytes.readline
        return line


class _ChunkReader(io.RawIOBase):
    """An iterable of bytes as a raw stream, for BufferedReader's quick line splitting."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def start_of(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """At least that many first bytes, or all there are, and the same chunks again."""
    rest = iter(chunks)
    taken: list[bytes] = []
    found = 0
    while found < size and (chunk := next(rest, None)) is not None:
        taken.append(chunk)
        found += len(chunk)
    start = taken[0] if len(taken) == 1 else b"".join(taken)
    return start, itertools.chain((start,), rest)


def _ends_lines_with_cr(chunks: Iterable[bytes]) -> tuple[bool, Iterable[bytes]]:
    """Whether the first line end outside quotes is a CR without LF: then every line of the file ends so."""
    size = 4096
    while True:
        start, chunks = start_of(chunks, size)
        found = _first_line_end(start[:MAX_LINE_BYTES])
        if found or len(start) < size or size > MAX_LINE_BYTES:
            # A quote that stays open tells nothing; where there is no LF at all, there is no choice either.
            return (found or (b"\r" if b"\n" not in start and b"\r" in start else b"\n")) == b"\r", chunks
        size *= 4


def _first_line_end(content: bytes) -> bytes | None:
    """CR or LF; None where the content ends before that is certain."""
    is_quoted = False
    for mark in _BREAK.finditer(content):
        if mark[0] == b'"':
            is_quoted = not is_quoted
        elif not is_quoted:
            if mark[0].endswith(b"\n"):
                return b"\n"
            return b"\r" if mark.end() < len(content) else None
    return None


def _rows_too_long(line: int) -> HrFileError:
    return HrFileError(
        "rowsTooLong",
        f"The rows that end near line {line} are far too long, or one of them never ends.",
        "Look for a quote that is not closed; check that the file is an HR export with one worker on a line.",
    )


def _line_too_long(line: int) -> HrFileError:
    return HrFileError(
        "lineTooLong",
        f"Line {line} has more than {MAX_LINE_BYTES // 1024} KiB.",
        "Check that the file is an HR export with one worker on a line.",
    )


def quote_never_closed(line: int) -> HrFileError:
    """The refusal of a record whose quoted cell goes on to the end of the file, or for too long."""
    return HrFileError(
        "quoteNeverClosed",
        f"A quoted cell in the row on line {line} never ends.",
        'Look for a single " in that row; a quote inside a quoted cell is written twice.',
    )
