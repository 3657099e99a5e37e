"""What a person does to a run that is there: let it go on, or say that nothing more of it is to be sent.

Both only leave word in `run.json`; what follows is done by whoever holds the job's lease, now or at the next tick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import ConnectorError
from shared.ports import STATE
from shared.run.run_state import UNSENT, RunState
from shared.workflows.sending import order_marker

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.ports import BlobStore
    from shared.run.record import OperatorAction, RunRecord
    from shared.workflows.outside import Outside
    from shared.workflows.run_store import RunStore

_MAY_BE_RELEASED = "tooManySetAside"
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
