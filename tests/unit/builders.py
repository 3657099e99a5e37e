"""Complete defaults for everything that the core takes; a test names only what it is about."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pytest
from hypothesis import settings

from shared.inbound.feeds.feed_file import Feed, Rows
from shared.inbound.mapping.attribute_mapping import AttributeMapping
from shared.inbound.mapping.cell_problem import key_numbers
from shared.inbound.planning.working_set import WorkingSet
from shared.inbound.reading.hr_file import HrRow
from shared.inbound.reading.row_batch import MappedBatch, RowBatch, RowProblem
from shared.inbound.sending.answer import Attempt
from shared.inbound.sending.ledger_entry import AnswerEntry, Verdict
from shared.monitoring.provisioning_log import ProvisioningEvent
from shared.run.drop import Drop
from shared.run.record import RequestFile, RunRecord, no_counts
from shared.run.row_state import RowState
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PROPERTY = settings(max_examples=50, deadline=None, database=None, derandomize=True)
"""For property tests: the same examples on every machine, so that a green tree stays green."""

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CONTOSO = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User"

NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
RUN_ID = "20260901T120000Z-0123456789ab"

MAPPING: dict[str, Any] = {
    "externalId": "WorkerID",
    "userName": {"column": "UserID", "transforms": ["trim", "lower"]},
    "active": {"column": "WorkerStatus", "true_when": ["Active", "On Leave"], "false_when": ["Terminated"]},
    "name.givenName": "FirstName",
    "name.familyName": "LastName",
    "displayName": {"template": "{FirstName} {LastName}"},
    'emails[type eq "work"].value': "Email",
    f"{ENTERPRISE}:department": "Department",
    f"{ENTERPRISE}:manager.value": "ManagerID",
    f"{CONTOSO}:hireDate": {"column": "HireDate", "date": "%d/%m/%Y"},
}
CELLS = {
    "WorkerID": "701984",
    "UserID": "bjensen@example.com",
    "WorkerStatus": "Active",
    "FirstName": "Barbara",
    "LastName": "Jensen",
    "Email": "barbara.jensen@example.com",
    "Department": "Tour Operations",
    "ManagerID": "89607",
    "HireDate": "13/05/2021",
}
COLUMNS = tuple(CELLS)


def after(**span: float) -> datetime:
    """NOON plus so many minutes, seconds, hours, days."""
    return NOON + timedelta(**span)


def feed(mapping: dict[str, Any] | None = None, **sections: Any) -> Feed:
    """The default feed with other rules: one that is None is left out."""
    rules = {path: rule for path, rule in {**MAPPING, **(mapping or {})}.items() if rule is not None}
    job = {"servicePrincipalId": "4f7c2d58-2f3e-4d84-9a2c-3a0c5b1e7d11", "jobId": "API2AAD.8c3f.1a03de52"}
    return Feed.model_validate({"job": job, "mapping": rules, **sections})


FEED_LINES = (
    "job:",
    "  servicePrincipalId: 4f7c2d58-2f3e-4d84-9a2c-3a0c5b1e7d11",
    "  jobId: API2AAD.8c3f.1a03de52",
    "mapping:",
    "  externalId: WorkerID",
    "  userName: UserID",
    "  active: {column: WorkerStatus, true_when: [Active], false_when: [Terminated]}",
)
"""A small feed file, by line: what a test appends stands on line 8 and belongs to `mapping` if it is indented."""


def feed_file(*more: str, instead: dict[int, str] | None = None) -> bytes:
    """FEED_LINES with other lines at those numbers, and more lines below."""
    lines = [(instead or {}).get(number, line) for number, line in enumerate(FEED_LINES, start=1)]
    return "\n".join([*lines, *more, ""]).encode()


EMAIL = 'emails[type eq "work"].value'
BLANKS = pytest.mark.parametrize("blank", ["", "  ", "\t", "\u00a0", "\r\n"], ids=repr)


def hr_row(line: int = 2, **cells: str) -> HrRow:
    """A row that can be sent, with other cells."""
    return HrRow(line, list({**CELLS, **cells}.values()))


class MappedRow(NamedTuple):
    """A row that can be sent: its user, and the manager's externalId as the user has it."""

    line: int
    external_id: str
    manager: str | None
    user: dict[str, Any]


