"""Calling the simulator in-process, and the smallest complete messages to send it."""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import quote

import httpx

from tests.simulator.app import build_app
from tests.simulator.tenant import Tenant

BASE = "http://127.0.0.1:7071"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def user(external_id: str = "1", **attributes: Any) -> dict[str, Any]:
    complete = {"userName": f"user{external_id}@example.com", "displayName": f"User {external_id}", "active": True}
    manager = attributes.pop("manager", None)
    enterprise = {"employeeNumber": external_id, **({"manager": {"value": manager}} if manager else {})}
    return {
        "schemas": [CORE, ENTERPRISE],
        "externalId": external_id,
        **complete,
        ENTERPRISE: enterprise,
        **attributes,
    }


def operation(data: Any, **members: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/Users", "bulkId": "b1", "data": data, **members}


def bulk(*users: dict[str, Any]) -> dict[str, Any]:
    operations = [operation(data, bulkId=f"b{number}") for number, data in enumerate(users)]
    return {"schemas": [BULK_REQUEST], "Operations": operations, "failOnErrors": None}


class Caller:
    """One client of an in-process simulator."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.app = build_app(tenant)
        self._token: str | None = None

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def fresh_token(self, resource: str = BASE) -> str:
        return self.tenant.issue_token("managedIdentity", audience=resource).value

    def graph(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        self._token = self._token or self.fresh_token()
        return self.call(method, path, headers={"Authorization": f"Bearer {self._token}", **(headers or {})}, **options)

    @property
    def job_path(self) -> str:
        known = self.tenant.identifiers
        return f"/v1.0/servicePrincipals/{known.service_principal_id}/synchronization/jobs/{known.job_id}"

    def upload(self, *users: dict[str, Any], body: Any = None, path: str = "", **headers: str) -> httpx.Response:
        content = json.dumps(bulk(*users) if body is None else body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.graph(
            "POST",
            path or f"{self.job_path}/bulkUpload",
            content=content,
            headers={"Content-Type": "application/scim+json", **named},
        )

    def logs(self, filter_text: str | None = None, version: str = "v1.0", **options: str | int) -> httpx.Response:
        params = {**({"$filter": filter_text} if filter_text else {}), **{f"${k}": v for k, v in options.items()}}
        query = "&".join(f"{name}={quote(str(value))}" for name, value in params.items())
        return self.graph("GET", f"/{version}/auditLogs/provisioning?{query}")

    def records(self, filter_text: str | None = None, **options: Any) -> list[dict[str, Any]]:
        answer = self.logs(filter_text, orderby="activityDateTime asc", **options)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    def control(self, method: str, name: str, content: Any = None) -> Any:
        answer = self.call(method, f"/control/{name}", json=content)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def set(self, **settings: Any) -> None:
        self.control("PATCH", "settings", settings)

    def advance(self, seconds: float) -> None:
        self.control("POST", "advance", {"seconds": seconds})

    def accounts(self) -> dict[str, dict[str, Any]]:
        return {account["externalId"]: account for account in self.control("GET", "accounts")}


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
