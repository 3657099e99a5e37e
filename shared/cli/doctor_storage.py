"""`doctor`'s look at the storage account: reached, as whom, and what that identity may do there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.cli.connection import name_in
from shared.cli.refusals import in_words
from shared.errors import ConnectorError
from shared.ports import CONTAINERS, FEEDS, RUNS, STATE
from shared.workflows.examine import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.cli.connection import Connection

_STORAGE = "storage"
_WRITTEN = (RUNS, STATE)


def storage_findings(connection: Connection) -> list[Finding]:
    """Does the account answer, and who asks?"""
    try:
        next(iter(connection.outside.store.list(FEEDS)), None)
    except (ServiceRequestError, ServiceResponseError) as error:
        return [Finding(_STORAGE, "failed", in_words(error, connection.storage))]
    except ClientAuthenticationError as error:
        if error.status_code is None:
            return [Finding(_STORAGE, "failed", in_words(error, connection.storage))]
    except (AzureError, ConnectorError):
        pass  # it answers; what it refuses is told container by container
    return [Finding(_STORAGE, "ok", f"{connection.storage} answers; opened {_as_whom(connection)}")]


def is_reachable(findings: Iterable[Finding]) -> bool:
    """Whether further questions to the account make sense."""
    return not any(finding.check == _STORAGE and finding.outcome == "failed" for finding in findings)


def container_findings(connection: Connection) -> list[Finding]:
    """Is every container there, can it be read, and can the two that are written be written?"""
    return [finding for name in CONTAINERS for finding in _container(connection, name)]


def _container(connection: Connection, name: str) -> Iterator[Finding]:
    check = f"container {name}"
    try:
        next(iter(connection.outside.store.list(name)), None)
        if name in _WRITTEN:
            _probe(connection, name)
    except (AzureError, ConnectorError) as error:
        yield Finding(check, "failed", in_words(error, connection.storage))
    else:
        yield Finding(check, "ok", "can be read and written" if name in _WRITTEN else "can be read")


def _probe(connection: Connection, container: str) -> None:
    """Write a blob and delete it again. One that can't be deleted stays: it is empty and lies apart."""
    name = f"doctor/{uuid4()}"
    connection.outside.store.create(container, name, b"")
    try:
        connection.service.get_blob_client(container, name).delete_blob()
    except HttpResponseError as error:
        if error.status_code != 404:
            raise


def _as_whom(connection: Connection) -> str:
    if connection.settings.hr_storage:
        return "with the account key in HR_STORAGE"
    return f"by {name_in(connection.storage_claims()) or 'a login without a name'}"
