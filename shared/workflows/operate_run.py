"""What a person does to a run that is there: let it go on, or say that nothing more of it is to be sent.

Both only leave word in `run.json`; what follows is done by whoever holds the job's lease, now or at the next tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import ConnectorError, FeedFileError, RunDamagedError
from shared.inbound.feeds.feed_file import parse_feed
from shared.ports import FEEDS, STATE
from shared.run.drop import dropped_at
from shared.run.row_state import RowState
from shared.run.run_state import UNSENT, RunState
from shared.workflows.sending import order_marker

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.ports import BlobStore
    from shared.run.record import OperatorAction, RunRecord
    from shared.workflows.outside import Outside
    from shared.workflows.run_store import RunHead, RunStore

_MAY_BE_RELEASED = "tooManySetAside"
_NAMED = 3
_OVER = {
    RunState.SENT: "everything of it is sent",
    RunState.SETTLED: "it is settled",
    RunState.REFUSED: "it was refused, so nothing of it was planned",
}


class NothingToDoError(ConnectorError):
    """The command does not fit what has become of the run; the text says why."""


def resume_run(record: RunRecord, action: OperatorAction, runs: RunStore, outside: Outside) -> RunRecord:
    """Let a held run be sent after all, or end the wait of one that waits.

    Raises:
        NothingToDoError: it is neither, or it must not be sent.
    """

    def resumed(newest: RunRecord) -> RunRecord:
        _refuse_what_is_over(newest)
        actions = [*newest.actions, action]
        if newest.state is RunState.HELD:
            _refuse_unless_releasable(newest)
            return newest.changed(state=RunState.PLANNED, reason=None, not_before=None, actions=actions)
        if newest.state is RunState.BLOCKED or newest.not_before:
            return newest.changed(not_before=None, actions=actions)
        raise NothingToDoError("There is nothing to resume: the run waits for nothing but its turn.")

    return _change(record, resumed, runs, outside)


def cancel_run(record: RunRecord, action: OperatorAction, runs: RunStore, outside: Outside) -> RunRecord:
    """Say that nothing more of this run is to be sent.

    Raises:
        NothingToDoError: nothing of it is left to send, or somebody has said so before.
    """

    def cancelled(newest: RunRecord) -> RunRecord:
        if newest.cancelled_by == action:  # the answer to our own write got lost
            return newest
        refuse_unless_cancellable(newest)
        return newest.changed(actions=[*newest.actions, action])

    return _change(record, cancelled, runs, outside)


def refuse_unless_cancellable(record: RunRecord) -> None:
    """Raises NothingToDoError where nothing of the run is left to send, or it is cancelled already."""
    if by := record.cancelled_by:
        raise NothingToDoError(f"The run was already cancelled by {by.by} at {by.at:%Y-%m-%d %H:%M:%S} UTC.")
    if over := _OVER.get(record.state):
        raise NothingToDoError(f"There is nothing to cancel: {over}.")
    if record.job_id is None:
        raise NothingToDoError("There is nothing to cancel: nothing of this run is planned yet.")


@dataclass(frozen=True)
class GivenUp:
    """How many rows of a run are not sent any more, since another run spoke of the same workers."""

    run: RunRecord
    rows: int


def given_up_for(record: RunRecord, runs: RunStore) -> list[GivenUp]:
    """What other runs have given up for this one, oldest drop first; a run that can't be read is left out."""
    found = []
    for head in runs.heads():
        # Nothing was given up for a run before its file was there. Both times are storage's.
        if head.job_id != record.job_id or head.written_at < record.dropped_at:
            continue
        try:
            other = runs.load(head.feed, head.run)
            if other and other.counts[RowState.SUPERSEDED] and (rows := _rows_given_up(other, record.run, runs)):
                found.append(GivenUp(other, rows))
        except RunDamagedError:
            continue
    return found


def _rows_given_up(other: RunRecord, by_run: str, runs: RunStore) -> int:
    ledger = runs.ledger(other)
    entries = (entry for number in range(1, ledger.requests + 1) for entry in ledger.superseded(number).values())
    return sum(entry.by_run == by_run for entry in entries)


def tell_sender(record: RunRecord, store: BlobStore) -> None:
    """Make a sender that is at work on the run's job look again which run comes first, and what is cancelled."""
    if record.job_id:
        store.put(STATE, order_marker(record.job_id), record.run.encode())


