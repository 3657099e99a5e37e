"""Microsoft Graph: one pooled client whose token goes to GRAPH_ENDPOINT's host and nowhere else."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import httpx

from shared.errors import NoTokenError
from shared.inbound.sending.answer import NO_TOKEN, NOT_POSTED, Answer
from shared.inbound.sending.job_health import JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential

SCIM_JSON = "application/scim+json"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_LONGEST_ANSWER_SECONDS = 40.0
"""For a whole answer, since httpx bounds each read only; well below the minute for which the job's lease lasts."""
_LONGEST_MESSAGE = 500
_IDLE_CONNECTIONS = 40
_IDLE_SECONDS = 30.0
"""More than the five seconds of the upload window, or each window would begin with new TLS handshakes."""
_LARGEST_ANSWER = 64 * 2**20
"""A page of the provisioning logs can hold a thousand records."""
_LARGEST_JOB_ANSWER = 2**20


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: httpx.Headers
    content: bytes

    def json(self) -> Any:
        """The body. Raises ValueError when it is not JSON, or nested too deep to be read."""
        try:
            return json.loads(self.content)
        except RecursionError:
            raise ValueError("the JSON is nested too deep") from None


class GraphClient:
    """Requests with a bearer token; no redirect is followed, since it could lead the token elsewhere."""

    def __init__(
        self,
        endpoint: str,
        make_credential: Callable[[], TokenCredential],
        *,
        timeout: httpx.Timeout = _TIMEOUT,
        longest_answer_seconds: float = _LONGEST_ANSWER_SECONDS,
    ) -> None:
        """Takes the endpoint without a path, as in settings, and what makes a credential. Threads may share it."""
        self._endpoint = httpx.URL(endpoint)
        self._scope = f"{endpoint.rstrip('/')}/.default"
        self._make_credential = make_credential
        self._credential = make_credential()
        self._token_lock = Lock()
        self._tokens_asked = 0
        self._no_token: str | None = None
        self._longest_answer_seconds = longest_answer_seconds
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=_IDLE_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS
        )
        self._http = httpx.Client(timeout=timeout, limits=limits, follow_redirects=False)

    def fetch_new_token(self) -> None:
        """A credential caches its token; a new one has none."""
        self._credential = self._make_credential()

    def is_home(self, url: httpx.URL) -> bool:
        """Whether a URL is one that the token may go to."""
        home = self._endpoint
        return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)

    def send(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: dict[str, str],
        largest: int = _LARGEST_ANSWER,
        token: str | None = None,
    ) -> Reply:
        """One request with that token, or with one that is asked for. Of the answer `largest` bytes are kept at most.

        Raises:
            ValueError: the URL is not on GRAPH_ENDPOINT's host.
            NoTokenError: there is no token.
            httpx.HTTPError: nothing usable came back.
        """
        target = self._endpoint.join(url)
        if not self.is_home(target):
            raise ValueError("a token is only sent to GRAPH_ENDPOINT's host")
        headers = {"Authorization": f"Bearer {token or self.token()}", **headers}
        with self._http.stream(method, target, content=content, headers=headers) as response:
            return Reply(response.status_code, response.headers, self._read_in_bounds(response, largest))

    def _read_in_bounds(self, response: httpx.Response, largest: int) -> bytes:
        until = time.monotonic() + self._longest_answer_seconds
        content = bytearray()
        for part in response.iter_bytes():
            content += part
            if len(content) >= largest:
                break
            if time.monotonic() > until:
                raise httpx.ReadTimeout("the answer came too slowly")
        return bytes(content[:largest])

    def token(self) -> str:
        """The cached one while it is good. One thread asks at a time; who waited while it got none shares that.

        Raises:
            NoTokenError: there is none.
        """
        asked_before = self._tokens_asked
        with self._token_lock:
            if self._no_token and self._tokens_asked != asked_before:
                raise NoTokenError(self._no_token)
            self._no_token = None
            try:
                return self._credential.get_token(self._scope).token
            except Exception as error:  # noqa: BLE001 - it fails in more ways than a list of classes holds
                self._no_token = type(error).__name__
                raise NoTokenError(self._no_token) from None
            finally:
                self._tokens_asked += 1


class BulkUpload:
    """The real `ProvisioningApi`. Source: Graph v1.0, synchronizationJob: bulkUpload."""

    def __init__(self, graph: GraphClient) -> None:
        """Takes the client."""
        self._graph = graph

    def upload(
        self,
        service_principal_id: str,
        job_id: str,
        body: bytes,
        client_request_id: str,
        may_go: Callable[[], bool] = lambda: True,
    ) -> Answer:
        """Post one bulk request; what goes wrong is an Answer too."""
        url = f"/v1.0/servicePrincipals/{service_principal_id}/synchronization/jobs/{job_id}/bulkUpload"
        headers = {"Content-Type": SCIM_JSON, "client-request-id": client_request_id}
        try:
            token = self._graph.token()
            if not may_go():
                return Answer(None, NOT_POSTED)
            reply = self._graph.send(
                "POST", url, content=body, headers=headers, largest=_LARGEST_JOB_ANSWER, token=token
            )
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
            retry_after=_clean(reply.headers.get("Retry-After"), 100),
            request_id=_clean(reply.headers.get("request-id"), 100),
            location=reply.headers.get("Location"),
            is_page=_is_page(reply),
        )

    def job_status(self, service_principal_id: str, job_id: str) -> JobStatus:
        """Ask how the job is. Source: Graph v1.0, synchronizationJob: get; read leniently."""
        url = f"/v1.0/servicePrincipals/{service_principal_id}/synchronization/jobs/{job_id}"
        try:
            reply = self._graph.send("GET", url, headers={}, largest=_LARGEST_JOB_ANSWER)
            told = reply.json() if reply.status == 200 else None
        except (NoTokenError, httpx.HTTPError, ValueError):
            return JobStatus(None)
        return JobStatus(
            reply.status,
            code=_text(told, "status", "code"),
            schedule=_text(told, "schedule", "state"),
            quarantine_reason=_text(told, "status", "quarantine", "reason"),
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


def _text(told: object, *path: str) -> str | None:
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told if isinstance(told, str) else None


def _is_page(reply: Reply) -> bool:
    media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    start = reply.content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    return media_type in ("text/html", "application/xhtml+xml") or start.startswith(b"<")
