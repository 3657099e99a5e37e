"""The identity endpoint that App Service and Functions offer to an app."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.simulator.exchange import Exchange
from tests.simulator.tokens import Token

API_VERSION = "2019-08-01"
OTHER_IDENTITY_NAMES = ("principal_id", "object_id", "mi_res_id")
CACHE_MARGIN_SECONDS = 300


async def managed_identity_token(exchange: Exchange) -> Response:
    """Answer for an app whose one identity is user-assigned, so that a request naming none fails.

    `expires_on` is a string of epoch seconds and there is no `expires_in`.
    Source: App Service, "Use managed identities", REST endpoint reference.
    """
    simulator = exchange.simulator
    await exchange.pass_faults()
    if refused := _refusal(exchange.request, simulator.identifiers.identity_header, simulator.identifiers.client_id):
        return refused
    resource = exchange.request.query_params["resource"]
    token = _cached(exchange, resource) or simulator.issue_token("managedIdentity", audience=resource)
    exchange.record.token = token
    return JSONResponse(
        {
            "access_token": token.value,
            "expires_on": str(int(token.expires)),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": simulator.identifiers.client_id,
        }
    )


def _cached(exchange: Exchange, resource: str) -> Token | None:
    """The token handed out before: the platform keeps one per resource and cannot be told to refresh.

    Off by default, because the documented age of that cache (about a day) exceeds a token's life.
    """
    simulator = exchange.simulator
    if not simulator.settings.cache_managed_identity_tokens:
        return None
    token = simulator.tokens.latest(issuer="managedIdentity", audience=resource)
    return token if token and token.expires - simulator.clock.now() > CACHE_MARGIN_SECONDS else None


def _refusal(request: Request, identity_header: str, client_id: str) -> Response | None:
    # Guess: the status and words of each refusal; only the shape of the body was seen.
    query = request.query_params
    if request.method != "GET":
        return _error(405, "Method not allowed.")
    if request.headers.get("x-identity-header") != identity_header:
        return _error(401, "The X-IDENTITY-HEADER is missing or wrong.")
    if query.get("api-version") != API_VERSION:
        return _error(400, f"api-version must be {API_VERSION}.")
    if not query.get("resource"):
        return _error(400, "resource is missing.")
    if "client_id" in query and any(name in query for name in OTHER_IDENTITY_NAMES):
        return _error(400, "client_id, principal_id and mi_res_id exclude each other.")
    if query.get("client_id", "").lower() != client_id.lower():
        return _error(400, "No managed identity was found for the specified ClientId/ResourceId/PrincipalId.")
    return None


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message}, status_code=status)
