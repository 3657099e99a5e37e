"""A JSON text from where it is read, value by value: one value and what was read ahead are in memory."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from shared.errors import HrFileError
from shared.inbound.reading.json_decoding import (
    DECODER,
    MAX_OBJECT_BYTES,
    PIECE,
    NoNumberError,
    RepeatedKeyError,
    is_unicode,
    not_json,
    repeated_key,
    too_large,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = 16
"""No token but a string is longer than this and cut in a way that is not seen at its end."""
_SPACE = re.compile(r"[ \t\n]*")
_CUT = re.compile(r"[ \t\n]*(-|t|tr|tru|f|fa|fal|fals|n|nu|nul|\.|[eE][-+]?|u[0-9A-Fa-f]{0,4})?")
"""What the end of a file looks like, from where the decoder stops, if a token was cut there."""
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
CUT_ADVICE = "The file was cut on its way: transfer it again, whole."


class JsonObject(NamedTuple):
    """One row: `line` is the 1-based physical line on which it begins (of a bulk request: its operation)."""

    line: int
    value: dict[str, Any]


class JsonText:
    """The text from where it is read: `line` is that of the next character, `spaces` what `peek` skipped."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._is_all = False
        self._failure: HrFileError | None = None
        self._around = 0
        self.line = 1
        self.spaces = 0

    def peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        self.spaces = 0
        while True:
            space = _SPACE.match(self._text, self._at)
            end = space.end() if space else self._at
            self.spaces += end - self._at
            self._go(end)
            if end < len(self._text):
                return self._text[end]
            if self._is_all:
                if self._failure:
                    raise self._failure
                return ""
            self._read(0)

    def mark(self, allowed: str) -> str:
        """Take the next character, which must be one of these."""
        mark = self.peek()
        if not mark or mark not in allowed:
            self.stop()
        self._at += 1
        return mark

    def stop(self) -> NoReturn:
        """Refuse what comes next."""
        if self.peek():
            raise not_json(self.line, "something that can't stand there")
        raise HrFileError("fileCut", f"The file ends on line {self.line}, before what it began is closed.", CUT_ADVICE)

    def end(self) -> None:
        """Refuse whatever follows."""
        if self.peek():
            raise not_json(self.line, "more after the end of the array")

    def object(self) -> JsonObject:
        """The next value, which must be an object."""
        if self.peek() != "{":
            self.stop()
        line = self.line
        return JsonObject(line, self._value()[0])

    def member(self) -> Any:
        """A name or a value in the object around the array; all of them together are bounded."""
        self.peek()
        line = self.line
        value, size = self._value()
        self._around += size
        if self._around > MAX_OBJECT_BYTES:
            raise too_large(line)
        return value

    def _value(self) -> tuple[Any, int]:
        """The value that begins here, and its size. Where it is not all there, as much again is read before a retry."""
        while True:
            value, end = self._decode()
            rest = len(self._text) - self._at
            if end and (self._text[self._at] in '{["' or self._is_all or len(self._text) - end > _TOKEN):
                return value, self._take(end, value)
            if rest > MAX_OBJECT_BYTES:
                raise too_large(self.line)
            if self._is_all:
                raise self._failure or HrFileError(
                    "fileCut", f"The file ends in the middle of the object on line {self.line}.", CUT_ADVICE
                )
            self._read(rest)

    def _decode(self) -> tuple[Any, int]:
        """The value and its end; 0 where it goes on in what is not read yet."""
        try:
            return DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            if self._goes_on(error):
                return None, 0
            line = self.line + self._text.count("\n", self._at, error.pos)
            raise not_json(line, "something that can't stand there") from None
        except RecursionError:
            raise not_json(self.line, "values that are nested far too deeply") from None
        except NoNumberError:
            raise not_json(self.line, "an object with NaN or Infinity in it, which are no numbers") from None
        except RepeatedKeyError as error:
            raise repeated_key(self.line, error.key) from None

    def _goes_on(self, error: json.JSONDecodeError) -> bool:
        if error.msg.startswith("Unterminated string"):
            return True
        if self._is_all:
            return _CUT.fullmatch(self._text, error.pos) is not None
        return len(self._text) - error.pos <= _TOKEN

    def _take(self, end: int, value: Any) -> int:
        """Go to the end of a value that is fit to be used; its size in bytes."""
        size = end - self._at
        if size * 4 > MAX_OBJECT_BYTES:
            size = len(self._text[self._at : end].encode())
        if size > MAX_OBJECT_BYTES:
            raise too_large(self.line)
        if self._text.find("\\u0000", self._at, end) >= 0 and _NUL.search(self._text, self._at, end):
            raise HrFileError(
                "notText",
                f"The object on line {self.line} has a NUL character, which is in no text.",
                "Correct the text in the HR system, or have its export write text.",
            )
        if _SURROGATE.search(self._text, self._at, end) and not is_unicode(value):
            raise HrFileError(
                "notUtf8",
                f"The object on line {self.line} has half of a surrogate pair, such as \\ud83d alone: no character.",
                "Correct the text in the HR system, or have its export write whole characters.",
            )
        self._go(end)
        return size

    def _go(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _read(self, least: int) -> None:
        """Read at least that many characters more, if there are; forget those before this place."""
        parts, size = [self._text[self._at :]], 0
        while size < max(least, PIECE) and not self._is_all:
            try:
                piece = next(self._pieces, None)
            except HrFileError as failure:  # what stands before it comes first
                self._failure, piece = failure, None
            self._is_all = piece is None
            parts.append(piece or "")
            size += len(parts[-1])
        self._text, self._at = "".join(parts), 0
