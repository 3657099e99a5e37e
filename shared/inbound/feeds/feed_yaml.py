"""YAML text to a document that still knows its lines, and problems of a document as sentences with a line.

Read with YAML 1.2 rules, under which `Yes`, `No`, `On` and `Off` are words: a status column must never turn into
Booleans on the way.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from shared.errors import FeedFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_FEED_FILE_BYTES = 256 * 1024
"""A feed file is written by hand; more than this is something else."""

_NOT_YAML = (
    YAMLError,
    ValueError,
    RecursionError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
"""What the library raises for text that is none, besides its own errors."""
_MOST_NODES = 100_000
_NO_KEYS = ("NewestBy", "Rule", "Test", "int", "str", "[key]")
_WORDS = {
    "extra_forbidden": "is not a known key",
    "missing": "is missing",
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "string_pattern_mismatch": "does not have the form that the documentation shows",
    "model_type": "must be a block of keys",
    "model_attributes_type": "must be a block of keys",
    "dict_type": "must be a block of keys",
    "tuple_type": "must be a list",
    "too_short": "must not be empty",
}


def load_document(content: bytes) -> dict[Any, Any]:
    """The feed file's keys.

    Raises:
        FeedFileError: it is not YAML, or no block of keys.
    """
    if len(content) > MAX_FEED_FILE_BYTES:
        raise FeedFileError([f"The feed file has more than {MAX_FEED_FILE_BYTES // 1024} KiB; it is not a feed file."])
    try:
        document = YAML(typ="rt", pure=True).load(io.StringIO(content.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise FeedFileError(["The feed file is not UTF-8 text; save it as UTF-8."]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"Line {mark.line + 1}: " if mark else ""
        raise FeedFileError([f"{where}this is not YAML ({error.problem or error.context})."]) from None
    except _NOT_YAML:
        raise FeedFileError(["The feed file is not YAML."]) from None
    if _has_too_much(document):
        raise FeedFileError(["The feed file says the same again and again by aliases; write out what is meant."])
    if not _is_text(document):
        raise FeedFileError(
            ["The feed file has half of a surrogate pair, such as \\ud83d alone, which is no character."]
        )
    if not isinstance(document, dict):
        raise FeedFileError(["The feed file must hold the keys job, mapping and, if wanted, file, rows and safety."])
    return document


def _has_too_much(document: Any) -> bool:
    """Whether it holds more than a hand can write, once every alias is what it stands for."""
    waiting, count = [document], 0
    while waiting:
        node = waiting.pop()
        count += 1
        if count > _MOST_NODES:
            return True
        if isinstance(node, dict | list):
            waiting += [*node, *node.values()] if isinstance(node, dict) else node
    return False


def _is_text(document: Any) -> bool:
    """False where an escape gives what UTF-8 can't hold. What stands in several places by aliases is looked at once."""
    waiting, seen = [document], set[int]()
    while waiting:
        node = waiting.pop()
        if isinstance(node, str) and not node.isascii():
            try:
                node.encode()
            except UnicodeEncodeError:
                return False
        if isinstance(node, dict | list) and id(node) not in seen:
            seen.add(id(node))
            waiting += [*node, *node.values()] if isinstance(node, dict) else node
    return True


def words_of(error: Mapping[str, Any]) -> str:
    """What a pydantic error says, in words for somebody who writes YAML."""
    return _WORDS.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def sentence(document: Any, loc: Sequence[int | str], words: str) -> tuple[int, str]:
    """A problem with its line, that of the deepest key that is in the file, to sort by."""
    line, node, name = None, document, []
    for part in loc:
        if (
            isinstance(part, str)
            and (part in _NO_KEYS or "[" in part)
            and not (isinstance(node, dict) and part in node)
        ):
            continue  # pydantic's own name of a kind of value
        if isinstance(node, dict) and part in node:
            line = _line_of(node, "key", part) or line
            node = node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            line = _line_of(node, "item", part) or line
            node = node[part]
        name.append(str(part))
    where = f"Line {line}: " if line else ""
    end = "" if words.endswith("?") else "."
    return line or 0, f"{where}{'.'.join(name) or 'the feed file'} {words.rstrip('.')}{end}"


def _line_of(node: Any, kind: str, part: int | str) -> int | None:
    """The line of a key or item; None where it was merged in from elsewhere."""
    try:
        return int(getattr(node.lc, kind)(part)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return None
