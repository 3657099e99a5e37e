"""The ledger: what was answered to each POST; and, from plan and ledger alone, what is left to send."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, ConfigDict, ValidationError

from shared.run.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Verdict(StrEnum):
    """What an answer meant for the operations that were posted."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Final; only ever written for one operation, or where the request as a whole can never pass."""
    SPLIT = "split"
    """Refused without naming the operation at fault; its halves are sent by themselves."""
    THROTTLED = "throttled"
    UNANSWERED = "unanswered"
    """Nothing, or half an answer; the API may have taken it. It is sent again, which changes nothing twice."""
    REFUSED = "refused"
    """Not this request's fault (401, 403, 404, 5xx …); it is sent again later."""


class LedgerEntry(Record):
    """One answer to the operations [start, stop) of one planned request; numbers of requests begin at 1."""

    model_config = ConfigDict(frozen=True)

    request: int
    start: int
    stop: int
    verdict: Verdict
    status: int | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    client_request_id: str
    sent_at: AwareDatetime
    answered_at: AwareDatetime


class Slice(Record):
    """Operations [start, stop) of one planned request."""

    request: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of operations."""
        return self.stop - self.start

    def halves(self) -> tuple[Slice, Slice]:
        """Two parts that together are this one; only for more than one operation."""
        middle = (self.start + self.stop) // 2
        first = Slice(request=self.request, start=self.start, stop=middle)
        return first, Slice(request=self.request, start=middle, stop=self.stop)


class Ledger:
    """The answers so far of one run, and what follows from them. Grows by `add`."""

    def __init__(self, request_sizes: Sequence[int], entries: Iterable[LedgerEntry] = ()) -> None:
        """Takes the plan and the entries in the order in which they were written.

        Args:
            request_sizes: operations in request 1, 2, …
            entries: from `read_ledger`.
        """
        self._sizes = tuple(request_sizes)
        self._left: dict[int, list[Slice]] = {
            number: [Slice(request=number, start=0, stop=size)] for number, size in enumerate(request_sizes, start=1)
        }
        self._settled: dict[int, dict[Slice, LedgerEntry]] = {}
        self.accepted_operations = 0
        self.rejected_operations = 0
        self.rejected_in_a_row = 0
        self._begun: dict[int, datetime | None] = {}
        self.parts_left = len(self._sizes)
        self.throttled = 0
        self.last_sent_at: datetime | None = None
        self._last_answered_at: datetime | None = None
        for entry in entries:
            self.add(entry)

    def add(self, entry: LedgerEntry) -> None:
        """Take in one answer; an answer to something that is already settled changes nothing."""
        self._begun.setdefault(entry.request, self._last_answered_at)
        self._last_answered_at = entry.answered_at
        self.last_sent_at = max(self.last_sent_at or entry.sent_at, entry.sent_at)
        self.throttled += entry.verdict is Verdict.THROTTLED
        part = Slice(request=entry.request, start=entry.start, stop=entry.stop)
        left = self._left.get(entry.request, [])
        if part not in left:
            return
        position = left.index(part)
        if entry.verdict in (Verdict.ACCEPTED, Verdict.REJECTED):
            left.pop(position)
            self.parts_left -= 1
            self._settled.setdefault(entry.request, {})[part] = entry
            self.accepted_operations += part.size if entry.verdict is Verdict.ACCEPTED else 0
            is_rejected = entry.verdict is Verdict.REJECTED
            self.rejected_operations += part.size if is_rejected else 0
            self.rejected_in_a_row = self.rejected_in_a_row + part.size if is_rejected else 0
        elif entry.verdict is Verdict.SPLIT and part.size > 1:
            left[position : position + 1] = part.halves()
            self.parts_left += 1

    def left(self) -> Iterator[Slice]:
        """What is still to be sent, in the plan's order."""
        for number in sorted(self._left):
            yield from tuple(self._left[number])

    def left_of(self, request: int) -> list[Slice]:
        """What is still to be sent of one planned request."""
        return list(self._left[request])

    def begun(self, request: int) -> datetime | None:
        """A moment before which no part of this request was posted; None for the run's first.

        It is when the answer before it came, not when the request was sent: a sender that was killed may have posted
        it and put nothing down.
        """
        return self._begun.get(request)

    def size_of(self, request: int) -> int:
        """Operations in one planned request."""
        return self._sizes[request - 1]

    def answered(self, request: int) -> list[tuple[Slice, LedgerEntry]]:
        """The settled parts of one planned request, each with the entry that settled it."""
        return [(part, entry) for part, entry in self._settled.get(request, {}).items()]

    @property
    def is_complete(self) -> bool:
        """Nothing is left to send."""
        return self.parts_left == 0

    def whole_requests(self) -> tuple[int, int]:
        """How many planned requests are done with: all accepted, and done with something rejected."""
        done = {number for number, left in self._left.items() if not left}
        rejected = {n for n in done if any(e.verdict is Verdict.REJECTED for e in self._settled[n].values())}
        return len(done - rejected), len(rejected)


def read_ledger(content: bytes) -> Iterator[LedgerEntry]:
    """The entries of `ledger.ndjson`. Each was appended whole, so a line that can't be read is an error.

    Raises:
        ValueError: a line is no entry (the text names the line's number, not its content).
    """
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield LedgerEntry.model_validate_json(line)
        except ValidationError:
            raise ValueError(f"line {number} of the ledger is no ledger entry") from None


def ledger_line(entry: LedgerEntry) -> bytes:
    """The entry as it is appended."""
    return entry.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n"
