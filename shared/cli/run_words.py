"""A run in words: its counts in short, what it waits for, what would help it on. Pure."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from shared.inbound.sending.advice import PLAN_DAMAGED
from shared.run.row_state import RowState
from shared.run.run_state import UNSENT, RunState
from shared.scim.bulk import MAX_OPERATIONS
from shared.workflows.operate_run import resumed
from shared.workflows.resend_run import CAME_TO_NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from shared.run.record import RunRecord

_PROGRAM = "python -m shared"
BRINGING_BACK = 'docs/reasons.md, "Bring a blob back", has the commands'
_STEPS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_REPAIRED_IN_HR = "Repaired in HR or in the feed file: drop a new file, since resend sends the data as they were."
_REPAIRED_IN_ENTRA = "Repaired in Entra (the domain verified, the other account renamed, the mapping changed):"
_NEEDS_A_PERSON = (RunState.HELD, RunState.BLOCKED, RunState.REFUSED)


def span(length: timedelta) -> str:
    """How long, in its largest unit and, below ten of that, the next: "3 hours 20 minutes"."""
    seconds = max(0, round(length.total_seconds()))
    for place, (size, unit) in enumerate(_STEPS):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            more = _STEPS[place + 1] if place + 1 < len(_STEPS) and whole < 10 else None
            small = f" {some(rest // more[0], more[1])}" if more and rest >= more[0] and size > 60 else ""
            return f"{some(whole, unit)}{small}"
    return "a moment"


def moment(at: datetime) -> str:
    """UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def counts_in_short(record: RunRecord) -> str:
    """The counts that are not zero: "created 10, failed 2"."""
    return ", ".join(f"{state} {count:,}" for state, count in record.counts.items() if count)


def when(record: RunRecord, now: datetime) -> str:
    """When the run goes on, or how old its data are."""
    if record.not_before and record.not_before > now and not record.cancelled_by:
        return f"goes on in {span(record.not_before - now)}"
    return f"{span(now - record.dropped_at)} old"


def reason_code(record: RunRecord) -> str | None:
    """Why the run is where it is; a cancelled one is cancelled, whatever it waited for."""
    if record.cancelled_by:
        return "cancelled"
    return record.reason.code if record.reason else None


def waits(record: RunRecord, now: datetime) -> str | None:
    """When a run that waits goes on by itself; None for one that does not wait."""
    if action := resumed(record):
        return f"Resumed by {action.by} at {moment(action.at)}; it is tried with the next tick, within a minute."
    if record.not_before is None or record.cancelled_by:
        return None
    if record.not_before <= now:
        return "Its wait is over; it goes on with the next tick, within a minute."
    what = "is tried again" if record.state is RunState.BLOCKED else "goes on"
    return f"It {what} by itself in {span(record.not_before - now)}, at {moment(record.not_before)}."


def needs_person(record: RunRecord) -> bool:
    """Whether something did not go as it should and does not mend itself."""
    came_to_nothing = any(record.counts[state] for state in CAME_TO_NOTHING)
    if record.cancelled_by:
        return came_to_nothing
    return record.state in _NEEDS_A_PERSON or came_to_nothing or record.counts[RowState.SET_ASIDE] > 0


