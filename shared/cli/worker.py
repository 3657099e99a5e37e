"""`worker`: what became of one worker, in every run that names them. The one command that shows a worker's id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from shared.cli.opening import say_error
from shared.cli.operating import SOMETHING_TO_DO, print_json
from shared.cli.outcome_words import what_helps_row
from shared.cli.output import console, print_blocks
from shared.cli.run_words import moment, some
from shared.errors import RunDamagedError
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.trace_worker import Sighting, is_sent_in_part, sightings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.cli.connection import Connection
    from shared.workflows.run_heads import RunHead

_NotLookedInto = Literal["unreadable", "refused"]
_UNREADABLE: _NotLookedInto = "unreadable"
_REFUSED: _NotLookedInto = "refused"
_AT_ONCE = 8


def worker(connection: Connection, *, external_id: str, feed: str | None, as_json: bool) -> int:
    """Print every row about the worker, newest last; 1 where there is none."""
    heads = [head for head in connection.runs.heads() if feed in (None, head.feed)]
    with ThreadPoolExecutor(_AT_ONCE) as at_once:
        by_run = list(at_once.map(lambda head: _of_run(connection, external_id, head), heads))
    if unread := [head.run for head, rows in zip(heads, by_run, strict=True) if rows == _UNREADABLE]:
        say_error(f"{some(len(unread), 'run')} can't be read, so they may name the worker too: {', '.join(unread)}")
    if refused := by_run.count(_REFUSED):
        were = "was" if refused == 1 else "were"
        say_error(f"{some(refused, 'refused file')} {were} not looked into: nothing of them was sent.")
    looked_into = [rows for rows in by_run if isinstance(rows, list)]
    found = [row for rows in looked_into for row in rows]
    cancelled = {row.run.run for row in found if row.state is RowState.SUPERSEDED and not row.by_run}
    helps = [what_helps_row(row, cancelled) for row in found]
    if as_json:
        print_json([_json(row, help_) for row, help_ in zip(found, helps, strict=True)])
    elif found:
        _print(zip(found, helps, strict=True))
    else:
        say_error(f"No row of the runs that are kept ({len(looked_into):,}) has the externalId {external_id}.")
    return 0 if found else SOMETHING_TO_DO


def _of_run(connection: Connection, external_id: str, head: RunHead) -> list[Sighting] | _NotLookedInto:
    """The run's rows about the worker, or why nobody knows of any."""
    try:
        if not head.has_record:
            return _UNREADABLE
        record = connection.runs.load(head.feed, head.run)
        if record and record.state is RunState.REFUSED and not is_sent_in_part(record):
            return _REFUSED
        return sightings(external_id, record, connection.runs, connection.outside.store) if record else []
    except RunDamagedError:
        return _UNREADABLE


def _json(row: Sighting, helps: list[str]) -> dict[str, Any]:
    record = row.run
    return {
        "run": record.run,
        "feed": record.feed,
        "file": record.file,
        "droppedAt": record.dropped_at.isoformat(),
        "resendOf": record.resend_of,
        "line": row.line,
        "state": row.state,
        "code": row.code,
        "words": row.words,
        "at": row.at,
        "byRun": row.by_run,
        "whatHelps": helps,
    }


def _print(rows: Iterable[tuple[Sighting, list[str]]]) -> None:
    out = console()
    for row, helps in rows:
        record = row.run
        resent = f", resends run {record.resend_of}" if record.resend_of else ""
        out.print(f"{record.run}  feed {record.feed}, {record.file}{resent}", markup=False, highlight=False)
        code = f" [{row.code}]" if row.code and f"[{row.code}]" not in (row.words or "") else ""
        at = f", {moment(datetime.fromisoformat(row.at))}" if row.at else ""
        told = [f"{row.state}{at}{code}", row.words, *(f"→ {text}" for text in helps)]
        details = "\n".join(text for text in told if text)
        print_blocks([("", "dropped", moment(record.dropped_at)), ("", f"line {row.line}", details)], out)
