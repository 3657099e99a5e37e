"""GET auditLogs/provisioning: filter, order, pages, and its own rate limit."""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from tests.simulator.authorization import READ_LOGS, authorize
from tests.simulator.exchange import Exchange
from tests.simulator.graph_errors import GraphError, too_many_requests
from tests.simulator.log_record import LogRecord
from tests.simulator.odata_filter import FilterError, Predicate, parse_filter
from tests.simulator.settings import Settings

READABLE = "':/"  # left as they are in nextLink, as in the documented examples
OPTIONS = ("$filter", "$orderby", "$top", "$skiptoken")


@dataclass(frozen=True)
class _Query:
    matches: Predicate
    ascending: bool
    top: int
    after: int | None  # place of the last record of the page before


async def provisioning_logs(exchange: Exchange) -> Response:
    """Answer one page.

    Source: Graph reference, list provisioningObjectSummary; Graph concepts, paging.
    """
    request, simulator = exchange.request, exchange.simulator
    if request.method != "GET":
        raise GraphError(405, "Method not allowed.")
    token = authorize(exchange, READ_LOGS)
    await exchange.pass_faults()
    _limit(exchange, token.client_id)
    beta = request.path_params["version"] == "beta"
    query = _read(request.query_params, simulator.settings, beta=beta)
    page, last = _page(exchange, query)
    version = request.path_params["version"]
    body: dict[str, Any] = {"@odata.context": f"{simulator.base_url}/{version}/$metadata#auditLogs/provisioning"}
    if last is not None:
        body["@odata.nextLink"] = _next_link(exchange, last)
    body["value"] = [record.as_beta_json() if beta else record.as_json() for record in page]
    return JSONResponse(body)


def _limit(exchange: Exchange, client_id: str) -> None:
    """5 requests per 10 seconds, per app and tenant. Source: Graph throttling limits."""
    simulator = exchange.simulator
    now, window = simulator.clock.now(), simulator.limits.window(f"logs of {client_id}", 10)
    if wait := window.wait(now, simulator.settings.log_requests_per_10_seconds):
        raise too_many_requests(wait)
    window.add(now)


def _read(params: QueryParams, settings: Settings, *, beta: bool) -> _Query:
    # Guess: any other system option is refused; only $count is documented as unsupported.
    unknown = sorted({name for name in params if name.startswith("$") and name not in OPTIONS})
    if unknown or len(params.multi_items()) != len(set(params)):
        raise _bad(f"query option not supported or given twice: {', '.join(unknown)}")
    try:
        text = params.get("$filter")
        matches = parse_filter(text, beta=beta) if text is not None else lambda _record: True
    except FilterError as error:
        raise _bad(f"Invalid filter clause: {error}") from error
    order = params.get("$orderby", "activityDateTime desc").split()
    if not 1 <= len(order) <= 2 or order[0].lower() != "activitydatetime" or order[1:] not in ([], ["asc"], ["desc"]):
        raise _bad("$orderby takes activityDateTime, asc or desc")
    token = params.get("$skiptoken")
    return _Query(
        matches=matches,
        ascending=order[1:] != ["desc"],
        top=_top(params.get("$top"), settings),
        after=_place(token) if token is not None else None,
    )


def _top(text: str | None, settings: Settings) -> int:
    if text is None:
        return settings.default_top
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise _bad("$top must be a positive whole number")
    if int(text) > settings.max_top and settings.top_above_max == "refuse":
        raise _bad(f"$top must not exceed {settings.max_top}")
    return min(int(text), settings.max_top)


def _page(exchange: Exchange, query: _Query) -> tuple[list[LogRecord], int | None]:
    """The records of one page, and the place of the last one if more follow.

    A page goes on from a place in an append-only list, so records that arrive in between neither shift nor
    repeat anything.
    """
    simulator = exchange.simulator
    settings, records = simulator.settings, simulator.logs.records
    places = simulator.logs.visible(
        simulator.clock.now(), delay=settings.log_delay_seconds, retention=settings.log_retention_days * 86400
    )
    walk: Iterable[int]
    if query.ascending:
        walk = range(max(places.start, (query.after if query.after is not None else -1) + 1), places.stop)
    else:
        walk = reversed(range(places.start, places.stop if query.after is None else min(query.after, places.stop)))
    found = list(islice((place for place in walk if query.matches(records[place])), query.top + 1))
    more = len(found) > query.top
    return [records[place] for place in found[: query.top]], found[query.top - 1] if more else None


def _next_link(exchange: Exchange, last: int) -> str:
    """The whole next address. Source: Graph concepts, paging (to be called unchanged)."""
    simulator, request = exchange.simulator, exchange.request
    # Guess: a skiptoken is given with and without $top; an older page says only with.
    params = {**request.query_params, "$skiptoken": _skip_token(last)}
    query = "&".join(f"{name}={quote(value, safe=READABLE)}" for name, value in params.items())
    base = simulator.base_url
    if simulator.settings.next_link_host is not None:
        base = f"{urlsplit(base).scheme}://{simulator.settings.next_link_host}"
    return f"{base}/{request.path_params['version']}/auditLogs/provisioning?{query}"


def _skip_token(place: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"after": place}).encode()).decode().rstrip("=")


def _place(token: str) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["after"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise _bad("Invalid $skiptoken") from error


def _bad(message: str) -> GraphError:
    # Guess: code and words; Graph answers a bad query with 400.
    return GraphError(400, message, code="BadRequest")
