"""The control interface: how a test sets up the tenant, looks into it, and makes things go wrong."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.faults import Fault
from tests.simulator.identifiers import new_guid
from tests.simulator.tenant import Tenant

Act = Callable[[Tenant, Request, Any], Any]


def _settings(tenant: Tenant, _request: Request, _content: Any) -> Any:
    return tenant.settings.as_json()


def _change_settings(tenant: Tenant, _request: Request, content: Any) -> Any:
    tenant.change_settings(content)
    return tenant.settings.as_json()


def _add_faults(tenant: Tenant, _request: Request, content: Any) -> Any:
    faults = [Fault.from_json(given) for given in (content if isinstance(content, list) else [content])]
    tenant.faults.add(faults)
    return {"added": len(faults)}


def _clear_faults(tenant: Tenant, _request: Request, _content: Any) -> Any:
    tenant.faults.clear()
    return {}


def _accounts(tenant: Tenant, request: Request, _content: Any) -> Any:
    job = request.query_params.get("jobId")
    return [account.as_json() for account in tenant.directory.accounts.values() if job is None or job in account.jobs]


def _requests(tenant: Tenant, request: Request, _content: Any) -> Any:
    on = request.query_params.get("on")
    return [record.as_json() for record in tenant.requests if on is None or record.on == on]


def _tokens(tenant: Tenant, _request: Request, _content: Any) -> Any:
    return [token.as_json() for token in tenant.tokens.issued]


def _revoke_tokens(tenant: Tenant, _request: Request, _content: Any) -> Any:
    tenant.tokens.revoke_all()
    return {}


def _operations(tenant: Tenant, _request: Request, _content: Any) -> Any:
    return {
        external_id: {
            "times": len(receipts),
            "receipts": [{"request": r.number, "requestId": r.request_id, "jobId": r.job_id} for r in receipts],
        }
        for external_id, receipts in tenant.received.items()
    }  # fmt: skip


def _logs(tenant: Tenant, _request: Request, _content: Any) -> Any:
    settings = tenant.settings
    visible = tenant.logs.visible(
        tenant.clock.now(), delay=settings.log_delay_seconds, retention=settings.log_retention_days * 86400
    )
    return [{**record.as_json(), "visible": place in visible} for place, record in enumerate(tenant.logs.records)]


def _jobs(tenant: Tenant, _request: Request, _content: Any) -> Any:
    return [
        {
            "servicePrincipalId": job.service_principal_id,
            "jobId": job.id,
            "status": job.status,
            "queued": job.queued,
            "cycles": len(job.executions),
        }
        for job in tenant.jobs.values()
    ]


def _add_job(tenant: Tenant, _request: Request, content: Any) -> Any:
    tenant_part = tenant.identifiers.tenant_id.replace("-", "")
    job = tenant.add_job(
        content.get("servicePrincipalId") or new_guid(),
        content.get("jobId") or f"API2AAD.{tenant_part}.{new_guid()}",
    )
    return {"servicePrincipalId": job.service_principal_id, "jobId": job.id}


def _process(tenant: Tenant, _request: Request, _content: Any) -> Any:
    return {"processed": tenant.process_now()}


def _advance(tenant: Tenant, _request: Request, content: Any) -> Any:
    tenant.clock.advance(content["seconds"])
    tenant.catch_up()
    return {"now": tenant.clock.now(), "offset": tenant.clock.offset}


def _reset(tenant: Tenant, _request: Request, _content: Any) -> Any:
    tenant.reset()
    return {}


def _endpoint(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        tenant: Tenant = request.app.state.simulator
        tenant.catch_up()
        try:
            body = await request.body()
            return JSONResponse(act(tenant, request, json.loads(body) if body else {}))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return answer


def control_routes() -> list[Route]:
    """Every path below /control, without any check of who asks: the server listens on loopback only."""
    acts: list[tuple[str, str, Act]] = [
        ("GET", "settings", _settings),
        ("PATCH", "settings", _change_settings),
        ("POST", "faults", _add_faults),
        ("DELETE", "faults", _clear_faults),
        ("GET", "accounts", _accounts),
        ("GET", "requests", _requests),
        ("GET", "tokens", _tokens),
        ("DELETE", "tokens", _revoke_tokens),
        ("GET", "operations", _operations),
        ("GET", "logs", _logs),
        ("GET", "jobs", _jobs),
        ("POST", "jobs", _add_job),
        ("POST", "process", _process),
        ("POST", "advance", _advance),
        ("POST", "reset", _reset),
    ]
    return [Route(f"/control/{name}", _endpoint(act), methods=[method]) for method, name, act in acts]