def quota_left(record: RunRecord, per_day: int) -> str | None:
    """What a run that waits for the daily quota has left, and when the last of it goes; None for any other run."""
    rows = record.counts[RowState.PLANNED]
    if record.reason is None or record.reason.code != "dailyQuota" or not rows or record.not_before is None:
        return None
    requests = -(-rows // MAX_OPERATIONS)
    last = record.not_before + timedelta(days=(requests - 1) // per_day)
    left = f"{some(requests, 'request')} ({some(rows, 'row')}) left"
    return f"{left}; at {per_day:,} a day the last go about {last:%Y-%m-%d}, if the tenant sends nothing else."


def waits_for_person(record: RunRecord) -> bool:
    """Whether rows that could be sent are not, until a person does something."""
    return record.state in (RunState.HELD, RunState.BLOCKED) and not record.cancelled_by


_REFUSED = "Nothing of this file was sent. Do what the reason says, then drop the file again: it gets a new run."
_DROPPED_AGAIN = ("jobNotFound", "newerRunUnreadable", "planningFailed")


def may_be_dropped_again(record: RunRecord) -> bool:
    """Whether the advice can be to drop the run's file again."""
    if record.cancelled_by:
        return False
    is_blocked = record.state is RunState.BLOCKED and reason_code(record) in _DROPPED_AGAIN
    return is_blocked or record.state in (RunState.HELD, RunState.REFUSED)


def what_helps(
    record: RunRecord, ahead: RunRecord | None = None, newer: Sequence[RunRecord] = (), *, can_be_resent: bool = True
) -> list[str]:
    """What would help the run on, or that nothing has to be done.

    Args:
        record: the run.
        ahead: a run of the same job that waits, so that this one does too.
        newer: files of the feed that were taken since, so that this one must not be dropped again.
        can_be_resent: its plan is whole, and the feed has the same job.
    """
    found = [*_of_state(record, ahead), *_of_newer(newer), *_of_rows(record, can_be_resent=can_be_resent)]
    return found or ["Nothing has to be done."]


def _of_newer(newer: Sequence[RunRecord]) -> list[str]:
    if not newer:
        return []
    files = ", ".join(f"{run.file} ({run.run})" for run in newer)
    return [f"NEWER files of this feed were taken meanwhile: {files}. Don't drop this one again: drop today's export."]


def _of_state(record: RunRecord, ahead: RunRecord | None) -> list[str]:
    short, code = record.run, record.reason.code if record.reason else ""
    again = f'{_PROGRAM} cancel {short} --why "dropped again"'
    if record.cancelled_by and record.state is RunState.HELD and code == PLAN_DAMAGED:
        return [
            "It is cancelled, and nothing more of it is sent. Once the blob that the reason names is brought back it "
            f"is closed by itself: {BRINGING_BACK}."
        ]
    if record.cancelled_by and record.state in (*UNSENT, RunState.HELD):
        rest = "what is not sent of it becomes superseded" if record.counts[RowState.PLANNED] else "it is closed"
        return [f"It is cancelled: within a minute {rest}."]
    match record.state:
        case RunState.REFUSED if code == "sentInPart":
            return [
                f"Bring the old run.json back over this one: the run then goes on as it was. {BRINGING_BACK}.",
                "Only if that can't be done, and no newer file of this feed was taken: drop the file again. It gets a "
                "new run of all its rows.",
            ]
        case RunState.REFUSED:
            return [_REFUSED]
        case RunState.HELD if code == "tooManySetAside":
            return _of_too_many_set_aside(record, again)
        case RunState.HELD:
            return [f"Put an end to this run: {again}. Then drop the HR file again."]
        case RunState.PLANNED | RunState.SENDING | RunState.BLOCKED if resumed(record):
            return []
        case RunState.BLOCKED if code == "jobNotFound":
            return [
                f"If the ids were wrong: repair the feed file, then {again}, then drop the file again.",
                f"If the job was made just now: {_PROGRAM} resume {short}",
            ]
        case RunState.BLOCKED if code == "everythingRejected":
            return [
                f"If the reason is outside the file: repair it, then {_PROGRAM} resume {short}, and resend the "
                "rejected rows (see below).",
                f"If the data are at fault: drop the right file, then {again}",
            ]
        case RunState.BLOCKED:
            return [f"When it is repaired: {_PROGRAM} resume {short} tries again within a minute."]
        case RunState.PLANNED | RunState.SENDING if record.not_before:
            return [f"Nothing has to be done. To end the wait, if its reason is gone: {_PROGRAM} resume {short}"]
        case RunState.PLANNED | RunState.SENDING if ahead:
            why = f" ({ahead.reason.code})" if ahead.reason else ""
            return [f"It may have to wait for run {ahead.run} of the same job{why}: {_PROGRAM} show {ahead.run}"]
        case RunState.PLANNED | RunState.SENDING:
            return [f"Nothing has to be done while it moves. If it does not for minutes: {_PROGRAM} doctor"]
        case RunState.SENT if record.counts[RowState.ACCEPTED]:
            return ["The provisioning logs tell what became of the accepted rows, mostly within an hour."]
    return []


def _of_too_many_set_aside(record: RunRecord, cancel: str) -> list[str]:
    left = record.counts[RowState.PLANNED]
    if not left:
        return [f"No other row is left to send. Once repaired rows are dropped, or if they may stay out: {cancel}"]
    rows, are = (f"its {some(left, 'row')}", "is" if left == 1 else "are")
    return [
        "If only the rows that were set aside are repaired (set_aside.csv dropped again), or may stay out: "
        f"{_PROGRAM} resume {record.run} sends the other {left:,}.",
        f"Only if the WHOLE file was dropped again: {cancel}; {rows} {are} then not sent from this run.",
    ]


def _of_rows(record: RunRecord, *, can_be_resent: bool) -> list[str]:
    found = []
    if record.counts[RowState.SET_ASIDE]:
        found.append("set_aside.csv names the rows that are not sent, each with its problem and its remedy.")
    if record.cancelled_by and record.counts[RowState.SUPERSEDED]:
        found += undoing_a_cancel(record, "it was cancelled by mistake", can_be_resent=can_be_resent)
    if failed := [state for state in CAME_TO_NOTHING if record.counts[state]]:
        found.append(
            f"outcomes.ndjson names the {' and '.join(failed)} rows, each with its code; ledger.ndjson the API's words."
        )
        found += once_repaired(failed, resend_command(record, failed))
    return found


def once_repaired(states: Iterable[RowState], resend: str) -> list[str]:
    """When rows in these states are sent again, and when that would send the same mistake again."""
    if set(states) == {RowState.UNACCOUNTED}:
        return [f"Look whether the job is active ({_PROGRAM} doctor). Once it is: {resend}"]
    return [_REPAIRED_IN_HR, f"{_REPAIRED_IN_ENTRA} {resend}"]


def undoing_a_cancel(record: RunRecord, mistake: str, *, can_be_resent: bool) -> list[str]:
    """The command that sends a cancelled run's rows after all; none where its plan or its job is not to be trusted.

    Args:
        record: the run.
        mistake: what was one, as half a sentence.
        can_be_resent: its plan is whole, and the feed has the same job.
    """
    code = record.reason.code if record.reason else ""
    if not can_be_resent or code in (PLAN_DAMAGED, "jobNotFound"):
        return []
    return [f"If {mistake}: {resend_command(record, [RowState.SUPERSEDED])}"]


def resend_command(record: RunRecord, states: Iterable[RowState]) -> str:
    """What a person types to send the rows in these states again."""
    return f"{_PROGRAM} resend {record.run} --state {','.join(states)}"


def blobs(record: RunRecord) -> list[str]:
    """The blobs of the run that there should be, by name below its folder."""
    names = ["run.json"]
    if record.plan:
        names += [f"requests/ ({len(record.plan)})", "rows.ndjson"]
    if record.counts[RowState.SET_ASIDE]:
        names.append("set_aside.csv")
    if record.counts[RowState.EXCLUDED]:
        names.append("excluded.csv")
    if record.first_sent_at:
        names += ["ledger.ndjson", "outcomes.ndjson (once the logs were asked)"]
    return names


def some(count: int, unit: str) -> str:
    """ "1 row", "1,200 rows"."""
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
