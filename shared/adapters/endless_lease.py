"""A lease without end on a lock of ours: taken by hand or with a tool, it would stop a job for ever."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError

from shared.errors import ConfigurationError

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient


def refuse_endless_lease(lock: BlobClient) -> None:
    """For a lock that could not be had. Nothing happens where its lease ends by itself, or storage does not say.

    Raises:
        ConfigurationError: it never ends; the text has the command that breaks it.
    """
    if _duration(lock) == "infinite":
        raise ConfigurationError(
            [
                f"The blob {lock.blob_name} in the container {lock.container_name} is a lock that lets one process at "
                "a time plan a file or send a job's data, and somebody holds a lease on it that never ends (the "
                "connector's own do). Nothing behind this lock goes on until that lease is broken: "
                f"az storage blob lease break --auth-mode login --account-name {lock.account_name} "
                f"--container-name {lock.container_name} --blob-name {lock.blob_name}"
            ]
        ) from None


def _duration(lock: BlobClient) -> str | None:
    """`fixed`, `infinite`, or None; whoever comes next asks again."""
    with contextlib.suppress(AzureError):
        return lock.get_blob_properties().lease.duration
    return None
