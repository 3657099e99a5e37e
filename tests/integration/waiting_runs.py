"""What tests of runs that wait have in common: an older run beside a newer one, damaged blobs, what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.storage.blob import BlobType

from tests.platform.answers import BUCKET_FULL
from tests.platform.hr_files import titled

if TYPE_CHECKING:
    from tests.integration.conftest import World

URGENT = "priority: urgent"
ROWS = range(1, 101)


def old_run(world: World) -> dict[str, Any]:
    """A run that could send none of its rows and goes on within an hour; newer ones do not wait for it."""
    refuse_old_rows(world)
    run = world.upload(titled(ROWS, "old"), "old.csv")
    assert (run["reason"]["code"], run["counts"]["accepted"]) == ("everythingRejected", 0)
    world.entra.control.delete("faults")
    world.later()
    return run


def refuse_old_rows(world: World) -> None:
    world.entra.post("faults", {"on": "bulkUpload", "containing": '"old"', "status": 400, "times": None})


def waiting_load(world: World, last: int) -> None:
    """A load that has posted nothing of its rows 1 to `last` yet; beside it, a feed that is urgent."""
    world.put_feed(world.feed(URGENT), "leavers")
    world.entra.post("faults", {"on": "bulkUpload", "status": 500, "body": BUCKET_FULL})
    run = world.upload(titled(range(1, last + 1), "load"), "load.csv")
    assert run["reason"]["code"] == "bucketFull"
    world.later()


def damage(world: World, run: dict[str, Any], blob: str, content: bytes | str | None) -> bytes:
    """Write something else, or delete it; what was there. `cut` and `doubled` name what becomes of that."""
    client = world.service.get_blob_client("runs", f"{run['feed']}/{run['run']}/{blob}")
    whole = client.download_blob().readall()
    client.delete_blob()
    if content is not None:
        client.upload_blob({"cut": whole[:-30], "doubled": whole * 2}.get(content, content))
    return whole


def mend(world: World, run: dict[str, Any], blob: str, whole: bytes) -> None:
    kind = BlobType.APPENDBLOB if blob == "ledger.ndjson" else BlobType.BLOCKBLOB
    client = world.service.get_blob_client("runs", f"{run['feed']}/{run['run']}/{blob}")
    client.upload_blob(whole, blob_type=kind, overwrite=True)


def titles(world: World) -> set[str]:
    return {account["attributes"]["jobTitle"] for account in world.accounts().values()}


def cancel(world: World, name: str) -> None:
    """As the command does while a sender has the job: it leaves word."""
    run = world.run(name)
    action = {"action": "cancel", "by": "somebody", "at": run["plannedAt"], "why": None}
    world.change_record(run, actions=[*run["actions"], action])


def error_codes(world: World) -> list[tuple[str, str]]:
    """What has been told to a person, as event and code."""
    return [(event["event"], event.get("code", "")) for event in world.events() if event["level"] == "error"]
