"""POST bulkUpload: check, stage, answer 202."""

from typing import Any

from starlette.responses import Response

from tests.simulator.authorization import UPLOAD, authorize
from tests.simulator.bulk_request import check_operations, read_bulk_request
from tests.simulator.exchange import Exchange
from tests.simulator.graph_errors import GraphError, bucket_full, too_many_requests
from tests.simulator.job import Job, Staged
from tests.simulator.rate_limit import DAY


async def bulk_upload(exchange: Exchange) -> Response:
    """Stage the operations of one request.

    Source: Graph reference, synchronizationJob: bulkUpload (202, empty body, Location).
    """
    request, simulator = exchange.request, exchange.simulator
    if request.method != "POST":
        raise GraphError(405, "Method not allowed.")
    authorize(exchange, UPLOAD)
    job = job_of(exchange)
    await exchange.pass_faults()
    _limit(exchange, job)
    operations = read_bulk_request(request.headers.get("content-type"), await request.body())
    _note(exchange, operations)
    users = check_operations(operations, simulator.settings)
    capacity = simulator.settings.queue_capacity
    if capacity is not None and job.queued + len(users) > capacity:
        raise bucket_full()
    job.staged.append(Staged(simulator.clock.now(), exchange.record.number, users))
    exchange.record.accepted = True
    for user in users:
        simulator.received.setdefault(user["externalId"], []).append(exchange.record)
    version = request.path_params["version"]
    logs = f"{simulator.base_url}/{version}/auditLogs/provisioning/?$filter=jobid%20eq%20'{job.id}'"
    return Response(status_code=202, headers={"Location": logs})


def job_of(exchange: Exchange) -> Job:
    """The job that the path names.

    Raises:
        GraphError: 404; not documented for this API, this is Graph's general meaning.
    """
    path = exchange.request.path_params
    job = exchange.simulator.jobs.get(path["job_id"])
    if job is None or job.service_principal_id != path["service_principal_id"]:
        raise GraphError(404, "Resource does not exist or one of its queried reference-property objects is missing.")
    return job


def _limit(exchange: Exchange, job: Job) -> None:
    """40 calls in any 5 seconds; a daily quota over all jobs of the tenant. Source: "concepts" page."""
    simulator = exchange.simulator
    settings, now = simulator.settings, simulator.clock.now()
    per_job = settings.calls_per_5_seconds_counted_per == "job"
    window = simulator.limits.window(f"uploads of {job.id}" if per_job else "uploads", 5)
    today = simulator.limits.window("uploads today", DAY)
    if wait := window.wait(now, settings.calls_per_5_seconds):
        raise too_many_requests(wait)
    if wait := today.wait(now, settings.calls_per_day):
        raise too_many_requests(wait if settings.daily_quota_retry_after else None)
    # Guess: a call counts even when it is then refused as malformed.
    window.add(now)
    today.add(now)


def _note(exchange: Exchange, operations: list[Any]) -> None:
    """Keep the ids for the record before anything can refuse them."""
    for operation in operations:
        known = operation if isinstance(operation, dict) else {}
        data = known.get("data")
        exchange.record.bulk_ids.append(known.get("bulkId"))
        exchange.record.external_ids.append(data.get("externalId") if isinstance(data, dict) else None)