def mapping_of(
    mapping: dict[str, Any] | None = None, columns: Sequence[str] = COLUMNS, today: date = TODAY, **sections: Any
) -> AttributeMapping:
    """The default feed, with other rules and sections, compiled for those columns."""
    return AttributeMapping(feed(mapping, **sections), columns, today)


def map_rows(mapping: AttributeMapping, *rows: HrRow) -> list[MappedRow | list[RowProblem]]:
    """What becomes of each row of one batch; for an excluded row, why it is."""
    batch = mapping.map(RowBatch([row.line for row in rows], [row.cells for row in rows]))
    assert [orjson.loads(cells) for cells in batch.cells] == [row.cells for row in rows]
    return [_mapped(batch, place) for place in range(len(rows))]


def _mapped(batch: MappedBatch, place: int) -> MappedRow | list[RowProblem]:
    line, text = batch.lines[place], batch.users[place]
    problems = [problem for problem in (*batch.problems, *batch.excluded) if problem.line == line]
    assert bool(text) is not bool(problems), "a row is either sent or named as a problem"
    if not text:
        return problems
    user = orjson.loads(text)
    external_id, manager = batch.external_ids[place], user.get(ENTERPRISE, {}).get("manager", {}).get("value")
    numbers = [batch.keys[place], batch.managers[place], batch.logins[place]]
    assert numbers == key_numbers([external_id, manager or "", user["userName"]])
    return MappedRow(line, external_id, manager, user)


def map_row(mapping: dict[str, Any] | None = None, /, line: int = 2, **cells: str) -> MappedRow | list[RowProblem]:
    """What the default feed, with other rules, makes of the default row, with other cells (and further columns)."""
    (mapped,) = map_rows(mapping_of(mapping, list({**CELLS, **cells})), hr_row(line, **cells))
    return mapped


def user_of(mapping: dict[str, Any] | None = None, /, **cells: str) -> dict[str, Any]:
    """As `map_row`, for a row that can be sent."""
    mapped = map_row(mapping, **cells)
    assert isinstance(mapped, MappedRow), mapped
    return mapped.user


def problems_of(mapping: dict[str, Any] | None = None, /, **cells: str) -> list[RowProblem]:
    """As `map_row`, for a row that is set aside."""
    mapped = map_row(mapping, **cells)
    assert isinstance(mapped, list), mapped
    return mapped


def codes(problems: list[RowProblem]) -> list[tuple[str | None, str]]:
    """Where and what."""
    return [(problem.column, problem.code) for problem in problems]


