"""App settings to a wired connector: the only place that builds clients, and not before the first call."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

from shared.adapters.blob_storage import AzureBlobStore, AzureDrop, AzureDrops
from shared.adapters.event_log import LoggedEvents, quiet_libraries
from shared.adapters.graph import BulkUpload, GraphClient
from shared.adapters.provisioning_logs import GraphProvisioningLogs
from shared.adapters.system_clock import SystemClock
from shared.adapters.workbook_reader import read_workbook
from shared.inbound.sending.pacing import SlidingWindow
from shared.settings import Settings
from shared.workflows.outside import Limits, Outside
from shared.workflows.report_provisioning import report_provisioning
from shared.workflows.resume_uploads import resume_uploads
from shared.workflows.upload_hr_file import upload_hr_file

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient


class Connector:
    """The three workflows with the outside world filled in; one method for each trigger."""

    def __init__(self, outside: Outside) -> None:
        """Takes the wired ports."""
        self._outside = outside

    def upload_hr_file(self, blob: BlobClient) -> None:
        """A file was dropped."""
        upload_hr_file(AzureDrop(blob), self._outside)

    def resume_uploads(self) -> None:
        """Go on with what is left."""
        resume_uploads(self._outside)

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
    return Connector(connect(Settings.from_environ(os.environ)))


def connect(settings: Settings) -> Outside:
    """Build the clients; nothing is contacted yet."""
    clock, service = SystemClock(), _blob_service(settings)
    client_id = settings.azure_client_id
    graph = GraphClient(settings.graph_endpoint, lambda: ManagedIdentityCredential(client_id=client_id))
    return Outside(
        store=AzureBlobStore(service),
        drops=AzureDrops(service),
        api=BulkUpload(graph),
        logs=GraphProvisioningLogs(graph, clock),
        events=LoggedEvents(),
        clock=clock,
        read_workbook=read_workbook,
        limits=Limits(requests_per_day=settings.bulk_requests_per_day),
        window=SlidingWindow(settings.bulk_requests_per_5_seconds, 5.0),
    )


def _blob_service(settings: Settings) -> BlobServiceClient:
    if settings.hr_storage:
        return BlobServiceClient.from_connection_string(settings.hr_storage)
    credential = ManagedIdentityCredential(client_id=settings.hr_storage_client_id)
    return BlobServiceClient(str(settings.hr_storage_blob_service_uri), credential=credential)
