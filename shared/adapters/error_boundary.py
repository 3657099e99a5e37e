"""Where exceptions leave the connector: the host logs their text, so it must not be a foreign library's."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from shared.errors import StepFailedError, error_kind, loggable_text

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def error_boundary(step: Callable[P, T]) -> Callable[P, T]:
    """Own errors that speak of ids and numbers pass; any other becomes a StepFailedError with the same traceback.

    It is raised outside the `except`, and without the error that it stands for: some loggers print the whole chain,
    also where `from None` suppresses it.
    """

    @wraps(step)
    def bounded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return step(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - this is the boundary
            leaving = _own(error, step.__name__)
        try:
            raise leaving from None
        finally:
            del leaving  # it holds this frame, by its traceback

    return bounded


def _own(error: Exception, step: str) -> Exception:
    if loggable_text(error) is None:
        return StepFailedError(step, error_kind(error)).with_traceback(error.__traceback__)
    error.__context__ = None
    return error
