"""`runs`: every run in a line, newest last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from shared.cli.opening import say_error
from shared.cli.operating import SOMETHING_TO_DO, print_json, refuse_unknown_feed
from shared.cli.output import console
from shared.cli.run_words import counts_in_short, reason_code, some, waits_for_person, when
from shared.errors import RunDamagedError
from shared.workflows.examine import refused_lately

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from shared.cli.connection import Connection
    from shared.run.record import RunRecord
    from shared.run.run_state import RunState
    from shared.workflows.run_heads import RunHead

NEWEST = 50
_AT_ONCE = 16
_UNBOUNDED = 100_000
_NAMED = 3
_UNREADABLE = "unreadable"
_TOLD = ("run", "feed", "file", "state", "rows", "droppedAt", "updatedAt", "notBefore", "resendOf")
_SHOWN = ("run", "feed", "file", "state", "reason", "rows", "inShort", "when")


def runs(
    connection: Connection, *, feed: str | None, state: Collection[RunState] | None, everything: bool, as_json: bool
) -> int:
    """Print the runs; 1 where one of them needs a person."""
    every = connection.runs.heads()
    if feed is not None and not any(head.feed == feed for head in every):
        refuse_unknown_feed(feed, connection.outside.store)
    heads = [head for head in every if feed in (None, head.feed) and (state is None or head.state in state)]
    shown = heads if everything else heads[-NEWEST:]
    with ThreadPoolExecutor(_AT_ONCE) as at_once:
        records = list(at_once.map(lambda head: _record(connection, head), shown))
    now = connection.outside.clock.now()
    refused = {record.run for record in refused_lately(connection.runs, every, now)}
    lines = [_line(head, record, now, refused) for head, record in zip(shown, records, strict=True)]
    if as_json:
        print_json(lines)
    elif lines:
        _print(lines, len(heads) - len(shown))
    else:
        say_error("There is no such run." if every else "No run yet.")
    needy = [line["run"] for line in lines if line["needsPerson"]]
    if needy:
        named = ", ".join(needy[-_NAMED:])
        more = f" and {some(len(needy) - _NAMED, 'older run')}" if len(needy) > _NAMED else ""
        say_error(f"Needs a person: {named}{more}. What helps: python -m shared show RUN")
    return SOMETHING_TO_DO if needy else 0


def _record(connection: Connection, head: RunHead) -> RunRecord | None:
    try:
        return connection.runs.load(head.feed, head.run)
    except RunDamagedError:
        return None


def _line(head: RunHead, record: RunRecord | None, now: datetime, refused: Collection[str]) -> dict[str, Any]:
    """What `--json` prints of one run; the table shows a part of it."""
    if record is None:
        known = {"run": head.run, "feed": head.feed, "state": _UNREADABLE, "counts": {}, "needsPerson": True}
        return dict.fromkeys((*_TOLD, "reason", "counts", "inShort", "when")) | known
    told = record.model_dump(mode="json", by_alias=True)
    counts = {name: count for name, count in told["counts"].items() if count}
    return {
        **{name: told[name] for name in _TOLD},
        "reason": reason_code(record),
        "counts": counts,
        "inShort": counts_in_short(record),
        "when": when(record, now),
        "needsPerson": waits_for_person(record) or record.run in refused,
    }


def _print(lines: list[dict[str, Any]], older: int) -> None:
    out, table = console(), _table(lines)
    if Measurement.get(out, out.options.update(max_width=_UNBOUNDED), table).maximum <= out.width:
        out.print(table)
    else:
        for line in lines:
            out.print(_in_two_lines(line), soft_wrap=True)
    if older:
        say_error(f"{some(older, 'older run')} not shown; --all shows every one.")


def _table(lines: list[dict[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("run", "feed", "file", "state", "reason"):
        table.add_column(heading)
    table.add_column("rows", justify="right")
    for heading in ("counts", "when"):
        table.add_column(heading)
    for line in lines:
        table.add_row(*(_cell(line.get(name)) for name in _SHOWN))
    return table


def _in_two_lines(line: dict[str, Any]) -> Text:
    """For a terminal that is too narrow for the table: ids and codes stay whole."""
    heads = (line["run"], line["state"], line.get("reason"))
    text = "  ".join(head for head in heads if head)
    if line["state"] == _UNREADABLE:
        return Text(text)
    counts = f": {line['inShort']}" if line["inShort"] else ""
    return Text(f"{text}\n  {line['feed']}/{line['file']}, {some(line['rows'], 'row')}, {line['when']}{counts}")


def _cell(value: object) -> Text:
    """As plain text: names of files could hold rich's own markup."""
    return Text("" if value is None else f"{value:,}" if isinstance(value, int) else str(value))
