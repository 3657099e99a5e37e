"""Does the connector's own side hold: feed files, jobs, runs that wait, drops that nobody took up, the daily quota?

Each check is a function of what the ports tell; it reports, and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from shared.errors import FeedFileError, RunDamagedError
from shared.inbound.feeds.feed_file import parse_feed
from shared.inbound.sending.pacing import DailyQuota
from shared.ports import FEEDS, STATE
from shared.run.drop import FEED_NAME, NO_FEED, dropped_at
from shared.run.run_state import UNSENT, RunState
from shared.workflows.missed_drops import missed_drops
from shared.workflows.resume_uploads import EVENT_GRACE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from shared.inbound.feeds.feed_file import Feed
    from shared.ports import BlobStore
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside
    from shared.workflows.run_heads import RunHead
    from shared.workflows.run_store import RunStore

Outcome = Literal["ok", "warning", "failed"]
_SUFFIX = ".yaml"
_DAY = timedelta(hours=24)
_REFUSED_LATELY = timedelta(days=7)
_AT_ONCE = 16


@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    outcome: Outcome
    message: str
    advice: str = ""


def feed_files(store: BlobStore, only: str | None = None) -> tuple[list[Finding], dict[str, Feed]]:
    """Can each feed file be used? Also the ones that can, by feed."""
    findings: list[Finding] = []
    feeds: dict[str, Feed] = {}
    wanted = f"{only}{_SUFFIX}" if only else None
    names = [blob.name for blob in store.list(FEEDS) if not blob.is_folder and wanted in (None, blob.name)]
    for name in names:
        found = store.read(FEEDS, name)
        if found is None:
            continue
        finding, feed = _feed_file(name, found.content)
        findings.append(finding)
        if feed:
            feeds[name.removesuffix(_SUFFIX)] = feed
    if not names:
        what = f"There is no feed file {wanted} in the container feeds." if wanted else "There is no feed file."
        advice = "python -m shared feed new EXPORT drafts one; upload it to the container feeds."
        findings.append(Finding("feed files", "failed", what, advice))
    return findings, feeds


def _feed_file(name: str, content: bytes) -> tuple[Finding, Feed | None]:
    check = f"feed file {name}"
    if not name.endswith(_SUFFIX) or not FEED_NAME.fullmatch(name.removesuffix(_SUFFIX)):
        advice = "Name it <feed>.yaml, where <feed> has letters, digits, - and _ only and is the folder in hr-drop."
        return Finding(check, "warning", "No drop can use a feed file of this name.", advice), None
    try:
        feed = parse_feed(content)
    except FeedFileError as error:
        return Finding(check, "failed", "It can't be used. " + " ".join(error.problems), "Repair it, upload it."), None
    if set(feed.job.servicePrincipalId) <= set("0-"):
        advice = "Put the ids of your provisioning app under job."
        return Finding(check, "failed", "servicePrincipalId is still a row of zeros.", advice), None
    return Finding(check, "ok", f"can be used; its job is {feed.job.jobId}"), feed


def waiting_runs(runs: RunStore, heads: Sequence[RunHead], now: datetime) -> list[Finding]:
    """Runs that wait for a person or for a time, and those that can't be read."""
    records, unreadable = _unfinished(runs, heads)
    findings = []
    for state in (RunState.HELD, RunState.BLOCKED):
        if some := [record for record in records if record.state is state]:
            findings.append(_waiting(f"runs {state}", "failed", str(state), some))
    unattended = [record for record in records if record.state not in (RunState.BLOCKED, RunState.HELD)]
    if some := [record for record in unattended if record.not_before and record.not_before > now]:
        findings.append(_waiting("runs waiting", "warning", "waiting; nothing has to be done", some))
    if refused := refused_lately(runs, heads, now):
        newest = refused[-1]
        message = (
            f"{len(refused)} refused in the last 7 days, and no file of that name was taken since. The newest is "
            f"{newest.run} of feed {newest.feed}."
        )
        advice = (
            f"python -m shared show {newest.run} says why, and whether a newer file was taken meanwhile. If none was, "
            "drop the file again once it is repaired; else drop today's export."
        )
        findings.append(Finding("runs refused", "warning", message, advice))
    if unreadable:
        advice = (
            "Somebody changed run.json. Bring the blob's earlier version back (docs/reasons.md has the commands); if "
            "that can't be done, drop today's export."
        )
        message = f"{len(unreadable)} can't be read: {', '.join(unreadable[:3])}."
        findings.append(Finding("runs unreadable", "failed", message, advice))
    return findings or [Finding("runs", "ok", "none is held, blocked or waiting")]


