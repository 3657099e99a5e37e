"""Who was sent twice, and whose older state came after a newer one, by what the API has accepted."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.platform.accounting import run_blob, run_records

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

    Post = dict[str, Any]


def doubled(service: BlobServiceClient, posts: list[Post]) -> list[str]:
    """Workers whose row was accepted once more although the answer that accepted it had been put down."""
    noted = {line["clientRequestId"] for run in run_records(service) for line in _acceptances(service, run)}
    is_noted: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for post in posts:
        if post["accepted"]:
            for row in _rows(post):
                is_noted[row].append(post["clientRequestId"] in noted)
    return [worker for (worker, _), each in is_noted.items() if any(each[:-1])]


def _rows(post: Post) -> list[tuple[str, str]]:
    """Worker and bulkId, which names run and row."""
    return list(zip(post["externalIds"], post["bulkIds"], strict=True))


def _acceptances(service: BlobServiceClient, run: dict[str, Any]) -> list[dict[str, Any]]:
    lines = map(json.loads, run_blob(service, run, "ledger.ndjson").splitlines())
    return [line for line in lines if line.get("verdict") == "accepted"]


def turned_back(service: BlobServiceClient, posts: list[Post]) -> list[str]:
    """Workers of whom an older run was accepted after a newer one."""
    order, taken = _order_of_operations(service), defaultdict(list)
    for post in posts:
        if post["accepted"]:
            for worker, bulk_id in _rows(post):
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
