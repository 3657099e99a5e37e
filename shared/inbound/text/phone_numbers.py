"""Phone numbers as people write them, and as E.164 has them (`+493012345678`).

The numbering plans are those of Google's libphonenumber. It reads a number into almost any text (letters of a keypad,
the first of two numbers, what follows a word), so what is not plainly one number is turned away before it gets there.

Entra takes any text for a work phone. E.164 is what can be dialled from everywhere. It has no room for an extension, so
a number with one is refused: without it the call would reach somebody else. Where Entra's self-service password reset
is to call that phone, its documentation wants a blank behind the country code (`+49 3012345678`); send the number as HR
writes it there, without this conversion.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_WRITTEN = re.compile(
    r"""(?P<number>\+?[0-9\ \u00a0().\-/]*[0-9)])
        [\ \u00a0,]*
        (?:(?:extension|extn|ext|durchwahl|dw|nst|x|\#|;ext=)\.?[\ :]*(?P<extension>[0-9]{1,11}))?""",
    re.VERBOSE | re.IGNORECASE,
)
_PLAINLY_WRITTEN = re.compile(r"\+[1-9][0-9 ().\-/]{4,28}[0-9]")
_DIGITS = re.compile("[0-9]+")
_AS_ASCII = str.maketrans("＋（）．／－‐‑‒–—−", "+()./-------")
_ANOTHER_NUMBER = re.compile(r"/\s*(?:0|[0-9]{1,2}$)")
"""What is behind a slash is a second number if it begins as an area code does, or is another ending of the first."""


def e164(text: str, region: str) -> str:
    """The number in E.164. `region` (ISO 3166-1 alpha-2) is where a number without a country code belongs.

    Raises:
        ValueError: the text is not one valid number of the region or, with + and a country code, of any; a sentence
            without the text.
    """
    if not is_region(region):
        raise ValueError("The region for phone numbers is no country with a numbering plan; write two capital letters.")
    written = split_extension(_plain(text))
    if written is None:
        raise ValueError(
            "The text is no phone number: it has something other than digits, blanks, ( ) - . / and a + before them."
        )
    number, extension = written
    if extension:
        raise ValueError("The phone number has an extension, which E.164 has no room for.")
    if _ANOTHER_NUMBER.search(number):
        raise ValueError("The text holds more than one phone number.")
    return _valid(number, region)


def is_possible(text: str) -> bool:
    """True for a number with + and a country code that has as many digits as numbers of that country can have."""
    written = split_extension(text.strip())
    if written is None:
        return False
    library = _library()
    try:
        return bool(library.is_possible_number(library.parse(written[0], None)))
    except library.NumberParseException:
        return False


def is_plainly_possible(text: str) -> bool:
    """True for most of the numbers for which `is_possible` is, in a tenth of the time; False says nothing."""
    if not _PLAINLY_WRITTEN.fullmatch(text):
        return False
    digits = "".join(_DIGITS.findall(text))
    lengths = _lengths()
    for size in (1, 2, 3):  # noqa: SIM110 - a generator takes twice the time
        if (national := lengths.get(digits[:size])) and len(digits) - size in national:
            return True
    return False


@cache
def _lengths() -> dict[str, frozenset[int]]:
    """By country code: how many digits a national number has, in the code's main country."""
    library = _library()
    found = {}
    for code, regions in library.COUNTRY_CODE_TO_REGION_CODE.items():
        metadata = library.PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        found[str(code)] = frozenset(length for length in metadata.general_desc.possible_length if length > 0)
    return found


def is_region(text: str) -> bool:
    """True for the alpha-2 code of a country with a numbering plan, in capitals."""
    return text in _library().SUPPORTED_REGIONS


def split_extension(text: str) -> tuple[str, str | None] | None:
    """A number in the usual characters and the extension behind it; None where the text has anything else in it."""
    written = _WRITTEN.fullmatch(text)
    return (written["number"], written["extension"]) if written else None


def _plain(text: str) -> str:
    """Digits, signs and blanks of other scripts and keyboards as ASCII. A superscript is a footnote, no digit."""
    chars = text.strip().translate(_AS_ASCII)
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else " " if unicodedata.category(char) == "Zs" else char
        for char in chars
    )


def _valid(number: str, region: str) -> str:
    library = _library()
    try:
        parsed = library.parse(number, region)
    except library.NumberParseException:
        raise ValueError("The phone number has too few or too many digits, or an unknown country code.") from None
    if not library.is_possible_number(parsed):
        raise ValueError("The phone number has too few or too many digits for its country.")
    if not library.is_valid_number(parsed):
        raise ValueError("The phone number is none that its country's numbering plan gives out.")
    return str(library.format_number(parsed, library.PhoneNumberFormat.E164))


@cache
def _library() -> ModuleType:
    import phonenumbers

    return phonenumbers
