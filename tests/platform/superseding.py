"""Was every row that was not sent left out for a good reason? Shares no code with the connector.

A newer run of the same feed is one from when it is planned, unless it is held or cancelled. Any newer run of the job is
one for what it has posted and was not refused.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.platform.accounting import run_blob, run_records
from tests.platform.sent_twice import in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.storage.blob import BlobServiceClient

_NEVER = datetime.max.replace(tzinfo=UTC)
_HELD_FROM = 0.1


def wrongly_superseded(service: BlobServiceClient) -> list[str]:
    """One sentence for each row, at most."""
    runs = {record["run"]: _Run(service, record) for record in run_records(service)}
    found = []
    for run in runs.values():
        for line in run.lines:
            if line["kind"] == "superseded":
                newer = runs.get(line.get("byRun", ""))
                found += [told for op in line["operations"] if (told := run.fault((line["request"], op), line, newer))]
    return found


class _Run:
    def __init__(self, service: BlobServiceClient, record: dict[str, Any]) -> None:
        self.record = record
        rows = list(map(json.loads, run_blob(service, record, "rows.ndjson").splitlines()))
        self.lines = list(map(json.loads, run_blob(service, record, "ledger.ndjson").splitlines()))
        self.workers = {(row["request"], row["operation"]): row["externalId"] for row in rows}
        self.places = {worker: place for place, worker in self.workers.items()}

    def fault(self, place: tuple[int, int], line: dict[str, Any], newer: _Run | None) -> str | None:
        """Why this row should not have been left out by this line of its ledger."""
        worker, at = self.workers[place], _time(line["at"])
        told = f"{worker} of {self.record['run']} was left out by {line.get('byRun')}: "
        if newer is None:
            return None if self.acted("cancel") <= at else told + "nobody cancelled it"
        if in_order(newer.record) <= in_order(self.record):
            return told + "that is no newer run"
        if worker not in newer.places:
            return told + "that does not name the worker"
        there = newer.places[worker]
        if newer.has_posted(there, min(at, newer.superseded_at(there))):
            return None
        is_said = newer.record["feed"] == self.record["feed"] and newer.speaks_for_its_feed(at)
        return None if is_said and newer.superseded_at(there) >= at else told + "that does not speak of the worker"

    def acted(self, action: str) -> datetime:
        """When a person first did that to the run."""
        return min((_time(one["at"]) for one in self.record["actions"] if one["action"] == action), default=_NEVER)

    def speaks_for_its_feed(self, at: datetime) -> bool:
        was_held = self.record["counts"]["setAside"] > _HELD_FROM * self.record["rows"]
        return self.acted("cancel") > at and not (was_held and self.acted("resume") > at)

    def superseded_at(self, place: tuple[int, int]) -> datetime:
        """From then on it was not posted again."""
        gone = [one for one in self.lines if one["kind"] == "superseded" and one["request"] == place[0]]
        return min((_time(one["at"]) for one in gone if place[1] in one["operations"]), default=_NEVER)

    def has_posted(self, place: tuple[int, int], at: datetime) -> bool:
        """Until that moment, and the API did not refuse the row."""
        lines = self._until(at)
        begun = [part for line in lines if line["kind"] == "begun" for part in line["parts"]]
        refused = [(x["request"], x["start"], x["stop"]) for x in lines if x.get("verdict") == "rejected"]
        return any(_holds(part, place) for part in begun) and not any(_holds(part, place) for part in refused)

    def _until(self, at: datetime) -> list[dict[str, Any]]:
        return [line for line in self.lines if _time(line.get("at") or line["answeredAt"]) <= at]


def _holds(part: Sequence[int], place: tuple[int, int]) -> bool:
    return part[0] == place[0] and part[1] <= place[1] < part[2]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
