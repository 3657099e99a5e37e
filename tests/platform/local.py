"""`make local`: a small installation on this machine to try feed files and HR files with.

Folders stand in for storage: `local/feeds` and `local/hr-drop` are copied into Azurite whenever a file there changes,
`runs` and `summaries` are copied out to `local/`. Entra is the simulator. Ends with Ctrl+C.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.platform.feeds import sample_feed
from tests.platform.processes import ROOT, azurite, connector_environment, simulator

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

FOLDER = ROOT / "local"
_TIMERS_EVERY_SECONDS = 5.0


def main() -> None:
    with azurite() as storage, simulator("--log-delay-seconds", "2") as entra:
        service = storage.account_with_containers(storage.accounts[0])
        os.environ.update(connector_environment(storage.connection_string(storage.accounts[0]), entra.settings))
        _prepare(entra.settings["SERVICE_PRINCIPAL_ID"], entra.settings["JOB_ID"])
        _explain(entra.settings)
        from tests.platform.functions_host import FunctionsHost

        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        logging.getLogger("hr_connector").setLevel(logging.INFO)
        host, copied, due = FunctionsHost(), {}, 0.0
        while True:
            for container in ("feeds", "hr-drop"):
                _copy_in(service, container, copied)
            host.poll()
            if time.monotonic() >= due:
                host.fire("resume_uploads")
                host.fire("report_provisioning")
                due = time.monotonic() + _TIMERS_EVERY_SECONDS
            for container in ("runs", "summaries"):
                _copy_out(service, container, copied)
            time.sleep(0.5)


def _prepare(service_principal_id: str, job_id: str) -> None:
    for container in ("feeds", "hr-drop/contoso", "runs", "summaries"):
        (FOLDER / container).mkdir(parents=True, exist_ok=True)
    (FOLDER / "feeds" / "contoso.yaml").write_bytes(sample_feed(service_principal_id, job_id))


def _explain(settings: dict[str, str]) -> None:
    print("Put HR files into local/hr-drop/contoso/ and feed files into local/feeds/; look into local/runs/.")
    print("A feed file for this simulated tenant names:")
    print(f"  servicePrincipalId: {settings['SERVICE_PRINCIPAL_ID']}")
    print(f"  jobId: {settings['JOB_ID']}")
    print(f"The accounts that exist: {settings['CONTROL']}/accounts")
    print("What the connector logs follows; Ctrl+C ends it.\n", flush=True)


def _copy_in(service: BlobServiceClient, container: str, copied: dict[Path, float]) -> None:
    for path in sorted((FOLDER / container).rglob("*")):
        if path.is_file() and copied.get(path) != path.stat().st_mtime:
            copied[path] = path.stat().st_mtime
            name = path.relative_to(FOLDER / container).as_posix()
            service.get_blob_client(container, name).upload_blob(path.read_bytes(), overwrite=True)


def _copy_out(service: BlobServiceClient, container: str, copied: dict[Path, float]) -> None:
    client = service.get_container_client(container)
    for blob in client.list_blobs():
        path = FOLDER / container / blob.name
        if copied.get(path) != blob.etag:
            copied[path] = blob.etag
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.download_blob(blob.name).readall())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nEnded; what was sent is gone with the simulator, local/ stays.")
