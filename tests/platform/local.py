"""`make local`: a small installation on this machine to try feed files and HR files with.

Folders stand in for storage: `local/feeds` and `local/hr-drop` are copied into Azurite whenever a file there changes,
`runs` and `summaries` are copied out to `local/`. Entra is the simulator; its ids are the same at every start, so that
feed files in `local/feeds` stay right. `local/env.sh` has the settings for `python -m shared` in a second terminal.
Ends with Ctrl+C, or with SIGTERM once the function that is being called has stopped.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError

from tests.platform.feeds import sample_feed
from tests.platform.processes import ROOT, azurite, connector_environment, simulator

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

FOLDER = ROOT / "local"
TENANT_ID = "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"
SERVICE_PRINCIPAL_ID = "4f7c2a10-5d0b-4d51-9a55-0b6a3c1f7e21"
JOB_ID = f"API2AAD.{TENANT_ID.replace('-', '')}.1a03de52-b9c3-4e2c-a1e3-9145aaa8e530"
_IDS = ("--tenant-id", TENANT_ID, "--service-principal-id", SERVICE_PRINCIPAL_ID, "--job-id", JOB_ID)
_FOR_A_TERMINAL = ("HR_STORAGE", "GRAPH_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID")
_LIMIT = "BULK_REQUESTS_PER_DAY"
_TIMERS_EVERY_SECONDS = 5.0


class Told:
    """Whether SIGTERM came. Set before the connector is made, whose own handler calls this one too."""

    def __init__(self) -> None:
        self.to_end = False
        signal.signal(signal.SIGTERM, self)

    def __call__(self, *_signal: object) -> None:
        self.to_end = True


def main() -> None:
    told = Told()
    prepare(FOLDER)
    with azurite() as storage, simulator("--log-delay-seconds", "2", *_IDS) as entra:
        service = storage.account_with_containers(storage.accounts[0])
        settings = connector_environment(storage.connection_string(storage.accounts[0]), entra.settings)
        os.environ.update(settings)
        limits = {_LIMIT: os.environ[_LIMIT]} if _LIMIT in os.environ else {}
        (FOLDER / "env.sh").write_text(shell_settings({**settings, **limits}), encoding="utf-8")
        _explain(entra.settings)
        try:
            _serve(service, told)
        finally:
            (FOLDER / "env.sh").unlink(missing_ok=True)


def _serve(service: BlobServiceClient, told: Told) -> None:
    from tests.platform.functions_host import FunctionsHost

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("hr_connector").setLevel(logging.INFO)
    host, copied, due = FunctionsHost(), {}, 0.0
    while not told.to_end:
        for container in ("feeds", "hr-drop"):
            _copy_in(service, container, copied)
        host.poll()
        if time.monotonic() >= due and not told.to_end:
            host.fire("resume_uploads")
            host.fire("report_provisioning")
            due = time.monotonic() + _TIMERS_EVERY_SECONDS
        for container in ("runs", "summaries"):
            _copy_out(service, container, copied)
        time.sleep(0.5)


def prepare(folder: Path) -> None:
    """What an earlier tenant left behind goes; what a person put there stays."""
    for container in ("runs", "summaries"):
        shutil.rmtree(folder / container, ignore_errors=True)
    for container in ("feeds", "hr-drop/contoso", "runs", "summaries"):
        (folder / container).mkdir(parents=True, exist_ok=True)
    feed = folder / "feeds" / "contoso.yaml"
    if not feed.exists():
        feed.write_bytes(sample_feed(SERVICE_PRINCIPAL_ID, JOB_ID))
    elif JOB_ID not in feed.read_text(encoding="utf-8", errors="replace"):
        print("local/feeds/contoso.yaml names another job than the one below: its runs will be blocked.")


def shell_settings(settings: dict[str, str]) -> str:
    """For `. local/env.sh`: what `python -m shared` needs to find this installation."""
    return "".join(
        f"export {name}={shlex.quote(settings[name])}\n" for name in (*_FOR_A_TERMINAL, _LIMIT) if name in settings
    )


def _explain(settings: dict[str, str]) -> None:
    print("Put HR files into local/hr-drop/contoso/ and feed files into local/feeds/; look into local/runs/.")
    print("In a second terminal: . local/env.sh, then .venv/bin/python -m shared runs")
    print("A feed file for this simulated tenant names:")
    print(f"  servicePrincipalId: {settings['SERVICE_PRINCIPAL_ID']}")
    print(f"  jobId: {settings['JOB_ID']}")
    print(f"The accounts that exist: {settings['CONTROL']}/accounts")
    print("What the connector logs follows; Ctrl+C ends it.\n", flush=True)


def _copy_in(service: BlobServiceClient, container: str, copied: dict[Path, float]) -> None:
    """The oldest file first, and each a second after the one before: the order of drops is that of their times."""
    files = [path for path in (FOLDER / container).rglob("*") if path.is_file()]
    changed = [path for path in files if copied.get(path) != path.stat().st_mtime]
    for place, path in enumerate(sorted(changed, key=lambda path: path.stat().st_mtime)):
        time.sleep(1.05 if place else 0)
        if path.is_file():
            copied[path] = path.stat().st_mtime
            name = path.relative_to(FOLDER / container).as_posix()
            service.get_blob_client(container, name).upload_blob(path.read_bytes(), overwrite=True)


def _copy_out(service: BlobServiceClient, container: str, copied: dict[Path, float]) -> None:
    """Blobs may vanish between the listing and the download: `doctor` writes one and deletes it."""
    client = service.get_container_client(container)
    for blob in client.list_blobs():
        path = FOLDER / container / blob.name
        if copied.get(path) != blob.etag and not blob.name.startswith("doctor/"):
            with contextlib.suppress(ResourceNotFoundError):
                content = client.download_blob(blob.name).readall()
                copied[path] = blob.etag
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
    print("Ended; what was sent is gone with the simulator, local/ stays.")
