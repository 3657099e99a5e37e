"""A process of the connector to which something happens at a chosen call: it is killed, or the world goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import httpx
from azure.core.pipeline.transport import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Killed(BaseException):
    """What a killed process would not live to see."""


class Mortal:
    """Counts this process's calls to storage and by HTTP, from all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls_left: int | None = None
        self._meanwhile: Callable[[], None] | None = None

    def dies_after(self, calls: int) -> None:
        """From then on nothing it does has an effect."""
        self._calls_left, self._meanwhile = calls, None

    def meets(self, meanwhile: Callable[[], None], *, after: int) -> None:
        """Before the call that comes after so many, in the thread that makes it; once."""
        self._calls_left, self._meanwhile = after, meanwhile

    def lives(self) -> None:
        """Whatever was to happen does not happen any more, or is over: this is another process."""
        self._calls_left = self._meanwhile = None

    def passes(self) -> None:
        """One call is about to be made. Raises Killed if the process is dead."""
        with self._lock:
            if self._calls_left is None:
                return
            if self._calls_left > 0:
                self._calls_left -= 1
                return
            if self._meanwhile is None:
                raise Killed
            meanwhile = self._meanwhile
            self.lives()
        meanwhile()


def mortal_process(monkeypatch: pytest.MonkeyPatch) -> Mortal:
    """Every storage call and every HTTP call of the connector asks first whether the process still lives."""
    life = Mortal()
    send, handle = RequestsTransport.send, httpx.HTTPTransport.handle_request

    def storage_call(self, request, **options):
        life.passes()
        return send(self, request, **options)

    def graph_call(self, request):
        if "/control/" not in str(request.url):
            life.passes()
        return handle(self, request)

    monkeypatch.setattr(RequestsTransport, "send", storage_call)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", graph_call)
    return life
