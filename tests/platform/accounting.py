"""Does every row of an HR file stand in exactly one state, and do all who say so agree?

Counts for itself, from the file and the run's blobs, and shares no code with the connector.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

OPEN_STATES = ("planned", "accepted")


def run_records(service: BlobServiceClient) -> list[dict[str, Any]]:
    """Every run.json that is one, oldest drop first."""
    container = service.get_container_client("runs")
    names = sorted(name for name in container.list_blob_names() if name.endswith("/run.json"))
    records = [json.loads(container.download_blob(name).readall()) for name in names]
    return sorted(
        filter(None, records), key=lambda record: (record["run"].partition("-")[0], record["plannedAt"], record["run"])
    )


def run_blob(service: BlobServiceClient, record: dict[str, Any], name: str) -> str:
    blob = service.get_blob_client("runs", f"{record['feed']}/{record['run']}/{name}")
    return blob.download_blob(encoding="utf-8-sig").readall() if blob.exists() else ""


def set_aside(service: BlobServiceClient, record: dict[str, Any], name: str = "set_aside.csv") -> list[dict[str, str]]:
    """The rows with HR's own cells; `reason` has the codes that stand in brackets behind each problem."""
    rows = list(csv.DictReader(io.StringIO(run_blob(service, record, name), newline="")))
    return [
        {**row, "reason": "; ".join(re.findall(r"\[(\w+)\](?= |$)", row.get("problem") or row["reason"]))}
        for row in rows
    ]


def outcomes(service: BlobServiceClient, record: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run_blob(service, record, "outcomes.ndjson").splitlines()]


def lines_of_rows(text: str) -> list[int]:
    """The line on which each data row of a CSV text begins."""
    reader = csv.reader(io.StringIO(text, newline=""))
    lines, before = [], 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            lines.append(before + 1)
        before = reader.line_num
    return lines[1:]


def faults(service: BlobServiceClient, record: dict[str, Any], hr_text: str, *, all_final: bool = True) -> list[str]:
    """What is wrong with the account of one run; nothing, if every row is accounted for."""
    found = []
    rows = lines_of_rows(hr_text)
    aside = {int(row["line"]) for row in set_aside(service, record)}
    excluded = {int(row["line"]) for row in set_aside(service, record, "excluded.csv")}
    told = outcomes(service, record)
    counted = Counter(line["state"] for line in told)
    counted += Counter({"setAside": len(aside), "excluded": len(excluded)})
    stated = Counter({state: count for state, count in record["counts"].items() if count})
    if sum(record["counts"].values()) != record["rows"]:
        found.append("counts do not add up to rows")
    if record["rows"] != len(rows):
        found.append(f"the file has {len(rows)} rows, the run {record['rows']}")
    if sorted([*aside, *excluded, *(line["line"] for line in told)]) != rows:
        found.append(
            "some line of the file is named not once by set_aside.csv, excluded.csv and outcomes.ndjson together"
        )
    if counted != stated:
        found.append(f"run.json counts {dict(stated)}, its blobs {dict(counted)}")
    if all_final and any(record["counts"][state] for state in OPEN_STATES):
        found.append("some row is still open")
    return found
