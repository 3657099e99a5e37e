"""`auditLogs/provisioning` of Microsoft Graph, page by page, within its own limit of 5 requests in 10 seconds."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from shared.adapters.graph import GraphClient, Reply, graph_error
from shared.errors import LogsUnavailableError, NoTokenError
from shared.inbound.sending.answer import retry_after_seconds
from shared.inbound.sending.pacing import SlidingWindow
from shared.monitoring.provisioning_log import parse_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.monitoring.provisioning_log import ProvisioningEvent
    from shared.ports import Clock

PAGE_SIZE = 1000
"""Not documented for these logs; other Graph logs allow it."""
SAFE_PAGE_SIZE = 100
"""What Microsoft's own client asks for; used when the larger size is refused."""
_MAX_TRIES = 6
_LONGEST_WAIT = 120.0
_LONGEST_READING = 15 * 60.0
"""Half of the function's own time; what takes longer is told, not killed."""


class GraphProvisioningLogs:
    """The real `ProvisioningLogs`. Source: Graph v1.0, provisioningObjectSummary: list."""

    def __init__(self, graph: GraphClient, clock: Clock) -> None:
        """Takes the client, and the clock that paces it."""
        self._graph = graph
        self._clock = clock
        self._window = SlidingWindow(5, 10.0)

    def events(self, job_id: str, since: datetime) -> Iterator[ProvisioningEvent]:
        """The job's events from that moment on, possibly doubled.

        Raises:
            LogsUnavailableError: a page could not be had, or its next link leads to another host.
        """
        quoted = job_id.replace("'", "''")
        # `gt` is the documented operator, `ge` only seen in samples: so a moment before the first that is wanted.
        moment = (since.astimezone(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"$filter": f"jobId eq '{quoted}' and activityDateTime gt {moment}", "$top": str(PAGE_SIZE)}
        path = "/v1.0/auditLogs/provisioning"
        page, status = self._page(str(httpx.URL(path, params=query)))
        if status == 400:
            page, status = self._page(str(httpx.URL(path, params=query | {"$top": str(SAFE_PAGE_SIZE)})))
        seen: set[str] = set()
        until = self._clock.monotonic() + _LONGEST_READING
        while True:
            if self._clock.monotonic() > until:
                raise LogsUnavailableError(None, "tooLong")
            if page is None:
                raise LogsUnavailableError(status, "refused")
            yield from filter(None, map(parse_event, _records(page)))
            link = page.get("@odata.nextLink")
            if not link:
                return
            page, status = self._page(self._checked(link, seen))

    def _checked(self, link: object, seen: set[str]) -> str:
        """A link that the token may follow, and that does not lead back."""
        try:
            is_home = isinstance(link, str) and self._graph.is_home(httpx.URL(link))
        except httpx.InvalidURL:
            is_home = False
        if not isinstance(link, str) or not is_home:
            raise LogsUnavailableError(200, "foreignNextLink")
        if link in seen:
            raise LogsUnavailableError(200, "endlessNextLink")
        seen.add(link)
        return link

    def _page(self, url: str) -> tuple[dict[str, Any] | None, int | None]:
        """One page, or None with the status of a refusal that asking again would not change."""
        last: tuple[int | None, str] = (None, "noAnswer")
        for tries in range(1, _MAX_TRIES + 1):
            self._pace()
            try:
                reply = self._graph.send("GET", url, headers={"Accept": "application/json"})
            except (NoTokenError, httpx.HTTPError) as error:
                last = (None, type(error).__name__)
                self._clock.sleep(2.0 ** (tries - 1) * (0.5 + self._clock.jitter()))
                continue
            finally:
                self._window.ended(self._clock.monotonic())
            if reply.status == 200:
                return _json_object(reply), 200
            last = (reply.status, graph_error(reply)[0] or "unknown")
            if reply.status == 401 and tries == 1:
                self._graph.fetch_new_token()
            elif reply.status == 429 or reply.status >= 500:
                self._wait(reply, tries)
            elif reply.status == 400:
                return None, 400
            else:
                break
        raise LogsUnavailableError(*last)

    def _pace(self) -> None:
        while wait := self._window.wait(self._clock.monotonic()):
            self._clock.sleep(wait)

    def _wait(self, reply: Reply, tries: int) -> None:
        asked = retry_after_seconds(reply.headers.get("Retry-After"), self._clock.now())
        seconds = asked if asked is not None else 2.0**tries * (0.5 + self._clock.jitter())
        if seconds > _LONGEST_WAIT:
            raise LogsUnavailableError(reply.status, "retryAfterTooLong")
        self._clock.sleep(seconds)


def _json_object(reply: Reply) -> dict[str, Any]:
    try:
        page = reply.json()
    except ValueError:
        page = None
    if not isinstance(page, dict):
        raise LogsUnavailableError(reply.status, "notJson")
    return page


def _records(page: dict[str, Any]) -> list[object]:
    records = page.get("value", [])
    if not isinstance(records, list):
        raise LogsUnavailableError(200, "notJson")
    return records
