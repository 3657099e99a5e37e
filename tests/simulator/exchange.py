"""One request and its answer: latency, faults, Graph's headers, and the record of it all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.simulator.faults import BrokenAnswer, Fault, faulty_answer
from tests.simulator.graph_errors import CODES, GraphError, error_body
from tests.simulator.request_record import RequestRecord
from tests.simulator.tenant import Tenant


class StruckByFault(Exception):  # noqa: N818 - not an error of the program
    """A fault took the call before it had any effect."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.describe())
        self.fault = fault


@dataclass
class Exchange:
    """What every endpoint works with."""

    simulator: Tenant
    request: Request
    record: RequestRecord
    fault: Fault | None = field(default=None)

    async def pass_faults(self) -> None:
        """The point at which faults strike: after the caller was checked, before anything is read or counted.

        Raises:
            StruckByFault: the call ends here.
        """
        faults = self.simulator.faults
        body = await self.request.body() if faults.looks_at_bodies else b""
        self.fault = faults.next_for(self.record.on, self.record.job_id, body)
        if self.fault is None:
            return
        self.record.fault = self.fault.describe()
        if self.fault.before_processing:
            raise StruckByFault(self.fault)

    def error_body(self, error: GraphError) -> dict[str, Any]:
        """Graph's body for that error."""
        return error_body(
            error,
            now=self.simulator.clock.now(),
            request_id=self.record.request_id,
            client_request_id=self.record.client_request_id or self.record.request_id,
        )


Handler = Callable[[Exchange], Awaitable[Response]]


def endpoint(on: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Make a Starlette endpoint that records its requests under `on`."""

    async def answer(request: Request) -> Response:
        simulator: Tenant = request.app.state.simulator
        simulator.catch_up()
        record = simulator.record_request(on, request)
        exchange = Exchange(simulator, request, record)
        if simulator.settings.latency_ms:
            await asyncio.sleep(simulator.settings.latency_ms / 1000)
        response = await _respond(exchange, handler)
        if exchange.fault and not exchange.fault.before_processing:
            response = await _after_processing(exchange, exchange.fault, response)
        return _finish(exchange, response)

    return answer


async def _respond(exchange: Exchange, handler: Handler) -> Response:
    try:
        return await handler(exchange)
    except StruckByFault as struck:
        return faulty_answer(struck.fault, _usual_body(exchange, struck.fault))
    except GraphError as error:
        return JSONResponse(exchange.error_body(error), status_code=error.status, headers=error.headers)


async def _after_processing(exchange: Exchange, fault: Fault, response: Response) -> Response:
    if fault.kind == "hang":
        await asyncio.sleep(fault.value)
        return response
    if fault.kind == "disconnect" and fault.value == "halfAnswer":
        return BrokenAnswer(_with_ids(exchange, response))
    return faulty_answer(fault, _usual_body(exchange, fault))


def _usual_body(exchange: Exchange, fault: Fault) -> dict[str, Any]:
    if fault.kind != "status":
        return {}
    if exchange.record.on == "token":
        return {"statusCode": fault.value, "message": "simulated"}
    message = "Please retry again later." if fault.value == 429 else "simulated"
    return exchange.error_body(GraphError(fault.value, message, code=CODES.get(fault.value)))


def _with_ids(exchange: Exchange, response: Response) -> Response:
    """Every answer of Graph carries a request-id, and the client's own id if it sent one (documented)."""
    response.headers["request-id"] = exchange.record.request_id
    if exchange.record.client_request_id:
        response.headers["client-request-id"] = exchange.record.client_request_id
    return response


def _finish(exchange: Exchange, response: Response) -> Response:
    if isinstance(response, BrokenAnswer):
        return response
    exchange.record.status = response.status_code
    exchange.record.retry_after = response.headers.get("retry-after")
    return _with_ids(exchange, response)
