"""One cycle of a job: staged users become accounts and log records."""

from dataclasses import dataclass
from typing import Any

from tests.simulator.attributes import manager_of
from tests.simulator.directory import Directory, Modified, Outcome
from tests.simulator.identifiers import new_guid
from tests.simulator.job import Execution, Job
from tests.simulator.log_record import Change, LogRecord, manager_record, user_record
from tests.simulator.log_store import LogStore
from tests.simulator.settings import Settings


@dataclass
class _Visit:
    """One operation of the cycle after the first of its two steps."""

    change: Change
    outcome: Outcome
    followed: bool = False  # its manager step left a record of its own


def run_cycle(
    job: Job,
    batch: list[dict[str, Any]],
    *,
    due: float,
    tenant_id: str,
    directory: Directory,
    logs: LogStore,
    settings: Settings,
) -> None:
    """Process every user, then every manager, so that within a cycle the order of operations does not matter.

    Source: "how provisioning works" and the manager page (the user first, the manager by a second update);
    Q&A 5830481 (a manager is found only among what this job has processed).
    """
    # Guess: open question 6; one person twice in a cycle is processed twice, in the order received.
    cycle_id = new_guid()
    visits = [_visit(user, job, cycle_id, due, tenant_id, directory, settings) for user in batch]
    records: list[tuple[_Visit, LogRecord]] = []
    for visit in visits:
        if record := _assign_manager(visit, job, directory, settings):
            records.append((visit, record))
    lost = set(settings.lose_logs_of_external_ids)
    for visit in visits:
        redundant = visit.outcome.action == "other"
        if visit.change.external_id in lost or (redundant and (visit.followed or not settings.redundant_records)):
            continue
        logs.append(user_record(visit.change, visit.outcome))
    for visit, record in records:
        if visit.change.external_id not in lost:
            logs.append(record)
    _report(job, cycle_id, due, visits)


def _visit(
    user: dict[str, Any], job: Job, cycle_id: str, due: float, tenant_id: str, directory: Directory, settings: Settings
) -> _Visit:
    external_id = user["externalId"]
    outcome = directory.apply(user, job_id=job.id, now=due, settings=settings)
    if outcome.error_code:
        job.failed.add(external_id)
    else:
        job.failed.discard(external_id)
        job.known.add(external_id)
    return _Visit(Change(user, job, cycle_id, due, tenant_id, directory.accounts.get(external_id)), outcome)


def _assign_manager(visit: _Visit, job: Job, directory: Directory, settings: Settings) -> LogRecord | None:
    """Set, clear or fail to find the manager; returns the log record of that step if it has one of its own."""
    account, outcome = visit.change.account, visit.outcome
    enterprise_sent, wanted = manager_of(visit.change.user)
    if account is None or outcome.error_code:
        return None
    if wanted is None and not (settings.flow_null_values and enterprise_sent):
        return None
    if wanted == account.manager:
        return None
    if wanted is not None and (wanted not in job.known or wanted not in directory.accounts):
        # Nothing repairs this later by itself: the person must be sent again (inferred).
        visit.followed = True
        return manager_record(visit.change, wanted=wanted, modified=None)
    modified: Modified = ("manager", account.manager, wanted)
    account.manager, account.updated = wanted, visit.change.due
    if not settings.manager_as_second_record:
        outcome.action = "update" if outcome.action == "other" else outcome.action
        outcome.modified.append(modified)
        return None
    visit.followed = True
    return manager_record(visit.change, wanted=wanted, modified=modified)


def _report(job: Job, cycle_id: str, due: float, visits: list[_Visit]) -> None:
    failed = sum(1 for visit in visits if visit.outcome.error_code)
    exported = sum(1 for visit in visits if not visit.outcome.error_code and visit.outcome.action != "other")
    job.executions.append(Execution(cycle_id, due, due, imported=len(visits), exported=exported, failed=failed))
