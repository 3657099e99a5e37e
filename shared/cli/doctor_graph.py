"""`doctor`'s look at Microsoft Graph: token, permissions, endpoint, provisioning logs, the state of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from azure.core.exceptions import AzureError

from shared.cli.connection import claims_of, name_in
from shared.errors import NoTokenError
from shared.inbound.sending.job_health import block_for, unknown_code
from shared.workflows.examine import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.cli.connection import Connection
    from shared.workflows.examine import Outcome

_UPLOAD = ("SynchronizationData-User.Upload", "SynchronizationData-User.Upload.OwnedBy")
_READ_LOGS = ("ProvisioningLog.Read.All", "AuditLog.Read.All", "Directory.Read.All")
_READ_JOB = ("Synchronization.Read.All", "Synchronization.ReadWrite.All")
_LOGS = "/v1.0/auditLogs/provisioning?$top=1"
_GRANT = (
    "Grant {} to the function app's managed identity (infra/modules/graph-permissions.bicep). Azure keeps a managed "
    "identity's token, so a new grant can take a day to work."
)
_IDS = (
    "Compare servicePrincipalId (the object id of the enterprise application, not its application id) and jobId in the "
    "feed file with the app's Provisioning API Endpoint in the Entra admin center."
)
_PERSON = "This token is a person's, so it does not tell what the function's identity may do: run doctor with that one."


def token_and_logs(connection: Connection) -> Iterator[Finding]:
    """The token, what it permits, and one question to the logs, which also tells whether the endpoint answers."""
    endpoint = connection.settings.graph_endpoint
    try:
        token = connection.credential.get_token(f"{endpoint}/.default").token
    except (AzureError, ValueError) as error:
        yield _no_token(endpoint, error)
        return
    claims = claims_of(token)
    whose = "an application" if is_application(claims) else "a person"
    yield Finding("Graph token", "ok", f"for {endpoint}, of {whose}: {name_in(claims) or 'unnamed'}")
    yield from permission_findings(claims)
    yield from _endpoint_and_logs(connection, endpoint, claims)


def permission_findings(claims: Mapping[str, Any]) -> Iterator[Finding]:
    """Does the token carry what the connector needs? The service has the last word; a claim can be a day old."""
    has = _permissions(claims)
    lacking: Outcome = "failed" if is_application(claims) else "warning"
    for names, outcome, what in (
        (_UPLOAD, lacking, "no row can be sent"),
        (_READ_LOGS, lacking, "nobody learns what became of accepted rows"),
        (_READ_JOB, "warning", "a paused or quarantined job is not noticed before sending (optional)"),
    ):
        found = [name for name in names if name in has]
        check = f"permission {names[0]}"
        if found:
            yield Finding(check, "ok", "granted" if found[0] == names[0] else f"covered by {found[0]}")
        else:
            advice = _GRANT.format(names[0]) if is_application(claims) else _PERSON
            yield Finding(check, outcome, f"not in the token: {what}.", advice)


def is_application(claims: Mapping[str, Any]) -> bool:
    """Whether the token is an application's or a managed identity's, and not a person's."""
    return claims.get("idtyp") == "app" or ("scp" not in claims and "upn" not in claims)


def job(connection: Connection, check: str, service_principal_id: str, job_id: str) -> Finding:
    """Is a job fit to take data? Asks; posts nothing."""
    status = connection.outside.api.job_status(service_principal_id, job_id)
    if block := block_for(status):
        return Finding(check, "failed", block.reason.message, block.reason.advice)
    if status.http_status == 404:
        return Finding(check, "failed", "Graph knows no such service principal or job (404).", _IDS)
    if unknown_code(status):
        answer = f"status {status.http_status}" if status.http_status else "no usable answer"
        advice = _GRANT.format(_READ_JOB[0]) if status.http_status == 403 else "Try again; then look in the portal."
        return Finding(check, "warning", f"The state of {job_id} can't be read ({answer}).", advice)
    return Finding(check, "ok", f"{job_id} is {status.code or 'there'}, schedule {status.schedule or 'not told'}")


def _permissions(claims: Mapping[str, Any]) -> set[str]:
    roles, scopes = claims.get("roles"), claims.get("scp")
    return {*(roles if isinstance(roles, list) else ()), *(scopes.split() if isinstance(scopes, str) else ())}


def _no_token(endpoint: str, error: Exception) -> Finding:
    advice = (
        "On a laptop: az login, in the tenant of the provisioning app. In Azure: attach the user-assigned identity "
        "whose client id is AZURE_CLIENT_ID to the function app."
    )
    return Finding("Graph token", "failed", f"There is no token for {endpoint} ({type(error).__name__}).", advice)


def _endpoint_and_logs(connection: Connection, endpoint: str, claims: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        reply = connection.graph.send("GET", _LOGS, headers={"Accept": "application/json"})
    except (httpx.HTTPError, NoTokenError) as error:
        advice = "Check GRAPH_ENDPOINT, DNS, proxies and firewalls between here and Microsoft Graph."
        yield Finding("Graph endpoint", "failed", f"{endpoint} gives no answer ({type(error).__name__}).", advice)
        return
    yield Finding("Graph endpoint", "ok", f"{endpoint} answers")
    yield logs_finding(reply.status, is_of_application=is_application(claims))


def logs_finding(status: int, *, is_of_application: bool) -> Finding:
    """What the answer to a question for one log record means."""
    check = "provisioning logs"
    if status == 200:
        return Finding(check, "ok", "can be read")
    if status == 429:
        return Finding(check, "warning", "Graph asks to wait (429).", "Try again in a minute.")
    if status == 403:
        outcome: Outcome = "failed" if is_of_application else "warning"
        advice = _GRANT.format(_READ_LOGS[0]) if is_of_application else _PERSON
        return Finding(check, outcome, "Graph refuses them (403).", advice)
    if status == 401:
        return Finding(check, "failed", "Graph does not take the token (401).", "Is it this tenant's cloud?")
    advice = "Try again; if it lasts, look at the Microsoft 365 service health and at proxies."
    return Finding(check, "failed", f"Graph answers with status {status}.", advice)
