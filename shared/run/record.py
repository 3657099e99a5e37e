"""`run.json`: the account of one run, and the contract with operators and other programs.

`counts` always adds up to `rows`. The sender knows what the API answered, the reporter knows what the log said, and
both write here; each changes only what it knows, through `with_answers` and `with_outcomes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from shared.errors import Reason
from shared.run.row_state import OPEN, OUTCOMES, RowState
from shared.run.run_state import UNSENT, RunState, may_become

Count = Annotated[int, Field(ge=0)]


class Record(BaseModel):
    """camelCase in storage; unknown members are an error, so that a newer record is never half understood."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )


class ReasonRecord(Record):
    """Why a run is refused, held or blocked."""

    code: str
    message: str
    advice: str


class Notice(Record):
    """Something a person should know of although nothing was refused; `lines` has the first few."""

    code: str
    message: str
    rows: Count
    lines: list[int] = []


class Requests(Record):
    """Bulk requests. `throttled` counts answers 429, so it can exceed `planned`.

    `repeated`: posted again although the API may have taken them before, since no answer came (a timeout, a broken
    connection, a sender that was killed).
    """

    planned: Count = 0
    accepted: Count = 0
    rejected: Count = 0
    throttled: Count = 0
    repeated: Count = 0


class OperatorAction(Record):
    """What a person told the connector to do with a run; `by` is who, as their token or their machine names them."""

    action: Literal["resume", "cancel", "resend"]
    by: str
    at: AwareDatetime
    why: str | None = None


class RequestFile(Record):
    """One blob of the plan: `requests` bodies, a line each; the digest is of the blob as it lies in storage."""

    name: str
    requests: Count
    operations: Count
    sha256: str


class RunRecord(Record):
    """One run; times are UTC.

    `first_sent_at`: when sending began, before the first request. `not_before`: when a run that waits goes on; of a
    cancelled one that is over or held, until when the job rests all the same.
    `barriers`: numbers of requests at which rows begin whose managers are in earlier ones; what the API takes of a
    report it last takes after their manager. `resend_of`: the run whose rows this one sends again.
    """

    schema_version: Literal[1] = 1
    run: str
    feed: str
    file: str
    etag: str
    dropped_at: AwareDatetime
    planned_at: AwareDatetime
    updated_at: AwareDatetime
    state: RunState
    reason: ReasonRecord | None = None
    rows: Count = 0
    counts: dict[RowState, Count]
    requests: Requests = Requests()
    job_id: str | None = None
    service_principal_id: str | None = None
    feed_file_sha256: str | None = None
    content_sha256: str | None = None
    priority: Literal["normal", "urgent"] = "normal"
    plan: list[RequestFile] = []
    barriers: list[int] = []
    resend_of: str | None = None
    actions: list[OperatorAction] = []
    notices: list[Notice] = []
    first_sent_at: AwareDatetime | None = None
    last_sent_at: AwareDatetime | None = None
    not_before: AwareDatetime | None = None

    @model_validator(mode="after")
    def _counts_add_up(self) -> Self:
        if set(self.counts) != set(RowState):
            raise ValueError("counts must name every row state")
        if sum(self.counts.values()) != self.rows:
            raise ValueError(f"counts add up to {sum(self.counts.values())}, but there are {self.rows} rows")
        return self

    @property
    def operations(self) -> int:
        """How many rows the plan sends."""
        return sum(part.operations for part in self.plan)

    @property
    def accepted_in_all(self) -> int:
        """How many rows the API has accepted, whatever the log has said of them since."""
        return self.counts[RowState.ACCEPTED] + sum(self.counts[state] for state in OUTCOMES)

    @property
    def cancelled_by(self) -> OperatorAction | None:
        """Who said that nothing more of this run is to be sent."""
        return next((action for action in self.actions if action.action == "cancel"), None)

    @property
    def reason_code(self) -> str | None:
        """Of why the run is refused, held or blocked, or what it waits for."""
        return self.reason.code if self.reason else None

    @property
    def needs_sender(self) -> bool:
        """Whether a sender has something to do with it; of a cancelled run that is held, to say that it is over."""
        return self.state in UNSENT or (self.state is RunState.HELD and self.cancelled_by is not None)

    @property
    def has_no_plan_yet(self) -> bool:
        """Planning failed so often that this record was written in its place; it is tried again."""
        return self.state is RunState.BLOCKED and self.job_id is None

    def changed(self, **changes: object) -> RunRecord:
        """A checked copy (`model_copy` would skip the validators).

        Raises:
            ValueError: there is no way from the present state to the new one.
        """
        after = RunState(str(changes.get("state", self.state)))
        if not may_become(self.state, after):
            raise ValueError(f"a run can't go from {self.state} to {after}")
        return RunRecord.model_validate({**dict(self), **changes})

    def with_answers(self, *, accepted: int, rejected: int, superseded: int = 0) -> RunRecord:
        """The record once at least that many operations are accepted, rejected, superseded in all."""
        outcomes = {state: self.counts[state] for state in OUTCOMES}
        rejected = max(rejected, self.counts[RowState.REJECTED])
        superseded = max(superseded, self.counts[RowState.SUPERSEDED])
        return self._with_tally(max(accepted, self.accepted_in_all), rejected, superseded, outcomes)

    def with_outcomes(self, outcomes: Mapping[RowState, int]) -> RunRecord:
        """The record once the log has said that much in all; states that are not named are zero."""
        counts = self.counts
        return self._with_tally(self.accepted_in_all, counts[RowState.REJECTED], counts[RowState.SUPERSEDED], outcomes)

    def _with_tally(self, accepted: int, rejected: int, superseded: int, outcomes: Mapping[RowState, int]) -> RunRecord:
        counts = dict(self.counts)
        counts.update({state: outcomes.get(state, 0) for state in OUTCOMES})
        counts[RowState.REJECTED] = rejected
        counts[RowState.ACCEPTED] = accepted - sum(outcomes.get(state, 0) for state in OUTCOMES)
        counts[RowState.SUPERSEDED] = superseded
        counts[RowState.PLANNED] = self.operations - accepted - rejected - superseded
        return self.changed(counts=counts)

    def settled_if_final(self) -> RunRecord:
        """`settled` once nothing is left to send and every row is in a final state."""
        is_final = not any(self.counts[state] for state in OPEN)
        return self.changed(state=RunState.SETTLED) if self.state is RunState.SENT and is_final else self


def no_counts() -> dict[RowState, int]:
    """Every state at zero."""
    return dict.fromkeys(RowState, 0)


def reason_record(reason: Reason) -> ReasonRecord:
    """The stored form of a reason."""
    return ReasonRecord(code=reason.code, message=reason.message, advice=reason.advice)
