"""Bring one run up to date with its ledger and with what the provisioning log said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import RunDamagedError
from shared.inbound.planning.bulk_request import read_row_index
from shared.inbound.sending.ledger_entry import Verdict
from shared.monitoring.row_outcomes import RowOutcomes, SentRow
from shared.ports import RUNS
from shared.run.row_state import RowState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.inbound.sending.ledger import Ledger
    from shared.inbound.sending.ledger_entry import AnswerEntry, Part
    from shared.monitoring.event_window import EventWindow
    from shared.run.record import RunRecord
    from shared.workflows.outside import Outside
    from shared.workflows.run_store import RunStore

_OUTCOMES = "outcomes.ndjson"


def follow_run(
    record: RunRecord, window: EventWindow, runs: RunStore, outside: Outside, *, newer_run_from: datetime | None
) -> dict[str, int]:
    """Write `outcomes.ndjson` and the counts; return the rows by code."""
    ledger = runs.ledger(record)
    outcomes = RowOutcomes(
        window, now=outside.clock.now(), settling=outside.limits.settling, newer_run_from=newer_run_from
    )
    rows = _sent_rows(runs.lines(record, "rows.ndjson"), ledger, record.first_sent_at or record.dropped_at)
    lines = _whole(outcomes.lines(rows, runs.lines(record, _OUTCOMES)), record.operations)
    outside.store.put(RUNS, runs.name(record.feed, record.run, _OUTCOMES), lines)

    def followed(newest: RunRecord) -> RunRecord:
        # A sender may have been killed before it wrote its last count.
        known = newest.with_answers(
            accepted=ledger.accepted_operations,
            rejected=ledger.rejected_operations,
            superseded=ledger.superseded_operations,
        )
        return known.with_outcomes(outcomes.counts).settled_if_final()

    after = runs.update(record.feed, record.run, followed)
    _tell(record, after, outside)
    return dict(outcomes.codes)


def _whole(lines: Iterator[bytes], expected: int) -> Iterator[bytes]:
    """The lines, if they are as many as there are rows; else outcomes that are known would be overwritten.

    Raises:
        RunDamagedError: once there are too few or too many.
    """
    count = 0
    for line in lines:
        count += 1
        yield line
    if count != expected:
        raise RunDamagedError(f"rows.ndjson names {count} rows, the plan {expected}")


def _sent_rows(index: Iterator[bytes], ledger: Ledger, begun: datetime) -> Iterator[SentRow]:
    """The plan's rows, each with what its ledger says; `begun` is when the run's sending began."""
    request: int = 0
    answers: list[tuple[Part, AnswerEntry]] = []
    for row in read_row_index(index):
        if row.request != request:
            request, answers = row.request, ledger.answered(row.request)
        if gone := ledger.superseded(row.request).get(row.operation):
            code = "newerRun" if gone.by_run else "cancelled"
            yield SentRow(row.line, row.external_id, RowState.SUPERSEDED, code=code, by_run=gone.by_run)
            continue
        entry = next((entry for part, entry in answers if part.start <= row.operation < part.stop), None)
        if entry is None:
            yield SentRow(row.line, row.external_id, RowState.PLANNED)
        elif entry.verdict is Verdict.ACCEPTED:
            since = ledger.begun(row.request) or begun
            yield SentRow(row.line, row.external_id, RowState.ACCEPTED, since, entry.sent_at)
        else:
            yield SentRow(row.line, row.external_id, RowState.REJECTED, code=f"status{entry.status}")


def _tell(before: RunRecord, after: RunRecord, outside: Outside) -> None:
    """An event for news, and one that alerts for bad news; never the same twice, since it compares."""
    if after.counts == before.counts:
        return
    fields: dict[str, str | int | None] = {"run": after.run, "feed": after.feed, "job": after.job_id}
    outside.events.info(
        "run.followed", state=after.state, **{k.value: n for k, n in after.counts.items() if n}, **fields
    )
    for state in (RowState.FAILED, RowState.UNACCOUNTED):
        if after.counts[state] > before.counts[state]:
            outside.events.error(f"rows.{state}", **{state.value: after.counts[state]}, **fields)
