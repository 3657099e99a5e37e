"""A drop whose run somebody deleted in part: the ledger is there, `run.json` is not.

A ledger is begun only once there is a `run.json`, so nothing else looks like this. To plan the drop again could read
the ledger against other rows, since another version of the connector may plan otherwise. So it is refused, and its
record names what older data must not follow: its content, and the job, whose older runs can't tell any more whom it
spoke of.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from shared.errors import DropGoneError, FeedFileError, Reason
from shared.inbound.feeds.feed_file import parse_feed
from shared.inbound.sending.advice import DROPPING_AGAIN
from shared.ports import RUNS
from shared.workflows.plan_drop import FEED_COPY, refused
from shared.workflows.run_heads import LEDGER

if TYPE_CHECKING:
    from shared.ports import DropReader
    from shared.run.drop import Drop
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside


SENT_IN_PART = "sentInPart"


def was_sent_in_part(drop: Drop, outside: Outside) -> bool:
    """Of a drop without a record or without a plan: whether it had one that was sent in part, or cancelled."""
    found = outside.store.read(RUNS, f"{drop.feed}/{drop.run_id}/{LEDGER}")
    return bool(found and found.content)


def refused_as_sent_in_part(reader: DropReader, outside: Outside) -> RunRecord:
    """The record of such a drop."""
    job_id, service_principal_id = _job(reader.drop, outside)
    return refused(reader.drop, outside, _SENT_IN_PART).changed(
        job_id=job_id, service_principal_id=service_principal_id, content_sha256=_digest(reader)
    )


def _job(drop: Drop, outside: Outside) -> tuple[str | None, str | None]:
    copy = outside.store.read(RUNS, f"{drop.feed}/{drop.run_id}/{FEED_COPY}")
    try:
        job = parse_feed(copy.content).job if copy else None
    except FeedFileError:
        job = None
    return (job.jobId, job.servicePrincipalId) if job else (None, None)


def _digest(reader: DropReader) -> str | None:
    digest = hashlib.sha256()
    try:
        for chunk in reader.chunks():
            digest.update(chunk)
    except DropGoneError:
        return None
    return digest.hexdigest()


_SENT_IN_PART = Reason(
    SENT_IN_PART,
    "The record of this run (run.json) was deleted after it had been sent, in part or in whole, or cancelled; its "
    "ledger.ndjson says which. Nothing more of it is sent.",
    "Bring the old run.json back over this one (storage keeps what was deleted for 7 days; docs/reasons.md has the "
    "commands): the run then goes on as it was. If that can't be done, drop the file again: all its rows are sent once "
    f"more. {DROPPING_AGAIN} Find out who deleted the record.",
)
