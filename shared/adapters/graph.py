"""Microsoft Graph: one pooled client whose token goes to GRAPH_ENDPOINT's host and nowhere else."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from shared.errors import NoTokenError
from shared.inbound.sending.answer import NO_TOKEN, Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential

SCIM_JSON = "application/scim+json"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_LONGEST_ANSWER_SECONDS = 40.0
"""For a whole answer, since httpx bounds each read only; well below the minute for which the job's lease lasts."""
_LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: httpx.Headers
    content: bytes

    def json(self) -> Any:
        """The body. Raises ValueError when it is not JSON."""
        return json.loads(self.content)


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

    def send(self, method: str, url: str, *, content: bytes | None = None, headers: dict[str, str]) -> Reply:
        """One request with a token.

        Raises:
            ValueError: the URL is not on GRAPH_ENDPOINT's host.
            NoTokenError: there is no token.
            httpx.HTTPError: nothing usable came back.
        """
        target = self._endpoint.join(url)
        if not self.is_home(target):
            raise ValueError("a token is only sent to GRAPH_ENDPOINT's host")
        headers = {"Authorization": f"Bearer {self._token()}", **headers}
        with self._http.stream(method, target, content=content, headers=headers) as response:
            return Reply(response.status_code, response.headers, _read_in_time(response))

    def _token(self) -> str:
        try:
            return self._credential.get_token(self._scope).token
        except Exception as error:  # noqa: BLE001 - an identity endpoint fails in more ways than a list of classes holds
            raise NoTokenError(type(error).__name__) from None


def _read_in_time(response: httpx.Response) -> bytes:
    until = time.monotonic() + _LONGEST_ANSWER_SECONDS
    parts = []
    for part in response.iter_bytes():
        parts.append(part)
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer came too slowly")
    return b"".join(parts)


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
            reply = self._graph.send("POST", url, content=body, headers=headers)
        except NoTokenError:
            return Answer(None, NO_TOKEN)
        except httpx.TimeoutException:
            return Answer(None, "timeout")
        except httpx.HTTPError as error:
            return Answer(None, type(error).__name__)
        code, message = graph_error(reply)
        return Answer(
            status=reply.status,
            code=code,
            message=message,
            retry_after=reply.headers.get("Retry-After"),
            request_id=reply.headers.get("request-id"),
        )

    def fetch_new_token(self) -> None:
        """The next POST carries a new token."""
        self._graph.fetch_new_token()


def graph_error(reply: Reply) -> tuple[str | None, str | None]:
    """Code and message of Graph's error body; (None, None) for a success or for a body of another kind."""
    if reply.status < 400:
        return None, None
    try:
        error = reply.json()["error"]
        return _clean(error.get("code"), 100), _clean(error.get("message"), _LONGEST_MESSAGE)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, None


def _clean(value: object, longest: int) -> str | None:
    """Text that can be stored (half a surrogate pair can't), or None."""
    return str(value or "").encode(errors="replace").decode()[:longest] or None
