"""Rows on their way from a file to the plan, many at a time: what is done to a column is then one call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

BATCH_ROWS = 1024


class RowBatch(NamedTuple):
    """Rows of a file as they are read: `lines` are where they stand, in ascending order."""

    lines: list[int]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is set aside. `column` is None where the whole row is meant; message and advice hold no cell's text.

    `external_id` is the row's key as far as it can be read: whatever stands elsewhere about that worker is not sent
    either.
    """

    line: int
    column: str | None
    code: str
    message: str
    advice: str
    external_id: str | None = None


@dataclass(slots=True)
class MappedBatch:
    """Rows after the mapping, in the file's order; every list but the last two has an item for each row.

    `cells`: the row's own cells, a JSON array. `users`: the SCIM User as JSON, b"" for a row that is not sent, which
    then stands in `problems` (set aside) or in `excluded`. `keys`, `logins`, `managers`: externalId, userName and the
    manager's externalId as `key_numbers` gives them.
    """

    lines: list[int]
    cells: list[bytes]
    external_ids: list[str]
    keys: list[int | None]
    logins: list[int | None]
    managers: list[int | None]
    users: list[bytes]
    problems: list[RowProblem] = field(default_factory=list)
    excluded: list[RowProblem] = field(default_factory=list)
    newest_by: list[str] = field(default_factory=list)
    """The cells that tell which of several rows of a worker is the newest; empty where the feed does not ask."""
