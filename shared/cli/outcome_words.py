"""What helps a row, by its state and by the code beside it. Pure; `docs/reasons.md` says the same at more length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.cli.run_words import once_repaired
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.resend_run import CAME_TO_NOTHING
from shared.workflows.trace_worker import is_sent_in_part

if TYPE_CHECKING:
    from collections.abc import Container

    from shared.workflows.trace_worker import Sighting

_PROGRAM = "python -m shared"
CODES = {
    "RedundantExport": "Nothing: Entra had the same data already.",
    "EntrySynchronizationSkipped": "Nothing, or look at the scoping filters of the provisioning app.",
    "InvalidDomain": (
        "The user name's domain is not verified in the tenant: repair the user name in HR or the feed file, or verify "
        "the domain."
    ),
    "Conflict": (
        "Another account has the same value: repair it in HR or the feed file, or rename the other account in Entra."
    ),
    "UnableToResolveReferenceAttributeValue": (
        "The worker is done, the manager is not set: send the manager's record through this job too, then this one "
        "again."
    ),
}
"""Codes of the provisioning log, with what a person does."""


def what_helps_row(sighting: Sighting, cancelled: Container[str | None] = ()) -> list[str]:
    """What to do about one row; empty where nothing is to be done.

    Args:
        sighting: the row.
        cancelled: runs that were cancelled before they sent the worker.
    """
    run = sighting.run
    if sighting.what_to_do:
        return [sighting.what_to_do]
    if is_sent_in_part(run):
        return [f"The record of its run was deleted: {_PROGRAM} show {run.run}"]
    found = [advice for advice in (CODES.get(sighting.code or ""),) if advice]
    match sighting.state:
        case RowState.PLANNED if run.state in (RunState.HELD, RunState.BLOCKED) or run.not_before:
            found.append(f"Its run waits: {_PROGRAM} show {run.run}")
        case RowState.ACCEPTED:
            found.append("The provisioning log says what became of it, mostly within an hour.")
        case RowState.SUPERSEDED if sighting.by_run in cancelled:
            found.append(f"The newer file was cancelled. If these data are right: {_again(sighting)}")
        case RowState.SUPERSEDED if sighting.by_run:
            found.append(f"A newer file speaks of this worker: {_PROGRAM} show {sighting.by_run}")
        case RowState.SUPERSEDED:
            found.append(f"Its run was cancelled. If the data were right: {_again(sighting)}")
        case state if state in CAME_TO_NOTHING:
            found += once_repaired([state], _again(sighting))
    return found


def _again(sighting: Sighting) -> str:
    return f"{_PROGRAM} resend {sighting.run.run} --state {sighting.state}"
