"""Azure Blob Storage: conditional writes, the append-only ledger, leases, and drops pinned to one version."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from shared.adapters.endless_lease import refuse_endless_lease
from shared.errors import BlobChangedError, ConfigurationError, DropGoneError, LeaseLostError
from shared.ports import HR_DROP, BlobListing, Lease, StoredBlob
from shared.run.drop import Drop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient

_LEASE_SECONDS = 30
"""A killed sender's job waits that long for the next one."""
_RENEW_AFTER_SECONDS = 8.0


class AzureBlobStore:
    """The real `BlobStore`."""

    def __init__(self, service: BlobServiceClient) -> None:
        """Takes a client that can read and write all containers."""
        self._service = service

    def read(self, container: str, name: str) -> StoredBlob | None:
        """The blob, or None."""
        with _missing_container(container):
            try:
                stream = self._service.get_blob_client(container, name).download_blob()
                return StoredBlob(stream.readall(), str(stream.properties.etag))
            except ResourceNotFoundError as error:
                _raise_unless_blob_is_missing(error)
                return None

    def create(self, container: str, name: str, content: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Write a new blob. Raises BlobChangedError where there is one already."""
        return self._write(container, name, content, metadata, overwrite=False)

    def replace(
        self, container: str, name: str, content: bytes, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Overwrite that version. Raises BlobChangedError where it is another by now."""
        condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        return self._write(container, name, content, metadata, overwrite=True, **condition)

    def put(self, container: str, name: str, content: bytes | Iterable[bytes]) -> None:
        """Write whatever is there."""
        with _missing_container(container):
            self._service.get_blob_client(container, name).upload_blob(content, overwrite=True)

    def append(self, container: str, name: str, content: bytes, at: int) -> int:
        """Add to an append blob of exactly that length; an append whose answer got lost is recognized as ours.

        Raises:
            BlobChangedError: it has another length.
        """
        blob = self._service.get_blob_client(container, name)
        with _missing_container(container):
            if at == 0:
                with contextlib.suppress(ResourceExistsError):
                    blob.create_append_blob(match_condition=MatchConditions.IfMissing)
            try:
                blob.append_block(content, appendpos_condition=at)
            except HttpResponseError as error:
                if error.status_code not in (404, 412):
                    raise
                if error.status_code == 404:
                    _raise_unless_blob_is_missing(error)
                if error.status_code != 412 or self._part(blob, at, len(content)) != content:
                    raise BlobChangedError(f"{container}: somebody else has added to the blob") from None
        return at + len(content)

    def _part(self, blob: BlobClient, offset: int, length: int) -> bytes | None:
        try:
            return blob.download_blob(offset=offset, length=length).readall()
        except HttpResponseError:
            return None

    def lines(self, container: str, name: str) -> Iterator[bytes]:
        """The lines of a text blob, streamed; none where there is no blob."""
        with _missing_container(container):
            try:
                chunks = self._service.get_blob_client(container, name).download_blob(max_concurrency=1).chunks()
            except ResourceNotFoundError as error:
                _raise_unless_blob_is_missing(error)
                return
            rest = b""
            for chunk in chunks:
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
            if rest:
                yield rest

    def list(self, container: str, prefix: str = "") -> Iterator[BlobListing]:
        """Blobs by name, with their metadata."""
        with _missing_container(container):
            client = self._service.get_container_client(container)
            for blob in client.list_blobs(name_starts_with=prefix or None, include=["metadata"]):
                metadata = blob.metadata or {}
                yield BlobListing(blob.name, str(blob.etag), blob.last_modified, blob.size, metadata)

    @contextlib.contextmanager
    def lease(self, container: str, name: str) -> Iterator[Lease | None]:
        """Hold a lease for the context; None when somebody else holds it.

        Raises:
            ConfigurationError: somebody holds it for ever, as no process of ours does.
        """
        blob = self._service.get_blob_client(container, name)
        with _missing_container(container):
            with contextlib.suppress(HttpResponseError):
                blob.upload_blob(b"", overwrite=False)
            try:
                held = blob.acquire_lease(lease_duration=_LEASE_SECONDS)
            except HttpResponseError as error:
                if error.status_code != 409:
                    raise
                refuse_endless_lease(blob)
                held = None
        if held is None:
            yield None
            return
        try:
            yield _HeldLease(held)
        finally:
            # A lease that can't be released runs out by itself; what was done under it is done.
            with contextlib.suppress(AzureError):
                held.release()

    def _write(
        self, container: str, name: str, content: bytes, metadata: Mapping[str, str] | None, **conditions: Any
    ) -> str:
        with _missing_container(container):
            try:
                blob = self._service.get_blob_client(container, name)
                written = blob.upload_blob(content, metadata=dict(metadata or {}), **conditions)
            except HttpResponseError as error:
                if error.status_code in (409, 412):
                    raise BlobChangedError(f"{container}: the blob has another version by now") from None
                raise
        return str(written["etag"])


class _HeldLease:
    """A lease that is renewed when a quarter of its time is gone."""

    def __init__(self, lease: BlobLeaseClient) -> None:
        self._lease = lease
        self._renewed = time.monotonic()

    def keep(self, *, surely: bool = False) -> None:
        """Raises LeaseLostError when it is no longer held."""
        if not surely and time.monotonic() - self._renewed < _RENEW_AFTER_SECONDS:
            return
        try:
            self._lease.renew()
        except HttpResponseError:
            raise LeaseLostError("the lease is gone") from None
        self._renewed = time.monotonic()


class AzureDrop:
    """The real `DropReader`: the blob as it is when it is first looked at, and no other version."""

    def __init__(self, blob: BlobClient, drop: Drop | None = None) -> None:
        """Takes the blob; without `drop` its present version is looked up when it is first needed."""
        self._blob = blob
        self._drop = drop

    @property
    def drop(self) -> Drop:
        """What is being read. Raises DropGoneError when there is nothing any more."""
        if self._drop is None:
            try:
                with _missing_container(HR_DROP):
                    found = self._blob.get_blob_properties()
            except ResourceNotFoundError:
                raise DropGoneError("the drop is gone") from None
            self._drop = Drop(str(self._blob.blob_name), str(found.etag), found.last_modified, found.size)
        return self._drop

    def chunks(self) -> Iterator[bytes]:
        """The bytes. Raises DropGoneError once the blob has another version."""
        try:
            with _missing_container(HR_DROP):
                yield from self._blob.download_blob(
                    max_concurrency=1, etag=self.drop.etag, match_condition=MatchConditions.IfNotModified
                ).chunks()
        except (ResourceModifiedError, ResourceNotFoundError):
            raise DropGoneError("the drop has another version by now") from None


class AzureDrops:
    """The real `Drops`."""

    def __init__(self, service: BlobServiceClient) -> None:
        """Takes a client that can read `hr-drop`."""
        self._service = service

    def open(self, drop: Drop) -> AzureDrop:
        """A reader pinned to that drop's version."""
        return AzureDrop(self._service.get_blob_client(HR_DROP, drop.blob_name), drop)


@contextlib.contextmanager
def _missing_container(container: str) -> Iterator[None]:
    """A container that is not there is a fault of the deployment, and never `no blob`."""
    try:
        yield
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            raise ConfigurationError(
                [f"The storage account has no container {container}; infra/ creates it."]
            ) from None
        raise


def _raise_unless_blob_is_missing(error: HttpResponseError) -> None:
    if getattr(error, "error_code", None) != "BlobNotFound":
        raise error
