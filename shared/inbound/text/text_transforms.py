"""The transforms of a mapping rule: text in, text out, the same on every machine.

`transliterate` makes login names. It is not for names that people read, and it knows no languages:

- Ä Ö Ü Å Ø become Ae Oe Ue Aa Oe, as in the machine-readable zone of passports (ICAO Doc 9303, part 3). Where A O U
  are wanted, as is usual in Finland, Hungary or Turkey, put `strip_diacritics` before it.
- Everything else is as the anyascii library has it: ß ss, Æ Ae, Þ Th, Щ Shch. Chinese characters are read as
  Mandarin, also where they are a Japanese name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from shared.inbound.text.countries import alpha2
from shared.inbound.text.person_names import title_case

if TYPE_CHECKING:
    from collections.abc import Callable

Transform = Literal[
    "trim",
    "collapse_spaces",
    "lower",
    "upper",
    "title",
    "strip_diacritics",
    "transliterate",
    "keep_digits",
    "country",
]

_PASSPORT = {
    "Ä": "Ae",
    "Ö": "Oe",
    "Ü": "Ue",
    "Å": "Aa",
    "Ø": "Oe",
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "å": "aa",
    "ø": "oe",
}
_SILENT = ("Mn", "Me", "Lm")
"""Categories of characters that may have no ASCII of their own: marks, and letters that modify others."""
_STROKED = re.compile(r"LATIN (CAPITAL|SMALL) LETTER ([A-Z]) WITH .*")


def collapse_spaces(text: str) -> str:
    """One blank for each run of white space of any kind, none at the ends."""
    return " ".join(text.split())


def strip_diacritics(text: str) -> str:
    """Latin letters without what is above, below or across them (é, ş, Ł, ø); ß, Æ, Þ and other scripts stay."""
    if text.isascii():
        return text
    letters: list[str] = []
    latin = False
    for char in text:
        if latin and unicodedata.combining(char):
            continue
        base = _base(char)
        latin = _is_latin(base)
        letters.append(base)
    return "".join(letters)


def transliterate(text: str) -> str:
    """ASCII for every character; a text in capitals stays in capitals.

    Raises:
        ValueError: a character is no letter, digit or punctuation, or has no ASCII spelling; or nothing is left.
    """
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    spelt = "".join(map(_ascii, composed))
    if not spelt:
        raise ValueError("The text has no character that ASCII letters can stand for.")
    return spelt.upper() if composed.replace("ß", "").isupper() else spelt


def keep_digits(text: str) -> str:
    """The decimal digits of any script as 0 to 9.

    Raises:
        ValueError: there are none; a cell that says something must not end as one that says nothing.
    """
    digits = "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())
    if text.strip() and not digits:
        raise ValueError("The text has no digits.")
    return digits


TRANSFORMS: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "collapse_spaces": collapse_spaces,
    "lower": str.lower,
    "upper": str.upper,
    "title": title_case,
    "strip_diacritics": strip_diacritics,
    "transliterate": transliterate,
    "keep_digits": keep_digits,
    "country": alpha2,
}
"""By name, each without any setting. One that can't do its work raises ValueError: a sentence without the text."""


@lru_cache(maxsize=4096)
def _base(char: str) -> str:
    if char == "ı":
        return "i"
    base = unicodedata.normalize("NFD", char)[0]
    if not _is_latin(base):
        return char
    stroked = _STROKED.fullmatch(unicodedata.name(base))
    if not stroked:
        return base
    return stroked[2] if stroked[1] == "CAPITAL" else stroked[2].lower()


def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN ")


@lru_cache(maxsize=4096)
def _ascii(char: str) -> str:
    if char.isascii():
        return char
    category = unicodedata.category(char)
    spelling = _PASSPORT.get(char) or _anyascii()(char)
    symbol = category[0] == "C" or (category[0] == "S" and category != "Sk")
    if symbol or not (spelling or category in _SILENT) or not spelling.isascii():
        raise ValueError("The text has a character that no ASCII letters can stand for.")
    return spelling


@cache
def _anyascii() -> Callable[[str], str]:
    from anyascii import anyascii

    return anyascii
