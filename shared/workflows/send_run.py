"""Send one run under the job's lease: post, put the answer down, decide, until nothing is left or it has to stop."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import Reason, RunDamagedError
from shared.inbound.planning.bulk_request import part_of_request, request_bodies
from shared.inbound.sending.answer import (
    EVERYTHING_REJECTED,
    Again,
    Answer,
    Attempt,
    Block,
    Done,
    FreshToken,
    Later,
    Split,
    Step,
    next_step,
)
from shared.inbound.sending.ledger import Ledger, LedgerEntry, Slice
from shared.ports import RUNS
from shared.run.record import RequestFile, Requests, RunRecord, RunState
from shared.workflows.apart import apart
from shared.workflows.daily_quota import DailyCalls

if TYPE_CHECKING:
    from datetime import datetime

    from shared.ports import Lease
    from shared.workflows.outside import Outside
    from shared.workflows.run_store import RunStore

_REPORT_EVERY_SECONDS = 2.0
_TOO_MANY_REJECTED_AT_FIRST = 10
_TOO_MANY_REJECTED = 50
_LONGEST_NAP = 10.0
"""The lease is renewed between naps; it lasts a minute."""
_NAMESPACE = uuid.UUID("0d6a6a35-6c9c-5ae0-8f0e-3f1f3b1f8a55")


@dataclass(frozen=True)
class Stop:
    """Why a run stops before its end, and the state in which it waits. `seconds` 0: only this session's time is up."""

    seconds: float = 0.0
    reason: Reason | None = None
    state: RunState = RunState.SENDING


