"""The states a row can be in; every row is in exactly one."""

from __future__ import annotations

from enum import StrEnum


class RowState(StrEnum):
    """Names as in `run.json`."""

    SET_ASIDE = "setAside"
    EXCLUDED = "excluded"
    UNCHANGED = "unchanged"
    PLANNED = "planned"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    CREATED = "created"
    UPDATED = "updated"
    DISABLED = "disabled"
    DELETED = "deleted"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNACCOUNTED = "unaccounted"


OUTCOMES = frozenset(
    {
        RowState.CREATED,
        RowState.UPDATED,
        RowState.DISABLED,
        RowState.DELETED,
        RowState.SKIPPED,
        RowState.FAILED,
        RowState.UNACCOUNTED,
    }
)
"""What an accepted row becomes when the provisioning log speaks, or stays silent for too long."""

OPEN = frozenset({RowState.PLANNED, RowState.ACCEPTED})
"""Not final: something is still to happen without a person."""
