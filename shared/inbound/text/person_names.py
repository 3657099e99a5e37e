"""Letter case of people's names, for HR systems that hold them in capitals or in small letters only.

There is no right answer without asking the person, so a text that has both kinds of letters is somebody's decision and
stays as it is: `McDONALD`, `Müller VON Bülow` and `DeShawn` are returned unchanged. What is known to come out wrong:

- `Mac` is no prefix here: MACDONALD becomes Macdonald, since Macron, Machado and Mackenzie would suffer otherwise.
- Particles are small also where a family name begins with one (`von Bülow`, `de la Cruz`, `d'Artagnan`), which is not
  how Italy or Belgium write theirs, and a Vietnamese `VAN NGUYEN` becomes `van Nguyen`.
- Nothing is known of languages: the Dutch IJSSEL becomes Ijssel, the Turkish IŞIK becomes Işik.
"""

from __future__ import annotations

import re

_ANYWHERE = frozenset(("van", "von", "vom", "zu", "zum", "zur", "de", "del", "da", "dos", "das", "af", "ter", "ten"))
_NOT_FIRST = frozenset(("du", "do", "bin", "ibn", "bint"))
"""Particles that are just as often a whole name where they come first."""
_AFTER_PARTICLE = frozenset(("der", "den", "dem", "het", "la", "las", "los", "le", "les", "lo", "und"))
"""Articles: `de la Cruz`, but `Le Pen`."""
_NUMERALS = frozenset(("ii", "iii", "iv"))
_APOSTROPHES = "'’ʼ"

_SPACES = re.compile(r"(\s+)")
_PARTS = re.compile(r"([-‐‑–.])")
_MC = re.compile(r"mc(?=\w{2})")
_ELISION = re.compile(rf"(\w)([{_APOSTROPHES}])(\w.*)", re.DOTALL)
_SHORT_ARTICLE = re.compile(rf"[{_APOSTROPHES}][ts]")


def title_case(text: str) -> str:
    """`MARIA O'BRIEN` as `Maria O'Brien`, `jan van der berg` as `Jan van der Berg`; spaces stay as they are."""
    if _is_mixed(text):
        return text
    pieces = _SPACES.split(text)
    places = [place for place, piece in enumerate(pieces) if piece and not piece.isspace()]
    after_particle = False
    for place in places:
        first, last = place == places[0], place == places[-1]
        word = pieces[place].lower()
        after_particle = not last and _is_particle(word, first=first, after_particle=after_particle)
        if after_particle:
            pieces[place] = word
        elif word in _NUMERALS and not first:
            pieces[place] = word.upper()
        else:
            pieces[place] = _capitalised_word(pieces[place])
    return "".join(pieces)


def _is_mixed(text: str) -> bool:
    """`ß` counts as neither: it is how most people write it among capitals, too."""
    letters = text.replace("ß", "")
    return letters != letters.upper() and letters != letters.lower()


def _is_particle(word: str, *, first: bool, after_particle: bool) -> bool:
    if _SHORT_ARTICLE.fullmatch(word):
        return True
    return word in _ANYWHERE or (word in _NOT_FIRST and not first) or (word in _AFTER_PARTICLE and after_particle)


def _capitalised_word(word: str) -> str:
    return "".join(part if _PARTS.fullmatch(part) else _capitalised_part(part) for part in _PARTS.split(word))


def _capitalised_part(part: str) -> str:
    """What stands between hyphens and dots: `O'Brien`, `d'Artagnan`, `Ja'far`, `McDonald`, `'s`."""
    elided = _ELISION.fullmatch(part)
    if elided:
        letter, apostrophe, rest = elided.groups()
        return (letter.lower() if letter in "dD" else letter.upper()) + apostrophe + _capitalised(rest)
    if _SHORT_ARTICLE.fullmatch(part.lower()):
        return part.lower()
    if _MC.match(part.lower()):
        return "Mc" + _capitalised(part[2:])
    return _capitalised(part)


def _capitalised(letters: str) -> str:
    # Python lowers İ to two characters, an i and a dot; a name has no use for the dot.
    small = letters.replace("İ", "i").lower()
    return letters[:1].title() + small[1:]
