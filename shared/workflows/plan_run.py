"""Plan one drop: from its bytes to a durable, complete plan, or to a refusal that says why.

The order of writing is the promise: everything that the plan consists of first, `run.json` last and only if there is
none yet. A crash before that leaves a drop without a run, which is planned again; the feed file that the first try
read is kept beside the plan, so that a second try plans the same bytes. A lease keeps two planners of one drop apart.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, DropGoneError, FeedFileError, HrFileError, Reason
from shared.inbound.feeds.feed_file import Feed, parse_feed
from shared.inbound.planning.conversion import convert, open_working_set
from shared.ports import FEEDS, RUNS
from shared.run.drop import NO_FEED
from shared.run.record import RequestFile, Requests, RunRecord, RunState, no_counts, reason_record
from shared.run.row_state import RowState
from shared.workflows.plan_blobs import write_plan
from shared.workflows.run_store import RunStore, request_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.inbound.planning.working_set import WorkingSet
    from shared.ports import DropReader, Lease
    from shared.run.drop import Drop
    from shared.workflows.outside import Outside

_FEED_COPY = "feed.yaml"


def plan_run(reader: DropReader, outside: Outside, *, by_event: bool) -> RunRecord | None:
    """The run of this drop: the one there is, or a new one, planned or refused; None while somebody else plans it.

    Args:
        reader: the drop.
        outside: the world.
        by_event: an event says that somebody dropped the file just now; otherwise it was found in the container.

    Raises:
        LeaseLostError: planning took longer than its lease could be kept; somebody else may be at it.
    """
    drop, runs = reader.drop, RunStore(outside.store, outside.clock)
    if existing := runs.load(drop.feed, drop.run_id):
        return existing
    with outside.store.lease(RUNS, f"{drop.feed}/{drop.run_id}/planning.lock") as lease:
        if lease is None:
            return None
        if existing := runs.load(drop.feed, drop.run_id):
            return existing
        return _create(_plan_or_refuse(reader, runs, outside, lease, by_event=by_event), runs, outside)


def refuse_run(drop: Drop, outside: Outside, reason: Reason) -> RunRecord:
    """A run for a drop that is not even opened."""
    return _create(_refused(drop, outside, reason), RunStore(outside.store, outside.clock), outside)


def _create(record: RunRecord, runs: RunStore, outside: Outside) -> RunRecord:
    created = runs.create(record)
    if created == record:
        _tell(created, outside)
    return created


def _plan_or_refuse(reader: DropReader, runs: RunStore, outside: Outside, lease: Lease, *, by_event: bool) -> RunRecord:
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
                outside.clock.now(),
                read_workbook=outside.read_workbook,
                still_alive=still_alive,
            )
            if not by_event:
                _refuse_what_is_out_of_date(drop, digest.hexdigest(), runs)
            lease.keep(surely=True)
            plan = write_plan(drop, working_set, converted, outside)
            record = _record(drop, feed, working_set, plan, outside)
        return record.changed(
            notices=converted.notices,
            feed_file_sha256=hashlib.sha256(feed_file).hexdigest(),
            content_sha256=digest.hexdigest(),
        )
    except FeedFileError as error:
        return _refused(drop, outside, _bad_feed_file(drop, error))
    except HrFileError as error:
        return _refused(drop, outside, error.reason)
    except DropGoneError:
        return _refused(drop, outside, _DROP_GONE)


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


def _refuse_what_is_out_of_date(drop: Drop, content_sha256: str, runs: RunStore) -> None:
    """Changing a blob's metadata makes it look new; sending its content again would put old data over newer."""
    known = [head for head in runs.heads() if head.feed == drop.feed and head.state is not RunState.REFUSED]
    if known and known[-1].content_sha256 != content_sha256 and content_sha256 in {h.content_sha256 for h in known}:
        raise HrFileError(
            "repeatedContent",
            "This very content was dropped before, and a newer file after it; nobody has dropped it again, only the "
            "blob was changed or its event was lost.",
            "If the data hold again, drop the file again.",
        )


def _feed(drop: Drop, outside: Outside) -> tuple[bytes, Feed]:
    """The feed file for this drop: the copy beside the plan where an earlier try left one."""
    if drop.feed == NO_FEED:
        raise HrFileError(
            "noFeedFolder",
            "The file does not lie in a folder that can be a feed.",
            "Drop it at hr-drop/<feed>/<file>, where <feed> is the name of a feed file: letters, digits, - and _.",
        )
    copy = f"{drop.feed}/{drop.run_id}/{_FEED_COPY}"
    if kept := outside.store.read(RUNS, copy):
        return kept.content, parse_feed(kept.content)
    found = outside.store.read(FEEDS, f"{drop.feed}.yaml")
    if found is None:
        raise HrFileError(
            "noFeedFile",
            f"There is no feed file {drop.feed}.yaml in the container feeds.",
            "Put one there (its name ends in .yaml, in just these letters), or drop the file into the right folder; "
            "then drop it again.",
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
    record = RunRecord(
        **_identity(drop, outside),
        state=RunState.PLANNED if planned else RunState.SETTLED,
        rows=planned + set_aside + excluded,
        counts=counts,
        job_id=feed.job.jobId,
        service_principal_id=feed.job.servicePrincipalId,
        plan=plan,
    )
    record = record.changed(requests=Requests(planned=len(request_sizes(record))))
    reason = _held(set_aside, planned + set_aside, feed.safety.max_set_aside_percent)
    return record.changed(state=RunState.HELD, reason=reason_record(reason)) if reason else record


def _held(set_aside: int, rows: int, max_percent: float) -> Reason | None:
    if set_aside * 100 <= max_percent * rows:
        return None
    return Reason(
        "tooManySetAside",
        f"{set_aside} of {rows} rows have to be set aside, more than the {max_percent:g} % that the feed file allows. "
        "Nothing was sent.",
        "Look into set_aside.csv: a renamed status or a new date format sets many rows aside at once. Repair the file "
        "or the feed file (or raise safety.max_set_aside_percent there), then drop the file again.",
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


def _refused(drop: Drop, outside: Outside, reason: Reason) -> RunRecord:
    return RunRecord(
        **_identity(drop, outside), state=RunState.REFUSED, reason=reason_record(reason), counts=no_counts()
    )


_DROP_GONE = Reason(
    "dropGone",
    "The file was overwritten or deleted while it was read.",
    "If it was overwritten, the newer version has a run of its own; if its data are still wanted, drop it again.",
)


def _bad_feed_file(drop: Drop, error: FeedFileError) -> Reason:
    return Reason(
        "invalidFeedFile",
        f"The feed file {drop.feed}.yaml can't be used. {error}",
        "Repair the feed file, then drop the HR file again.",
    )


def _tell(record: RunRecord, outside: Outside) -> None:
    """One event for a new run; a person has something to do unless every row is planned."""
    fields: dict[str, str | int | None] = {"run": record.run, "feed": record.feed, "rows": record.rows}
    if record.reason:
        outside.events.error(f"run.{record.state}", code=record.reason.code, **fields)
        return
    set_aside = record.counts[RowState.SET_ASIDE]
    excluded = record.counts[RowState.EXCLUDED]
    outside.events.info(
        "run.planned", requests=record.requests.planned, setAside=set_aside, excluded=excluded, **fields
    )
    if set_aside:
        outside.events.error("rows.setAside", setAside=set_aside, **fields)
