"""Microsoft Graph: one pooled client whose token goes to GRAPH_ENDPOINT's host and nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
from azure.core.exceptions import ClientAuthenticationError

from shared.inbound.answer import NO_TOKEN, Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential

SCIM_JSON = "application/scim+json"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Well below the minute for which the job's lease lasts."""
_LONGEST_MESSAGE = 500


class GraphClient:
    """Requests with a bearer token; no redirect is followed, since it could lead the token elsewhere."""

    def __init__(self, endpoint: str, make_credential: Callable[[], TokenCredential]) -> None:
        """Takes the endpoint without a path, as in settings, and what makes a credential."""
        self._endpoint = httpx.URL(endpoint)
        self._scope = f"{endpoint.rstrip('/')}/.default"
        self._make_credential = make_credential
        self._credential = make_credential()
        self._http = httpx.Client(timeout=_TIMEOUT, follow_redirects=False)

    def fetch_new_token(self) -> None:
        """A credential caches its token; a new one has none."""
        self._credential = self._make_credential()

    def is_home(self, url: httpx.URL) -> bool:
        """Whether a URL is one that the token may go to."""
        home = self._endpoint
        return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)

    def send(self, method: str, url: str, *, content: bytes | None = None, headers: dict[str, str]) -> httpx.Response:
        """One request with a token.

        Raises:
            ValueError: the URL is not on GRAPH_ENDPOINT's host.
            ClientAuthenticationError: there is no token.
            httpx.HTTPError: nothing usable came back.
        """
        target = self._endpoint.join(url)
        if not self.is_home(target):
            raise ValueError("a token is only sent to GRAPH_ENDPOINT's host")
        token = self._credential.get_token(self._scope).token
        return self._http.request(
            method, target, content=content, headers={"Authorization": f"Bearer {token}", **headers}
        )


class BulkUpload:
    """The real `ProvisioningApi`. Source: Graph v1.0, synchronizationJob: bulkUpload."""

    def __init__(self, graph: GraphClient) -> None:
        """Takes the client."""
        self._graph = graph

    def upload(self, service_principal_id: str, job_id: str, body: bytes, client_request_id: str) -> Answer:
        """Post one bulk request; what goes wrong is an Answer too."""
        url = f"/v1.0/servicePrincipals/{service_principal_id}/synchronization/jobs/{job_id}/bulkUpload"
        headers = {"Content-Type": SCIM_JSON, "client-request-id": client_request_id}
        try:
            response = self._graph.send("POST", url, content=body, headers=headers)
        except ClientAuthenticationError:
            return Answer(None, NO_TOKEN)
        except httpx.TimeoutException:
            return Answer(None, "timeout")
        except httpx.HTTPError as error:
            return Answer(None, type(error).__name__)
        code, message = graph_error(response)
        return Answer(
            status=response.status_code,
            code=code,
            message=message,
            retry_after=response.headers.get("Retry-After"),
            request_id=response.headers.get("request-id"),
        )

    def fetch_new_token(self) -> None:
        """The next POST carries a new token."""
        self._graph.fetch_new_token()


def graph_error(response: httpx.Response) -> tuple[str | None, str | None]:
    """Code and message of Graph's error body; (None, None) for a success or for a body of another kind."""
    if response.is_success:
        return None, None
    try:
        body: Any = json.loads(response.content)
        error = body["error"]
        return str(error.get("code") or "")[:100] or None, str(error.get("message") or "")[:_LONGEST_MESSAGE] or None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, None