def resumed(record: RunRecord) -> OperatorAction | None:
    """The action of a person who let the run go on, as long as it has not been tried since."""
    last = record.actions[-1] if record.actions else None
    if last is None or last.action != "resume" or record.not_before or record.state not in UNSENT:
        return None
    return None if record.last_sent_at and record.last_sent_at > last.at else last


def tell_decision(record: RunRecord, outside: Outside) -> None:
    """An event for what a person decided, from the sender that carries it out: a command has nowhere to log to.

    Who and why stay in run.json. Where the sender is killed right then, the next one tells it again.
    """
    ids = {"run": record.run, "feed": record.feed, "job": record.job_id}
    if record.cancelled_by:
        outside.events.info("run.cancelled", **ids)
    elif resumed(record):
        outside.events.info("run.resumed", **ids)
    elif record.resend_of and record.state is RunState.PLANNED:
        outside.events.info("run.resent", origin=record.resend_of, rows=record.rows, **ids)


def ahead_of(record: RunRecord, runs: RunStore) -> RunRecord | None:
    """A run of the same job that this one has to wait for: it waits itself, or a person has to see to it."""
    if record.state not in UNSENT or record.not_before or record.cancelled_by:
        return None
    for head in runs.heads():
        if head.job_id == record.job_id and head.state in UNSENT and head.run != record.run:
            other = runs.load(head.feed, head.run)
            if other and other.not_before and not other.cancelled_by:
                return other
    return None


def taken_since(record: RunRecord, runs: RunStore) -> list[RunRecord]:
    """The newest files of the feed that were taken after this one, newest first and a few at most.

    To drop this one again would put its data over theirs.
    """
    # Rows that were sent again have no digest of a file, nor has what was refused.
    newer = [head for head in _behind(record, runs) if head.content_sha256 and head.state is not RunState.REFUSED]
    found: list[RunRecord] = []
    for head in reversed(newer):
        if len(found) == _NAMED:
            break
        try:
            other = runs.load(head.feed, head.run)
        except RunDamagedError:
            continue
        if other and not other.cancelled_by:
            found.append(other)
    return found


def is_of_another_job(record: RunRecord, store: BlobStore) -> bool:
    """Whether the feed file names another job by now: what is resent goes to the one that the run was planned for."""
    found = store.read(FEEDS, f"{record.feed}.yaml")
    try:
        job = parse_feed(found.content).job if found else None
    except FeedFileError:
        return False
    return job is not None and (job.jobId, job.servicePrincipalId) != (record.job_id, record.service_principal_id)


def resent_by(record: RunRecord, runs: RunStore) -> list[str]:
    """The runs that send rows of this one again, oldest first."""
    if not any(action.action == "resend" for action in record.actions):
        return []
    behind = [head for head in _behind(record, runs) if dropped_at(head.run) == dropped_at(record.run)]
    return [head.run for head in behind if _origin(head, runs) == record.run]


def _origin(head: RunHead, runs: RunStore) -> str | None:
    try:
        record = runs.load(head.feed, head.run)
    except RunDamagedError:
        return None
    return record.resend_of if record else None


def _behind(record: RunRecord, runs: RunStore) -> list[RunHead]:
    """The later runs of the feed, oldest drop first."""
    heads = [head for head in runs.heads() if head.feed == record.feed]
    place = next((place for place, head in enumerate(heads) if head.run == record.run), len(heads))
    return heads[place + 1 :]


def _change(record: RunRecord, change: Callable[[RunRecord], RunRecord], runs: RunStore, outside: Outside) -> RunRecord:
    after = runs.update(record.feed, record.run, change)
    tell_sender(after, outside.store)
    return after


def _refuse_what_is_over(record: RunRecord) -> None:
    if record.cancelled_by:
        raise NothingToDoError(f"There is nothing to resume: the run was cancelled by {record.cancelled_by.by}.")
    if over := _OVER.get(record.state):
        raise NothingToDoError(f"There is nothing to resume: {over}.")


def _refuse_unless_releasable(record: RunRecord) -> None:
    reason = record.reason
    if reason is None or reason.code != _MAY_BE_RELEASED:
        told = f"{reason.message} {reason.advice}" if reason else "It does not say why it is held."
        raise NothingToDoError(f"This run can't be resumed. {told}")