def csv_file(*rows: Iterable[str], header: Iterable[str] = COLUMNS) -> bytes:
    """An HR file as a spreadsheet program writes it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([list(header), *map(list, rows)])
    return text.getvalue().encode()


def worker(line: int, external_id: str | None = None, manager: str | None = None, **attributes: Any) -> MappedRow:
    """A row on its way into the working set; its user says no more than it has to."""
    key = external_id or f"W{line}"
    return MappedRow(line, key, manager, {"externalId": key, **attributes})


def problem(
    line: int = 2, column: str | None = "WorkerStatus", code: str = "unknownStatus", *, external_id: str | None = None
) -> RowProblem:
    return RowProblem(line, column, code, f"{code}.", "Correct it.", external_id)


def batches(rows: Iterable[MappedRow | list[RowProblem]], size: int = 3) -> Iterator[MappedBatch]:
    """Rows as the mapping hands them on, so many at a time; the cells of each are its line and its key."""
    found = list(rows)
    for start in range(0, len(found), size):
        batch = MappedBatch([], [], [], [], [], [], [])
        for row in found[start : start + size]:
            _add(batch, row)
        yield batch


def _add(batch: MappedBatch, row: MappedRow | list[RowProblem]) -> None:
    if isinstance(row, MappedRow):
        line, key, manager, user = row.line, row.external_id, row.manager, row.user
    else:
        line, key, manager, user = row[0].line, row[0].external_id or "", None, {}
        left_out = row[0].code == "excluded"
        (batch.excluded if left_out else batch.problems).extend(row)
    batch.lines.append(line)
    batch.cells.append(orjson.dumps([str(line), key]))
    batch.external_ids.append(key)
    batch.keys += key_numbers([key])
    batch.managers += key_numbers([manager or ""])
    batch.logins += key_numbers([user.get("userName", "")])
    batch.users.append(orjson.dumps(user) if user else b"")
    batch.newest_by.append(user.get("newest", ""))


def arranged(*rows: MappedRow | list[RowProblem], policy: Rows | None = None, size: int = 1000) -> WorkingSet:
    """A working set that is ready to be read."""
    working_set = WorkingSet(policy)
    working_set.load(batches(rows, size))
    working_set.arrange()
    return working_set


class PlannedRow(NamedTuple):
    """A row that will be sent, with names for its parts; externalId and user are JSON."""

    number: int
    line: int
    external_id: bytes
    user: bytes


def planned_rows(working_set: WorkingSet) -> list[PlannedRow]:
    """The plan, managers first."""
    return [PlannedRow(*row) for row in working_set.planned()]


def entry(verdict: Verdict = Verdict.ACCEPTED, request: int = 1, start: int = 0, stop: int = 50, **more: Any) -> Any:
    defaults = {"status": 202, "client_request_id": "c", "sent_at": NOON, "answered_at": after(seconds=1)}
    return AnswerEntry(request=request, start=start, stop=stop, verdict=verdict, **{**defaults, **more})


def attempt(operations: int = 50, tries: int = 1, *, jitter: float = 0.5, token_is_fresh: bool = False) -> Attempt:
    return Attempt(operations, tries, token_is_fresh, jitter, NOON)


def log_record(**properties: Any) -> dict[str, Any]:
    """A record of the provisioning log in the documented v1.0 shape; a property that is None is left out."""
    record = {
        "id": "5f0c7a52-3a5e-4f0e-8a3b-0d0e7c9b1a11",
        "activityDateTime": "2026-09-01T12:00:00Z",
        "jobId": "API2AAD.8c3f.1a03de52",
        "cycleId": "b6502552-018d-49bd-8869-447194dc65c1",
        "changeId": "eaad2f8b-e6e3-409b-83bd-e4e2e57177d5",
        "provisioningAction": "create",
        "durationInMilliseconds": 2785,
        "servicePrincipal": {"id": "7d387c22-d8cd-4b16-8751-3c4a991e934e", "displayName": "HR to Entra ID"},
        "sourceIdentity": {"id": "701984", "displayName": "Babs Jensen", "identityType": "User", "details": {}},
        "targetIdentity": {"id": "", "displayName": "", "identityType": "User", "details": {}},
        "provisioningStatusInfo": {"status": "success", "errorInformation": None},
        "provisioningSteps": [
            {"name": "EntryImportAdd", "provisioningStepType": "import", "status": "success", "details": {}},
        ],
        "modifiedProperties": [{"displayName": "displayName", "oldValue": None, "newValue": "Babs Jensen"}],
    }
    return {name: value for name, value in {**record, **properties}.items() if value is not None}


def event(
    action: str = "create",
    status: str = "success",
    *,
    minute: float = 0,
    code: str | None = None,
    id: str | None = None,
    external_id: str = "701984",
) -> ProvisioningEvent:
    """What the log said `minute` minutes after NOON."""
    return ProvisioningEvent(
        id or f"{action}-{status}-{minute}", after(minutes=minute), external_id, status, action, code, "cycle"
    )


def drop(blob_name: str = "contoso/workers.csv", etag: str = '"0x8DC1"', dropped_at: datetime = NOON) -> Drop:
    return Drop(blob_name, etag, dropped_at, 1000)


def run_record(
    planned: int = 100, set_aside: int = 0, *, counts: dict[RowState, int] | None = None, **members: Any
) -> RunRecord:
    """A run that sends `planned` rows and sets others aside; `counts` says where else the planned rows are."""
    elsewhere = counts or {}
    split = {RowState.PLANNED: planned - sum(elsewhere.values()), RowState.SET_ASIDE: set_aside, **elsewhere}
    file = RequestFile(name="requests/0001.ndjson.gz", requests=-(-planned // 50), operations=planned, sha256="0" * 64)
    defaults: dict[str, Any] = {
        "run": RUN_ID,
        "feed": "contoso",
        "file": "workers.csv",
        "etag": "0x8DC1",
        "dropped_at": NOON,
        "planned_at": NOON,
        "updated_at": NOON,
        "state": RunState.PLANNED,
        "rows": planned + set_aside,
        "job_id": "API2AAD.8c3f.1a03de52",
        "plan": [file] if planned else [],
    }
    return RunRecord(**{**defaults, "counts": no_counts() | split, **members})


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    """The content in chunks of that size."""
    return (content[start : start + size] for start in range(0, len(content), size))
