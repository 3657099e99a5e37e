"""Azurite and the simulator as child processes on free loopback ports, ended by their process ids."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

if TYPE_CHECKING:
    from collections.abc import Iterator

Process = subprocess.Popen[bytes]
ROOT = Path(__file__).resolve().parents[2]
CONTAINERS = ("hr-drop", "feeds", "runs", "state", "summaries")
_AZURITE = ROOT / "tests" / "platform" / "azurite_server.js"
_KEY = base64.b64encode(b"not a secret: Azurite on loopback only").decode()
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class Azurite:
    """A running Azurite with many accounts, so that each test can have an empty one."""

    blob: str
    queue: str
    accounts: tuple[str, ...]

    def connection_string(self, account: str) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={_KEY};"
            f"BlobEndpoint={self.blob}/{account};QueueEndpoint={self.queue}/{account};"
        )

    def account_with_containers(self, account: str) -> BlobServiceClient:
        service = BlobServiceClient.from_connection_string(self.connection_string(account))
        for name in CONTAINERS:
            with contextlib.suppress(ResourceExistsError):  # the SDK has asked twice
                service.create_container(name)
        return service


@dataclass(frozen=True)
class Simulator:
    """A running simulator: the settings that it printed, and its control interface."""

    settings: dict[str, str]
    control: httpx.Client

    def get(self, path: str, **params: str) -> object:
        return self.control.get(path, params=params).raise_for_status().json()

    def post(self, path: str, body: object = None) -> None:
        self.control.post(path, json=body if body is not None else {}).raise_for_status()

    def change(self, **settings: object) -> None:
        self.control.patch("settings", json=settings).raise_for_status()


@contextlib.contextmanager
def azurite(accounts: int = 1) -> Iterator[Azurite]:
    names = tuple(f"acct{number:04d}" for number in range(accounts))
    environment = {**os.environ, "AZURITE_ACCOUNTS": ";".join(f"{name}:{_KEY}" for name in names)}
    command = ["node", str(_AZURITE), "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]
    command += ["--blobPort", "0", "--queuePort", "0", "--tablePort", "0"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "azurite.log"
        with _child(command, environment, log, Path(folder)) as process:
            found = _wait_for(process, log, lambda text: dict(_LISTENING.findall(text)), 3)
            yield Azurite(found["Blob"], found["Queue"], names)


@contextlib.contextmanager
def simulator(*options: str) -> Iterator[Simulator]:
    command = [sys.executable, "-m", "tests.simulator", "--json", "--port", "0", *options]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "simulator.log"
        with _child(command, dict(os.environ), log, ROOT) as process:
            settings = _wait_for(process, log, _first_json_line, 1)
            with httpx.Client(base_url=settings["CONTROL"] + "/", timeout=30) as control:
                yield Simulator(settings, control)


def connector_environment(connection_string: str, settings: dict[str, str]) -> dict[str, str]:
    """The app settings of a laptop: Azurite for storage, the simulator for Graph and identity."""
    names = ("GRAPH_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID")
    return {
        "HR_STORAGE": connection_string,
        "REPORT_SCHEDULE": "0 */15 * * * *",
        "RESUME_SCHEDULE": "0 * * * * *",
        **{name: settings[name] for name in names},
    }


def _first_json_line(text: str) -> dict[str, str]:
    line, newline, _ = text.partition("\n")
    return json.loads(line) if newline and line.startswith("{") else {}


@contextlib.contextmanager
def _child(command: list[str], environment: dict[str, str], log: Path, folder: Path) -> Iterator[Process]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: Process, log: Path, read, wanted: int) -> dict[str, str]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = read(log.read_text(errors="replace"))
        if len(found) >= wanted:
            return found
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")
