"""Texts by number, on disk: what the plan needs of every row but does not look at while it is ordered.

Some dozens of rows make one block. A function app has less than a gigabyte of temporary disk, and a million users as
JSON would fill it: so what goes beyond the first megabytes is compressed, and then takes a tenth.
"""

from __future__ import annotations

import tempfile
from array import array
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK_ROWS = 64
_CACHED_BLOCKS = 2
_AS_IT_IS = 128 * 1024 * 1024
"""Bytes that are not compressed: that is quicker."""
_IN_MEMORY = 1024 * 1024
_LARGE = 64 * 1024
"""Bytes of a text that does not go into a block, so that no block is large."""


class RowSpool:
    """Filled by `extend`, in order; after `finish`, `get` gives any row back."""

    def __init__(self, as_it_is: int = _AS_IT_IS) -> None:
        self._as_it_is = as_it_is
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._blocks = array("Q", [0])
        self._large_file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._large: dict[int, tuple[int, int]] = {}
        self._count = 0
        self._open: list[bytes] = []
        self._first_packed: int | None = None
        self._block = lru_cache(maxsize=_CACHED_BLOCKS)(self._read)

    def extend(self, texts: Sequence[bytes]) -> None:
        """Take in the texts of the next rows."""
        if max(map(len, texts), default=0) > _LARGE:
            texts = [self._without_large(number, text) for number, text in enumerate(texts, self._count)]
        self._count += len(texts)
        self._open += texts
        full = len(self._open) - len(self._open) % _BLOCK_ROWS
        for start in range(0, full, _BLOCK_ROWS):
            self._write(self._open[start : start + _BLOCK_ROWS])
        del self._open[:full]

    def finish(self) -> None:
        """No more rows come."""
        if self._open:
            self._write(self._open)
            self._open = []

    def get(self, number: int) -> bytes:
        """The text of that row; rows count from 0."""
        if self._large and number in self._large:
            start, size = self._large[number]
            self._large_file.seek(start)
            return self._large_file.read(size)
        ends, content = self._block(number // _BLOCK_ROWS)
        place = number % _BLOCK_ROWS
        return content[ends[place - 1] if place else 0 : ends[place]]

    def close(self) -> None:
        """Give the disk space back."""
        self._block.cache_clear()
        self._file.close()
        self._large_file.close()

    def _without_large(self, number: int, text: bytes) -> bytes:
        if len(text) <= _LARGE:
            return text
        self._large[number] = (self._large_file.seek(0, 2), len(text))
        self._large_file.write(text)
        return b""

    def _write(self, texts: list[bytes]) -> None:
        ends = array("I", accumulate(map(len, texts)))
        content = b"".join([len(texts).to_bytes(4, "little"), ends.tobytes(), *texts])
        written = self._blocks[-1]
        if written >= self._as_it_is:
            if self._first_packed is None:
                self._first_packed = len(self._blocks) - 1
            content = isal_zlib.compress(content, level=1)
        self._file.write(content)
        self._blocks.append(written + len(content))

    def _read(self, block: int) -> tuple[array[int], bytes]:
        """The texts of a block in one, and where each of them ends."""
        start, end = self._blocks[block], self._blocks[block + 1]
        self._file.seek(start)
        content = self._file.read(end - start)
        is_packed = self._first_packed is not None and block >= self._first_packed
        content = isal_zlib.decompress(content) if is_packed else content
        ends, size = array("I"), 4 + 4 * int.from_bytes(content[:4], "little")
        ends.frombytes(content[4:size])
        return ends, content[size:]
