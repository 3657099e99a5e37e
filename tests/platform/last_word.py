"""What each worker's account should be like at the end, by the files, the order of their runs and what the API took."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.platform.accounting import run_blob, run_records
from tests.platform.sent_twice import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob import BlobServiceClient

    Rows = dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]


def rows_by_worker(service: BlobServiceClient) -> Rows:
    """Run and row of each time that a run has planned a worker, in the order of the runs."""
    found: Rows = defaultdict(list)
    for run in sorted(run_records(service), key=in_order):
        for line in run_blob(service, run, "rows.ndjson").splitlines():
            row = json.loads(line)
            found[row["externalId"]].append((run, row))
    return found


def lost(service: BlobServiceClient, posts: list[dict[str, Any]]) -> list[str]:
    """Workers of whom the newest run that nobody cancelled was not taken, unless it made way for a cancelled one."""
    taken, cancelled = _taken(posts), {run["run"] for run in run_records(service) if _is_cancelled(run)}
    found = []
    for worker, rows in rows_by_worker(service).items():
        counting = [(run, row) for run, row in rows if run["run"] not in cancelled]
        if counting and counting[-1][1]["bulkId"] not in taken:
            run, row = counting[-1]
            if _made_way_for(service, run, row) not in cancelled:
                found.append(f"{worker} of {run['run']}")
    return found


def last_words(
    service: BlobServiceClient, posts: list[dict[str, Any]], text_of: Callable[[dict[str, Any]], str]
) -> dict[str, dict[str, str]]:
    """By worker, HR's cells in the newest run of which the API has taken the worker.

    Args:
        service: the storage account.
        posts: what the simulator remembers of the calls.
        text_of: the HR file of a run.
    """
    taken, found = _taken(posts), {}
    cells: dict[str, list[dict[str, str]]] = {}
    for worker, rows in rows_by_worker(service).items():
        for run, row in rows:
            if row["bulkId"] in taken:
                if run["run"] not in cells:
                    cells[run["run"]] = list(csv.DictReader(io.StringIO(text_of(run), newline="")))
                found[worker] = cells[run["run"]][row["line"] - 2]
    return found


def _taken(posts: list[dict[str, Any]]) -> set[str]:
    return {bulk_id for post in posts if post["accepted"] for bulk_id in post["bulkIds"]}


def _is_cancelled(run: dict[str, Any]) -> bool:
    return any(action["action"] == "cancel" for action in run["actions"])


def _made_way_for(service: BlobServiceClient, run: dict[str, Any], row: dict[str, Any]) -> str | None:
    for line in map(json.loads, run_blob(service, run, "ledger.ndjson").splitlines()):
        if (
            line["kind"] == "superseded"
            and line["request"] == row["request"]
            and row["operation"] in line["operations"]
        ):
            return line.get("byRun")
    return None
