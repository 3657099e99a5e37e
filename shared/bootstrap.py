"""App settings to a wired connector: the only place that builds clients, and not before the first call."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient, ExponentialRetry

from shared.adapters.blob_storage import AzureBlobStore, AzureDrop, AzureDrops
from shared.adapters.error_boundary import error_boundary
from shared.adapters.event_log import LoggedEvents, quiet_libraries
from shared.adapters.graph import BulkUpload, GraphClient
from shared.adapters.in_flight import ThreadedCalls
from shared.adapters.provisioning_logs import GraphProvisioningLogs
from shared.adapters.shutdown import Shutdown
from shared.adapters.system_clock import SystemClock
from shared.adapters.workbook_reader import read_workbook
from shared.settings import Settings
from shared.workflows.outside import Limits, Outside
from shared.workflows.pace import Pace
from shared.workflows.report_provisioning import report_provisioning
from shared.workflows.resume_uploads import resume_uploads
from shared.workflows.upload_hr_file import upload_hr_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobClient


class Connector:
    """The three workflows with the outside world filled in; one method for each trigger.

    Each raises own errors only, so that the host tries again: see `error_boundary`.
    """

    def __init__(self, outside: Outside) -> None:
        """Takes the wired ports."""
        self._outside = outside

    @error_boundary
    def upload_hr_file(self, blob: BlobClient) -> None:
        """A file was dropped."""
        upload_hr_file(AzureDrop(blob), self._outside)

    @error_boundary
    def resume_uploads(self) -> None:
        """Go on with what is left."""
        resume_uploads(self._outside)

    @error_boundary
    def report_provisioning(self) -> None:
        """Ask the provisioning logs."""
        report_provisioning(self._outside)


@lru_cache(maxsize=1)
def connector() -> Connector:
    """The connector of this process; its clients are kept between function calls.

    Raises:
        ConfigurationError: naming every app setting that needs repair.
    """
    quiet_libraries()
    shutdown = Shutdown()
    shutdown.install()
    return Connector(replace(connect(Settings.from_environ(os.environ)), stopping=shutdown))


def connect(settings: Settings, make_credential: Callable[[], TokenCredential] | None = None) -> Outside:
    """Build the clients; nothing is contacted yet.

    Args:
        settings: the app settings.
        make_credential: makes what opens storage and Graph; the managed identities of the settings if not given.
    """
    clock = SystemClock()
    service = _blob_service(settings, make_credential)
    graph = GraphClient(settings.graph_endpoint, make_credential or _identity(settings.azure_client_id))
    store = AzureBlobStore(service)
    return Outside(
        store=store,
        drops=AzureDrops(service),
        api=BulkUpload(graph),
        logs=GraphProvisioningLogs(graph, clock),
        events=LoggedEvents(),
        clock=clock,
        pace=Pace(
            store,
            clock,
            per_5_seconds=settings.bulk_requests_per_5_seconds,
            per_day=settings.bulk_requests_per_day,
            reserved=settings.bulk_requests_reserved_per_day,
            sender=str(uuid4()),
        ),
        in_flight=ThreadedCalls,
        new_id=lambda: str(uuid4()),
        read_workbook=read_workbook,
        limits=Limits(
            time_budget_seconds=settings.time_budget_minutes * 60,
            in_flight=settings.bulk_requests_per_5_seconds,
            bucket_full_seconds=settings.bucket_full_seconds,
            check_job_health=settings.check_job_health,
        ),
    )


def _identity(client_id: str | None) -> Callable[[], TokenCredential]:
    return lambda: ManagedIdentityCredential(client_id=client_id)


def _blob_service(settings: Settings, make_credential: Callable[[], TokenCredential] | None) -> BlobServiceClient:
    """The SDK's own retries would wait for longer than the job's lease lasts."""
    options: dict[str, Any] = {
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3),
        "connection_timeout": 10,
        "read_timeout": 30,
    }
    if settings.hr_storage:
        return BlobServiceClient.from_connection_string(settings.hr_storage, **options)
    credential = (make_credential or _identity(settings.hr_storage_client_id))()
    return BlobServiceClient(str(settings.hr_storage_blob_service_uri), credential=credential, **options)
