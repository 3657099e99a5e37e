"""A ledger is written before `run.json` is: one that says less than the record has been cut or put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.errors import RunDamagedError
from shared.inbound.sending.ledger_entry import Verdict, ledger_line
from shared.run.row_state import RowState
from shared.workflows.run_store import RunStore
from tests.unit.builders import NOON, RUN_ID, entry, run_record
from tests.unit.inbound.sending.ledger_lines import begun, session, superseded
from tests.unit.workflows.virtual_time import MemoryStore, Time, VirtualClock

if TYPE_CHECKING:
    from shared.inbound.sending.ledger import Ledger
    from shared.run.record import RunRecord

POSTED = [session(), begun((1, 0, 50), (2, 0, 50))]
LEFT_AND_CUT: dict[str, tuple[list[Any], list[Any], dict[str, Any]]] = {
    "that anything was posted": ([], [*POSTED, entry(Verdict.THROTTLED)], {"last_sent_at": NOON}),
    "what was accepted": (POSTED, [entry()], {"counts": {RowState.ACCEPTED: 50}}),
    "what was rejected": (POSTED, [entry(Verdict.REJECTED)], {"counts": {RowState.REJECTED: 50}}),
    "what is not sent any more": (POSTED, [superseded(2, 0, 1, 2)], {"counts": {RowState.SUPERSEDED: 3}}),
}
"""By what is lost: the lines that are left, those that are cut, what the record says."""


def read(record: RunRecord, lines: list[Any]) -> Ledger:
    store = MemoryStore()
    store.put(f"contoso/{RUN_ID}/ledger.ndjson", b"".join(map(ledger_line, lines)))
    return RunStore(store, VirtualClock(Time())).ledger(record)


@pytest.mark.parametrize("lost", LEFT_AND_CUT)
def test_a_ledger_that_says_less_than_the_record_is_damage_whatever_is_missing(lost):
    left, cut, told = LEFT_AND_CUT[lost]
    record = run_record(100, **told)
    assert read(record, [*left, *cut]).has_begun
    with pytest.raises(RunDamagedError, match=f"ledger of run {RUN_ID} is gone or cut"):
        read(record, left)


@pytest.mark.parametrize("lost", LEFT_AND_CUT)
def test_a_ledger_that_says_more_than_the_record_is_none(lost):
    """The sender was killed before it brought the record up to date."""
    left, cut, _ = LEFT_AND_CUT[lost]
    assert read(run_record(100), [*left, *cut]).has_begun
