"""Serving the simulator on a loopback port."""

import asyncio
import contextlib
import gc
import json
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.simulator.app import build_app
from tests.simulator.tenant import Tenant

LOOPBACK = "127.0.0.1"


class _BreakableConnection(H11Protocol):
    """Hands its transport to the application, so that a fault can break the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Says when it is ready, and ends without passing the signal on, so that the exit status is 0."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(port: int) -> socket.socket:
    """A socket bound to loopback; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    return listener


def _collect_garbage_less_often() -> None:
    """The tenant only grows: looking through all of it for garbage, again and again, costs most of the time."""
    gc.set_threshold(100_000, 50, 1000)


def serve(tenant: Tenant, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is called once connections are taken."""
    _collect_garbage_less_often()
    config = uvicorn.Config(
        build_app(tenant),
        http=_BreakableConnection,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    _Server(config, on_ready).run(sockets=[listener])


def settings_to_use(tenant: Tenant) -> dict[str, str]:
    """What a client needs to know, under the names of environment variables."""
    known, base = tenant.identifiers, tenant.base_url
    return {
        "GRAPH_ENDPOINT": base,
        "IDENTITY_ENDPOINT": f"{base}/msi/token",
        "IDENTITY_HEADER": known.identity_header,
        "AZURE_CLIENT_ID": known.client_id,
        "SERVICE_PRINCIPAL_ID": known.service_principal_id,
        "JOB_ID": known.job_id,
        "TENANT_ID": known.tenant_id,
        "TOKEN_ENDPOINT": f"{base}/{known.tenant_id}/oauth2/v2.0/token",
        "CLIENT_SECRET": known.client_secret,
        "CONTROL": f"{base}/control",
    }


def render(values: dict[str, str], *, as_json: bool) -> str:
    """One JSON line, or NAME=value lines."""
    return json.dumps(values) if as_json else "\n".join(f"{name}={value}" for name, value in values.items())
