"""Calls that run at the same time, each in a thread; their answers come back to the one thread that decides."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from shared.inbound.sending.answer import Answer


T = TypeVar("T")


class ThreadedCalls:
    """The real `InFlight`. Nothing is logged from these threads: the Functions worker drops what they say."""

    def __init__(self, limit: int) -> None:
        """Takes the most calls at a time; more than that wait for a thread."""
        self._limit = limit
        self._threads: list[Thread] = []
        self._open = 0
        self._calls: SimpleQueue[tuple[int, Callable[[], Answer]] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[int, Answer | BaseException]] = SimpleQueue()
        self._bug: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is in flight; what no thread has taken up yet is not begun any more."""
        _empty(self._calls)
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def begin(self, key: int, call: Callable[[], Answer]) -> None:
        """Let a call run; its answer comes under that key. Raises RuntimeError where not one thread can be made."""
        if not self._threads:
            self._one_thread_more()
        self._open += 1
        self._calls.put((key, call))
        # While the first call is on its way there is time to make the others' threads, a millisecond or two each.
        while len(self._threads) < self._limit and self._one_thread_more():
            pass

    def answers(self, seconds: float) -> list[tuple[int, Answer]]:
        """Every answer that is there; waits for the first one, at most that long.

        Raises:
            BaseException: what a call raised, once the answers that came with it are handed over.
        """
        if self._bug:
            raise self._bug
        good: list[tuple[int, Answer]] = []
        for key, answer in self._that_are_there(seconds):
            if isinstance(answer, BaseException):
                self._bug = self._bug or answer
            else:
                good.append((key, answer))
        if self._bug and not good:
            raise self._bug
        return good

    def _that_are_there(self, seconds: float) -> list[tuple[int, Answer | BaseException]]:
        try:
            found = [self._answers.get(timeout=max(seconds, 0.0))]
        except Empty:
            return []
        found += _empty(self._answers)
        self._open -= len(found)
        return found

    def _one_thread_more(self) -> bool:
        """A daemon, so that a call that hangs does not keep a process that was told to end."""
        thread = Thread(target=self._work, name=f"post-{len(self._threads) + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if not self._threads:
                raise
            return False
        self._threads.append(thread)
        return True

    def _work(self) -> None:
        while given := self._calls.get():
            key, call = given
            try:
                self._answers.put((key, call()))
            except BaseException as error:  # noqa: BLE001 - raised in the thread that asks for answers
                self._answers.put((key, error))
            del given, call


def _empty(queue: SimpleQueue[T]) -> list[T]:
    """Take everything out."""
    found = []
    try:
        while True:
            found.append(queue.get_nowait())
    except Empty:
        return found
