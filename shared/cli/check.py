"""`check`: convert an HR file as the function would, and show what would become of its rows."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from shared.adapters.workbook_reader import read_workbook
from shared.cli.opening import REFUSED, chunks_of, read_feed, say_refusal
from shared.cli.output import console
from shared.cli.run_words import some
from shared.errors import HrFileError
from shared.inbound.planning.bulk_request import bulk_requests
from shared.inbound.planning.conversion import Converted, convert, open_working_set
from shared.inbound.planning.set_aside import excluded_csv, set_aside_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from shared.inbound.feeds.feed_file import Feed
    from shared.inbound.planning.working_set import WorkingSet

_SOME_SET_ASIDE = 1
_KINDS_SHOWN = 12
_PER_SECOND = 8
_PER_DAY = 2000


@dataclass(frozen=True)
class _Account:
    """What would become of the file's rows."""

    rows: int
    sent: int
    set_aside: int
    excluded: int
    requests: int
    would_be_held: bool
    problems: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    written: list[str]


def check(file: Path, feed: Path, out: Path, *, as_json: bool) -> int:
    """Print the account and write what would be sent; returns the exit status."""
    used = read_feed(feed)
    if used is None:
        return REFUSED
    try:
        with open_working_set(used) as working_set, _progress(file) as advance:
            converted = convert(
                _told(chunks_of(file), advance), used, working_set, datetime.now(UTC), read_workbook=read_workbook
            )
            written = _write(out, working_set, converted)
            account = _account(used, working_set, converted, written)
    except (HrFileError, OSError) as error:
        return say_refusal(file, error)
    if as_json:
        print(json.dumps(asdict(account), indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _show(console(), account)
    return _SOME_SET_ASIDE if account.set_aside else 0


def _write(out: Path, working_set: WorkingSet, converted: Converted) -> list[Path]:
    """What would be posted, one bulk request a line, and the rows that would not be sent."""
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "requests.ndjson": (body + b"\n" for body in bulk_requests(working_set.planned(), "check")),
        "set_aside.csv": set_aside_csv(working_set.set_aside(), converted.columns),
    }
    if working_set.excluded_count():
        files["excluded.csv"] = excluded_csv(working_set.excluded(), converted.columns)
    else:
        (out / "excluded.csv").unlink(missing_ok=True)
    for name, pieces in files.items():
        with (out / name).open("wb") as data:
            data.writelines(pieces)
    return [out / name for name in files]


def _account(feed: Feed, working_set: WorkingSet, converted: Converted, written: list[Path]) -> _Account:
    sent, aside = working_set.planned_count(), working_set.set_aside_count()
    names = ("code", "column", "rows", "first_line", "problem", "what_to_do")
    return _Account(
        rows=working_set.row_count,
        sent=sent,
        set_aside=aside,
        excluded=working_set.excluded_count(),
        requests=-(-sent // 50),
        would_be_held=aside * 100 > feed.safety.max_set_aside_percent * (sent + aside),
        problems=[dict(zip(names, kind, strict=True)) for kind in working_set.problem_kinds()],
        notices=[notice.model_dump(by_alias=True) for notice in converted.notices],
        written=list(map(str, written)),
    )


def _show(console: Console, account: _Account) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    table.add_row(f"{account.rows:,}", "rows")
    table.add_row(f"{account.sent:,}", f"would be sent, in {_requests(account.requests)}")
    table.add_row(f"{account.set_aside:,}", "would be set aside")
    if account.excluded:
        table.add_row(f"{account.excluded:,}", "are left out on purpose (excluded.csv says why)")
    console.print(table)
    if account.would_be_held:
        console.print("More rows are set aside than safety.max_set_aside_percent allows: nothing would be sent.")
    for notice in account.notices:
        lines = f" (lines {', '.join(map(str, notice['lines']))})" if notice["rows"] and notice["lines"] else ""
        console.print(f"Note: {notice['message']}{lines}", markup=False, highlight=False)
    if account.problems:
        console.print()
        console.print(_problem_table(account.problems[:_KINDS_SHOWN]))
        if more := len(account.problems) - _KINDS_SHOWN:
            console.print(f"and {more} more kinds of problems" if more > 0 else "")
    console.print()
    for path in account.written:
        console.print(f"Written: {path}", markup=False, highlight=False)


def _requests(count: int) -> str:
    share = count * 100 / _PER_DAY
    pace = f"{count / _PER_SECOND:,.0f} s at the API's pace"
    return f"{some(count, 'bulk request')}: {pace}, {share:.1f} % of {_PER_DAY:,} a day"


def _problem_table(problems: list[dict[str, Any]]) -> Table:
    table = Table(
        title="Problems by kind, with the first of each", title_justify="left", box=None, padding=(0, 2, 0, 0)
    )
    for heading, side in (
        ("rows", "right"),
        ("first line", "right"),
        ("column", "left"),
        ("problem and remedy", "left"),
    ):
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    for kind in problems:
        text = f"{kind['problem']} [{kind['code']}]\n{kind['what_to_do']}"
        table.add_row(str(kind["rows"]), str(kind["first_line"]), _plain(kind["column"] or ""), _plain(text))
    return table


def _plain(text: str) -> str:
    """Without rich's own markup, which column names could hold."""
    return text.replace("[", r"\[")


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, if that is a terminal; gives what takes in how many bytes were read."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _count: None
        return
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=file.stat().st_size if file.exists() else None)
        yield lambda count: progress.advance(task, count)


def _told(chunks: Iterator[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        advance(len(chunk))
        yield chunk
