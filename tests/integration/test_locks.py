"""Locks: one that somebody holds for ever is an error with its remedy; one that can't be let go of is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobLeaseClient

from shared.adapters.blob_storage import AzureBlobStore
from shared.bootstrap import connector
from shared.errors import ConfigurationError
from shared.run.drop import Drop
from tests.integration.jobs import other_job
from tests.platform.hr_files import hr_csv, workers
from tests.platform.storage_faults import BROKEN_AFTER, BROKEN_BEFORE, Calls, storage_fault

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient

    from tests.integration.conftest import World

FILE = hr_csv(*workers(3))
FOR_EVER = -1


def lock_of_job(world: World) -> BlobClient:
    """The lock is there from now on, also where nothing was sent yet."""
    lock = world.service.get_blob_client("state", f"jobs/{world.entra.settings['JOB_ID']}/lock")
    lock.upload_blob(b"", overwrite=True)
    return lock


def lock_of_planning(world: World, name: str) -> BlobClient:
    found = world.service.get_blob_client("hr-drop", name).get_blob_properties()
    drop = Drop(name, str(found.etag), found.last_modified, found.size)
    lock = world.service.get_blob_client("runs", f"{drop.feed}/{drop.run_id}/planning.lock")
    lock.upload_blob(b"")
    return lock


def remedy(lock: BlobClient) -> str:
    place = f"--container-name {lock.container_name} --blob-name {lock.blob_name}"
    return f"az storage blob lease break --auth-mode login --account-name {lock.account_name} {place}"


def later(world: World) -> None:
    world.advance(hours=0.2)
    connector.cache_clear()
    world.resume()


def test_a_job_whose_lock_is_held_for_ever_is_an_error_that_says_what_to_do(world):
    other_job(world)
    lock = lock_of_job(world)
    lock.acquire_lease(FOR_EVER)
    assert world.upload(FILE)["state"] == "planned"
    world.drop(hr_csv(*workers(3, first=50)), "elsewhere.csv", feed="other")
    later(world)
    told = [event for event in world.events() if event["event"] == "job.notSent"]
    assert len(told) == 2
    for event in told:
        assert (event["level"], event["error"]) == ("error", "ConfigurationError")
        assert event["job"] == world.entra.settings["JOB_ID"]
        assert event["detail"].endswith(remedy(lock))
    assert "job.busy" not in world.event_names()
    assert (world.run()["state"], world.run("elsewhere.csv")["state"]) == ("planned", "sent")


def test_a_job_goes_on_once_the_endless_lease_is_broken(world):
    lock = lock_of_job(world)
    lock.acquire_lease(FOR_EVER)
    world.upload(FILE)
    BlobLeaseClient(lock).break_lease()
    world.resume()
    assert world.run()["state"] == "sent"
    assert len(world.accounts()) == 3


def test_a_drop_whose_planning_lock_is_held_for_ever_is_told_without_its_name(world, caplog):
    name = world.drop(FILE, "Leaver Secret.csv")
    caplog.clear()
    lock = lock_of_planning(world, name)
    lock.acquire_lease(FOR_EVER)
    with pytest.raises(ConfigurationError) as raised:
        world.host.blob_created(name)
    assert str(raised.value).endswith(remedy(lock))
    assert "Secret" not in str(raised.value)
    world.upload(FILE, "of another feed.csv", feed="no-such-feed")
    later(world)
    told = [event for event in world.events() if event["event"] == "drop.notPlanned"]
    assert [(event["level"], event["error"]) for event in told] == [("error", "ConfigurationError")]
    assert told[0]["detail"].endswith(remedy(lock))
    assert "Secret" not in "".join(str(event) for event in world.events())
    BlobLeaseClient(lock).break_lease()
    later(world)
    assert world.run("Leaver Secret.csv")["state"] == "sent"


def test_a_lease_that_ends_is_somebody_at_work_and_no_error(world):
    lock_of_job(world).acquire_lease(60)
    world.upload(FILE)
    assert "job.busy" in world.event_names()
    assert [event for event in world.events() if event["level"] == "error"] == []


@pytest.mark.parametrize("kind", [BROKEN_BEFORE, BROKEN_AFTER, "503", "409"])
def test_a_lock_that_can_not_be_let_go_of_is_no_failure_of_what_was_sent(world, kind):
    name = world.drop(FILE)
    with storage_fault(kind, Calls("PUT", "/lock", "release"), times=9) as fault:
        world.host.blob_created(name)
    assert fault.struck
    assert world.run()["state"] == "sent"
    assert [event for event in world.events() if event["level"] == "error"] == []


def test_a_lock_that_can_not_be_let_go_of_hides_no_error_of_its_holder(world):
    store = AzureBlobStore(world.service)
    with (
        storage_fault(BROKEN_BEFORE, Calls("PUT", "/x", "release"), times=9) as fault,
        pytest.raises(KeyError, match="of the holder"),
        store.lease("state", "x"),
    ):
        raise KeyError("of the holder")
    assert fault.struck
