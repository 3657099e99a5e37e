"""JSON bytes to text, and text to values that lose nothing: numbers as they are written, no name twice, no NaN."""

from __future__ import annotations

import codecs
import io
import itertools
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from shared.errors import HrFileError
from shared.inbound.reading.text_lines import start_of
from shared.inbound.text.text_encoding import AUTO, encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_OBJECT_BYTES = 1024 * 1024
"""An object with more than this, in UTF-8, is no HR row; nor has a wrapping object more around its array."""
PIECE = 64 * 1024
_EXPORT = "Export the file as an array of objects or as NDJSON (one object on each line), in UTF-8, with a JSON writer."


class JsonNumber(str):
    """A number, just as the file writes it: a float would change it, and an int lose its zeros."""

    __slots__ = ()


def as_it_is_written(number: JsonNumber) -> orjson.Fragment:
    """For orjson: a number is what the file has, digit for digit."""
    return orjson.Fragment(number.encode())


def decoded_json(chunks: Iterable[bytes]) -> Iterator[str]:
    """The text, with every line end as LF: a CR stands between tokens only, so no value is changed."""
    start, chunks = start_of(chunks, 3)
    encoding, mark = encoding_of(start, AUTO)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line_ends = io.IncrementalNewlineDecoder(None, translate=True)
    pieces = (chunk[at : at + PIECE] for chunk in _without(mark, chunks) for at in range(0, len(chunk), PIECE))
    line = 1
    for piece in itertools.chain(pieces, (b"",)):
        is_text = True
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            text, is_text = error.object[: error.start].decode(encoding), False
        text = line_ends.decode(text, final=not piece or not is_text)
        line += text.count("\n")
        yield text
        if not is_text:
            raise HrFileError(
                "notUtf8",
                f"Line {line} has bytes that are not {encoding.upper()} text.",
                "Export the file in UTF-8, the encoding of JSON; or it was damaged or cut: transfer it again, whole.",
            )


def _without(mark: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(chunks, b"")[mark:]
    yield from chunks


class NoNumberError(Exception):
    """NaN or Infinity."""


class RepeatedKeyError(Exception):
    """Two members of one object have the same name."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RepeatedKeyError(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return members


def _constant(_name: str) -> NoReturn:
    raise NoNumberError


DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_constant
)


def is_unicode(value: Any) -> bool:
    """False where a text has half of a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def not_json(line: int, found: str) -> HrFileError:
    """The refusal of a line that no JSON reader takes."""
    return HrFileError("notJson", f"The file is not JSON that can be read: line {line} has {found}.", _EXPORT)


def too_large(line: int) -> HrFileError:
    """The refusal of an object that is no HR row."""
    return HrFileError(
        "objectTooLarge",
        f"The object on line {line} has more than {MAX_OBJECT_BYTES // 1024} KiB.",
        "Check that the file is an HR export with one object for each worker. If the workers are in an array of an "
        "object, put its name as records under file in the feed file.",
    )


def repeated_key(line: int, key: str) -> HrFileError:
    """The refusal of an object with a name twice: one reader takes the first value, the next the last."""
    # A name with other characters may be somebody's address or number, if the export has objects by person.
    named = f" ({key})" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", key) else ""
    return HrFileError(
        "repeatedKey",
        f"An object on line {line} has the same name twice{named}, so either value could be meant.",
        "Export the file with each name once in an object.",
    )
