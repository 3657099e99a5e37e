"""Plan one drop: from its bytes to a durable, complete plan, or to a refusal that says why.

The order of writing is the promise: everything that the plan consists of first, `run.json` last and only if there is
none yet. A crash before that leaves a drop without a run, which is planned again; the feed file that the first try
read is kept beside the plan, so that a second try plans the same bytes. A lease keeps two planners of one drop apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, DropGoneError, FeedFileError, HrFileError, Reason
from shared.inbound.attribute_mapping import AttributeMapping, mapped_columns
from shared.inbound.bulk_request import request_files, row_index
from shared.inbound.feed_file import Feed, parse_feed
from shared.inbound.file_notices import file_notices
from shared.inbound.hr_file import HrFile
from shared.inbound.set_aside import set_aside_csv
from shared.inbound.working_set import WorkingSet
from shared.ports import FEEDS, RUNS
from shared.run.drop import NO_FEED
from shared.run.record import Notice, RequestFile, Requests, RunRecord, RunState, no_counts, reason_record
from shared.run.row_state import RowState
from shared.workflows.run_store import RunStore, request_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        with WorkingSet() as working_set:
            read = _read(reader, feed, working_set, lease)
            if not by_event:
                _refuse_what_is_out_of_date(drop, read.content_sha256, runs)
            working_set.arrange(lease.keep)
            lease.keep(surely=True)
            plan = _write_plan(drop, working_set, outside)
            record = _record(drop, feed, working_set, plan, outside)
            notices = _notices(working_set, read, feed)
        digest = hashlib.sha256(feed_file).hexdigest()
        return record.changed(notices=notices, feed_file_sha256=digest, content_sha256=read.content_sha256)
    except FeedFileError as error:
        return _refused(drop, outside, _bad_feed_file(drop, error))
    except HrFileError as error:
        return _refused(drop, outside, error.reason)
    except DropGoneError:
        return _refused(drop, outside, _DROP_GONE)


@dataclass(frozen=True)
class _Read:
    content_sha256: str
    notices: list[Notice]


def _read(reader: DropReader, feed: Feed, working_set: WorkingSet, lease: Lease) -> _Read:
    """Take every row of the drop into the working set."""
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        for chunk in reader.chunks():
            lease.keep()
            digest.update(chunk)
            yield chunk

    hr_file = HrFile(chunks(), feed.file, mapped_columns(feed))
    mapping = AttributeMapping(feed, hr_file.columns)
    working_set.load(map(mapping.map, hr_file.rows()))
    return _Read(digest.hexdigest(), file_notices(hr_file))


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


def _write_plan(drop: Drop, working_set: WorkingSet, outside: Outside) -> list[RequestFile]:
    """All blobs of the plan but run.json. Whoever writes them, and how often, they hold the same bytes."""
    folder, run = f"{drop.feed}/{drop.run_id}/", drop.run_id
    plan = []
    for file in request_files(working_set.planned(), run):
        outside.store.put(RUNS, folder + file.name, file.content)
        plan.append(RequestFile(name=file.name, requests=file.requests, operations=file.operations, sha256=file.sha256))
    outside.store.put(RUNS, folder + "rows.ndjson", row_index(working_set.planned_keys(), run))
    outside.store.put(RUNS, folder + "set_aside.csv", set_aside_csv(working_set.problems()))
    return plan


def _record(drop: Drop, feed: Feed, working_set: WorkingSet, plan: list[RequestFile], outside: Outside) -> RunRecord:
    planned, set_aside = working_set.planned_count(), working_set.set_aside_count()
    counts = no_counts() | {RowState.PLANNED: planned, RowState.SET_ASIDE: set_aside}
    record = RunRecord(
        **_identity(drop, outside),
        state=RunState.PLANNED if planned else RunState.SETTLED,
        rows=planned + set_aside,
        counts=counts,
        job_id=feed.job.jobId,
        service_principal_id=feed.job.servicePrincipalId,
        plan=plan,
    )
    record = record.changed(requests=Requests(planned=len(request_sizes(record))))
    reason = _held(set_aside, record.rows, feed.safety.max_set_aside_percent)
    return record.changed(state=RunState.HELD, reason=reason_record(reason)) if reason else record


def _held(set_aside: int, rows: int, max_percent: float) -> Reason | None:
    if set_aside * 100 <= max_percent * rows:
        return None
    return Reason(
        "tooManySetAside",
        f"{set_aside} of {rows} rows would be set aside, more than the {max_percent:g} % that the feed file allows. "
        "Nothing was sent.",
        "Look into set_aside.csv: a renamed status or a new date format sets many rows aside at once. Repair the file "
        "or the feed file (or raise safety.max_set_aside_percent there), then drop the file again.",
    )


def _notices(working_set: WorkingSet, read: _Read, feed: Feed) -> list[Notice]:
    notices = list(read.notices)
    if circles := working_set.in_circles():
        message = "Managers form a circle; these rows are sent before their manager, and sent as they are."
        notices.append(Notice(code="managerCircle", message=message, rows=len(circles), lines=circles[:10]))
    rows, lines = working_set.manager_not_in_file()
    if rows and feed.file.contains == "everyone":
        message = "The manager is not among the rows that are sent; Entra sets them only if the job knows them already."
        notices.append(Notice(code="managerNotInFile", message=message, rows=rows, lines=lines))
    return notices


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
    outside.events.info("run.planned", requests=record.requests.planned, setAside=set_aside, **fields)
    if set_aside:
        outside.events.error("rows.setAside", setAside=set_aside, **fields)
