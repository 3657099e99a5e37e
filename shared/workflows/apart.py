"""One bad thing must not stop the others: the border around each drop, each run and each job."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.errors import error_fields, loggable_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.workflows.outside import Outside


def error_once(outside: Outside, event: str, error: Exception, **fields: str | int | None) -> None:
    """An error event about something that lasts: for each run or job one in the life of a process.

    Args:
        outside: the world.
        event: its name.
        error: what was raised; its kind and place are told.
        fields: what it is about.
    """
    key = f"{event} {sorted(fields.items(), key=str)}"
    if key not in outside.told_once:
        outside.told_once.add(key)
        outside.events.error(event, **error_fields(error), **fields)


@contextmanager
def apart(event: str, outside: Outside, **fields: str | int | None) -> Iterator[None]:
    """Whatever is raised inside becomes an error event with the exception's kind and place, and the caller goes on.

    Its text, which says what to do, goes along as `detail` where it is ours; that of a foreign one could hold anything.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - this is the border
        text = loggable_text(error)
        detail = {} if text is None else {"detail": text}
        outside.events.error(event, **error_fields(error), **detail, **fields)
