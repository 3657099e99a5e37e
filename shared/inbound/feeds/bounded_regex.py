"""Regular expressions from a feed file, by RE2: time is linear in the text, memory is bounded, nothing can hang.

What RE2 does not have (back-references, look-around) is refused when the feed file is read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_TEXT = 4000
"""Characters of a text that a feed file's expression is tried on."""
_MAX_MEMORY = 4 * 1024 * 1024


def replacement(template: str, pattern: Any) -> Callable[[Any], str]:
    r"""What a match becomes: the template, in which \1 to \9 are groups of the pattern and \\ is a backslash.

    Raises:
        ValueError: the template has a backslash before something else, or a group that the pattern lacks.
    """
    parts = re.split(r"\\(.|$)", template, flags=re.DOTALL)
    marks = parts[1::2]
    if any(
        not (mark == "\\" or (mark.isascii() and mark.isdigit() and 0 < int(mark) <= pattern.groups)) for mark in marks
    ):
        raise ValueError(
            r"has a replacement with a backslash before something other than the number of a group; \\ is one"
        )

    def replaced(match: Any) -> str:
        pieces = list(parts)
        pieces[1::2] = ["\\" if mark == "\\" else match.group(int(mark)) or "" for mark in marks]
        return "".join(pieces)

    return replaced


def is_too_long(text: str) -> bool:
    """Whether a text is too long for an expression: time is linear in its length, but also in the expression's."""
    return len(text) > LONGEST_TEXT


@lru_cache(maxsize=256)
def compile_regex(pattern: str) -> Any:
    """The compiled pattern: `search`, `fullmatch` and `sub` as in `re`.

    Raises:
        ValueError: RE2 does not take it.
    """
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise ValueError(
            "is no regular expression that RE2 takes (it has no back-references and no look-ahead or look-behind)"
        ) from None
