"""`show`: one run, with what it waits for and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from shared.cli.operating import SOMETHING_TO_DO, find_run, print_json, record_json
from shared.cli.output import print_blocks
from shared.cli.run_words import blobs, may_be_dropped_again, moment, needs_person, quota_left, span, waits, what_helps
from shared.errors import RunDamagedError
from shared.workflows.related_runs import ahead_of, is_of_another_job, resent_by, taken_since
from shared.workflows.row_codes import row_codes

if TYPE_CHECKING:
    from shared.cli.connection import Connection
    from shared.run.record import RunRecord
    from shared.run.row_state import RowState

_LINES_SHOWN = 5


def show(connection: Connection, *, run_id: str, as_json: bool) -> int:
    """Print the account of a run; 1 where it needs a person."""
    return show_run(connection, find_run(connection.runs, run_id), in_json=as_json)


def show_run(connection: Connection, record: RunRecord, *, in_json: bool) -> int:
    """The same for a record that is at hand."""
    newer = taken_since(record, connection.runs) if may_be_dropped_again(record) else []
    moved = record.cancelled_by is not None and is_of_another_job(record, connection.outside.store)
    missing = connection.runs.missing_blobs(record)
    helps = what_helps(record, ahead_of(record, connection.runs), newer, can_be_resent=not (moved or missing))
    folder = f"{connection.storage}/runs/{record.feed}/{record.run}/"
    resent, codes = resent_by(record, connection.runs), _codes(connection, record)
    if in_json:
        more = {"missing": missing, "codes": codes, "resentBy": resent, "whatHelps": helps, "folder": folder}
        print_json({**record_json(record), **more})
    else:
        _print(connection, record, _codes_in_words(record, codes), resent, helps, folder, missing)
    return SOMETHING_TO_DO if needs_person(record) else 0


def _codes(connection: Connection, record: RunRecord) -> dict[RowState, dict[str, int]] | None:
    try:
        return row_codes(record, connection.runs)
    except RunDamagedError:
        return None


def _codes_in_words(record: RunRecord, codes: dict[RowState, dict[str, int]] | None) -> list[str]:
    """ "failed 2: InvalidDomain 1, Conflict 1"."""
    if codes is None:
        return ["can't be told: ledger.ndjson or outcomes.ndjson can't be read"]
    return [
        f"{state} {record.counts[state]:,}: " + ", ".join(f"{code} {count:,}" for code, count in of_state.items())
        for state, of_state in codes.items()
    ]


def _print(
    connection: Connection,
    record: RunRecord,
    codes: list[str],
    resent: list[str],
    helps: list[str],
    folder: str,
    missing: list[str],
) -> None:
    now = connection.outside.clock.now()
    rows = list[tuple[Text, str]]()

    def add(name: str, *texts: str | None) -> None:
        if told := [text for text in texts if text]:
            rows.append((Text(name, "bold"), "\n".join(told)))

    add("run", f"{record.run}, feed {record.feed}" + (f", resends run {record.resend_of}" if record.resend_of else ""))
    add("file", record.file)
    add("dropped", f"{moment(record.dropped_at)}, {span(now - record.dropped_at)} ago")
    add("state", record.state + (" (urgent feed)" if record.priority == "urgent" else ""))
    if by := record.cancelled_by:
        add("reason", f"cancelled by {by.by} at {moment(by.at)} [cancelled]")
    elif record.reason:
        add("reason", f"{record.reason.message} [{record.reason.code}]", record.reason.advice)
    add("waits", waits(record, now), quota_left(record, connection.settings.bulk_requests_per_day))
    add("rows", f"{record.rows:,}")
    add("counts", *(f"{count:>9,}  {state}" for state, count in record.counts.items() if count))
    add("codes", *codes)
    add("requests", _requests(record))
    add("sending", _sending(record))
    add("notices", *map(str, _notices(record)))
    add("by people", *_actions(record))
    add("resent", *(f"by run {run}" for run in resent))
    add("blobs", folder, "  " + ", ".join(blobs(record)))
    add("missing", f"{', '.join(missing)}: no longer there" if missing else None)
    add("what helps", *helps)
    print_blocks(rows)


def _requests(record: RunRecord) -> str | None:
    told = record.requests
    if not told.planned:
        return None
    numbers = [f"{told.accepted:,} of {told.planned:,} accepted"]
    numbers += [
        f"{number:,} {what}"
        for number, what in (
            (told.rejected, "with a rejected row"),
            (told.throttled, "answers 429"),
            (told.repeated, "posted again since no answer came"),
        )
        if number
    ]
    return ", ".join(numbers)


def _sending(record: RunRecord) -> str | None:
    if record.first_sent_at is None:
        return None
    last = f", last request {moment(record.last_sent_at)}" if record.last_sent_at else ""
    return f"began {moment(record.first_sent_at)}{last}"


def _notices(record: RunRecord) -> list[str]:
    texts = []
    for notice in record.notices:
        some = ", ".join(map(str, notice.lines[:_LINES_SHOWN]))
        lines = f" (lines {some})" if notice.rows and some else ""
        texts.append(f"{notice.message} [{notice.code}]{lines}")
    return texts


def _actions(record: RunRecord) -> list[str]:
    return [
        f"{moment(action.at)}  {action.action} by {action.by}" + (f": {action.why}" if action.why else "")
        for action in record.actions
    ]
