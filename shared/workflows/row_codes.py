"""Why rows of a run came to nothing, counted by code. No line and no worker is named."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from shared.inbound.sending.ledger_entry import Verdict
from shared.run.row_state import RowState
from shared.workflows.resend_run import outcome_in

if TYPE_CHECKING:
    from shared.run.record import RunRecord
    from shared.workflows.run_store import RunStore

_WITHOUT = "(none)"


def row_codes(record: RunRecord, runs: RunStore) -> dict[RowState, dict[str, int]]:
    """The codes of failed and of rejected rows, the most frequent first; states without rows are left out.

    Raises:
        RunDamagedError: the ledger or the outcomes can't be read.
    """
    found = dict[RowState, Counter[str]]()
    if record.counts[RowState.FAILED]:
        found[RowState.FAILED] = _failed(record, runs)
    if record.counts[RowState.REJECTED]:
        found[RowState.REJECTED] = _rejected(record, runs)
    return {state: dict(codes.most_common()) for state, codes in found.items()}


def _failed(record: RunRecord, runs: RunStore) -> Counter[str]:
    told = map(outcome_in, runs.lines(record, "outcomes.ndjson"))
    return Counter(str(one.get("code") or _WITHOUT) for one in told if one.get("state") == RowState.FAILED)


def _rejected(record: RunRecord, runs: RunStore) -> Counter[str]:
    ledger = runs.ledger(record)
    entries = (entry for number in range(1, ledger.requests + 1) for _, entry in ledger.answered(number))
    return Counter(f"status{entry.status}" for entry in entries if entry.verdict is Verdict.REJECTED)
