"""Which country a text names, by ISO 3166-1: exactly, never by likeness.

Known are the codes (two letters, three letters, three digits) and the short, common and official names, in English and
in German, as the Debian iso-codes have them, and a few everyday names that the standard lacks. Letter case, diacritics,
punctuation and a leading "the" don't count. Not known are parts of countries (England), codes and names that are not
of the standard (XK, Kosovo), and "Congo" alone, which two countries go by.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVERYDAY_NAMES = {
    "BN": ("Brunei",),
    "BY": ("Weißrussland",),
    "CD": ("DR Congo",),
    "CI": ("Ivory Coast", "Elfenbeinküste"),
    "CV": ("Cape Verde",),
    "FM": ("Micronesia", "Mikronesien"),
    "GB": ("UK", "Great Britain", "Britain", "Großbritannien"),
    "MD": ("Moldawien",),
    "MK": ("Macedonia", "Mazedonien"),
    "MM": ("Burma", "Birma"),
    "NL": ("Holland",),
    "PS": ("Palestine", "Palästina"),
    "RU": ("Russia", "Russland"),
    "SZ": ("Swaziland", "Swasiland"),
    "TL": ("East Timor", "Osttimor"),
    "TR": ("Turkey",),
    "VA": ("Vatican", "Vatican City", "Vatikan", "Vatikanstadt"),
}
_SEVERAL = frozenset(("congo", "kongo"))
_NO_MARK = re.compile(r"[.'’ʼ]")
_NO_WORD = re.compile(r"[^\w]+|_+")
_INVERTED = re.compile(r"([^,]+), ([^,]+)")


def alpha2(text: str) -> str:
    """The alpha-2 code of the country, in capitals.

    Raises:
        ValueError: the text is neither a code nor a name of a country; a sentence without the text.
    """
    code = _codes_by_key().get(_key(text))
    if code is None:
        raise ValueError("The text is no country of ISO 3166-1: neither a code nor a name in English or German.")
    return code


def is_alpha2(text: str) -> bool:
    """True for an alpha-2 code that is assigned, in capitals."""
    return text in _alpha2_codes()


@cache
def _alpha2_codes() -> frozenset[str]:
    return frozenset(_codes_by_key().values())


@cache
def _codes_by_key() -> dict[str, str]:
    codes: dict[str, set[str]] = {}
    for code, name in (*_standard_names(), *_everyday_names()):
        for spelling in (name, *_uninverted(name)):
            codes.setdefault(_key(spelling), set()).add(code)
    return {key: min(known) for key, known in codes.items() if len(known) == 1 and key not in _SEVERAL}


def _standard_names() -> Iterator[tuple[str, str]]:
    import gettext

    import pycountry

    german = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["de"], fallback=True)
    for country in pycountry.countries:
        for text in (country.alpha_2, country.alpha_3, country.numeric):
            yield country.alpha_2, text
        for attribute in ("name", "common_name", "official_name"):
            if name := getattr(country, attribute, None):
                yield country.alpha_2, name
                yield country.alpha_2, german.gettext(name)


def _everyday_names() -> Iterator[tuple[str, str]]:
    return ((code, name) for code, names in _EVERYDAY_NAMES.items() for name in names)


def _uninverted(name: str) -> list[str]:
    """`Korea, Republic of` is also `Republic of Korea`."""
    inverted = _INVERTED.fullmatch(name)
    return [f"{inverted[2]} {inverted[1]}"] if inverted else []


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    letters = "".join(char for char in folded if not unicodedata.combining(char))
    words = _NO_WORD.sub(" ", _NO_MARK.sub("", letters)).split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)
