"""SIGTERM: stop cleanly, as if the time budget were used up."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int | None


class Shutdown:
    """Whether this process was told to end."""

    def __init__(self) -> None:
        self._listener: _Listener | None = None

    def __call__(self) -> bool:
        """True for good once SIGTERM came."""
        return self._listener is not None and self._listener.is_told

    def install(self) -> None:
        """Listen for SIGTERM, besides whoever listens already; only the main thread can, so elsewhere nothing is done.

        Where one of ours is the handler already it serves this one too, however often connectors are made.
        """
        number = getattr(signal, "SIGTERM", None)
        if number is None or threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(number)
        if isinstance(before, _Listener):
            self._listener = before
            return
        self._listener = _Listener(before)
        signal.signal(number, self._listener)


class _Listener:
    """The handler. Sets a plain flag: a lock could be held by the very thread that the signal interrupts."""

    def __init__(self, before: Handler) -> None:
        self._before = before
        self.is_told = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.is_told = True
        if callable(self._before):
            self._before(number, frame)
