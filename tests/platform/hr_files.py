"""HR files for tests: complete rows of the sample layout, of which a test names only what it is about."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tests.demo.company import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

_USUAL = {
    "WorkerStatus": "Active",
    "FirstName": "Ana",
    "LastName": "Silva",
    "NickName": "Ana",
    "JobTitle": "Analyst",
    "Email": "ana.silva@example.com",
    "HireDate": "01/05/2021",
    "Country": "PT",
}


def hr_row(worker_id: str, **cells: str) -> dict[str, str]:
    """One worker's cells by column."""
    row = dict.fromkeys(COLUMNS, "") | _USUAL
    return row | {"WorkerID": worker_id, "UserID": f"u{worker_id.strip()}@example.com", **cells}


def hr_csv(*rows: dict[str, str], columns: list[str] | None = None) -> str:
    """A CSV text with a header; `columns` other than the sample's drop or rename what the header has."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns or COLUMNS)
    for row in rows:
        writer.writerow([row[name] for name in (columns or COLUMNS)])
    return text.getvalue()


def titled(numbers: Iterable[int], title: str) -> str:
    """A CSV text with a good row for each number; the title tells files about the same workers apart."""
    return hr_csv(*(hr_row(f"W{number:05d}", JobTitle=title) for number in numbers))


def workers(count: int, first: int = 1) -> list[dict[str, str]]:
    """That many good rows without managers."""
    return [hr_row(f"W{number:05d}") for number in range(first, first + count)]
