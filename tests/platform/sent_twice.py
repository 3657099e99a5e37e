"""Who was sent twice, and whose older state came after a newer one, by what the API has accepted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.platform.accounting import run_blob, run_records

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

    Post = dict[str, Any]


def doubled(service: BlobServiceClient, posts: list[Post]) -> list[str]:
    """Operations that were accepted more often than answers that nobody has put down explain, or not at all."""
    noted = {line["clientRequestId"] for run in run_records(service) for line in _answers(service, run)}
    accepted = [post for post in posts if post["accepted"]]
    times = Counter(bulk_id for post in accepted for bulk_id in post["bulkIds"])
    unseen = [post for post in accepted if post["clientRequestId"] not in noted]
    explained = Counter(bulk_id for post in unseen for bulk_id in post["bulkIds"])
    return [f"{bulk_id}: accepted {n} times" for bulk_id, n in times.items() if n != 1 + explained[bulk_id]]


def _answers(service: BlobServiceClient, run: dict[str, Any]) -> list[dict[str, Any]]:
    lines = map(json.loads, run_blob(service, run, "ledger.ndjson").splitlines())
    return [line for line in lines if line["kind"] == "answer"]


def turned_back(service: BlobServiceClient, posts: list[Post]) -> list[str]:
    """Workers of whom an older run was accepted after a newer one."""
    order, taken = _order_of_operations(service), defaultdict(list)
    for post in posts:
        if post["accepted"]:
            for worker, bulk_id in zip(post["externalIds"], post["bulkIds"], strict=True):
                taken[worker].append(order[bulk_id])
    return [worker for worker, runs in taken.items() if runs != sorted(runs)]


def _order_of_operations(service: BlobServiceClient) -> dict[str, tuple[str, datetime, str]]:
    return {
        json.loads(line)["bulkId"]: in_order(run)
        for run in run_records(service)
        for line in run_blob(service, run, "rows.ndjson").splitlines()
    }


def in_order(run: dict[str, Any]) -> tuple[str, datetime, str]:
    """By drop, whose time has whole seconds; within one as planned."""
    return run["run"].partition("-")[0], datetime.fromisoformat(run["plannedAt"]), run["run"]
