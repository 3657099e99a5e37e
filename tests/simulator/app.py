"""The routes of the simulator."""

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response
from starlette.routing import Route

from tests.simulator.bulk_upload import bulk_upload
from tests.simulator.client_credentials import client_credentials_token
from tests.simulator.control import control_routes
from tests.simulator.exchange import Exchange, Handler, endpoint
from tests.simulator.graph_errors import GraphError
from tests.simulator.job_endpoints import act_on_job, read_job
from tests.simulator.managed_identity import managed_identity_token
from tests.simulator.provisioning_logs import provisioning_logs
from tests.simulator.tenant import Tenant

# Every method reaches the handler, so that a wrong one gets Graph's error body and is recorded too.
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
GRAPH = "/{version:graph_version}"
JOB = "/servicePrincipals/{service_principal_id}/synchronization/jobs/{job_id}"


class _GraphVersion(Convertor[str]):
    regex = r"v1\.0|beta"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("graph_version", _GraphVersion())


def build_app(simulator: Tenant) -> Starlette:
    """The ASGI application for one tenant; served by uvicorn or, in a test, called in-process."""
    routes = [
        *control_routes(),
        _route("/msi/token", "token", managed_identity_token),
        _route("/{tenant}/oauth2/v2.0/token", "token", client_credentials_token),
        _route("/{tenant}/oauth2/token", "token", client_credentials_token),
        _route(f"{GRAPH}{JOB}/bulkUpload", "bulkUpload", bulk_upload),
        _route(f"{GRAPH}{JOB}/{{action}}", "job", act_on_job),
        _route(f"{GRAPH}{JOB}", "job", read_job),
        _route(f"{GRAPH}/auditLogs/provisioning", "provisioningLogs", provisioning_logs),
        # The Location of a 202 has a slash before its question mark.
        _route(f"{GRAPH}/auditLogs/provisioning/", "provisioningLogs", provisioning_logs),
        _route("/{path:path}", "unknown", _unknown),
    ]
    app = Starlette(routes=routes)
    app.state.simulator = simulator
    return app


def _route(path: str, on: str, handler: Handler) -> Route:
    return Route(path, endpoint(on, handler), methods=METHODS)


async def _unknown(_exchange: Exchange) -> Response:
    raise GraphError(404, "Resource not found.")
