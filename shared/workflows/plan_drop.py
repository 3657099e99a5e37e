"""From a drop to its record: read it, convert it, store its plan; or say why it is refused."""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING

from shared.errors import (
    BlobChangedError,
    DropGoneError,
    FeedFileError,
    HrFileError,
    Reason,
)
from shared.inbound.feeds.feed_file import Feed, parse_feed
from shared.inbound.planning.bulk_request import barriers
from shared.inbound.planning.conversion import convert, open_working_set
from shared.inbound.sending.advice import DROPPING_AGAIN
from shared.ports import FEEDS, RUNS
from shared.run.drop import NO_FEED
from shared.run.record import RequestFile, Requests, RunRecord, no_counts, reason_record
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.plan_blobs import write_plan
from shared.workflows.run_store import RunStore, request_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.inbound.planning.working_set import WorkingSet
    from shared.ports import DropReader, Lease
    from shared.run.drop import Drop
    from shared.workflows.outside import Outside

FEED_COPY = "feed.yaml"
"""The feed file as the first try read it, beside the plan."""


class DropEvent(Enum):
    """The event that says that somebody dropped the file just now: writing a blob's metadata gives none."""

    CAME = "came"
    MAY_COME = "may come"
    NEVER_CAME = "never came"


class EventMayCome(Exception):  # noqa: N818 - a finding: the drop is left without a run for now
    """The drop's content is an older one's, and whether somebody dropped it again will only show."""


def plan_or_refuse(
    reader: DropReader, runs: RunStore, outside: Outside, lease: Lease, event: Callable[[], DropEvent]
) -> RunRecord:
    """The record of a drop that was read to its end, its plan being stored; or of one that can't be, and why.

    It is a function of the drop, of the copy of its feed file and of `event`: a planner that was overtaken without
    noticing may write over the other's plan at any time, and changes nothing by it.

    Raises:
        EventMayCome: it can't be decided yet.
        LeaseLostError: somebody else may be at it.
    """
    drop = reader.drop
    try:
        feed_file, feed = _feed(drop, outside)
        digest = hashlib.sha256()
        still_alive = _alarm(lease, feed, outside)
        with open_working_set(feed) as working_set:
            converted = convert(
                _chunks(reader, digest, still_alive),
                feed,
                working_set,
                drop.dropped_at,  # not the clock: a second try after midnight would give another plan
                read_workbook=outside.read_workbook,
                still_alive=still_alive,
            )
            _refuse_what_is_out_of_date(drop, digest.hexdigest(), runs, event)
            lease.keep(surely=True)
            plan = write_plan(drop, working_set, converted, outside, lease)
            lease.keep(surely=True)
            record = _record(drop, feed, working_set, plan, outside)
        return record.changed(
            notices=converted.notices,
            feed_file_sha256=hashlib.sha256(feed_file).hexdigest(),
            content_sha256=digest.hexdigest(),
        )
    except FeedFileError as error:
        return refused(drop, outside, _bad_feed_file(drop, error))
    except HrFileError as error:
        return refused(drop, outside, error.reason)
    except DropGoneError:
        return refused(drop, outside, _DROP_GONE)


def _alarm(lease: Lease, feed: Feed, outside: Outside) -> Callable[[], None]:
    """What the conversion calls every now and then: keeps the lease, and ends what takes too long."""
    deadline = outside.clock.monotonic() + feed.file.max_minutes * 60

    def still_alive() -> None:
        lease.keep()
        if outside.clock.monotonic() > deadline:
            raise HrFileError(
                "tookTooLong",
                f"The file was not converted within {feed.file.max_minutes} minutes.",
                "Drop it in parts, or raise max_minutes under file in the feed file, and functionTimeout in host.json.",
            )

    return still_alive


def _chunks(reader: DropReader, digest: hashlib._Hash, still_alive: Callable[[], None]) -> Iterator[bytes]:
    """The drop's bytes, with its digest on the way."""
    for chunk in reader.chunks():
        still_alive()
        digest.update(chunk)
        yield chunk


def _refuse_what_is_out_of_date(
    drop: Drop, content_sha256: str, runs: RunStore, event: Callable[[], DropEvent]
) -> None:
    """Changing a blob's metadata makes it look new; sending its content again would put old data over newer.

    A young drop is found before its event where a newer one's event came first. To plan it would be as wrong as to
    refuse it: a leaver could be enabled again by a blob that was only touched. So it is left without a run, newer
    files wait behind it, and its event or the end of the wait for it decides.
    """
    said = event()
    if said is DropEvent.CAME:
        return
    heads = [head for head in runs.heads() if head.feed == drop.feed]
    known = [head for head in heads if head.content_sha256]  # not of rows that are sent again, nor of what was refused
    if known and known[-1].content_sha256 != content_sha256 and content_sha256 in {h.content_sha256 for h in known}:
        if said is DropEvent.MAY_COME:
            raise EventMayCome
        raise HrFileError(
            "repeatedContent",
            "This very content was dropped before, and a newer file after it; nobody has dropped it again, only the "
            "blob was changed or its event was lost.",
            "If the data hold again, drop the file again: its data then replace the newer file's.",
        )


