"""Send some rows of a run again, from its own plan: the HR file may be gone or may say something else by now.

The new run's data are as old as those of its origin, so it takes its place right behind it: the sender then leaves out
every worker of whom a newer file speaks.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from shared.errors import RunDamagedError
from shared.inbound.planning.bulk_request import IndexedRow, request_files
from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import Part, Verdict
from shared.ports import RUNS
from shared.run.drop import dropped_at
from shared.run.record import RequestFile, Requests, RunRecord, no_counts
from shared.run.row_state import OUTCOMES, RowState
from shared.run.run_state import RunState
from shared.workflows.operate_run import NothingToDoError, tell_sender
from shared.workflows.planned_bodies import PlanDamaged, PlannedBodies
from shared.workflows.run_store import RunStore, request_sizes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from shared.inbound.planning.working_set import PlannedRow
    from shared.run.record import OperatorAction
    from shared.workflows.outside import Outside

CAME_TO_NOTHING = (RowState.FAILED, RowState.REJECTED, RowState.UNACCOUNTED)
"""Rows that were sent and came to nothing, as far as anybody knows."""
RESENDABLE = (*CAME_TO_NOTHING, RowState.SUPERSEDED)
"""Those, and rows that were not sent: what took their place may have been cancelled since, or their run by mistake."""
_ROWS = "rows.ndjson"
_OUTCOMES = "outcomes.ndjson"


def resend_run(
    origin: RunRecord, states: Collection[RowState], action: OperatorAction, runs: RunStore, outside: Outside
) -> RunRecord:
    """A new run of the origin's rows that are in one of these states.

    Raises:
        NothingToDoError: there are none, or a sender has yet to say which rows of a cancelled run are superseded.
        RunDamagedError: the origin's plan can't be trusted any more.
    """
    if origin.state is RunState.REFUSED:
        raise NothingToDoError("There is nothing to resend: the run was refused, or its run.json was deleted.")
    ledger = runs.ledger(origin)
    if RowState.SUPERSEDED in states and origin.cancelled_by and not ledger.is_complete:
        raise NothingToDoError("The run is cancelled, but a sender has not given it up yet; try again in a minute.")
    run = resend_id(origin.run, states, action.at)
    rows = _planned_again(origin, ledger, states, runs, outside)
    plan = _write(origin, run, rows, outside)
    if not plan:
        raise NothingToDoError(f"There is nothing to resend: no row of this run is {' or '.join(sorted(states))}.")
    record = runs.create(_record(origin, run, plan, action, runs, outside))
    runs.update(origin.feed, origin.run, lambda newest: newest.changed(actions=[*newest.actions, action]))
    tell_sender(record, outside.store)
    return record


def resend_id(origin: str, states: Collection[RowState], at: datetime) -> str:
    """An id that tells the same time of drop as its origin's and that no earlier command made."""
    digest = hashlib.sha256("\n".join((origin, *sorted(states), at.isoformat())).encode())
    return f"{dropped_at(origin)}-{digest.hexdigest()[:12]}"


def rows_to_resend(
    index: Iterator[IndexedRow], ledger: Ledger, outcomes: Iterator[bytes], states: Collection[RowState]
) -> Iterator[IndexedRow]:
    """The rows in one of these states, by the ledger and, where there are any yet, by the outcomes.

    Raises:
        RunDamagedError: the outcomes are those of other rows.
    """
    for row in index:
        line = next(outcomes, None)
        if state_of(row, ledger, line) in states:
            yield row


def state_of(row: IndexedRow, ledger: Ledger, outcome: bytes | None) -> RowState:
    """What has become of one row, by the ledger and by its line of the outcomes, where there is one yet.

    Raises:
        RunDamagedError: that line is another row's.
    """
    told = outcome_in(outcome)
    if told and told.get("line") != row.line:
        raise RunDamagedError(f"{_OUTCOMES} does not have the rows of {_ROWS}")
    if row.operation in ledger.superseded(row.request):
        return RowState.SUPERSEDED
    for part, entry in ledger.answered(row.request):
        if part.start <= row.operation < part.stop:
            if entry.verdict is Verdict.REJECTED:
                return RowState.REJECTED
            state = told.get("state")
            return RowState(state) if state in OUTCOMES else RowState.ACCEPTED
    return RowState.PLANNED