class _Stopped(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self.stop = stop


class RunSender:
    """One session of one run. Not for use twice."""

    def __init__(self, record: RunRecord, runs: RunStore, outside: Outside, lease: Lease, deadline: float) -> None:
        """Takes a run that has something left to send."""
        self._record = record
        self._runs = runs
        self._outside = outside
        self._lease = lease
        self._deadline = deadline
        self._daily = DailyCalls(outside)
        self._ledger = Ledger(())
        self._reported_at = outside.clock.monotonic()

    def send(self) -> Stop | None:
        """Send what is left; None when nothing is left.

        Raises:
            LeaseLostError: somebody else has the job now; nothing was written after that.
        """
        try:
            self._ledger = self._runs.ledger(self._record)
        except RunDamagedError:
            return _damaged("ledger.ndjson")
        self._report()
        try:
            first = 1
            for file in self._record.plan:
                self._send_file(file, first)
                first += file.requests
        except _Stopped as stopped:
            self._report()
            return stopped.stop
        finally:
            with apart("quota.notGivenBack", self._outside):
                self._daily.give_back()
        self._finish()
        return None

    def _send_file(self, file: RequestFile, first: int) -> None:
        numbers = range(first, first + file.requests)
        if not any(self._ledger.left_of(number) for number in numbers):
            return
        blob = self._outside.store.read(RUNS, self._runs.name(self._record.feed, self._record.run, file.name))
        if blob is None or hashlib.sha256(blob.content).hexdigest() != file.sha256:
            raise _Stopped(_damaged(file.name))
        for number, body in zip(numbers, request_bodies(blob.content), strict=True):
            while left := self._ledger.left_of(number):
                self._send_slice(left[0], body)

    def _send_slice(self, part: Slice, body: bytes) -> None:
        """Post one slice until its answer settles or splits it."""
        is_whole = part.size == self._ledger.size_of(part.request)
        content = body if is_whole else part_of_request(body, part.start, part.stop)
        tries, token_is_fresh = 0, False
        while True:
            tries += 1
            step = self._post(part, content, tries, token_is_fresh=token_is_fresh)
            match step:
                case Done() | Split():
                    self._stop_if_everything_is_rejected()
                    self._report_now_and_then()
                    return
                case Again(seconds=seconds):
                    self._sleep(seconds)
                case FreshToken():
                    self._outside.api.fetch_new_token()
                    token_is_fresh = True
                case Later(seconds=seconds, reason=reason):
                    raise _Stopped(Stop(seconds, reason))
                case Block(seconds=seconds, reason=reason):
                    raise _Stopped(Stop(seconds, reason, RunState.BLOCKED))

    def _post(self, part: Slice, content: bytes, tries: int, *, token_is_fresh: bool) -> Step:
        self._wait_for_a_call()
        self._lease.keep()
        clock, record = self._outside.clock, self._record
        sent_at = clock.now()
        request_id = str(uuid.uuid5(_NAMESPACE, f"{record.run}/{part.request}/{part.start}/{part.stop}/{sent_at}"))
        answer = self._outside.api.upload(
            record.service_principal_id or "", record.job_id or "", content, client_request_id=request_id
        )
        self._outside.window.ended(clock.monotonic())
        attempt = Attempt(part.size, tries, token_is_fresh, clock.jitter(), clock.now())
        step = next_step(answer, attempt)
        self._put_down(part, answer, step, request_id, sent_at)
        return step

    def _put_down(self, part: Slice, answer: Answer, step: Step, request_id: str, sent_at: datetime) -> None:
        entry = LedgerEntry(
            request=part.request,
            start=part.start,
            stop=part.stop,
            verdict=step.verdict,
            status=answer.status,
            code=answer.code,
            message=answer.message,
            request_id=answer.request_id,
            client_request_id=request_id,
            sent_at=sent_at,
            answered_at=self._outside.clock.now(),
        )
        self._runs.append(self._record, entry)
        self._ledger.add(entry)

    def _wait_for_a_call(self) -> None:
        """Keep to both limits of the API and to this session's time."""
        clock = self._outside.clock
        while wait := self._outside.window.wait(clock.monotonic()):
            self._sleep(wait)
        if clock.monotonic() >= self._deadline:
            raise _Stopped(Stop())
        until = self._daily.take(self._ledger.parts_left)
        if until:
            seconds = max((until - clock.now()).total_seconds(), 1.0)
            raise _Stopped(Stop(seconds, _DAILY_QUOTA))

    def _sleep(self, seconds: float) -> None:
        clock = self._outside.clock
        if clock.monotonic() + seconds >= self._deadline:
            raise _Stopped(Stop(seconds))
        while seconds > 0:
            self._lease.keep()
            clock.sleep(min(seconds, _LONGEST_NAP))
            seconds -= _LONGEST_NAP

    def _stop_if_everything_is_rejected(self) -> None:
        """Row after row refused is no matter of rows: a proxy, the job, the mapping as a whole."""
        ledger = self._ledger
        limit = _TOO_MANY_REJECTED if ledger.accepted_operations else _TOO_MANY_REJECTED_AT_FIRST
        if ledger.rejected_in_a_row >= limit and not ledger.is_complete:
            raise _Stopped(Stop(3600.0, _EVERYTHING_REJECTED, RunState.BLOCKED))

    def _report_now_and_then(self) -> None:
        if self._outside.clock.monotonic() - self._reported_at >= _REPORT_EVERY_SECONDS:
            self._report()

    def _report(self) -> None:
        """Only the holder of the lease writes; a sender that was overtaken would turn the record back."""
        self._lease.keep(surely=True)
        self._runs.update(
            self._record.feed, self._record.run, lambda newest: self._with_ledger(newest, RunState.SENDING)
        )
        self._reported_at = self._outside.clock.monotonic()

    def _finish(self) -> None:
        def finished(newest: RunRecord) -> RunRecord:
            return self._with_ledger(newest, RunState.SENT).settled_if_final()

        self._lease.keep(surely=True)
        record = self._runs.update(self._record.feed, self._record.run, finished)
        ledger = self._ledger
        fields: dict[str, str | int | None] = {"run": record.run, "feed": record.feed, "job": record.job_id}
        self._outside.events.info(
            "run.sent", accepted=ledger.accepted_operations, rejected=ledger.rejected_operations, **fields
        )
        if ledger.rejected_operations:
            self._outside.events.error("rows.rejected", rejected=ledger.rejected_operations, **fields)

    def _with_ledger(self, newest: RunRecord, state: RunState) -> RunRecord:
        ledger = self._ledger
        accepted, rejected = ledger.whole_requests()
        requests = Requests(
            planned=newest.requests.planned, accepted=accepted, rejected=rejected, throttled=ledger.throttled
        )
        changed = newest.changed(
            state=state,
            reason=None,
            not_before=None,
            requests=requests,
            first_sent_at=newest.first_sent_at or self._outside.clock.now(),
            last_sent_at=ledger.last_sent_at,
        )
        return changed.with_answers(accepted=ledger.accepted_operations, rejected=ledger.rejected_operations)


def _damaged(blob: str) -> Stop:
    reason = Reason(
        "planDamaged",
        f"{blob} is not what was planned, or is gone; nothing more of this run is sent.",
        "Somebody changed or deleted the run's blobs. Drop the HR file again for a new run.",
    )
    return Stop(0.0, reason, RunState.HELD)


_EVERYTHING_REJECTED = Reason(
    EVERYTHING_REJECTED,
    "The API refuses row after row; the rows that were not sent yet wait, newer files don't.",
    "Look at the API's words in ledger.ndjson. If the reason is outside the file (a proxy, the provisioning job), the "
    "run goes on by itself within an hour; for the rows that were refused meanwhile, drop the file again.",
)
_DAILY_QUOTA = Reason(
    "dailyQuota",
    "The tenant's calls for 24 hours (BULK_REQUESTS_PER_DAY) are used up.",
    "Nothing has to be done: the run goes on by itself as calls free up; notBefore says when.",
)
