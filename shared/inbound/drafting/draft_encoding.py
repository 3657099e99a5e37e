"""In which encoding a text could be written, where it does not say so itself. That is for a person to decide.

Two encodings that give the same text for all that was read are no choice yet; only then one of them is taken.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import NamedTuple

from shared.inbound.drafting.draft_yaml import Line, comment
from shared.inbound.text.text_encoding import BOMS, UTF_8, encoding_of, is_no_text

_CANDIDATES = ("windows-1252", "iso-8859-15", "iso-8859-1", "windows-1250", "windows-1251")
_WESTERN = frozenset(_CANDIDATES[:3])
_LAST_RESORT = ("cp850", "mac-roman")
_WORD = re.compile(r"[^\W\d_]+")
_SYMBOL_IN_WORD = re.compile(
    "[^\\W\\d_][\u00a1-\u00a9\u00ab-\u00b1\u00b6\u00bb-\u00bf\u00d7\u00f7€„”†‡ˆ‰™…˜•][^\\W\\d_]"
)


class Decoded(NamedTuple):
    """A text, the encoding under which it was read, what the feed file says of it, and whether a person must decide."""

    text: str
    encoding: str
    lines: list[Line]
    is_undecided: bool = False


def decoded(start: bytes) -> Decoded | None:
    """The first bytes of a file as text; None where no encoding that is often used fits them."""
    encoding, mark = encoding_of(start, "auto")
    text = _decode(start[mark:], encoding)
    if text is not None:
        return Decoded(text, "auto", [Line("encoding: auto", _why(start, text, encoding))])
    if encoding != UTF_8 or mark:
        return None
    for names in (_CANDIDATES, _LAST_RESORT):
        texts = {
            name: text for name in names if (text := _decode(start, name)) is not None and _is_sensible(text, name)
        }
        if texts:
            return _chosen(texts)
    return None


def _why(start: bytes, text: str, encoding: str) -> str:
    if start.startswith(tuple(BOMS)):
        return "sure: the file has a byte order mark"
    if text.isascii():
        return "likely: UTF-8; so far there is no letter that would tell"
    return f"sure: {encoding.upper()}"


def _chosen(texts: dict[str, str]) -> Decoded:
    first, *others = texts
    text = texts[first]
    if texts.keys() >= _WESTERN and len(set(texts.values())) == 1:
        why = f"likely: not UTF-8; {', '.join(others)} would give the same letters so far. decide: what does HR write?"
        return Decoded(text, first, [Line(f"encoding: {first}", why)])
    lines = [
        comment(
            "decide: the file is not UTF-8, and under these encodings it has other letters. Which one does HR write?"
        ),
        comment(f"The columns below are as {first} has them. docs/feed-files.md has more encodings."),
        *(Line(f"encoding: {name}", is_active=False) for name in texts),
    ]
    return Decoded(text, first, lines, is_undecided=True)


def _decode(content: bytes, encoding: str) -> str | None:
    """The text, without a character that is cut at the end."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(content, final=False)
    except UnicodeDecodeError:
        return None


def _is_sensible(text: str, encoding: str) -> bool:
    """No control characters, no words of two scripts, no signs within words."""
    if is_no_text(text, encoding) or _SYMBOL_IN_WORD.search(text):
        return False
    words = {word for word in _WORD.findall(text) if not word.isascii()}
    return not any(
        len({unicodedata.name(char, "?").split()[0] for char in word} & {"LATIN", "CYRILLIC"}) > 1 for word in words
    )