def outcome_in(line: bytes | None) -> dict[str, Any]:
    """What a line of the outcomes says; empty where there is none yet. Raises RunDamagedError."""
    try:
        told = orjson.loads(line) if line else {}
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise RunDamagedError(f"A line of {_OUTCOMES} can't be read")
    return told


def _planned_again(
    origin: RunRecord, ledger: Ledger, states: Collection[RowState], runs: RunStore, outside: Outside
) -> Iterator[PlannedRow]:
    """The rows with their users as they were planned, in the plan's order, so that managers still come first."""
    bodies, as_planned = PlannedBodies(origin, outside.store), Ledger(request_sizes(origin))
    index = runs.rows(origin)
    for number, row in enumerate(rows_to_resend(index, ledger, runs.lines(origin, _OUTCOMES), states)):
        try:
            body = bodies.of(Part(row.request, row.operation, row.operation + 1), as_planned)
        except PlanDamaged:
            raise RunDamagedError(f"The plan of run {origin.run} is not what was planned, or is gone") from None
        (operation,) = orjson.loads(body)["Operations"]
        yield number, row.line, orjson.dumps(row.external_id), orjson.dumps(operation["data"])


def _write(origin: RunRecord, run: str, rows: Iterator[PlannedRow], outside: Outside) -> list[RequestFile]:
    """All blobs of the plan but run.json."""
    folder, plan, index = f"{origin.feed}/{run}/", list[RequestFile](), list[bytes]()
    for file in request_files(rows, run):
        outside.store.put(RUNS, folder + file.name, file.content)
        plan.append(RequestFile(name=file.name, requests=file.requests, operations=file.operations, sha256=file.sha256))
        index.append(file.index)
    if plan:
        outside.store.put(RUNS, folder + _ROWS, b"".join(index))
    return plan


def _record(
    origin: RunRecord, run: str, plan: list[RequestFile], action: OperatorAction, runs: RunStore, outside: Outside
) -> RunRecord:
    rows = sum(file.operations for file in plan)
    record = RunRecord(
        run=run,
        feed=origin.feed,
        file=origin.file,
        etag=origin.etag,
        dropped_at=origin.dropped_at,
        planned_at=_right_behind(origin, runs),
        updated_at=outside.clock.now(),
        state=RunState.PLANNED,
        rows=rows,
        counts=no_counts() | {RowState.PLANNED: rows},
        job_id=origin.job_id,
        service_principal_id=origin.service_principal_id,
        feed_file_sha256=origin.feed_file_sha256,
        priority=origin.priority,
        plan=plan,
        resend_of=origin.run,
        actions=[action],
    )
    requests = len(request_sizes(record))
    # Every request waits for the one before: reports may be in any later request than their manager.
    return record.changed(requests=Requests(planned=requests), barriers=list(range(2, requests + 1)))


def _right_behind(origin: RunRecord, runs: RunStore) -> datetime:
    """Later than the origin and than what was resent of it before, earlier than another drop of the same second."""
    same_second = [head for head in runs.heads() if head.state and dropped_at(head.run) == dropped_at(origin.run)]
    records = {head.run: record for head in same_second if (record := runs.load(head.feed, head.run))}
    root = _root(origin, records)
    family = [record.planned_at for record in records.values() if _root(record, records) == root]
    return max([origin.planned_at, *family]) + timedelta(microseconds=1)


def _root(record: RunRecord, records: dict[str, RunRecord]) -> str:
    seen = {record.run}
    while record.resend_of and record.resend_of not in seen:
        if record.resend_of not in records:
            return record.resend_of
        record = records[record.resend_of]
        seen.add(record.run)
    return record.run
