"""Send one run under the job's lease: put down, post, put the answer down, until nothing is left or it has to stop.

One thread decides and writes; the posts run beside each other. What is next is `Course`'s to say.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from shared.inbound.sending.advice import DAILY_QUOTA, DAILY_QUOTA_URGENT, EVERYTHING_REJECTED
from shared.inbound.sending.answer import Again, Attempt, Later, next_step
from shared.inbound.sending.course import Course
from shared.inbound.sending.ledger_entry import AnswerEntry
from shared.inbound.sending.pacing import NotBefore, Wait
from shared.inbound.sending.stop import Stop
from shared.run.run_state import RunState
from shared.workflows.planned_bodies import PlanDamaged, PlannedBodies

if TYPE_CHECKING:
    from datetime import datetime

    from shared.inbound.sending.answer import Answer, Step
    from shared.inbound.sending.ledger_entry import Part
    from shared.ports import InFlight
    from shared.run.record import RunRecord
    from shared.workflows.ledger_log import LedgerLog
    from shared.workflows.pace import Calls
    from shared.workflows.run_progress import RunProgress
    from shared.workflows.sending import Sending

_LOOK_EVERY_SECONDS = 5.0
_LATEST_POST_SECONDS = 15.0
"""After the lease was seen to hold, and well before it could run out: a process that slept meanwhile posts nothing."""
_LONGEST_NAP = 5.0
"""The lease is kept between naps."""
_NAMESPACE = uuid.UUID("0d6a6a35-6c9c-5ae0-8f0e-3f1f3b1f8a55")


@dataclass
class _Flying:
    """A part on its way. `ended_at`: when its answer was there, on the monotonic clock; its thread sets it."""

    part: Part
    request_id: str
    sent_at: datetime
    ended_at: float | None = None


class RunSender:
    """One session of one run. Not for use twice."""

    def __init__(self, record: RunRecord, log: LedgerLog, progress: RunProgress, sending: Sending) -> None:
        """Takes a run that has something left to send, and what a job's sender works with."""
        self._record = record
        self._log = log
        self._progress = progress
        self._sending = sending
        self._outside = sending.outside
        was_refused = record.reason_code == EVERYTHING_REJECTED.code
        limit = self._outside.limits.in_flight
        self._course = Course(log.ledger, record.barriers, limit, was_refused=was_refused)
        self._bodies = PlannedBodies(record, self._outside.store)
        self._flying: dict[int, _Flying] = {}
        self._numbers = 0
        self._asked_until = 0.0
        self._looked_at = self._outside.clock.monotonic()

    def send(self) -> Stop | None:
        """Send what is left; None when nothing is left.

        Raises:
            LeaseLostError: somebody else has the job now; nothing was posted or written after that.
        """
        outside = self._outside
        with (
            outside.pace.session(urgent=self._record.priority == "urgent") as calls,
            outside.in_flight(min(outside.limits.in_flight, self._log.ledger.parts_left)) as in_flight,
        ):
            while self._flying or not (self._course.stop or self._log.ledger.is_complete):
                self._turn(calls, in_flight)
        if self._log.ledger.is_complete or self._course.stop is None:
            return None
        return self._course.stop.no_sooner(self._rest())

    def stopped_by(self, stop: Stop) -> Stop:
        """What comes of that and of what the answers so far have asked for, also those that are not put down."""
        self._course.end(stop)
        return (self._course.stop or stop).no_sooner(self._asked_until - self._outside.clock.monotonic())

    def _rest(self) -> float:
        """Seconds for which the API wants no call; 0 or less: none."""
        return self._course.resting_until - self._outside.clock.monotonic()

    def _turn(self, calls: Calls, in_flight: InFlight) -> None:
        self._look_around()
        self._sending.lease.keep()
        calls.keep()
        wait = self._begin_what_can_be(calls, in_flight)
        if self._flying:
            self._take_in(in_flight.answers(min(wait, 1.0)), calls)
        elif wait and not self._course.stop:
            self._nap(wait)
        self._progress.report_now_and_then(self._log.ledger)

    def _look_around(self) -> None:
        """Is the time over, was the process told to end, does another run come first, is the job still fit?

        While the job rests no other run could begin anything either.
        """
        clock = self._outside.clock
        if self._sending.time_is_up:
            self._course.end(Stop())
        if clock.monotonic() - self._looked_at >= _LOOK_EVERY_SECONDS and self._rest() <= 0:
            self._looked_at = clock.monotonic()
            if self._sending.order_has_changed():
                self._course.end(Stop(yields=True))
            elif block := self._sending.trouble(self._record):
                self._course.end(block)

    def _begin_what_can_be(self, calls: Calls, in_flight: InFlight) -> float:
        """Post what may be posted now; the seconds after which more may be."""
        parts: list[Part] = []
        wait = max(0.0, self._rest())
        while not wait and (part := self._course.next_part()):
            wait = self._ask(calls)
            if not wait and not self._course.stop:
                self._course.begin(part, self._outside.clock.monotonic())
                parts.append(part)
        if parts:
            self._post(parts, calls, in_flight)
        return wait or _LONGEST_NAP

    def _ask(self, calls: Calls) -> float:
        match calls.ask(self._log.ledger.parts_left - len(self._course.in_flight)):
            case Wait(seconds=seconds):
                return seconds
            case NotBefore(at=at):
                seconds = max((at - self._outside.clock.now()).total_seconds(), 1.0)
                self._course.end(self._out_of_calls(seconds))
        return 0.0

    def _out_of_calls(self, seconds: float) -> Stop:
        """For an urgent run that is bad news: a leaver may have to wait for a day."""
        if self._record.priority == "urgent":
            return Stop(seconds, DAILY_QUOTA_URGENT, RunState.BLOCKED)
        return Stop(seconds, DAILY_QUOTA)

    def _post(self, parts: list[Part], calls: Calls, in_flight: InFlight) -> None:
        """What is put down first stops a sender that was overtaken. What can't be posted was never begun."""
        try:
            bodies = [self._bodies.of(part, self._log.ledger) for part in parts]
            self._sending.lease.keep()
            latest = self._outside.clock.monotonic() + _LATEST_POST_SECONDS
            self._log.begin(parts)
        except BaseException as error:
            for part in parts:
                del self._course.in_flight[part]
                calls.not_begun()
            if not isinstance(error, PlanDamaged):
                raise
            self._course.end(error.stop)
            return
        for part, body in zip(parts, bodies, strict=True):
            self._fly(part, body, in_flight, latest)

    def _fly(self, part: Part, body: bytes, in_flight: InFlight, latest: float) -> None:
        record, sent_at = self._record, self._outside.clock.now()
        name = f"{record.run}/{part.request}/{part.start}/{part.stop}/{sent_at}"
        request_id = str(uuid.uuid5(_NAMESPACE, name))
        self._numbers += 1
        self._flying[self._numbers] = flying = _Flying(part, request_id, sent_at)
        upload = partial(self._outside.api.upload, record.service_principal_id or "", record.job_id or "")

        def call() -> Answer:
            answer = upload(body, request_id, lambda: self._outside.clock.monotonic() < latest)
            flying.ended_at = self._outside.clock.monotonic()
            return answer

        in_flight.begin(self._numbers, call)

    def _take_in(self, answers: list[tuple[int, Answer]], calls: Calls) -> None:
        """Put every answer down, then act on it."""
        told: list[tuple[Part, Step, AnswerEntry]] = []
        for number, answer in answers:
            flown = self._flying.pop(number)
            if answer.was_posted:
                calls.ended(flown.ended_at)
            else:
                calls.not_begun()
            step = next_step(answer, self._attempt(flown.part))
            told.append((flown.part, step, self._entry(flown, answer, step)))
            if isinstance(step, Again | Later):
                self._asked_until = max(self._asked_until, self._outside.clock.monotonic() + step.seconds)
        self._log.add(entry for _, _, entry in told)
        for part, step, _ in told:
            if self._course.answered(part, step, self._outside.clock.monotonic()):
                self._outside.api.fetch_new_token()
        self._progress.rests(self._log.ledger, self._wait_of_the_job())

    def _wait_of_the_job(self) -> float:
        """Seconds, by all that was answered so far, though more answers may be to come."""
        stop = self._course.stop
        return max(self._rest(), stop.seconds if stop and stop.holds_job else 0.0)

    def _attempt(self, part: Part) -> Attempt:
        posted, clock = self._course.in_flight[part], self._outside.clock
        return Attempt(
            operations=len(self._log.ledger.operations_of(part)),
            tries=self._course.tries(part),
            token_is_fresh=posted.token > 0,
            jitter=clock.jitter(),
            now=clock.now(),
            job_id=self._record.job_id or "",
            bucket_full_seconds=self._outside.limits.bucket_full_seconds,
        )

    def _entry(self, flown: _Flying, answer: Answer, step: Step) -> AnswerEntry:
        return AnswerEntry(
            request=flown.part.request,
            start=flown.part.start,
            stop=flown.part.stop,
            verdict=step.verdict,
            status=answer.status,
            code=answer.code,
            message=answer.message,
            note=getattr(step, "note", None),
            request_id=answer.request_id,
            client_request_id=flown.request_id,
            sent_at=flown.sent_at,
            answered_at=self._outside.clock.now(),
        )

    def _nap(self, seconds: float) -> None:
        clock = self._outside.clock
        if clock.monotonic() + seconds >= self._sending.deadline:
            self._course.end(Stop())
        else:
            clock.sleep(min(seconds, _LONGEST_NAP))
