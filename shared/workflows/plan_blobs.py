"""What a plan consists of in storage, but for run.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.inbound.planning.bulk_request import request_files
from shared.inbound.planning.set_aside import excluded_csv, set_aside_csv
from shared.ports import RUNS
from shared.run.record import RequestFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.inbound.planning.conversion import Converted
    from shared.inbound.planning.working_set import WorkingSet
    from shared.ports import Lease
    from shared.run.drop import Drop
    from shared.workflows.outside import Outside


def write_plan(
    drop: Drop, working_set: WorkingSet, converted: Converted, outside: Outside, lease: Lease
) -> list[RequestFile]:
    """All blobs of the plan but run.json. Whoever writes them, and how often, they hold the same bytes.

    Raises:
        LeaseLostError: somebody else may be at it.
    """
    folder, plan = f"{drop.feed}/{drop.run_id}/", list[RequestFile]()

    def index_of_written() -> Iterator[bytes]:
        for file in request_files(working_set.planned(), drop.run_id):
            outside.store.put(RUNS, folder + file.name, file.content)
            plan.append(
                RequestFile(name=file.name, requests=file.requests, operations=file.operations, sha256=file.sha256)
            )
            yield file.index

    def put(name: str, pieces: Iterable[bytes]) -> None:
        outside.store.put(RUNS, folder + name, _while_held(lease, pieces))

    put("rows.ndjson", index_of_written())
    put("set_aside.csv", set_aside_csv(working_set.set_aside(), converted.columns))
    if working_set.excluded_count():
        put("excluded.csv", excluded_csv(working_set.excluded(), converted.columns))
    return plan


def _while_held(lease: Lease, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        lease.keep()
        yield piece
