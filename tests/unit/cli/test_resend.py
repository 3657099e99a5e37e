"""Which rows are sent again, and under which run id."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from shared.errors import RunDamagedError
from shared.inbound.planning.bulk_request import IndexedRow
from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import AnswerEntry, SupersededEntry, Verdict
from shared.run.row_state import RowState
from shared.workflows.resend_run import resend_id, rows_to_resend

AT = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
ORIGIN = "20260901T110000Z-aaaaaaaaaaaa"
ALL = frozenset({RowState.FAILED, RowState.REJECTED, RowState.UNACCOUNTED})


def answer(verdict: Verdict, start: int, stop: int) -> AnswerEntry:
    return AnswerEntry(
        request=1, start=start, stop=stop, verdict=verdict, client_request_id="c", sent_at=AT, answered_at=AT
    )


def index(rows: int = 4) -> list[IndexedRow]:
    return [IndexedRow(line=place + 2, external_id=f"W{place}", request=1, operation=place) for place in range(rows)]


def outcomes(*states: str) -> list[bytes]:
    return [orjson.dumps({"line": line, "state": state}) for line, state in enumerate(states, start=2)]


SENT = [answer(Verdict.SPLIT, 0, 4), answer(Verdict.ACCEPTED, 0, 2), answer(Verdict.SPLIT, 2, 4)]
SENT += [answer(Verdict.REJECTED, 2, 3), answer(Verdict.ACCEPTED, 3, 4)]


def chosen(lines: list[bytes], states: frozenset[RowState] = ALL, entries=tuple(SENT)) -> list[int]:
    rows = rows_to_resend(iter(index()), Ledger([4], entries), iter(lines), states)
    return [row.operation for row in rows]


def test_the_outcomes_say_what_failed_and_the_ledger_what_was_rejected():
    lines = outcomes("failed", "created", "rejected", "unaccounted")
    assert chosen(lines) == [0, 2, 3]
    assert chosen(lines, frozenset({RowState.FAILED})) == [0]
    assert chosen(lines, frozenset({RowState.REJECTED})) == [2]
    assert chosen(lines, frozenset({RowState.UNACCOUNTED})) == [3]


def test_before_the_first_report_the_ledger_alone_says_it():
    assert chosen([]) == [2]


def test_a_row_whose_outcome_is_older_than_the_ledger_is_judged_by_the_ledger():
    assert chosen(outcomes("planned", "planned", "planned", "planned")) == [2]


def test_rows_that_were_never_sent_are_not_sent_again():
    assert chosen([], entries=()) == []
    gone = SupersededEntry(request=1, operations=(0, 1, 2, 3), at=AT)
    assert chosen(outcomes("superseded", "superseded", "superseded", "superseded"), entries=(gone,)) == []


def test_rows_that_were_superseded_are_sent_again_where_they_are_wanted():
    gone = SupersededEntry(request=1, operations=(1, 3), at=AT)
    wanted = frozenset({RowState.SUPERSEDED})
    assert chosen([], wanted, entries=(gone,)) == [1, 3]
    assert chosen(outcomes("planned", "superseded", "planned", "superseded"), wanted, entries=(gone,)) == [1, 3]
    assert chosen([], wanted) == []


def test_outcomes_of_other_rows_are_not_believed():
    with pytest.raises(RunDamagedError):
        chosen([orjson.dumps({"line": 99, "state": "failed"})])


def test_the_id_tells_the_time_of_the_drop_and_differs_for_every_command():
    first = resend_id(ORIGIN, ALL, AT)
    assert first.startswith("20260901T110000Z-")
    assert len(first) == len(ORIGIN)
    others = {resend_id(ORIGIN, ALL, AT.replace(second=1)), resend_id(ORIGIN, frozenset({RowState.FAILED}), AT), ORIGIN}
    assert first not in others
    assert len(others) == 3
    assert resend_id(ORIGIN, [RowState.UNACCOUNTED, RowState.REJECTED, RowState.FAILED], AT) == first
