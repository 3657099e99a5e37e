"""Files from the command line: what can't be opened or used is said in words, with status 2."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shared.errors import FeedFileError, HrFileError
from shared.inbound.feeds.feed_file import Feed, parse_feed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFUSED = 2
_CHUNK = 1024 * 1024


def say_error(text: str) -> None:
    """Print on standard error."""
    print(text, file=sys.stderr)  # noqa: T201


def read_feed(path: Path) -> Feed | None:
    """The feed file, or None once every problem has been said."""
    try:
        return parse_feed(path.read_bytes())
    except OSError as error:
        say_error(f"{path}: {error.strerror or 'can not be read'}.")
    except FeedFileError as error:
        say_error(f"{path} can't be used:")
        for problem in error.problems:
            say_error(f"  {problem}")
    return None


def chunks_of(path: Path) -> Iterator[bytes]:
    """The file's bytes, in pieces."""
    with path.open("rb") as data:
        while chunk := data.read(_CHUNK):
            yield chunk


def say_refusal(path: Path, error: HrFileError | OSError) -> int:
    """Why the file can't be used; the exit status."""
    if isinstance(error, HrFileError):
        reason = error.reason
        say_error(f"{path} is refused ({reason.code}): {reason.message}\n{reason.advice}")
    else:
        say_error(f"{path}: {error.strerror or 'can not be read'}.")
    return REFUSED
