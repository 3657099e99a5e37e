"""`resume`, `cancel`, `resend`: what a person decides about a run. Who, when and why goes into its run.json."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shared.cli.opening import REFUSED, say_error
from shared.cli.operating import SOMETHING_TO_DO, find_run, operator_action, print_json, record_json
from shared.cli.run_words import BRINGING_BACK, resend_command, some, undoing_a_cancel
from shared.errors import RunDamagedError
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.cancelled_runs import finish_cancelled
from shared.workflows.in_no_newer_run import rows_in_no_newer_run
from shared.workflows.operate_run import NothingToDoError, cancel_run, refuse_unless_cancellable, resume_run
from shared.workflows.related_runs import given_up_for, is_of_another_job
from shared.workflows.resend_run import resend_run

if TYPE_CHECKING:
    from collections.abc import Collection

    from shared.cli.connection import Connection
    from shared.run.record import RunRecord
    from shared.workflows.related_runs import GivenUp

_LEFT_OUT = {RowState.SET_ASIDE: "set aside", RowState.EXCLUDED: "excluded"}
_ELSE = f"{BRINGING_BACK}; if that can't be done, drop today's export."
_UNDO = "To undo what was sent, drop the right file: what it says of these workers counts."


def resume(connection: Connection, *, run_id: str, by: str | None, why: str | None, as_json: bool) -> int:
    """Let a held run be sent, or end the wait of one that waits."""
    record = find_run(connection.runs, run_id)
    action = operator_action(connection, "resume", by, why)
    after = resume_run(record, action, connection.runs, connection.outside)
    was = "was held" if record.state is RunState.HELD else "waited"
    _tell(after, f"Run {after.run} {was}; it goes on with the next tick, within a minute. (By {action.by}.)", as_json)
    return 0


def cancel(connection: Connection, *, run_id: str, by: str | None, why: str, yes: bool, as_json: bool) -> int:
    """Send nothing more of a run."""
    record = find_run(connection.runs, run_id)
    refuse_unless_cancellable(record)
    lost, words = _in_no_newer_file(record, connection)
    say_error(_what_cancelling_means(record, words))
    if not yes and not sys.stdin.isatty():
        say_error("Nothing was changed: where nobody can be asked, say --yes.")
        return REFUSED
    if not yes and not _is_sure():
        say_error("Nothing was changed.")
        return SOMETHING_TO_DO
    action = operator_action(connection, "cancel", by, why)
    asked = cancel_run(record, action, connection.runs, connection.outside)
    text, now = _finished(asked, connection)
    given_up = given_up_for(now, connection.runs)
    text = "\n".join([text, *map(_given_up, given_up)])
    _tell(now, text, as_json, inNoNewerFile=lost, supersededOlder=[_given_up_json(one) for one in given_up])
    return 0


def resend(connection: Connection, *, run_id: str, state: Collection[RowState], by: str | None, as_json: bool) -> int:
    """Make a new run of some rows of a run that is sent."""
    origin = find_run(connection.runs, run_id)
    action = operator_action(connection, "resend", by, None)
    try:
        record = resend_run(origin, state, action, connection.runs, connection.outside)
    except RunDamagedError as error:
        raise NothingToDoError(f"Run {origin.run} can't be resent: {error}. {_ELSE}") from None
    text = (
        f"Run {record.run} sends {some(record.rows, 'row')} of run {origin.run} again, within a minute. "
        f"Workers of whom a newer file speaks are left out. Follow it: python -m shared show {record.run}"
    )
    _tell(record, text, as_json)
    return 0


def _tell(record: RunRecord, text: str, in_json: bool, **more: object) -> None:
    if in_json:
        print_json({**record_json(record), **more})
    else:
        print(text)  # noqa: T201


def _what_cancelling_means(record: RunRecord, lost: str) -> str:
    sent = record.accepted_in_all + record.counts[RowState.REJECTED]
    left, run = record.counts[RowState.PLANNED], f"Run {record.run} of feed {record.feed} ({record.file})"
    if not left and not sent:
        return f"{run}: {_nothing_to_send(record)}"
    what = f"{run}: {some(left, 'row')} would not be sent.{lost}"
    return f"{what} Sent already: {some(sent, 'row')}, which can't be called back." if sent else what


def _nothing_to_send(record: RunRecord) -> str:
    left_out = [state for state in (RowState.SET_ASIDE, RowState.EXCLUDED) if record.counts[state]]
    how = " or ".join(_LEFT_OUT[state] for state in left_out)
    return f"No row of it was to be sent: all {record.rows:,} were {how}."


def _in_no_newer_file(record: RunRecord, connection: Connection) -> tuple[int | None, str]:
    """How many of the rows that are given up nobody sends, and in words; None where nobody can tell."""
    if not record.counts[RowState.PLANNED]:
        return 0, ""
    try:
        lost = rows_in_no_newer_run(record, connection.runs)
    except RunDamagedError as error:
        return None, f" How many of these rows are in no newer file can't be said: {error}."
    if not lost:
        return 0, " Newer files have all of these rows."
    are, they = ("is", "it") if lost == 1 else ("are", "they")
    return lost, f" {lost:,} of these rows {are} in no newer file: {they} will not be sent at all."


def _is_sure() -> bool:
    sys.stderr.write("Cancel it? Type yes: ")
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return False


def _finished(asked: RunRecord, connection: Connection) -> tuple[str, RunRecord]:
    """What has become of a run that was just cancelled, in words and as it is."""
    cancelled = f"Run {asked.run} is cancelled"
    try:
        done = finish_cancelled(asked, connection.outside)
    except RunDamagedError:
        return f"{cancelled}, but its ledger can't be read, so nobody can say how much of it was sent.", asked
    if done is None:
        return f"{cancelled}. A sender is at work on its job; it stops within seconds.", asked
    gone, sent = done.counts[RowState.SUPERSEDED], done.accepted_in_all + done.counts[RowState.REJECTED]
    if not gone and not sent:
        return f"{cancelled}. {_nothing_to_send(done)}", done
    if not gone:
        return f"It was too late to cancel run {done.run}: every row of it was sent. {_UNDO}", done
    text = f"{cancelled}. Superseded: {some(gone, 'row')}; sent before: {sent:,}."
    text = f"{text} {_UNDO}" if sent else text
    can_be_resent = not (is_of_another_job(done, connection.outside.store) or connection.runs.missing_blobs(done))
    return "\n".join([text, *undoing_a_cancel(done, "this was a mistake", can_be_resent=can_be_resent)]), done


def _given_up(older: GivenUp) -> str:
    rows = f"{some(older.rows, 'row')} of run {older.run.run} ({older.run.file})"
    lost, them = ("was not sent", "it") if older.rows == 1 else ("were not sent", "them")
    again = resend_command(older.run, [RowState.SUPERSEDED])
    return f"{rows} {lost}, since this file had newer data. To send {them} after all: {again}"


def _given_up_json(older: GivenUp) -> dict[str, object]:
    return {
        "run": older.run.run,
        "feed": older.run.feed,
        "file": older.run.file,
        "rows": older.rows,
        "resend": resend_command(older.run, [RowState.SUPERSEDED]),
    }
