"""The summary that a wide audience reads: counts and codes of one provisioning job.

No names, no values, and no file names either, since people put names into those.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime

from shared.run.record import Count, Record
from shared.run.row_state import RowState
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from shared.run.record import RunRecord


class RunSummary(Record):
    """One run; `codes` counts rows by errorCode or SkipReason, `notices` rows by notice."""

    run: str
    feed: str
    state: RunState
    reason: str | None
    rows: Count
    counts: dict[RowState, Count]
    codes: dict[str, Count]
    notices: dict[str, Count]


class Summary(Record):
    """`summaries/<yyyy>/<mm>/<dd>/<job id>-<hhmm>.json`: one provisioning job."""

    schema_version: Literal[1] = 1
    job_id: str
    generated_at: AwareDatetime
    log_read_since: AwareDatetime
    log_events: Count
    rows: Count
    counts: dict[RowState, Count]
    codes: dict[str, Count]
    runs: list[RunSummary]


class LatestSummaries(Record):
    """`summaries/latest.json`: every job of the last report, and the runs without one."""

    schema_version: Literal[1] = 1
    generated_at: AwareDatetime
    jobs: list[Summary]
    jobs_without_log: list[str]
    runs_without_job: list[RunSummary]


def latest_summaries(
    jobs: Sequence[Summary], unread: Sequence[str], without_job: Sequence[RunRecord], *, generated_at: datetime
) -> LatestSummaries:
    """Everything that one report found; `unread` are the jobs whose log could not be read."""
    without = [_run_summary(record, {}) for record in without_job]
    return LatestSummaries(
        generated_at=generated_at, jobs=list(jobs), jobs_without_log=list(unread), runs_without_job=without
    )


def summarize(
    job_id: str,
    runs: Sequence[tuple[RunRecord, Mapping[str, int]]],
    *,
    generated_at: datetime,
    log_read_since: datetime,
    log_events: int,
) -> Summary:
    """Sum up the runs that a report looked at, each with its rows by code."""
    counts: Counter[RowState] = Counter(dict.fromkeys(RowState, 0))
    codes: Counter[str] = Counter()
    for record, run_codes in runs:
        counts.update(record.counts)
        codes.update(run_codes)
    return Summary(
        job_id=job_id,
        generated_at=generated_at,
        log_read_since=log_read_since,
        log_events=log_events,
        rows=sum(record.rows for record, _ in runs),
        counts=dict(counts),
        codes=dict(codes.most_common()),
        runs=[_run_summary(record, run_codes) for record, run_codes in runs],
    )


def _run_summary(record: RunRecord, codes: Mapping[str, int]) -> RunSummary:
    return RunSummary(
        run=record.run,
        feed=record.feed,
        state=record.state,
        reason=record.reason.code if record.reason else None,
        rows=record.rows,
        counts=record.counts,
        codes=dict(codes),
        notices={notice.code: notice.rows for notice in record.notices},
    )
