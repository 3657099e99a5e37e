"""`make demo`: HR files dropped in storage become accounts, and a person can see what became of every row.

Azurite is the storage, the simulator is Entra, and the functions are those of function_app.py. Ends with status 0
only if every row of every file is accounted for.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from tests.demo.company import changes, company
from tests.demo.show import closing_table, copy_results, error_lines, progress_table
from tests.platform.accounting import faults, run_records
from tests.platform.feeds import SAMPLES, sample_feed
from tests.platform.processes import ROOT, azurite, connector_environment, simulator

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

OUTPUT = ROOT / "demo-output"
_PATIENCE_SECONDS = 150


def main() -> int:
    console = Console()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        files = _sample_files(Path(folder))
        console.print("Starting Azurite (storage) and a simulator of the Entra API on free loopback ports …")
        with azurite() as storage, simulator("--log-delay-seconds", "2") as entra:
            service = storage.account_with_containers(storage.accounts[0])
            connection = storage.connection_string(storage.accounts[0])
            os.environ.update(connector_environment(connection, entra.settings))
            feed = sample_feed(entra.settings["SERVICE_PRINCIPAL_ID"], entra.settings["JOB_ID"])
            service.get_blob_client("feeds", "contoso.yaml").upload_blob(feed)
            console.print("Put the feed file [bold]feeds/contoso.yaml[/bold], which says what each column means.\n")
            host = _Host()
            try:
                for batch in (["tour-guides.csv", "company.csv"], ["next-day.csv"]):
                    _drop(console, service, files, batch)
                    _watch(console, service, host)
            finally:
                host.stop()
            accounts = len(entra.get("accounts"))
            return _close(console, service, files, accounts, time.monotonic() - started)


def _sample_files(folder: Path) -> dict[str, Path]:
    everybody = company(2000)
    shutil.copy(SAMPLES / "tour-guides.csv", folder / "tour-guides.csv")
    everybody.write(folder / "company.csv")
    changes(everybody, promoted=30, left=5, same=5).write(folder / "next-day.csv")
    return {name: folder / name for name in ("tour-guides.csv", "company.csv", "next-day.csv")}


class _Host:
    """The local Functions host in a thread; its events go to a file."""

    def __init__(self) -> None:
        shutil.rmtree(OUTPUT, ignore_errors=True)
        OUTPUT.mkdir()
        events = logging.getLogger("hr_connector")
        events.setLevel(logging.INFO)
        events.propagate = False
        events.addHandler(logging.FileHandler(OUTPUT / "events.ndjson", mode="w", encoding="utf-8"))
        from tests.platform.functions_host import FunctionsHost

        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[FunctionsHost()], daemon=True)
        self._thread.start()

    def _run(self, host) -> None:
        try:
            host.run(self._stop, poll_seconds=0.3, timer_seconds=3)
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            self.error = error

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)


def _drop(console: Console, service: BlobServiceClient, files: dict[str, Path], names: list[str]) -> None:
    for name in names:
        with files[name].open("rb") as data:
            service.get_blob_client("hr-drop", f"contoso/{name}").upload_blob(data)
        console.print(f"Dropped [bold]hr-drop/contoso/{name}[/bold]")


def _watch(console: Console, service: BlobServiceClient, host: _Host) -> None:
    """Show the runs until all of them are settled or refused."""
    drops = sum(1 for _ in service.get_container_client("hr-drop").list_blobs())
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with Live(console=console, refresh_per_second=8) as live:
        while time.monotonic() < deadline:
            records = run_records(service)
            live.update(progress_table(records))
            if len(records) == drops and all(r["state"] in ("settled", "refused", "held") for r in records):
                break
            if host.error:
                raise RuntimeError("a function raised") from host.error
            time.sleep(0.25)
    console.print()


def _close(console: Console, service: BlobServiceClient, files: dict[str, Path], accounts: int, seconds: float) -> int:
    records = sorted(run_records(service), key=lambda record: list(files).index(record["file"]))
    console.print(closing_table(records))
    console.print(f"\nAccounts that exist in the simulated tenant now: [bold]{accounts}[/bold]")
    console.print("\n[bold]What a person should look at first[/bold]")
    for line in error_lines(service, records):
        console.print(f"  • {line}", highlight=False, markup=False)
    console.print("\n[bold]What you can open[/bold]")
    for path in copy_results(service, records, OUTPUT):
        console.print(f"  {path.relative_to(ROOT)}", highlight=False)
    texts = {name: path.read_text("utf-8") for name, path in files.items()}
    wrong = [f"{r['file']}: {fault}" for r in records for fault in faults(service, r, texts[r["file"]])]
    rows = sum(record["rows"] for record in records)
    if wrong or len(records) != len(files):
        console.print("\n[bold red]Not every row is accounted for:[/bold red]", *wrong, sep="\n  ")
        return 1
    console.print(f"\n[bold green]Every one of the {rows} rows is accounted for[/bold green] ({seconds:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
