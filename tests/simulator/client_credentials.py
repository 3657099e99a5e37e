"""The OAuth 2.0 token endpoint, client-credentials grant only."""

import base64
import binascii
from urllib.parse import parse_qs, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.simulator.clock import iso
from tests.simulator.exchange import Exchange
from tests.simulator.identifiers import new_guid


class OAuthError(Exception):
    """A refusal of the token endpoint: OAuth error name, AADSTS number and words, status."""

    def __init__(self, error: str, number: int, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.error, self.number, self.words, self.status = error, number, words, status


async def client_credentials_token(exchange: Exchange) -> Response:
    """Answer POST /{tenant}/oauth2/v2.0/token, or the older /{tenant}/oauth2/token, which takes `resource`.

    Client id and secret come in the form or as HTTP Basic, as Postman sends them.
    Source: Microsoft identity platform, client credentials flow (success and error bodies).
    """
    await exchange.pass_faults()
    try:
        return await _grant(exchange)
    except OAuthError as refused:
        return _refused(refused, exchange.simulator.clock.now())


async def _grant(exchange: Exchange) -> Response:
    request, simulator = exchange.request, exchange.simulator
    known = simulator.identifiers
    if request.method != "POST":
        raise OAuthError("invalid_request", 900561, "The endpoint only accepts POST requests.")
    if request.path_params["tenant"] != known.tenant_id:
        raise OAuthError("invalid_request", 90002, "Tenant not found. Check to make sure you have the correct tenant.")
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
    client_id, secret = _client(request, form)
    if form.get("grant_type") != "client_credentials":
        raise OAuthError("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
    if client_id.lower() != known.client_id.lower():
        raise OAuthError("unauthorized_client", 700016, "Application was not found in the directory.")
    if secret != known.client_secret:
        raise OAuthError("invalid_client", 7000215, "Invalid client secret provided.", 401)
    v2 = "v2.0" in request.url.path
    audience = _audience_of_scope(form.get("scope", "")) if v2 else form.get("resource", "")
    if not audience:
        raise OAuthError("invalid_request", 900144, "The request body must contain the parameter: 'resource'.")
    token = simulator.issue_token("clientCredentials", audience=audience)
    exchange.record.token = token
    lifetime = int(token.expires) - int(token.issued)
    if v2:
        body: dict[str, object] = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime}
    else:
        # The older endpoint gives its numbers as strings.
        body = {"token_type": "Bearer", "expires_in": str(lifetime), "ext_expires_in": str(lifetime)}
        body |= {"expires_on": str(int(token.expires)), "resource": audience}
    return JSONResponse({**body, "access_token": token.value})


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise OAuthError("invalid_request", 7000216, "The Authorization header cannot be read.") from error
        return unquote(client_id), unquote(secret)
    for name in ("client_id", "client_secret"):
        if not form.get(name):
            raise OAuthError("invalid_request", 900144, f"The request body must contain the parameter: '{name}'.")
    return form["client_id"], form["client_secret"]


def _audience_of_scope(scope: str) -> str:
    if not scope:
        raise OAuthError("invalid_request", 900144, "The request body must contain the parameter: 'scope'.")
    if not scope.endswith("/.default") or " " in scope:
        raise OAuthError("invalid_scope", 1002012, "The scope must be the application ID URI followed by /.default.")
    return scope.removesuffix("/.default")


def _refused(error: OAuthError, now: float) -> JSONResponse:
    trace, correlation, time = new_guid(), new_guid(), iso(now).replace("T", " ")
    words = f"AADSTS{error.number}: {error.words} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"
    body = {"error": error.error, "error_description": words, "error_codes": [error.number]}
    body |= {"timestamp": time, "trace_id": trace, "correlation_id": correlation}
    return JSONResponse(body, status_code=error.status)