def resting_jobs(heads: Collection[RunHead], only: str | None, now: datetime) -> list[Finding]:
    """Jobs for which the API wants no call yet, though the run that was told so sends nothing more.

    Args:
        heads: every run.
        only: the feed whose jobs are looked at; all if None.
        now: the time.
    """
    jobs, until = {head.job_id for head in heads if only in (None, head.feed)}, dict[str, datetime]()
    for head in heads:
        if head.job_id and head.job_id in jobs and head.job_rests_until and head.job_rests_until > now:
            until[head.job_id] = max(head.job_rests_until, until.get(head.job_id, now))
    if not until:
        return []
    told = "; ".join(f"{job} until {at:%Y-%m-%d %H:%M:%S} UTC" for job, at in sorted(until.items()))
    message = f"The API has asked for no call: {told}. The run that it told sends nothing more."
    return [Finding("jobs resting", "warning", message, "Nothing has to be done: the job's other runs go on then.")]


def waits_for_quota(runs: RunStore, heads: Collection[RunHead]) -> bool:
    """Whether the sending of any run has met the end of the daily quota and not gone on since."""
    return any(r.reason_code == "dailyQuota" and r.not_before for r in _unfinished(runs, heads)[0])


def refused_lately(runs: RunStore, heads: Sequence[RunHead], now: datetime) -> list[RunRecord]:
    """Files refused in the last seven days that nobody has dropped again under their name and feed with success.

    Args:
        runs: where they lie.
        heads: every run of their feeds, oldest first.
        now: the time.
    """
    earliest = f"{now - _REFUSED_LATELY:%Y%m%dT%H%M%SZ}"
    refused = [head for head in heads if head.state is RunState.REFUSED and dropped_at(head.run) >= earliest]
    if not refused:
        return []
    feeds, later = {head.feed for head in refused}, heads[heads.index(refused[0]) :]
    with ThreadPoolExecutor(_AT_ONCE) as at_once:
        records = list(at_once.map(lambda head: _readable(head, runs), (one for one in later if one.feed in feeds)))
    return sorted(not_taken_since(filter(None, records)), key=lambda record: record.run)


def not_taken_since(records: Iterable[RunRecord]) -> Iterator[RunRecord]:
    """Of runs, oldest first, the refused ones whose file no later one took under the same name and feed."""
    refused: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        if record.state is RunState.REFUSED:
            refused.setdefault((record.feed, record.file), []).append(record)
        elif not record.resend_of and not record.has_no_plan_yet:
            refused.pop((record.feed, record.file), None)
    return chain.from_iterable(refused.values())


def _readable(head: RunHead, runs: RunStore) -> RunRecord | None:
    try:
        return runs.load(head.feed, head.run)
    except RunDamagedError:
        return None


def _unfinished(runs: RunStore, heads: Collection[RunHead]) -> tuple[list[RunRecord], list[str]]:
    """The records of runs that are to send something yet, and the ids of those that can't be read."""
    records, unreadable = [], [head.run for head in heads if head.state is None]
    for head in heads:
        if head.state in (*UNSENT, RunState.HELD):
            try:
                if (record := runs.load(head.feed, head.run)) and not record.cancelled_by:
                    records.append(record)
            except RunDamagedError:
                unreadable.append(head.run)
    return records, unreadable


