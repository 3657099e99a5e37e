"""One bad thing must not stop the others: the border around each drop, each run and each job."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.errors import error_fields, loggable_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.workflows.outside import Outside


def error_once(outside: Outside, event: str, error: Exception, **fields: str | int | None) -> None:
    """An error event about something that lasts: one for each run or job and each class in the life of a process.

    Args:
        outside: the world.
        event: its name.
        error: what was raised; see `apart` for what is told of it.
        fields: what it is about.
    """
    key = f"{event} {type(error).__name__} {sorted(fields.items(), key=str)}"
    if key not in outside.told_once:
        outside.told_once.add(key)
        outside.events.error(event, **_told_of(error), **fields)


@contextmanager
def apart(event: str, outside: Outside, *, once: bool = False, **fields: str | int | None) -> Iterator[None]:
    """Whatever is raised inside becomes an error event with the exception's kind and place, and the caller goes on.

    Its text, which says what to do, goes along as `detail` where it is ours; that of a foreign one could hold anything.
    With `once` as `error_once` does.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - this is the border
        if once:
            error_once(outside, event, error, **fields)
        else:
            outside.events.error(event, **_told_of(error), **fields)


def _told_of(error: Exception) -> dict[str, str]:
    text = loggable_text(error)
    return error_fields(error) if text is None else {**error_fields(error), "detail": text}
