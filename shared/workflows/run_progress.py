"""`run.json` while a run is sent: brought up to date from the ledger now and then, and when a session is over.

Only the holder of the job's lease writes here; a sender that was overtaken would turn the record back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import error_fields
from shared.inbound.sending.advice import WAITS
from shared.run.record import Requests, reason_record
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from shared.inbound.sending.ledger import Ledger
    from shared.inbound.sending.stop import Stop
    from shared.ports import Lease
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside
    from shared.workflows.run_store import RunStore

_REPORT_EVERY_SECONDS = 2.0
_LONGEST_UNTOLD_REST = 10.0
"""Less than a lease lasts: after a sender that was killed, nobody goes on sooner."""
_STUCK_SECONDS = 1800.0
_LOOKS_PER_IDLE = 8
_LONGEST_BETWEEN_LOOKS = 900.0


class RunProgress:
    """The record of one run under one lease. Every method raises LeaseLostError where the lease is gone."""

    def __init__(self, record: RunRecord, runs: RunStore, outside: Outside, lease: Lease) -> None:
        """Nothing is written yet."""
        self._record = record
        self._runs = runs
        self._outside = outside
        self._lease = lease
        self._reported_at = outside.clock.monotonic()
        self._rests_until = outside.clock.now()

    def begin(self, ledger: Ledger) -> None:
        """A sender is at work; written before its first request."""
        now = self._outside.clock.now()
        self._write(ledger, RunState.SENDING, first_sent_at=self._record.first_sent_at or now)

    def report_now_and_then(self, ledger: Ledger) -> None:
        """At most every two seconds."""
        if self._outside.clock.monotonic() - self._reported_at >= _REPORT_EVERY_SECONDS:
            self.report(ledger)

    def report(self, ledger: Ledger) -> None:
        """Where the sender is."""
        rests = self._rests_until > self._outside.clock.now()
        self._write(ledger, RunState.SENDING, not_before=self._rests_until if rests else None)

    def rests(self, ledger: Ledger, seconds: float) -> None:
        """The job rests for so long (0 or less: not). If the sender is killed meanwhile, the next one has to know."""
        until = self._outside.clock.now() + timedelta(seconds=seconds)
        if seconds > _LONGEST_UNTOLD_REST and until - self._rests_until > timedelta(seconds=1):
            self._rests_until = until
            self.report(ledger)

    def finish(self, ledger: Ledger) -> None:
        """Nothing is left to send. The wait that a cancelled run was told of is the job's, and goes on."""
        rests = self._record.cancelled_by is not None and self._record.reason_code in {None, *WAITS}
        after = self._write(ledger, RunState.SENT, not_before=self._record.not_before if rests else None)
        numbers = {"accepted": ledger.accepted_operations, "rejected": ledger.rejected_operations}
        superseded = {"superseded": ledger.superseded_operations} if ledger.superseded_operations else {}
        self._outside.events.info("run.sent", **numbers, **superseded, **_ids(after))
        if ledger.rejected_operations:
            self._outside.events.error("rows.rejected", rejected=ledger.rejected_operations, **_ids(after))

    def put_off(self, ledger: Ledger, stop: Stop) -> None:
        """Say in run.json and to operators why the run stops here and when it goes on; an alert once for a reason.

        A wait that should have ended by itself long ago gets longer, since looking costs calls of the day, and then
        needs a person.
        """
        idle = self._idle_seconds(ledger, stop)
        state = RunState.BLOCKED if idle >= _STUCK_SECONDS else stop.state
        seconds = max(stop.seconds, min(idle / _LOOKS_PER_IDLE, _LONGEST_BETWEEN_LOOKS))
        until = self._outside.clock.now() + timedelta(seconds=seconds) if seconds else None
        after = self._write(ledger, state, reason=stop.reason and reason_record(stop.reason), not_before=until)
        error = error_fields(stop.error) if stop.error else {}
        if state is RunState.SENDING:
            self._outside.events.info("run.putOff", code=stop.code, seconds=round(seconds), **_ids(after))
        elif self._record.state is state and (self._record.reason_code == stop.code or state is not stop.state):
            self._outside.events.info("run.stillWaits", code=stop.code, seconds=round(seconds), **error, **_ids(after))
        else:
            self._outside.events.error(f"run.{state}", code=stop.code, **error, **_ids(after))

    def _idle_seconds(self, ledger: Ledger, stop: Stop) -> float:
        """For how long the API has given no verdict, where it makes a run wait that it has made wait before."""
        if ledger.troubled_since is None or not {self._record.reason_code, stop.code} <= WAITS:
            return 0.0
        return (self._outside.clock.now() - ledger.troubled_since).total_seconds()

    def _write(self, ledger: Ledger, state: RunState, **changes: object) -> RunRecord:
        def change(newest: RunRecord) -> RunRecord:
            told = _with_ledger(newest, ledger)
            after = told.changed(**{"state": state, "reason": None, "not_before": None, **changes})
            return after if ledger.superseded_operations else after.settled_if_final()

        self._lease.keep(surely=True)
        self._reported_at = self._outside.clock.monotonic()
        return self._runs.update(self._record.feed, self._record.run, change)


def _with_ledger(newest: RunRecord, ledger: Ledger) -> RunRecord:
    accepted, rejected = ledger.whole_requests()
    requests = Requests(
        planned=newest.requests.planned,
        accepted=accepted,
        rejected=rejected,
        throttled=ledger.throttled,
        repeated=ledger.repeated,
    )
    told = newest.changed(requests=requests, last_sent_at=ledger.last_sent_at)
    return told.with_answers(
        accepted=ledger.accepted_operations,
        rejected=ledger.rejected_operations,
        superseded=ledger.superseded_operations,
    )


def _ids(record: RunRecord) -> dict[str, str | int | None]:
    return {"run": record.run, "feed": record.feed, "job": record.job_id}
