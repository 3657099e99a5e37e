"""Reading a job, and start, pause, restart."""

from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.simulator.authorization import CHANGE_JOB, READ_JOB, authorize
from tests.simulator.bulk_upload import job_of
from tests.simulator.clock import iso
from tests.simulator.exchange import Exchange
from tests.simulator.graph_errors import GraphError
from tests.simulator.job import Execution, Job

NEVER = "0001-01-01T00:00:00Z"
SCHEDULE_STATES = {"Active": "Active", "Quarantine": "Active", "Paused": "Paused", "NotRun": "Disabled"}


async def read_job(exchange: Exchange) -> Response:
    """One synchronizationJob. Source: Graph metadata of 2026-08-20; reference, synchronizationJob: get."""
    if exchange.request.method != "GET":
        raise GraphError(405, "Method not allowed.")
    authorize(exchange, READ_JOB)
    job = job_of(exchange)
    await exchange.pass_faults()
    simulator = exchange.simulator
    version = exchange.request.path_params["version"]
    context = f"{simulator.base_url}/{version}/$metadata#servicePrincipals('{job.service_principal_id}')"
    reason, now = simulator.settings.quarantine_reason, simulator.clock.now()
    return JSONResponse({"@odata.context": f"{context}/synchronization/jobs/$entity", **_job(job, reason, now)})


async def act_on_job(exchange: Exchange) -> Response:
    """start, pause, restart: 204. Source: Graph reference, synchronizationJob: start, pause, restart."""
    request, simulator = exchange.request, exchange.simulator
    if request.method != "POST":
        raise GraphError(405, "Method not allowed.")
    authorize(exchange, CHANGE_JOB)
    job = job_of(exchange)
    await exchange.pass_faults()
    now = simulator.clock.now()
    match request.path_params["action"]:
        case "start":
            # Guess: start does not release a job from quarantine (not documented).
            if job.status != "Quarantine":
                job.set_status("Active", now)
        case "pause":
            job.set_status("Paused", now)
        case "restart":
            job.restart(await _reset_scope(exchange), now)
        case action:
            raise GraphError(400, f"Resource not found for the segment '{action}'.")
    return Response(status_code=204)


async def _reset_scope(exchange: Exchange) -> str:
    if not await exchange.request.body():
        return "Full"  # Guess: what an empty body resets
    try:
        content = await exchange.request.json()
        return str(content["criteria"]["resetScope"])
    except (ValueError, KeyError, TypeError) as error:
        raise GraphError(400, "Unable to read JSON request payload.") from error


def _job(job: Job, quarantine_reason: str, now: float) -> dict[str, Any]:
    return {
        "id": job.id,
        "templateId": "API2AAD",
        # Guess: open question 9; forty minutes is the interval that older pages give.
        "schedule": {"expiration": None, "interval": "PT40M", "state": SCHEDULE_STATES[job.status]},
        "status": _status(job, quarantine_reason, now),
        "synchronizationJobSettings": [{"name": "QuarantineTooManyDeletesThreshold", "value": "500"}],
    }


def _status(job: Job, quarantine_reason: str, now: float) -> dict[str, Any]:
    succeeded = _latest(job, lambda execution: not execution.failed)
    first = next((execution for execution in job.executions if not execution.failed), None)
    quarantine = None
    if job.status == "Quarantine":
        quarantine = {
            "currentBegan": iso(job.since),
            "error": {"code": quarantine_reason, "message": "The job is in quarantine.", "tenantActionable": True},
            "nextAttempt": iso(now + 86400),
            "reason": quarantine_reason,
            "seriesBegan": iso(job.since),
            "seriesCount": 1,
        }
    return {
        "code": job.status,
        "countSuccessiveCompleteFailures": 0,
        "escrowsPruned": False,
        "lastExecution": _latest(job, lambda _execution: True),
        "lastSuccessfulExecution": succeeded,
        "lastSuccessfulExecutionWithExports": _latest(
            job, lambda execution: not execution.failed and execution.exported > 0
        ),
        "progress": [],
        "quarantine": quarantine,
        "steadyStateFirstAchievedTime": iso(first.ended) if first else NEVER,
        "steadyStateLastAchievedTime": succeeded["timeEnded"] if succeeded else NEVER,
        "synchronizedEntryCountByType": [{"key": "User", "value": len(job.known)}],
        "troubleshootingUrl": None,
    }


def _latest(job: Job, wanted: Callable[[Execution], bool]) -> dict[str, Any] | None:
    return next((_execution(execution) for execution in reversed(job.executions) if wanted(execution)), None)


def _execution(execution: Execution) -> dict[str, Any]:
    return {
        "activityIdentifier": execution.cycle_id,
        "state": "EntryLevelErrors" if execution.failed else "Succeeded",
        "timeBegan": iso(execution.began),
        "timeEnded": iso(execution.ended),
        "error": None,
        "countImported": execution.imported,
        "countImportedDeltas": 0,
        "countImportedReferenceDeltas": 0,
        "countExports": execution.exported,
        "countExported": execution.exported,
        "countEscrowed": execution.failed,
        "countEscrowedRaw": execution.failed,
        "countEntitled": execution.imported,
        "countEntitledForProvisioning": execution.imported,
    }
