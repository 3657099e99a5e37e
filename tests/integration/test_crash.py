"""SIGKILL at any moment, then `resume_uploads`: no row is lost, and at most the request in flight is sent twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobLeaseClient

from tests.platform.hr_files import hr_csv, workers
from tests.platform.processes import ROOT, connector_environment

ROWS = 1000
FILE = hr_csv(*workers(ROWS))


@pytest.mark.parametrize("posts_before_the_kill", [1, 7, 14])
def test_a_sender_killed_in_the_middle_loses_no_row(world, posts_before_the_kill):
    world.entra.change(latencyMs=120)
    child = upload_in_child(world, FILE)
    while len(world.posts()) < posts_before_the_kill:
        time.sleep(0.01)
    kill(child)
    sent = len(world.posts())
    assert sent < ROWS / 50, "it was killed too late to show anything"
    assert world.run()["state"] in ("planned", "sending")
    world.entra.change(latencyMs=0)
    break_leases(world)
    world.resume()
    world.report()
    assert world.faults() == []
    assert world.run()["counts"]["created"] == ROWS
    accepted = world.accepted()
    assert len(accepted) == ROWS
    assert sum(times - 1 for times in accepted.values()) <= 50


@pytest.mark.parametrize("blob", ["feed.yaml", "requests/0001.ndjson.gz", "rows.ndjson", "set_aside.csv"])
def test_a_planner_killed_before_its_plan_is_complete_loses_no_row(world, blob):
    """The kill comes as soon as the named blob is there; the next tick plans anew and sends."""
    child = upload_in_child(world, FILE)
    container = world.service.get_container_client("runs")
    while not any(name.endswith(blob) for name in container.list_blob_names()):
        time.sleep(0.002)
    kill(child)
    break_leases(world)
    world.advance(hours=0.1)
    world.resume()
    world.report()
    assert len(world.runs()) == 1
    assert world.faults() == []
    assert world.run()["counts"]["created"] == ROWS


def upload_in_child(world, content: str) -> subprocess.Popen[bytes]:
    """The function's call in a process of its own."""
    name = world.drop(content)
    environment = {**os.environ, **connector_environment(world.connection_string, world.entra.settings)}
    command = [sys.executable, "-m", "tests.platform.functions_host", "upload", name]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()


def break_leases(world) -> None:
    """A dead process's leases run out within a minute; the test does not wait for that."""
    for container in ("runs", "state"):
        client = world.service.get_container_client(container)
        for name in client.list_blob_names():
            if name.endswith("lock"):
                try:
                    BlobLeaseClient(client.get_blob_client(name)).break_lease(lease_break_period=0)
                except HttpResponseError as error:
                    assert error.status_code == 409, "no lease was held"  # noqa: PT017