def _waiting(check: str, outcome: Outcome, what: str, records: list[RunRecord]) -> Finding:
    oldest = records[0]
    codes = Counter(record.reason.code if record.reason else "timeBudget" for record in records)
    why = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    message = f"{len(records)} {what} ({why}). The oldest is {oldest.run} of feed {oldest.feed}."
    return Finding(check, outcome, message, f"python -m shared show {oldest.run}")


def event_path(heads: Collection[RunHead], outside: Outside, feeds: Collection[str] | None = None) -> Finding:
    """Does somebody take up what is dropped, and because of its event rather than because the timer found it?"""
    now = outside.clock.now()
    if missed := missed_drops(heads, outside, until=now - EVENT_GRACE, feeds=feeds):
        message = (
            f"Files dropped more than {EVENT_GRACE.seconds // 60} minutes ago that have no run: {len(missed)}; the "
            f"oldest was dropped {missed[0].dropped_at:%Y-%m-%d %H:%M} UTC in folder {missed[0].feed}."
        )
        advice = (
            "The function app does not run, or can't read the storage account: look at its failures in Application "
            "Insights. Then check the event subscription on hr-drop (azd deploy makes it)."
        )
        return Finding("event path", "failed", message, advice)
    recent = [delay for head in heads if (delay := _delay(head, now)) is not None]
    if recent and min(recent) > EVENT_GRACE:
        message = (
            f"Every run of the last 24 hours ({len(recent)}) began more than 5 minutes after its file was dropped."
        )
        advice = "Events seem not to arrive, only the timer finds the files: check the event subscription on hr-drop."
        return Finding("event path", "warning", message, advice)
    return Finding("event path", "ok", "every file that was dropped has a run")


def _delay(head: RunHead, now: datetime) -> timedelta | None:
    """From drop to plan; None for a run that is older than a day or belongs to no feed."""
    try:
        dropped = datetime.strptime(dropped_at(head.run), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        delay = datetime.fromisoformat(head.planned_at) - dropped
    except ValueError:
        return None
    return delay if head.feed != NO_FEED and now - dropped < _DAY else None


def daily_quota(store: BlobStore, limit: int, now: datetime, *, limit_is_known: bool, is_waited_for: bool) -> Finding:
    """How much of the day's calls is used.

    Args:
        store: where they are counted.
        limit: calls in 24 hours.
        now: the time.
        limit_is_known: the function app's own limit, and not the default in its place.
        is_waited_for: a run waits for calls to become free.
    """
    found = store.read(STATE, "quota.json")
    try:
        quota = DailyQuota.model_validate_json(found.content) if found else DailyQuota()
    except ValidationError:
        return Finding("daily quota", "warning", "state/quota.json can't be read.", "Look at who changed it.")
    used = sum(calls for at, calls in quota.calls.items() if now - _DAY < at <= now)
    message = f"{used:,} of {limit:,} calls of the last 24 hours are used"
    if not limit_is_known:
        message += f"; limit {limit:,} assumed: BULK_REQUESTS_PER_DAY is not set here"
    if used < limit and is_waited_for:
        advice = "Is BULK_REQUESTS_PER_DAY here what the function app has, or does another client of the API use calls?"
        return Finding("daily quota", "warning", message + ", and a run waits for the daily quota.", advice)
    if used < limit:
        return Finding("daily quota", "ok", message)
    advice = f"Nothing has to be done: the rest is sent from {quota.frees_at(limit, now):%Y-%m-%d %H:%M} UTC on."
    return Finding("daily quota", "warning", message + ".", advice)


def jobs_of(feeds: dict[str, Feed]) -> dict[tuple[str, str], list[str]]:
    """The feeds of each provisioning job, by service principal and job id."""
    jobs = dict[tuple[str, str], list[str]]()
    for name, feed in sorted(feeds.items()):
        jobs.setdefault((feed.job.servicePrincipalId, feed.job.jobId), []).append(name)
    return jobs
