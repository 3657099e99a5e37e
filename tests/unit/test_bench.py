"""What the benchmark compares is the same work, and its file is as hard as it claims to be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from shared.inbound.planning.bulk_request import bulk_requests
from shared.inbound.planning.conversion import convert, open_working_set
from tests.bench import convert as bench
from tests.bench.files import BENCH_COLUMNS, bench_feed, bench_rows, write_csv
from tests.bench.sending import CEILING, LIMITED, both, whole
from tests.bench.simulated import Sent, prepared

if TYPE_CHECKING:
    from pathlib import Path

ROWS, USERS = 5000, 500


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


@pytest.fixture(scope="module")
def sent() -> dict[str, Sent]:
    return both(USERS, limits=False)


@pytest.mark.parametrize("client", ["sequential", "connector"])
def test_both_clients_send_every_user_once_in_full_requests(sent, client):
    told = sent[client]
    assert (told.requests, told.throttled) == (USERS // 50, 0)
    assert (told.users, told.doubled) == (USERS, 0)


@pytest.mark.parametrize("client", ["sequential", "connector"])
def test_what_is_measured_of_a_client_fits_together(sent, client):
    told = sent[client]
    assert 0 < told.elapsed < told.seconds
    assert told.per_second == told.requests / told.elapsed
    assert 0 < told.cpu_per_1000_users == told.cpu_seconds / USERS * 1000
    assert 0 < told.megabytes_before <= told.peak_megabytes


def test_the_simulators_share_of_the_processor_is_its_own(sent):
    """It works for less than a client's session lasts. (Its clock ticks in hundredths: so few users may show none.)"""
    for told in sent.values():
        assert 0 <= told.server_cpu_seconds < told.seconds + 0.1


@pytest.mark.parametrize("lack", [{"users": USERS - 1}, {"doubled": 1}])
def test_no_figures_are_given_for_a_client_that_lost_or_doubled_users(sent, lack):
    assert whole(sent["connector"], USERS) is sent["connector"]
    with pytest.raises(RuntimeError, match=f"of {USERS} users were accepted"):
        whole(replace(sent["connector"], **lack), USERS)


def test_the_floor_is_the_time_that_the_limit_asks_of_a_plan_of_that_many_requests():
    told = Sent(
        requests=400, throttled=0, users=20_000, doubled=0, elapsed=90.0, seconds=91.0, cpu_seconds=2.0,
        server_cpu_seconds=1.0, megabytes_before=50.0, peak_megabytes=60.0,
    )  # fmt: skip
    assert (told.floor, told.beside_floor) == (45.0, 2.0)
    rows = {str(figure[0]): figure[1](told) for figure in LIMITED + CEILING}
    assert rows["beside the API's floor"] == 2.0
    assert rows["processor s per 1,000 users"] == 0.1


def test_the_sequential_client_waits_as_long_as_a_429_says_and_posts_the_same_again():
    with prepared(150) as ready:
        ready.entra.post("faults", {"on": "bulkUpload", "status": 429, "after": 1, "headers": {"Retry-After": "0.3"}})
        told = ready.sequential()
        assert (told.requests, told.throttled, told.users, told.doubled) == (3, 1, 150, 0)
        refused, again = ready.entra.get("requests", on="bulkUpload")[1:3]
    assert (refused["status"], again["status"]) == (429, 202)
    assert again["epoch"] - refused["epoch"] >= 0.3


def test_the_connector_finds_the_plan_made_and_leaves_its_run_sent():
    with prepared(60) as ready:
        assert (ready.run()["state"], ready.entra.get("requests", on="bulkUpload")) == ("planned", [])
        told = ready.connector()
        run = ready.run()
    assert run["state"] == "sent"
    assert run["counts"]["accepted"] == told.users == 60
    assert run["requests"]["accepted"] == told.requests == 2
