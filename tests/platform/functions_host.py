"""A small Functions host for where Core Tools are missing.

It calls the very functions of function_app.py with the argument types that Azure gives them: the blob client made by
the binding extension's own converter, and timer requests. `python -m tests.platform.functions_host` polls `hr-drop`
for new versions and fires the timers until it is ended; with an argument it does one thing: `upload <blob name>`,
`resume`, `report`, `tick` (both).
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from types import SimpleNamespace

from azure.functions.meta import Datum
from azure.functions.timer import TimerRequest
from azure.storage.blob import BlobServiceClient
from azurefunctions.extensions.bindings.blob import BlobClient
from azurefunctions.extensions.bindings.blob.blobClientConverter import BlobClientConverter

import function_app
from tests.platform import fault_points


class FunctionsHost:
    """Fires triggers; one call at a time, in the caller's thread."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def blob_created(self, blob_name: str) -> None:
        """What a BlobCreated event leads to."""
        content = {"Connection": "HR_STORAGE", "ContainerName": "hr-drop", "BlobName": blob_name}
        data = SimpleNamespace(
            version="1.0", source="AzureStorageBlobs", content_type="application/json", content=json.dumps(content)
        )
        client = BlobClientConverter.decode(Datum(data, "model_binding_data"), trigger_metadata=None, pytype=BlobClient)
        function_app.upload_hr_file(client)

    def fire(self, timer: str) -> None:
        """What a timer's schedule leads to: `resume_uploads` or `report_provisioning`."""
        getattr(function_app, timer)(TimerRequest(past_due=False))

    def poll(self) -> None:
        """Stand in for Event Grid: one event for every blob version that is new since the last poll."""
        service = BlobServiceClient.from_connection_string(os.environ["HR_STORAGE"])
        for blob in service.get_container_client("hr-drop").list_blobs():
            if self._seen.get(blob.name) != blob.etag:
                self._seen[blob.name] = blob.etag
                self.blob_created(blob.name)

    def run(self, stop: threading.Event, *, poll_seconds: float, timer_seconds: float) -> None:
        """Poll and fire until told to stop."""
        due = time.monotonic()
        while not stop.wait(poll_seconds):
            self.poll()
            if time.monotonic() >= due:
                self.fire("resume_uploads")
                self.fire("report_provisioning")
                due = time.monotonic() + timer_seconds


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if fault_points.ASKED_FOR & os.environ.keys():
        fault_points.install(os.environ)
    host = FunctionsHost()
    match arguments:
        case ["upload", blob_name]:
            host.blob_created(blob_name)
        case ["resume"]:
            host.fire("resume_uploads")
        case ["report"]:
            host.fire("report_provisioning")
        case ["tick"]:
            host.fire("resume_uploads")
            host.fire("report_provisioning")
        case _:
            host.run(threading.Event(), poll_seconds=1, timer_seconds=60)


if __name__ == "__main__":
    main(sys.argv[1:])
