"""What the demo puts before a person: progress, the closing table, the errors worth reading, the files to open."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress_bar import ProgressBar
from rich.table import Table

from tests.platform.accounting import outcomes, set_aside

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

_STATES = (
    "setAside",
    "excluded",
    "rejected",
    "created",
    "updated",
    "disabled",
    "deleted",
    "skipped",
    "failed",
    "unaccounted",
    "superseded",
    "unchanged",
    "accepted",
    "planned",
)
_NOTHING_TO_DO = ("EntrySynchronizationSkipped", "RedundantExport")
_ADVICE = {
    "InvalidDomain": "the login's domain is not a verified domain of the tenant",
    "Conflict": "another account has this value already, most often the login",
    "UnableToResolveReferenceAttributeValue": "the account is there, but its manager has never gone through this job",
}


def progress_table(records: list[dict[str, Any]]) -> Table:
    """One line a run, with a bar for the rows in a final state."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("file", "run is", "rows", "sent", "final", ""):
        table.add_column(heading, justify="right" if heading in ("rows", "sent", "final") else "left")
    for record in records:
        counts, rows = record["counts"], record["rows"]
        sent = rows - counts["setAside"] - counts["excluded"] - counts["planned"]
        final = rows - counts["planned"] - counts["accepted"]
        bar = ProgressBar(total=max(rows, 1), completed=final, width=30)
        table.add_row(record["file"], record["state"], str(rows), str(sent), str(final), bar)
    return table


def closing_table(records: list[dict[str, Any]]) -> Table:
    """A column a file, a line a state that some row is in; the states add up to the rows."""
    table = Table(title="Every row is in exactly one state", title_justify="left")
    table.add_column("")
    for heading in [*(record["file"] for record in records), "all"]:
        table.add_column(heading, justify="right")

    def add(name: str, numbers: list[int], *, last: bool = False) -> None:
        table.add_row(name, *map(str, [*numbers, sum(numbers)]), end_section=last)

    add("bulk requests sent", [record["requests"]["accepted"] for record in records])
    unsent = ("setAside", "excluded", "planned")
    add("rows sent", [record["rows"] - sum(record["counts"][name] for name in unsent) for record in records])
    add("rows", [record["rows"] for record in records], last=True)
    for name in _STATES:
        numbers = [record["counts"][name] for record in records]
        if any(numbers):
            add(name, numbers)
    return table


def error_lines(service: BlobServiceClient, records: list[dict[str, Any]]) -> list[str]:
    """Five kinds of trouble, those that most rows have: up to two of Entra's first, then rows that were set aside."""
    entra: dict[str, list[str]] = defaultdict(list)
    aside: dict[str, list[str]] = defaultdict(list)
    for record in records:
        for row in outcomes(service, record):
            code = row.get("code")
            if code and code not in _NOTHING_TO_DO:
                text = f"{record['file']} line {row['line']}: Entra says {code}: {_ADVICE.get(code, 'see the run')}."
                entra[code].append(text)
        for row in set_aside(service, record):
            where = f"{record['file']} line {row['line']}" + (f", column {row['column']}" if row["column"] else "")
            aside[row["reason"]].append(f"{where}: {row['problem']} {row['what to do']}")
    first = _by_number(entra)[:2]
    return first + _by_number(aside)[: 5 - len(first)]


def _by_number(kinds: dict[str, list[str]]) -> list[str]:
    most = sorted(kinds.values(), key=len, reverse=True)
    return [lines[0] + (f" ({len(lines)} rows like this)" if len(lines) > 1 else "") for lines in most]


def copy_results(service: BlobServiceClient, records: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Copy what the connector wrote; return what to open first."""
    first = []
    for container in ("runs", "summaries"):
        client = service.get_container_client(container)
        for name in client.list_blob_names():
            path = folder / container / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.download_blob(name).readall())
    largest = max(records, key=lambda record: record["rows"])
    run = folder / "runs" / largest["feed"] / largest["run"]
    first += [run / "run.json", run / "set_aside.csv", run / "outcomes.ndjson"]
    return [*first, folder / "summaries" / "latest.json", folder / "events.ndjson"]
