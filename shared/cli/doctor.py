"""`doctor`: what works, what does not, what to do. Nothing is posted to Entra, no token is shown.

A check that fails, or that ends with an error that nobody foresaw, is a line of its own and stops no other.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from shared.cli.operating import SOMETHING_TO_DO, print_json
from shared.cli.output import console, print_blocks
from shared.cli.run_words import some
from shared.workflows.examine import (
    Finding,
    daily_quota,
    event_path,
    feed_files,
    jobs_of,
    resting_jobs,
    waiting_runs,
    waits_for_quota,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.cli.connection import Connection
    from shared.inbound.feeds.feed_file import Feed

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def doctor(connection: Connection, *, feed: str | None, as_json: bool) -> int:
    """Print every finding; 1 where something does not work."""
    findings = examine(connection, feed)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    return SOMETHING_TO_DO if any(finding.outcome == "failed" for finding in findings) else 0


def examine(connection: Connection, only: str | None) -> list[Finding]:
    """Every check, in the order in which one thing depends on another."""
    from shared.cli.doctor_graph import job, token_and_logs
    from shared.cli.doctor_storage import container_findings, is_reachable, storage_findings

    findings = [Finding("settings", "ok", f"storage {connection.storage}, Graph {connection.settings.graph_endpoint}")]
    findings += _kept("storage", lambda: storage_findings(connection))
    feeds: dict[str, Feed] = {}
    if is_reachable(findings):
        findings += container_findings(connection)
        findings += _kept("feed files", lambda: _feeds(connection, only, feeds))
        findings += _kept("runs", lambda: _runs(connection, only))
        findings += _kept("daily quota", lambda: [_quota(connection)])
    findings += _kept("Graph", lambda: token_and_logs(connection))
    for (principal, job_id), names in jobs_of(feeds).items():
        name = f"job of feed {', '.join(names)}"
        findings += _kept(name, lambda of=(principal, job_id), name=name: [job(connection, name, *of)])  # type: ignore[misc]
    return findings


def _kept(check: str, findings: Callable[[], Iterable[Finding]], storage: str = "") -> list[Finding]:
    from shared.cli.refusals import in_words

    try:
        return list(findings())
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks go on
        return [Finding(check, "failed", in_words(error, storage))]


def _feeds(connection: Connection, only: str | None, feeds: dict[str, Feed]) -> list[Finding]:
    findings, usable = feed_files(connection.outside.store, only)
    feeds.update(usable)
    return findings


def _runs(connection: Connection, only: str | None) -> Iterable[Finding]:
    every = connection.runs.heads()
    heads = [head for head in every if only in (None, head.feed)]
    now = connection.outside.clock.now()
    yield from waiting_runs(connection.runs, heads, now)
    yield from resting_jobs(every, only, now)
    yield event_path(heads, connection.outside, {only} if only else None)


def _quota(connection: Connection) -> Finding:
    return daily_quota(
        connection.outside.store,
        connection.settings.bulk_requests_per_day,
        connection.outside.clock.now(),
        limit_is_known=connection.quota_is_set,
        is_waited_for=waits_for_quota(connection.runs, connection.runs.heads()),
    )


def _print(findings: list[Finding]) -> None:
    out = console()
    rows = [
        (
            Text(finding.outcome, _STYLES[finding.outcome]),
            finding.check,
            finding.message + (f"\n→ {finding.advice}" if finding.advice else ""),
        )
        for finding in findings
    ]
    print_blocks(rows, out)
    failed = sum(finding.outcome == "failed" for finding in findings)
    warnings = sum(finding.outcome == "warning" for finding in findings)
    ok = len(findings) - failed - warnings
    out.print(f"\n{ok} ok, {some(warnings, 'warning')}, {failed} failed", highlight=False)
