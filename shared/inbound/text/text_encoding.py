"""How an HR file's bytes become text: by its byte order mark, or as the feed file declares, or strictly as UTF-8.

Nothing is guessed and no character is replaced. Where the bytes are not what they should be, the refusal names the
encodings that could be meant, for a person to choose: several of them decode the same bytes to other names.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from shared.errors import HrFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

AUTO = "auto"
UTF_8 = "utf-8"
ENCODINGS = (
    *(AUTO, UTF_8, "utf-16-le", "utf-16-be"),
    *(f"windows-{number}" for number in range(1250, 1259)),
    *(f"iso-8859-{number}" for number in range(1, 17) if number not in (11, 12)),
    *("cp437", "cp850", "cp852", "mac-roman", "cp932", "cp949", "cp950", "gb18030"),
)
"""What `file.encoding` can be, by the names of Python's codecs. Except in UTF-16, a CR or LF is one byte."""
BOMS = {codecs.BOM_UTF8: UTF_8, codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_OFTEN_MEANT = ("windows-1252", "iso-8859-15", "iso-8859-1", "windows-1250", "windows-1251")
_C1 = re.compile("[\x80-\x9f]")
_NO_UTF_8 = b"\xff"


def encoding_of(start: bytes, declared: str) -> tuple[str, int]:
    """The encoding of a file that starts so, and how many bytes its byte order mark has."""
    for mark, encoding in BOMS.items():
        if start.startswith(mark):
            return encoding, len(mark)
    if declared != AUTO:
        return declared, 0
    return _utf_16_of(start) or UTF_8, 0


def _utf_16_of(start: bytes) -> str | None:
    """UTF-16 without a mark, where each first character is followed, or led, by a zero: no other text has that.

    The other byte order gives characters that no header with the mapped columns consists of.
    """
    sample = start[: len(start) - len(start) % 2][:64]
    zeros = (sample[::2].count(0), sample[1::2].count(0))
    half = len(sample) // 2
    if half >= 2 and zeros == (0, half):
        return "utf-16-le"
    return "utf-16-be" if half >= 2 and zeros == (half, 0) else None


def surely(encoding: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a text that is declared to be in an encoding other than UTF-8.

    Raises:
        HrFileError: after the last one: all of it is UTF-8, with letters beyond ASCII. An encoding of one byte a letter
            reads that too, and gives other letters.
    """
    decoder = codecs.getincrementaldecoder(UTF_8)("strict")
    is_utf_8, has_letters = True, False
    for chunk in chunks:
        if is_utf_8:
            is_utf_8 = _goes_on(decoder, chunk)
            has_letters = has_letters or not chunk.isascii()
        yield chunk
    if has_letters and is_utf_8 and _goes_on(decoder, b"", final=True):
        raise HrFileError(
            "otherEncoding",
            f"The file is UTF-8 text, but the feed file says that it is {encoding}: letters beyond ASCII would become "
            "others.",
            f"Put encoding: utf-8 (or auto) under file in the feed file. If HR writes {encoding}, have it export anew.",
        )


def _goes_on(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def as_utf_8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Text in UTF-16 as UTF-8, in which a line end is one byte.

    Units that are no text end the output with a byte that is no UTF-8: so the line on which it stands is refused by
    whoever counts the lines.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    for chunk in chunks:
        try:
            yield decoder.decode(chunk).encode()
        except UnicodeDecodeError as error:
            yield error.object[: error.start].decode(encoding).encode() + _NO_UTF_8
            return
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        yield _NO_UTF_8


def is_no_text(text: str, encoding: str) -> bool:
    """True where ISO 8859 has the control characters that nobody writes: the bytes are another encoding's letters."""
    return encoding.startswith("iso-8859") and _C1.search(text) is not None


def undecodable(line: int, content: bytes, encoding: str) -> HrFileError:
    """The refusal of a line that is not text in that encoding."""
    candidates = [name for name in _OFTEN_MEANT if name != encoding and _decodes(content, name)]
    if encoding == UTF_8:
        first = candidates[0] if candidates else "the encoding's name"
        could_be = f" They could be {', '.join(candidates)}, which give other letters." if candidates else ""
        return HrFileError(
            "notUtf8",
            f"Line {line} has bytes that are not UTF-8 text.{could_be}",
            "Export the file as CSV in UTF-8 (in Excel: Save as, CSV UTF-8), or find out what the HR system writes and "
            f"put that under file in the feed file, such as encoding: {first}. Or a file in UTF-8 was damaged or cut.",
        )
    if encoding.startswith("utf-16"):
        candidates = []  # the line is no longer in the file's own bytes
    could_be = f" They could be {', '.join(candidates)}." if candidates else ""
    such_as = f"encoding: {candidates[0]}" if candidates else "encoding: auto"
    return HrFileError(
        "notInEncoding",
        f"Line {line} has bytes that are not {encoding} text.{could_be}",
        f"Put the right encoding under file in the feed file, such as {such_as}; if {encoding} is right, the file was "
        "damaged or cut: transfer it again, whole.",
    )


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        return not is_no_text(content.decode(encoding), encoding)
    except UnicodeDecodeError:
        return False


def nul_found(line: int, content: bytes, encoding: str) -> HrFileError:
    """The refusal of a line with a NUL character; in UTF-16 that was taken for UTF-8, every other byte is one."""
    meant = None
    if encoding == UTF_8 and line == 1 and (content[0] == 0) != (content[1:2] == b"\0"):
        meant = "utf-16-be" if content[0] == 0 else "utf-16-le"
    advice = f"If it is text in UTF-16, put encoding: {meant} under file in the feed file; else e" if meant else "E"
    return HrFileError(
        "notText",
        f"Line {line} has a NUL character, so this is not a text file in {encoding.upper()}.",
        f"{advice}xport the file as CSV in UTF-8, not as Excel.",
    )
