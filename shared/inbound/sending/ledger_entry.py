"""The lines of the ledger, `ledger.ndjson`: one for each thing that happened, in order.

A sender began its session, it is about to post some parts, a part was answered, operations are not sent any more. What
a line says is never taken back by a later one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from shared.run.record import Record


class Verdict(StrEnum):
    """What an answer meant for the operations that were posted."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Final; only ever written for one operation."""
    SPLIT = "split"
    """Refused without naming the operation at fault; its halves are sent by themselves."""
    THROTTLED = "throttled"
    UNANSWERED = "unanswered"
    """Nothing, or half an answer; the API may have taken it. It is sent again, which changes nothing twice."""
    REFUSED = "refused"
    """Not this request's fault (401, 403, 404, 5xx …); it is sent again later."""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """Operations [start, stop) of one planned request, but for those that are superseded; requests count from 1."""

    request: int
    start: int
    stop: int


class SessionEntry(Record):
    """A sender has taken over: whatever was begun before and not answered has an unknown fate."""

    kind: Literal["session"] = "session"
    session: str
    at: AwareDatetime


class BegunEntry(Record):
    """These parts are about to be posted. Written before the first of them is."""

    kind: Literal["begun"] = "begun"
    session: str
    at: AwareDatetime
    parts: tuple[tuple[int, int, int], ...]


class AnswerEntry(Record):
    """One answer to one part. `note`: something odd about an answer that was good all the same."""

    kind: Literal["answer"] = "answer"
    request: int
    start: int
    stop: int
    verdict: Verdict
    status: int | None = None
    code: str | None = None
    message: str | None = None
    note: str | None = None
    request_id: str | None = None
    client_request_id: str
    sent_at: AwareDatetime
    answered_at: AwareDatetime


class SupersededEntry(Record):
    """Operations of one request that are not sent any more: a newer run speaks of these workers, or somebody cancelled.

    `by_run`: the newer run; None for a cancelled run, whose `run.json` says who and why.
    """

    kind: Literal["superseded"] = "superseded"
    request: int
    operations: tuple[int, ...]
    by_run: str | None = None
    at: AwareDatetime


Entry = Annotated[SessionEntry | BegunEntry | AnswerEntry | SupersededEntry, Field(discriminator="kind")]
_ENTRY: TypeAdapter[SessionEntry | BegunEntry | AnswerEntry | SupersededEntry] = TypeAdapter(Entry)


def read_ledger(content: bytes) -> Iterator[Entry]:
    """The entries of `ledger.ndjson`. Each was appended whole, so a line that can't be read is an error.

    Raises:
        ValueError: a line is no entry (the text names the line's number, not its content).
    """
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield _ENTRY.validate_json(line)
        except ValidationError:
            raise ValueError(f"line {number} of the ledger is no ledger entry") from None


def ledger_line(entry: Entry) -> bytes:
    """The entry as it is appended."""
    return entry.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n"