def _feed(drop: Drop, outside: Outside) -> tuple[bytes, Feed]:
    """The feed file for this drop: the copy beside the plan where an earlier try left one."""
    if drop.feed == NO_FEED:
        raise HrFileError(
            "noFeedFolder",
            "The file does not lie in a folder that can be a feed.",
            "Drop it at hr-drop/<feed>/<file>, where <feed> is the name of a feed file: letters, digits, - and _.",
        )
    copy = f"{drop.feed}/{drop.run_id}/{FEED_COPY}"
    if kept := outside.store.read(RUNS, copy):
        return kept.content, parse_feed(kept.content)
    found = outside.store.read(FEEDS, f"{drop.feed}.yaml")
    if found is None:
        raise HrFileError(
            "noFeedFile",
            f"There is no feed file {drop.feed}.yaml in the container feeds.",
            "Put one there (its name ends in .yaml, in just these letters), or drop the file into the right folder; "
            f"then drop it again. {DROPPING_AGAIN}",
        )
    feed = parse_feed(found.content)
    try:
        outside.store.create(RUNS, copy, found.content)
    except BlobChangedError:
        return _feed(drop, outside)
    return found.content, feed


def _record(drop: Drop, feed: Feed, working_set: WorkingSet, plan: list[RequestFile], outside: Outside) -> RunRecord:
    planned, set_aside = working_set.planned_count(), working_set.set_aside_count()
    excluded = working_set.excluded_count()
    counts = no_counts() | {RowState.PLANNED: planned, RowState.SET_ASIDE: set_aside, RowState.EXCLUDED: excluded}
    reason = _held(set_aside, planned + set_aside, feed.safety.max_set_aside_percent)
    record = RunRecord(
        **_identity(drop, outside),
        state=RunState.HELD if reason else RunState.PLANNED if planned else RunState.SETTLED,
        reason=reason_record(reason) if reason else None,
        rows=planned + set_aside + excluded,
        counts=counts,
        job_id=feed.job.jobId,
        service_principal_id=feed.job.servicePrincipalId,
        priority=feed.priority,
        plan=plan,
        barriers=barriers(working_set.level_starts(), planned),
    )
    return record.changed(requests=Requests(planned=len(request_sizes(record))))


def _held(set_aside: int, rows: int, max_percent: float) -> Reason | None:
    if set_aside * 100 <= max_percent * rows:
        return None
    return Reason(
        "tooManySetAside",
        f"{set_aside} of {rows} rows have to be set aside, more than the {max_percent:g} % that the feed file allows. "
        "Nothing was sent.",
        "Look into set_aside.csv: a renamed status or a new date format sets many rows aside at once. If only these "
        "rows are repaired (set_aside.csv dropped again), or may stay out, resume this run: it sends the others. Only "
        "if the whole file or the feed file is repaired (or safety.max_set_aside_percent raised there): drop the "
        "whole file again, then cancel this run. " + DROPPING_AGAIN,
    )


def _identity(drop: Drop, outside: Outside) -> dict[str, object]:
    return {
        "run": drop.run_id,
        "feed": drop.feed,
        "file": drop.file,
        "etag": drop.etag,
        "dropped_at": drop.dropped_at,
        "planned_at": outside.clock.now(),
        "updated_at": outside.clock.now(),
    }


def refused(drop: Drop, outside: Outside, reason: Reason) -> RunRecord:
    """The record of a drop of which no row is taken in."""
    return without_plan(drop, outside, RunState.REFUSED, reason)


def without_plan(drop: Drop, outside: Outside, state: RunState, reason: Reason) -> RunRecord:
    """A record without rows."""
    return RunRecord(**_identity(drop, outside), state=state, reason=reason_record(reason), counts=no_counts())


_DROP_GONE = Reason(
    "dropGone",
    "The file was overwritten or deleted before it was planned.",
    "If it was overwritten, the newer version has a run of its own; if its data are still wanted, drop it again. "
    + DROPPING_AGAIN,
)


def _bad_feed_file(drop: Drop, error: FeedFileError) -> Reason:
    return Reason(
        "invalidFeedFile",
        f"The feed file {drop.feed}.yaml can't be used. {error}",
        f"Repair the feed file, then drop the HR file again. {DROPPING_AGAIN}",
    )
