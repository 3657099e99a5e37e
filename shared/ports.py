"""The outside world on one page: what the workflows need of storage, of Microsoft Graph, of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from shared.inbound.sending.answer import Answer
    from shared.inbound.sending.job_health import JobStatus
    from shared.monitoring.provisioning_log import ProvisioningEvent
    from shared.run.drop import Drop

HR_DROP = "hr-drop"
FEEDS = "feeds"
RUNS = "runs"
STATE = "state"
SUMMARIES = "summaries"
CONTAINERS = (HR_DROP, FEEDS, RUNS, STATE, SUMMARIES)


@dataclass(frozen=True)
class StoredBlob:
    """A small blob, whole, with the version that was read."""

    content: bytes
    etag: str


@dataclass(frozen=True)
class BlobListing:
    """A blob as a listing shows it."""

    name: str
    etag: str
    last_modified: datetime
    size: int
    metadata: Mapping[str, str]

    @property
    def is_folder(self) -> bool:
        """A directory of an account with a hierarchical namespace, which listings show as an empty blob."""
        return self.metadata.get("hdi_isfolder", "").lower() == "true"


class Lease(Protocol):
    """A lease that is held."""

    def keep(self, *, surely: bool = False) -> None:
        """Renew it when it is due, or in any case: before each request, and before a write that only its holder may do.

        Raises:
            LeaseLostError: it is no longer held.
        """


class BlobStore(Protocol):
    """Containers and blobs; every write says which version it expects to meet."""

    def read(self, container: str, name: str) -> StoredBlob | None:
        """The blob, or None."""

    def create(self, container: str, name: str, content: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Write a new blob, return its ETag. Raises BlobChangedError where there is one already."""

    def replace(
        self, container: str, name: str, content: bytes, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Overwrite that version, return the new ETag. Raises BlobChangedError where it is another by now."""

    def put(self, container: str, name: str, content: bytes | Iterable[bytes]) -> None:
        """Write whatever is there; for blobs that hold the same bytes whoever writes them, or the newest view."""

    def append(self, container: str, name: str, content: bytes, at: int) -> int:
        """Add to an append blob of exactly that length (none at all for 0), durably; returns its new length.

        Raises:
            BlobChangedError: it has another length, since somebody else has added to it.
        """

    def lines(self, container: str, name: str) -> Iterator[bytes]:
        """The lines of a text blob, streamed; none where there is no blob."""

    def list(self, container: str, prefix: str = "") -> Iterator[BlobListing]:
        """Blobs by name, with their metadata."""

    def lease(self, container: str, name: str) -> AbstractContextManager[Lease | None]:
        """Hold a lease on a blob (made if need be) for the context; None when somebody else holds it.

        Raises:
            ConfigurationError: somebody holds it for ever.
        """


class DropReader(Protocol):
    """One drop, read at one version."""

    @property
    def drop(self) -> Drop:
        """What is being read."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes. Raises DropGoneError once the blob has another version."""


class Drops(Protocol):
    """Files in `hr-drop` that no event has named."""

    def open(self, drop: Drop) -> DropReader:
        """A reader pinned to that drop's version."""


class ProvisioningApi(Protocol):
    """A synchronization job of Microsoft Graph. Safe to call from several threads at once."""

    def upload(
        self, service_principal_id: str, job_id: str, body: bytes, client_request_id: str, may_go: Callable[[], bool]
    ) -> Answer:
        """Post one bulk request. Never raises for what the API or the network does: that is an Answer.

        `may_go` is asked once everything but the connection is there, since a token can take its time.
        """

    def fetch_new_token(self) -> None:
        """Forget the cached token: the next POST carries a new one."""

    def job_status(self, service_principal_id: str, job_id: str) -> JobStatus:
        """Ask how the job is. Never raises for what the API or the network does: that is a JobStatus too."""


class InFlight(Protocol):
    """Calls that run at the same time, each begun by one thread and answered to that thread."""

    def begin(self, key: int, call: Callable[[], Answer]) -> None:
        """Let a call run; its answer comes under that key."""

    def answers(self, seconds: float) -> list[tuple[int, Answer]]:
        """Every answer that is there; waits for the first one, at most that long."""


class ProvisioningLogs(Protocol):
    """`auditLogs/provisioning` of Microsoft Graph."""

    def events(self, job_id: str, since: datetime) -> Iterator[ProvisioningEvent]:
        """The job's events from that moment on, in any order, possibly doubled. Raises LogsUnavailableError."""


class EventLog(Protocol):
    """What operators and alert rules see: one JSON object an event, without personal data."""

    def info(self, event: str, **fields: str | int | None) -> None:
        """Something went as it should."""

    def warning(self, event: str, **fields: str | int | None) -> None:
        """Worth knowing, and nothing waits for it."""

    def error(self, event: str, **fields: str | int | None) -> None:
        """A person has something to do."""


class Clock(Protocol):
    """Time and chance."""

    def now(self) -> datetime:
        """UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def jitter(self) -> float:
        """A random number in [0, 1)."""
