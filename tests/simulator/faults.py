"""Faults that a test asks for, and how each shows on the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

TARGETS = ("bulkUpload", "provisioningLogs", "token", "job")
KINDS = ("status", "hang", "disconnect", "redirect")
DISCONNECTS = ("beforeReading", "afterProcessing", "halfAnswer")
OPTIONS = ("on", "jobId", "containing", "after", "times", "headers", "body", "processed", *KINDS)


@dataclass(kw_only=True)
class Fault:
    """One fault: which calls it meets (`on`, `job_id`, `containing`, `after`, `times`) and what happens to them."""

    on: str
    kind: str
    value: Any  # status number, seconds, place of the break, or address
    job_id: str | None = None
    containing: str = ""  # only calls whose body has this text
    after: int = 0  # matching calls to let pass first
    times: int | None = 1  # None: for ever
    processed: bool = False  # status: the operations are accepted although the answer says otherwise
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Fault":
        """Read one fault of the control interface.

        Raises:
            ValueError: says what is wrong with it.
        """
        if unknown := sorted(set(given) - set(OPTIONS)):
            raise ValueError(f"unknown: {', '.join(unknown)}")
        kinds = [kind for kind in KINDS if kind in given]
        if len(kinds) != 1:
            raise ValueError(f"a fault has exactly one of {', '.join(KINDS)}")
        if given.get("on") not in TARGETS:
            raise ValueError(f"on must be one of {', '.join(TARGETS)}")
        kind, value = kinds[0], given[kinds[0]]
        wanted = {"status": int, "hang": int | float, "disconnect": str, "redirect": str}
        if not isinstance(value, wanted[kind]) or (kind == "disconnect" and value not in DISCONNECTS):
            raise ValueError(f"{kind}: not an acceptable value")
        return cls(
            on=given["on"],
            kind=kind,
            value=value,
            job_id=given.get("jobId"),
            containing=str(given.get("containing", "")),
            after=int(given.get("after", 0)),
            times=given.get("times", 1),
            processed=bool(given.get("processed", False)),
            headers=given.get("headers") or {},
            body=given.get("body"),
        )

    def takes(self, on: str, job_id: str | None, body: bytes) -> bool:
        """Whether this call is one of those to meet the fault; counts it."""
        if self.on != on or (self.job_id is not None and self.job_id != job_id) or self.times == 0:
            return False
        if self.containing.encode() not in body:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    @property
    def before_processing(self) -> bool:
        """Whether it strikes before the request has any effect."""
        if self.kind == "disconnect":
            return bool(self.value == "beforeReading")
        return self.kind == "redirect" or (self.kind == "status" and not self.processed)

    def describe(self) -> str:
        """For the record of requests, for instance "status 503"."""
        return f"{self.kind} {self.value}"


class Faults:
    """The faults in force; the first that takes a call wins."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Put these behind those already there."""
        self._faults += faults

    def clear(self) -> None:
        """End every fault."""
        self._faults.clear()

    def next_for(self, on: str, job_id: str | None, body: bytes) -> Fault | None:
        """The fault that strikes this call, if any."""
        return next((fault for fault in self._faults if fault.takes(on, job_id, body)), None)

    @property
    def looks_at_bodies(self) -> bool:
        """Whether some fault is for calls with a certain text."""
        return any(fault.containing for fault in self._faults)


def faulty_answer(fault: Fault, usual_body: Mapping[str, Any]) -> Response:
    """The answer of a `status`, `redirect` or `disconnect` fault that hides the true one."""
    if fault.kind == "disconnect":
        return BrokenAnswer()
    if fault.kind == "redirect":
        # 307 keeps the method: a client that follows would send its body and token along.
        return Response(status_code=307, headers={"Location": fault.value})
    headers = dict(fault.headers)
    if isinstance(fault.body, str):
        return Response(fault.body, fault.value, headers, media_type="text/plain")
    body = usual_body if fault.body is None and fault.value >= 400 else fault.body
    text = "" if body is None else json.dumps(body)
    return Response(text, fault.value, headers, media_type="application/json" if text else None)


class BrokenAnswer(Response):
    """A connection that ends before the answer does: nothing is sent, or the first half of `whole`."""

    def __init__(self, whole: Response | None = None) -> None:
        super().__init__()
        self._part = _half(whole) if whole else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write to the connection below ASGI, then wait for the server to notice that it is gone.

        Raises:
            ConnectionResetError: the app runs without a connection of its own (in-process).
        """
        transport = scope.get("state", {}).get("transport")
        if transport is None:
            raise ConnectionResetError("simulated: the connection broke")
        if self._part:
            transport.write(self._part)
            transport.close()
        else:
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


def _half(answer: Response) -> bytes:
    lines = [f"HTTP/1.1 {answer.status_code} simulated".encode()]
    lines += [name + b": " + value for name, value in answer.raw_headers]
    head, body = b"\r\n".join(lines) + b"\r\n\r\n", bytes(answer.body)
    return head + body[: len(body) // 2] if body else head[: len(head) // 2]
