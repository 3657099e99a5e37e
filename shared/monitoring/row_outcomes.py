"""`outcomes.ndjson`: what became of every row of a plan, a line each, in the plan's order.

Together with `set_aside.csv` it names every row of the HR file once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from shared.monitoring.outcome import Outcome, first_outcome, fold
from shared.run.row_state import OUTCOMES, RowState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.monitoring.event_window import EventWindow
    from shared.monitoring.provisioning_log import ProvisioningEvent


def log_time(moment: datetime) -> datetime:
    """The moment as the log would give it: its documented examples have whole seconds."""
    return moment.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class SentRow:
    """One planned row as the ledger knows it: `state` is planned, accepted, rejected or superseded.

    For an accepted row, `since` is a moment before which this run had not posted it, `sent_at` when the request was
    sent that the API accepted. For a superseded one, `by_run` is the newer run, if it was one.
    """

    line: int
    external_id: str
    state: RowState
    since: datetime | None = None
    sent_at: datetime | None = None
    code: str | None = None
    by_run: str | None = None


class RowOutcomes:
    """A pass over the rows that yields the lines and, once it is through, has the `counts` and `codes`."""

    def __init__(
        self, window: EventWindow, *, now: datetime, settling: timedelta, newer_run_from: datetime | None = None
    ) -> None:
        """Takes what the log said.

        Args:
            window: the events.
            now: the time of this report.
            settling: how long after its upload a row of which the log never spoke is still only `accepted`.
            newer_run_from: when a newer run of the job began to send. The log does not say which upload an event
                belongs to; from then on a row takes one only if it has none yet and is not unaccounted, and then
                the first.
        """
        self._window = window
        self._now = now
        self._settling = settling
        self._newer_run_from = newer_run_from
        self.counts: Counter[RowState] = Counter()
        self.codes: Counter[str] = Counter()

    def lines(self, rows: Iterable[SentRow], previous: Iterator[bytes]) -> Iterator[bytes]:
        """The new file.

        Args:
            rows: every planned row, in the plan's order.
            previous: the lines of the file as it was, in the same order; empty at first.
        """
        for row in rows:
            before = next(previous, None)
            outcome = _stored(before) if before else None
            if row.state is RowState.ACCEPTED and row.since and row.sent_at:
                outcome = self._follow(row.external_id, row.since, row.sent_at, outcome)
            state = outcome.state if outcome else row.state
            code = outcome.code if outcome else row.code
            if state in OUTCOMES:
                self.counts[state] += 1
            if code:
                self.codes[code] += 1
            yield _line(row, state, code, outcome)

    def _is_own(self, event: ProvisioningEvent) -> bool:
        return self._newer_run_from is None or event.at < log_time(self._newer_run_from)

    def _follow(self, external_id: str, since: datetime, sent_at: datetime, outcome: Outcome | None) -> Outcome | None:
        spoken = outcome if outcome and outcome.state is not RowState.UNACCOUNTED else None
        events = self._window.of(external_id, log_time(since))
        spoken = fold(spoken, [event for event in events if self._is_own(event)])
        if spoken is None and outcome is None:
            spoken = first_outcome(events)
        if spoken is None and (outcome is not None or self._now - sent_at >= self._settling):
            return outcome or Outcome(RowState.UNACCOUNTED, None, self._now, "")
        return spoken


def _stored(line: bytes) -> Outcome | None:
    """The outcome in a line written before; None where the log had not spoken."""
    data = orjson.loads(line)
    if RowState(data["state"]) not in OUTCOMES:
        return None
    at = datetime.fromisoformat(data["at"])
    created = bool(data.get("created"))
    return Outcome(RowState(data["state"]), data.get("code"), at, data.get("eventId", ""), created)


def _line(row: SentRow, state: RowState, code: str | None, outcome: Outcome | None) -> bytes:
    data: dict[str, object] = {"line": row.line, "externalId": row.external_id, "state": state.value}
    if code:
        data["code"] = code
    if outcome:
        data["at"] = outcome.at.isoformat()
        data["eventId"] = outcome.event_id
        if outcome.created:
            data["created"] = True
    elif row.sent_at:
        data["at"] = row.sent_at.isoformat()
    if row.by_run:
        data["byRun"] = row.by_run
    return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE)
