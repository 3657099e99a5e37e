"""What the simulator remembers of each request."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from tests.simulator.clock import iso
from tests.simulator.identifiers import new_guid
from tests.simulator.tokens import Token


@dataclass(kw_only=True)
class RequestRecord:
    """One request as received and answered; never its body or its token's text."""

    number: int  # 1 for the first request of all
    on: str
    time: float
    method: str
    path: str
    query: str
    content_type: str | None
    user_agent: str | None
    client_request_id: str | None
    job_id: str | None
    request_id: str = field(default_factory=new_guid)
    token: Token | None = None
    status: int | None = None  # None: the client saw no whole answer
    retry_after: str | None = None
    fault: str | None = None
    accepted: bool = False  # its operations were staged, whatever the client was told
    external_ids: list[Any] = field(default_factory=list)
    bulk_ids: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, request: Request, *, on: str, number: int, now: float) -> "RequestRecord":
        """Note what is known before the body is read."""
        headers = request.headers
        return cls(
            number=number,
            on=on,
            time=now,
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            content_type=headers.get("content-type"),
            user_agent=headers.get("user-agent"),
            client_request_id=headers.get("client-request-id"),
            job_id=request.path_params.get("job_id"),
        )

    def as_json(self) -> dict[str, Any]:
        """One element of GET /control/requests."""
        token = self.token
        return {
            "number": self.number,
            "on": self.on,
            "time": iso(self.time),
            "epoch": self.time,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "retryAfter": self.retry_after,
            "fault": self.fault,
            "accepted": self.accepted,
            "requestId": self.request_id,
            "clientRequestId": self.client_request_id,
            "contentType": self.content_type,
            "userAgent": self.user_agent,
            "jobId": self.job_id,
            "operations": len(self.external_ids),
            "externalIds": self.external_ids,
            "bulkIds": self.bulk_ids,
            "token": token and {"issuer": token.issuer, "clientId": token.client_id, "aud": token.audience},
        }
