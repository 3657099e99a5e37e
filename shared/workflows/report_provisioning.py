"""Every quarter of an hour: ask the provisioning logs what became of the accepted rows, and say so."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from pydantic import AwareDatetime

from shared.errors import LogsUnavailableError
from shared.monitoring.event_window import EventWindow
from shared.monitoring.row_outcomes import log_time
from shared.monitoring.summary import Summary, latest_summaries, summarize
from shared.ports import STATE, SUMMARIES
from shared.run.record import Record, RunRecord, RunState
from shared.run.row_state import RowState
from shared.workflows.follow_run import follow_run
from shared.workflows.run_store import RunStore

if TYPE_CHECKING:
    from datetime import datetime

    from shared.workflows.outside import Outside

LOG_LATENESS = timedelta(hours=2)
"""Records appear 5 to 10 minutes after the event they tell of; the windows of two readings overlap by far more."""
FOLLOWED_FOR = timedelta(days=3)
"""How long after its last request a run with failed or unaccounted rows is still followed: the service tries again."""


class Watermark(Record):
    """`state/jobs/<job id>/watermark.json`: everything that the log showed up to then has been taken in."""

    read_at: AwareDatetime


def report_provisioning(outside: Outside) -> None:
    """Bring every run that is not settled up to date, and write the summaries."""
    runs = RunStore(outside.store, outside.clock)
    now = outside.clock.now()
    records = [
        r
        for head in runs.heads()
        if _may_matter(head.state, head.written_at, now) and (r := runs.load(head.feed, head.run))
    ]
    summaries = []
    by_job = sorted((r for r in records if r.job_id), key=lambda r: r.job_id or "")
    for job_id, group in groupby(by_job, key=lambda r: r.job_id or ""):
        try:
            summaries.append(_report_job(job_id, list(group), runs, outside))
        except LogsUnavailableError as error:
            outside.events.error("logs.unavailable", job=job_id, status=error.status, code=error.code)
    without_job = [r for r in records if not r.job_id]
    latest = latest_summaries(summaries, without_job, generated_at=now)
    outside.store.put(SUMMARIES, "latest.json", latest.model_dump_json(by_alias=True, indent=2).encode() + b"\n")
    outside.events.info("report.finished", jobs=len(summaries), runs=len(records))


def _may_matter(state: RunState, written_at: datetime, now: datetime) -> bool:
    """Whether a run's record is worth reading: not settled, or touched lately."""
    return state not in (RunState.SETTLED, RunState.REFUSED) or now - written_at < FOLLOWED_FOR


def _is_followed(record: RunRecord, now: datetime) -> bool:
    """Whether the log can still say something about this run."""
    if record.last_sent_at is None:
        return False
    undecided = record.counts[RowState.FAILED] + record.counts[RowState.UNACCOUNTED]
    return record.counts[RowState.ACCEPTED] > 0 or (undecided > 0 and now - record.last_sent_at < FOLLOWED_FOR)


def _report_job(job_id: str, records: list[RunRecord], runs: RunStore, outside: Outside) -> Summary:
    now = outside.clock.now()
    followed = [record for record in records if _is_followed(record, now)]
    since = _read_since(job_id, followed, outside)
    log = outside.logs.events(job_id, since) if followed else ()
    with EventWindow(log) as window:
        codes = {
            record.run: follow_run(record, window, runs, outside, newer_run_from=_newer_run_from(record, records))
            for record in followed
        }
        events = len(window)
    if followed:
        outside.store.put(STATE, _watermark(job_id), Watermark(read_at=now).model_dump_json().encode())
    newest = [runs.load(record.feed, record.run) or record for record in records]
    summary = summarize(
        job_id,
        [(record, codes.get(record.run, {})) for record in newest],
        generated_at=now,
        log_read_since=since,
        log_events=events,
    )
    name = f"{now:%Y/%m/%d}/{job_id}-{now:%H%M}.json"
    outside.store.put(SUMMARIES, name, summary.model_dump_json(by_alias=True, indent=2).encode() + b"\n")
    return summary


def _read_since(job_id: str, followed: list[RunRecord], outside: Outside) -> datetime:
    """Where to begin: where the last reading ended, less the log's lateness, or with the oldest upload it has not seen.

    Before a row is called unaccounted the log is read once more from that row's run on.
    """
    now = outside.clock.now()
    sent = [log_time(record.first_sent_at) for record in followed if record.first_sent_at]
    found = outside.store.read(STATE, _watermark(job_id))
    if not found or not sent:
        return min(sent, default=now)
    overlap = Watermark.model_validate_json(found.content).read_at - LOG_LATENESS
    ending = [
        log_time(record.first_sent_at)
        for record in followed
        if record.counts[RowState.ACCEPTED]
        and record.first_sent_at
        and now - record.first_sent_at >= outside.limits.settling
    ]
    return min([max(overlap, min(sent)), *ending])


def _newer_run_from(record: RunRecord, records: list[RunRecord]) -> datetime | None:
    later = [other.first_sent_at for other in records if other.run > record.run and other.first_sent_at]
    return min(later, default=None)


def _watermark(job_id: str) -> str:
    return f"jobs/{job_id}/watermark.json"
