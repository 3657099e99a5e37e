"""Every row of a run that is about one worker, and what has become of it. Reads; changes nothing.

Row lists are streamed, and `rows.ndjson` only until the worker is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shared.errors import RunDamagedError
from shared.inbound.mapping.cell_problem import same_key
from shared.run.record import RequestFile
from shared.run.row_state import RowState
from shared.scim.bulk import MAX_OPERATIONS
from shared.workflows.deleted_record import SENT_IN_PART
from shared.workflows.left_out_rows import left_out_rows
from shared.workflows.resend_run import outcome_in, state_of
from shared.workflows.run_store import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.inbound.planning.bulk_request import IndexedRow
    from shared.inbound.sending.ledger import Ledger
    from shared.ports import BlobStore
    from shared.run.record import RunRecord
    from shared.workflows.run_store import RunStore

_LEFT_OUT = {RowState.SET_ASIDE: "set_aside.csv", RowState.EXCLUDED: "excluded.csv"}


@dataclass(frozen=True)
class Sighting:
    """One row about the worker.

    `words`: the problems of a row that is not sent, or what the API said of a rejected one. `what_to_do`: as the csv
    file says it. `by_run`: the newer run of a superseded row. `at`: when the provisioning log said so, ISO 8601.
    """

    run: RunRecord
    line: int
    state: RowState
    code: str | None = None
    words: str | None = None
    what_to_do: str | None = None
    by_run: str | None = None
    at: str | None = None


def sightings(external_id: str, record: RunRecord, runs: RunStore, store: BlobStore) -> list[Sighting]:
    """The rows of one run that are about the worker, by line.

    Args:
        external_id: as HR writes it or as Entra has it; compared as the connector compares keys.
        record: the run.
        runs: where it lies.
        store: the blobs of the same.

    Raises:
        RunDamagedError: a blob of the run is not what it was.
    """
    key = same_key(external_id.strip())
    is_left_over = is_sent_in_part(record)
    found = list(_planned(key, _as_planned(record, runs) if is_left_over else record, runs))
    for state, name in _LEFT_OUT.items():
        if record.counts[state] or (is_left_over and any(runs.lines(record, name))):
            rows = left_out_rows(key, name, record, store)
            found += [Sighting(record, row.line, state, row.codes, row.problem, row.what_to_do) for row in rows]
    return sorted(found, key=lambda sighting: sighting.line)


def is_sent_in_part(record: RunRecord) -> bool:
    """Whether somebody deleted the run's record: the blobs of its plan are there, and this record tells nothing."""
    return record.reason_code == SENT_IN_PART


def _as_planned(record: RunRecord, runs: RunStore) -> RunRecord:
    """The record with a plan of as many rows as the list beside it has."""
    rows = sum(1 for _ in runs.lines(record, ROWS))
    if not rows:
        raise RunDamagedError(f"run.json of run {record.run} was deleted, and {ROWS} is gone too")
    return record.changed(
        plan=[RequestFile(name=ROWS, requests=-(-rows // MAX_OPERATIONS), operations=rows, sha256="")]
    )


def _planned(key: str, record: RunRecord, runs: RunStore) -> Iterator[Sighting]:
    """At most one: no plan has two rows of a worker."""
    if not record.plan:
        return
    for place, row in enumerate(runs.rows(record)):
        if same_key(row.external_id) == key:
            outcome = next(islice(runs.lines(record, "outcomes.ndjson"), place, None), None)
            yield _followed(row, record, runs.ledger(record), outcome)
            return


def _followed(row: IndexedRow, record: RunRecord, ledger: Ledger, outcome: bytes | None) -> Sighting:
    state = state_of(row, ledger, outcome)
    if state is RowState.SUPERSEDED:
        by_run = ledger.superseded(row.request)[row.operation].by_run
        return Sighting(record, row.line, state, "newerRun" if by_run else "cancelled", by_run=by_run)
    if state is RowState.REJECTED:
        return _rejected(row, record, ledger)
    told = outcome_in(outcome)
    if told.get("state") != state:
        return Sighting(record, row.line, state)
    return Sighting(record, row.line, state, told.get("code"), at=told.get("at"))


def _rejected(row: IndexedRow, record: RunRecord, ledger: Ledger) -> Sighting:
    (answer,) = (entry for part, entry in ledger.answered(row.request) if part.start <= row.operation < part.stop)
    words = ": ".join(text for text in (answer.code, answer.message) if text)
    return Sighting(record, row.line, RowState.REJECTED, f"status{answer.status}", words or None)
