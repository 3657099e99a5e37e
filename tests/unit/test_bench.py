"""What the benchmark compares is the same work, and its file is as hard as it claims to be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from shared.inbound.planning.bulk_request import bulk_requests
from shared.inbound.planning.conversion import convert, open_working_set
from tests.bench import convert as bench
from tests.bench.files import BENCH_COLUMNS, bench_feed, bench_rows, write_csv

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 5000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "workers.csv"
    write_csv(path, ROWS)
    return path


def operations(bodies: list[bytes]) -> list[dict[str, Any]]:
    return [operation["data"] for body in bodies for operation in json.loads(body)["Operations"]]


def converted(file: Path) -> list[bytes]:
    feed = bench_feed()
    with open_working_set(feed) as working_set:
        convert(bench.chunks(file), feed, working_set, datetime.now(UTC))
        return list(bulk_requests(working_set.planned(), "run"))


def test_the_loop_and_the_conversion_make_the_very_same_users(file, tmp_path):
    bench.same(file, tmp_path)
    looped = operations((tmp_path / "requests.ndjson").read_bytes().splitlines())
    made = {user["externalId"]: user for user in operations(converted(file))}
    assert len(made) == ROWS * 99 // 100
    assert {user["externalId"]: user for user in looped if user["externalId"] in made} == made


def test_the_file_has_22_columns_and_30_levels_in_no_order():
    assert len(BENCH_COLUMNS) == 22
    external_id, manager = BENCH_COLUMNS.index("WorkerID"), BENCH_COLUMNS.index("ManagerID")
    above = {row[external_id]: row[manager] for row in bench_rows(1_000_000 // 100)}

    def level(worker: str) -> int:
        depth = 0
        while worker:
            worker, depth = above[worker], depth + 1
        return depth

    assert max(map(level, above)) == 28  # of 10,000; a million has two more
    places = {worker: place for place, worker in enumerate(above)}
    later = sum(places[above[worker]] > places[worker] for worker in above if above[worker])
    assert 0.3 < later / len(above) < 0.7


def test_no_manager_is_sent_after_their_reports_over_all_levels_and_request_borders(file):
    bodies = converted(file)
    sent = operations(bodies)
    assert len(bodies) == -(-len(sent) // 50) > 90
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    place = {user["externalId"]: number for number, user in enumerate(sent)}
    managers = [(user["externalId"], user[enterprise].get("manager", {}).get("value")) for user in sent]
    checked = [(worker, manager) for worker, manager in managers if manager in place]
    assert len(checked) > ROWS * 9 // 10
    assert [worker for worker, manager in checked if place[manager] > place[worker]] == []
