"""Why a rule has no value for a row, as an exception while a cell is worked on and as data afterwards."""

from __future__ import annotations

from typing import NamedTuple
from unicodedata import normalize

_LONGEST_KEY = 1000
"""Unicode's normal forms take time that grows with the square of a run of marks; no directory has such keys."""


class Problem(NamedTuple):
    """What is wrong, without any cell's text."""

    code: str
    message: str
    advice: str
    column: str | None = None
    """The column that is at fault, where a rule reads several."""


class CellProblem(Exception):  # noqa: N818 - the mapping turns it into a row's problem
    """Raise a new one each time: an exception that is raised again keeps the frames, and so the cells, of every row."""

    def __init__(self, code: str, message: str, advice: str, column: str | None = None) -> None:
        super().__init__(code)
        self.problem = Problem(code, message, advice, column)


def same_key(text: str) -> str:
    """What two keys have in common that a directory takes for one: letter case and Unicode form don't count."""
    if text.isascii() or len(text) > _LONGEST_KEY:
        return text.lower()
    return normalize("NFKC", text).casefold()


def key_numbers(texts: list[str]) -> list[int | None]:
    """A number for each key, the same for keys that a directory takes for one; None for none.

    It is Python's own hash, with a secret of this process: two keys that share a number need not be the same.
    """
    return [hash(text.lower() if text.isascii() else same_key(text)) if text else None for text in texts]
