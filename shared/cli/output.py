"""Text for people: wrapped for a terminal, whole lines for a file or a pipe, and no word is ever broken."""

from __future__ import annotations

import sys
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDE = 100_000
"""For what is no terminal: lines stay whole, so that other programs can search them."""
_NARROWEST = 30
_GAP = "  "


def console() -> Console:
    """Standard output."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


def print_blocks(rows: Iterable[Sequence[str | Text]], to: Console | None = None) -> None:
    """Cells side by side, the last of each row wrapped between words: ids, codes and addresses stay whole."""
    out = to or console()
    table = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    if not table:
        return
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]) - 1)]
    indent = sum(widths) + len(_GAP) * len(widths)
    for *heads, last in table:
        start = Text(_GAP).join([_padded(head, width) for head, width in zip(heads, widths, strict=True)] + [Text("")])
        for line in _lines(last.plain, out.width - indent):
            out.print(start + Text(line), soft_wrap=True)
            start = Text(" " * indent)


def _padded(text: Text, width: int) -> Text:
    return text + Text(" " * (width - len(text)))


def _lines(text: str, width: int) -> list[str]:
    """Lines that begin with blanks keep them, also where they are wrapped."""
    found: list[str] = []
    for line in text.split("\n"):
        blanks = " " * (len(line) - len(line.lstrip()))
        found += wrap(
            line,
            max(width, _NARROWEST),
            subsequent_indent=blanks,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        ) or [""]
    return found
