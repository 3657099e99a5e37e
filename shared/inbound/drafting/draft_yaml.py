"""YAML for a drafted feed file: texts that read back as they were, whatever is in them, and lines with a remark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Node = str | Sequence["Node"] | Mapping[str, "Node"]

_PLAIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-z0-9À-ÖØ-öø-ÿ_.-]*(?: [A-Za-z0-9À-ÖØ-öø-ÿ_.-]+)*")
_WIDTH = 120
_NO_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
"""Words that some reader of YAML, of whatever version, takes for something else."""


class Line(NamedTuple):
    """`text` is YAML on one line; one that is not active stands there as a comment. So does the remark."""

    text: str
    remark: str = ""
    is_active: bool = True

    def render(self, indent: str) -> str:
        """The line as it stands in the file; a long remark stands above it."""
        text = f"{indent}{self.text}" if self.is_active else f"{indent}# {self.text}"
        if not self.remark:
            return text
        beside = f"{text}   # {self.remark}"
        return beside if len(beside) <= _WIDTH else f"{indent}# {self.remark}\n{text}"


def comment(text: str) -> Line:
    """A line that is nothing but a remark."""
    return Line(text, is_active=False)


def flow(node: Node) -> str:
    """A text, list or block of keys on one line, for any place in a YAML file."""
    if isinstance(node, str):
        return node if _is_plain(node) else quoted(node)
    if hasattr(node, "items"):
        return "{" + ", ".join(f"{name}: {flow(inner)}" for name, inner in node.items()) + "}"
    return "[" + ", ".join(map(flow, node)) + "]"


def quoted(text: str) -> str:
    """The text in double quotes, on one line; what can't be seen, or turns the direction of writing, is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _NO_WORDS


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
