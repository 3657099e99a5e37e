"""Provisioning jobs of the tenant, as tests of several need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.platform.feeds import sample_feed

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient

    from tests.integration.conftest import World


def other_job(world: World) -> None:
    """A second provisioning job with a feed of its own, named `other`."""
    world.entra.post("jobs")
    job = world.entra.get("jobs")[-1]
    world.put_feed(sample_feed(job["servicePrincipalId"], job["jobId"]), "other")


def lock_of(world: World) -> BlobClient:
    return world.service.get_blob_client("state", f"jobs/{world.entra.settings['JOB_ID']}/lock")
