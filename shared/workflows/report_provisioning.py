"""Every quarter of an hour: ask the provisioning logs what became of the accepted rows, and say so."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, ValidationError

from shared.errors import LogsUnavailableError
from shared.monitoring.event_window import EventWindow
from shared.monitoring.row_outcomes import log_time
from shared.monitoring.summary import Summary, latest_summaries, summarize
from shared.ports import STATE, SUMMARIES
from shared.run.record import Record, RunRecord
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.apart import apart
from shared.workflows.follow_run import follow_run
from shared.workflows.run_store import RunStore

if TYPE_CHECKING:
    from datetime import datetime

    from shared.workflows.outside import Outside

LOG_LATENESS = timedelta(hours=2)
"""Records appear 5 to 10 minutes after the event they tell of; the windows of two readings overlap by far more."""
FOLLOWED_FOR = timedelta(days=3)
"""How long after its last request a run with failed or unaccounted rows is still followed: the service tries again."""

SECOND_THOUGHTS = timedelta(hours=3)
"""How long every run is followed, also when the log has spoken of all its rows: the service sets the manager in a
second step, and a newer upload's event can come in the same cycle. Cycles are 40 minutes apart at most."""


class Watermark(Record):
    """`state/jobs/<job id>/watermark.json`: everything that the log showed up to then has been taken in."""

    read_at: AwareDatetime


def report_provisioning(outside: Outside) -> None:
    """Bring every run that is not settled up to date, and write the summaries."""
    runs = RunStore(outside.store, outside.clock)
    now = outside.clock.now()
    records = _records(runs, outside)
    by_job = sorted((record for record in records if record.job_id), key=lambda record: record.job_id or "")
    summaries, unread = [], []
    for job_id, group in groupby(by_job, key=lambda record: record.job_id or ""):
        summary = _summary_of_job(job_id, list(group), runs, outside)
        if summary:
            summaries.append(summary)
        else:
            unread.append(job_id)
    without_job = [record for record in records if not record.job_id]
    latest = latest_summaries(summaries, unread, without_job, generated_at=now)
    outside.store.put(SUMMARIES, "latest.json", latest.model_dump_json(by_alias=True, indent=2).encode() + b"\n")
    outside.events.info("report.finished", jobs=len(summaries), jobsWithoutLog=len(unread), runs=len(records))


def _records(runs: RunStore, outside: Outside) -> list[RunRecord]:
    """The records that can matter to a report: not settled, or touched lately."""
    records, now = [], outside.clock.now()
    for head in runs.heads():
        is_over = head.state in (RunState.SETTLED, RunState.REFUSED) and now - head.written_at >= FOLLOWED_FOR
        with apart("run.unreadable", outside, run=head.run, feed=head.feed):
            if not is_over and (record := runs.load(head.feed, head.run)):
                records.append(record)
    return records


def _summary_of_job(job_id: str, records: list[RunRecord], runs: RunStore, outside: Outside) -> Summary | None:
    """The job's summary, or None where its log could not be read, which is reported."""
    with apart("job.notReported", outside, job=job_id):
        try:
            return _report_job(job_id, records, runs, outside)
        except LogsUnavailableError as error:
            outside.events.error("logs.unavailable", job=job_id, status=error.status, code=error.code)
    return None


def _is_followed(record: RunRecord, now: datetime, settling: timedelta) -> bool:
    """Whether the log can still say something about this run, or its rows are still to be named."""
    if record.state is RunState.SENT and record.counts[RowState.SUPERSEDED]:
        return True
    if record.last_sent_at is None:
        return False
    age = now - record.last_sent_at
    undecided = record.counts[RowState.FAILED] + record.counts[RowState.UNACCOUNTED]
    # A row is unaccounted once it has settled, so what is still accepted long after belongs to a damaged run.
    is_open = record.counts[RowState.ACCEPTED] > 0 and age < settling + FOLLOWED_FOR
    return is_open or age < SECOND_THOUGHTS or (undecided > 0 and age < FOLLOWED_FOR)


def _report_job(job_id: str, records: list[RunRecord], runs: RunStore, outside: Outside) -> Summary:
    now = outside.clock.now()
    followed = [record for record in records if _is_followed(record, now, outside.limits.settling)]
    since = _read_since(job_id, followed, outside)
    log = outside.logs.events(job_id, since) if followed else ()
    with closing(EventWindow(log)) as window:
        codes = {}
        for record in followed:
            with apart("run.damaged", outside, once=True, run=record.run, feed=record.feed):
                newer = _newer_run_from(record, records)
                codes[record.run] = follow_run(record, window, runs, outside, newer_run_from=newer)
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
    read_at = _read_at(job_id, outside)
    if not read_at or not sent:
        return min(sent, default=now)
    overlap = read_at - LOG_LATENESS
    ending = [
        log_time(record.first_sent_at)
        for record in followed
        if record.counts[RowState.ACCEPTED]
        and record.first_sent_at
        and now - record.first_sent_at >= outside.limits.settling
    ]
    return min([max(overlap, min(sent)), *ending])


def _read_at(job_id: str, outside: Outside) -> datetime | None:
    """When the log was last read to its end; None if never, or if nobody can tell any more."""
    found = outside.store.read(STATE, _watermark(job_id))
    try:
        return Watermark.model_validate_json(found.content).read_at if found else None
    except ValidationError:
        return None


def _newer_run_from(record: RunRecord, records: list[RunRecord]) -> datetime | None:
    """When the first newer run of the job began, of those that have posted anything."""
    newer = [other for other in records if _order(other) > _order(record) and other.last_sent_at]
    return min((other.first_sent_at for other in newer if other.first_sent_at), default=None)


def _order(record: RunRecord) -> tuple[datetime, datetime, str]:
    """As the sender takes them: oldest drop first, drops of one second as they were planned."""
    return record.dropped_at, record.planned_at, record.run


def _watermark(job_id: str) -> str:
    return f"jobs/{job_id}/watermark.json"
