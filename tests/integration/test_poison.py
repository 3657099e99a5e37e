"""A drop whose planning raises or kills its process: tried as often as the host does, then blocked, then hourly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from azure.core.pipeline.transport import RequestsTransport

from shared.bootstrap import connector
from shared.errors import StepFailedError
from tests.platform.child_world import break_leases
from tests.platform.hr_files import hr_csv, workers
from tests.platform.processes import ROOT, connector_environment

FILE = hr_csv(*workers(3))


@pytest.fixture
def storage_refuses(monkeypatch):
    """Below the SDK: the plan's blobs can't be written while the list holds something."""
    refused = ["requests/"]
    send = RequestsTransport.send

    def faulty(self, request, **options):
        response = send(self, request, **options)
        if request.method == "PUT" and any(part in request.url for part in refused):
            response.status_code, response.reason = 403, "Forbidden"
        return response

    monkeypatch.setattr(RequestsTransport, "send", faulty)
    return refused


def deliver_as_the_host_does(world, name: str) -> int:
    """Until it returns, five times at most; the number of deliveries that raised."""
    for raised in range(5):
        try:
            world.host.blob_created(name)
        except StepFailedError:
            continue
        return raised
    return 5


def test_what_raises_five_times_is_a_blocked_run_and_no_poison_message(world, storage_refuses):
    name = world.drop(FILE)
    assert deliver_as_the_host_does(world, name) == 4
    run = world.run()
    assert (run["state"], run["reason"]["code"], run["rows"]) == ("blocked", "planningFailed", 0)
    assert "ClientAuthenticationError" in run["reason"]["message"] or "HttpResponseError" in run["reason"]["message"]
    assert run["notBefore"]
    blocked = [event for event in world.events() if event["event"] == "run.blocked"]
    assert [event["code"] for event in blocked] == ["planningFailed"]
    assert "Forbidden" not in json.dumps([run, blocked])


def test_it_is_planned_anew_an_hour_later_and_newer_files_do_not_wait_for_it(world, storage_refuses):
    deliver_as_the_host_does(world, world.drop(FILE, "bad.csv"))
    storage_refuses.clear()
    world.later()
    world.upload(hr_csv(*workers(2, first=3)), "newer.csv")
    assert world.run("newer.csv")["state"] == "sent"
    world.resume()
    assert world.run("bad.csv")["state"] == "blocked", "it waits for an hour"
    world.advance(hours=1.1)
    connector.cache_clear()
    world.resume()
    world.report()
    assert (world.faults("bad.csv"), world.faults("newer.csv")) == ([], [])
    assert world.run("bad.csv")["counts"]["created"] == 2
    assert world.run("bad.csv")["counts"]["superseded"] == 1, "the newer file names W00003"


def test_while_the_trouble_lasts_it_is_tried_once_an_hour(world, storage_refuses):
    deliver_as_the_host_does(world, world.drop(FILE))
    first = world.run()["notBefore"]
    world.advance(hours=1.1)
    world.resume()
    world.resume()
    run = world.run()
    assert (run["state"], run["notBefore"] > first) == ("blocked", True)
    assert json.loads(world.blob("runs", f"contoso/{run['run']}/attempts.json"))["begun"] == 6


def test_a_drop_that_is_gone_when_it_is_tried_again_is_refused(world, storage_refuses):
    name = world.drop(FILE)
    deliver_as_the_host_does(world, name)
    world.service.get_blob_client("hr-drop", name).delete_blob()
    world.advance(hours=1.1)
    world.resume()
    assert (world.run()["state"], world.run()["reason"]["code"]) == ("refused", "dropGone")


def test_a_missing_container_is_the_deployments_fault_and_blocks_no_file(world):
    world.service.delete_container("feeds")
    name = world.drop(FILE)
    for _ in range(6):
        with pytest.raises(Exception, match="no container feeds; infra/ creates it"):
            world.host.blob_created(name)
    world.service.create_container("feeds")
    world.put_feed()
    world.host.blob_created(name)
    assert world.run()["state"] == "sent"


def test_what_sending_raises_does_not_make_the_host_plan_again(world, storage_refuses):
    storage_refuses[:] = [f"jobs/{world.entra.settings['JOB_ID']}/lock"]
    run = world.upload(FILE)
    assert (run["state"], world.posts()) == ("planned", [])
    told = [event for event in world.events() if event["event"] == "job.notSent"]
    assert [(event["level"], event["job"]) for event in told] == [("error", run["jobId"])]
    assert attempts(world) == 1
    storage_refuses.clear()
    break_leases(world.service)
    world.resume()
    assert world.run()["state"] == "sent"


def test_without_the_hint_for_the_jobs_sender_everything_is_sent_all_the_same(world, storage_refuses):
    storage_refuses[:] = [f"jobs/{world.entra.settings['JOB_ID']}/planned"]
    assert world.upload(FILE)["state"] == "sent"
    assert "job.notTold" in world.event_names()


def test_a_new_event_for_a_blocked_drop_plans_it_once_its_wait_is_over(world, storage_refuses):
    name = world.drop(FILE)
    deliver_as_the_host_does(world, name)
    storage_refuses.clear()
    world.host.blob_created(name)
    assert (world.run()["state"], world.posts()) == ("blocked", [])
    world.advance(hours=1.1)
    connector.cache_clear()
    world.host.blob_created(name)
    assert world.run()["state"] == "sent"
    assert len(world.runs()) == 1


def test_a_file_that_kills_its_process_five_times_is_a_blocked_run(world):
    name = world.drop(hr_csv(*workers(3000)))
    for _ in range(5):
        kill_while_planning(world, name)
    world.host.blob_created(name)
    run = world.run()
    assert (run["state"], run["reason"]["code"]) == ("blocked", "planningFailed")
    assert "killed, out of memory" in run["reason"]["message"]


def kill_while_planning(world, name: str) -> None:
    """As soon as it has put its attempt down."""
    before = attempts(world)
    environment = {**os.environ, **connector_environment(world.connection_string, world.entra.settings)}
    command = [sys.executable, "-m", "tests.platform.functions_host", "upload", name]
    child = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while attempts(world) == before:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    break_leases(world.service)


def attempts(world) -> int:
    container = world.service.get_container_client("runs")
    names = [name for name in container.list_blob_names() if name.endswith("attempts.json")]
    return json.loads(container.download_blob(names[0]).readall())["begun"] if names else 0
