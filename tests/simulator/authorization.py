"""The bearer token of a Graph request, and which permission opens which path."""

from tests.simulator.exchange import Exchange
from tests.simulator.graph_errors import denied, unauthenticated
from tests.simulator.tokens import Token

GRAPH = "https://graph.microsoft.com"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

# Source: Graph permissions reference (permission file of 2026-08-07).
# Guess: the OwnedBy permissions pass as if the caller owned the provisioning app.
UPLOAD = ("SynchronizationData-User.Upload", "SynchronizationData-User.Upload.OwnedBy")
READ_LOGS = ("ProvisioningLog.Read.All", "AuditLog.Read.All", "Directory.Read.All")
CHANGE_JOB = ("Synchronization.ReadWrite.All", "Application.ReadWrite.OwnedBy")
READ_JOB = ("Synchronization.Read.All", *CHANGE_JOB)


def authorize(exchange: Exchange, any_of: tuple[str, ...]) -> Token:
    """Check token, age, audience and permission, in that order.

    Raises:
        GraphError: 401 for the token, its age or its audience; 403 when it has none of `any_of`.

    Source: "issues" page (401, 403).
    """
    simulator = exchange.simulator
    scheme, _, value = exchange.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise unauthenticated("Access token is empty.")
    token = simulator.tokens.find(value.strip())
    if token is None:
        # Guess: Graph's words for a token it cannot read.
        raise unauthenticated("IDX14100: JWT is not well formed.")
    exchange.record.token = token
    if token.expires <= simulator.clock.now():
        raise unauthenticated("Access token has expired or is not yet valid.")
    # Guess: the words for a wrong audience, and that Graph takes its own app id as audience.
    if token.audience.rstrip("/") not in (simulator.base_url, GRAPH, GRAPH_APP_ID):
        raise unauthenticated("Access token validation failure. Invalid audience.")
    if not set(any_of) & set(token.roles):
        raise denied()
    return token
