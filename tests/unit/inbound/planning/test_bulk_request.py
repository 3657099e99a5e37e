"""Bulk request files: what is posted, the same bytes each time the same drop is planned."""

from __future__ import annotations

import gzip
import hashlib
import uuid
from array import array
from itertools import accumulate
from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.planning.bulk_request import (
    IndexedRow,
    RequestFileContent,
    barriers,
    bulk_id,
    bulk_requests,
    part_of_request,
    read_row_index,
    request_bodies,
    request_files,
)
from shared.inbound.planning.manager_order import NOBODY, give_levels, in_order_of_levels, level_starts
from shared.scim.bulk import BulkRequest
from tests.unit.builders import PROPERTY, RUN_ID, PlannedRow, user_of


def planned(count: int) -> list[PlannedRow]:
    """Rows in an order other than the file's, as managers first makes it."""
    users = [user_of(WorkerID=f"W{number}", FirstName="Zoë\n\u2028") for number in range(count)]
    return [
        PlannedRow(2 * count - n - 2, 2 * count - n, b'"W%d"' % n, orjson.dumps(user)) for n, user in enumerate(users)
    ]


def plan(count: int) -> list[RequestFileContent]:
    return list(request_files(planned(count), RUN_ID))


def sizes(count: int) -> list[int]:
    return [len(orjson.loads(body)["Operations"]) for file in plan(count) for body in request_bodies(file.content)]


@pytest.mark.parametrize(
    ("rows", "requests"),
    [(1, [1]), (49, [49]), (50, [50]), (51, [50, 1]), (100, [50, 50]), (123, [50, 50, 23])],
)
def test_every_request_but_the_last_has_fifty_operations(rows: int, requests: list[int]):
    assert sizes(rows) == requests


def test_no_row_makes_no_file():
    assert plan(0) == []


def test_every_body_is_a_bulk_request_that_the_api_takes():
    for file in plan(123):
        for body in request_bodies(file.content):
            BulkRequest.model_validate_json(body)


def test_a_file_says_what_is_in_it():
    (file,) = plan(123)
    assert (file.name, file.requests, file.operations) == ("requests/0001.ndjson.gz", 3, 123)
    assert file.sha256 == hashlib.sha256(file.content).hexdigest()
    assert gzip.decompress(file.content).count(b"\n") == 3


def test_two_hundred_requests_fill_a_file():
    rows = [PlannedRow(n, n + 2, b'"W%d"' % n, b"{}") for n in range(10_001)]
    first, second = request_files(rows, RUN_ID)
    assert (first.requests, first.operations) == (200, 10_000)
    assert (second.name, second.requests, second.operations) == ("requests/0002.ndjson.gz", 1, 1)


def test_planning_the_same_drop_again_gives_the_same_bytes():
    assert plan(123) == plan(123)
    assert [file.content[4:8] for file in plan(123)] == [bytes(4)], "gzip's header would hold the time of day"


def test_the_operations_come_in_the_order_of_the_plan():
    (file,) = plan(60)
    found = [
        operation["data"]["externalId"]
        for body in request_bodies(file.content)
        for operation in orjson.loads(body)["Operations"]
    ]
    assert found == [f"W{n}" for n in range(60)]


def test_a_bulk_id_names_one_row_of_one_run():
    ids = {bulk_id(run, row) for run in (RUN_ID, "other") for row in (*range(100), 10**6, 10**7)}
    assert len(ids) == 2 * 102


@PROPERTY
@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**48 - 1))
def test_a_bulk_id_is_a_version_8_uuid_that_ends_with_the_rows_number(run_id: str, row: int):
    text = bulk_id(run_id, row).decode()
    found = uuid.UUID(text)
    assert (str(found), found.version, found.variant) == (text, 8, uuid.RFC_4122)
    assert found.node == row
    assert found.int >> 48 == uuid.UUID(bulk_id(run_id, 0).decode()).int >> 48


def test_a_bulk_id_never_changes_since_a_half_sent_run_may_go_on_with_newer_code():
    assert bulk_id(RUN_ID, 2) == b"61cb4b2f-6ae6-8e09-bded-000000000002"
    assert bulk_id(RUN_ID, 1_048_576) == b"61cb4b2f-6ae6-8e09-bded-000000100000"


def test_each_file_says_where_each_line_of_the_hr_file_went():
    rows = planned(123)
    bodies = [orjson.loads(body) for file in plan(123) for body in request_bodies(file.content)]
    index = b"".join(file.index for file in plan(123)).splitlines()
    for row, line in zip(rows, index, strict=True):
        entry = orjson.loads(line)
        operation = bodies[entry["request"] - 1]["Operations"][entry["operation"]]
        assert operation["bulkId"] == entry["bulkId"] == bulk_id(RUN_ID, row.number).decode()
        assert operation["data"]["externalId"] == entry["externalId"] == orjson.loads(row.external_id)
        assert entry["line"] == row.line
    assert list(read_row_index(index))[50] == IndexedRow(rows[50].line, "W50", 2, 0)


def test_requests_are_counted_on_from_file_to_file():
    rows = [PlannedRow(n, n + 2, b'"W%d"' % n, b"{}") for n in range(10_001)]
    _, second = request_files(rows, RUN_ID)
    assert list(read_row_index(second.index.splitlines())) == [IndexedRow(10_002, "W10000", 201, 0)]


@pytest.mark.parametrize("count", [0, 1, 50, 123])
def test_the_bodies_alone_are_those_of_the_files(count: int):
    assert list(bulk_requests(planned(count), RUN_ID)) == [
        b for file in plan(count) for b in request_bodies(file.content)
    ]


def test_a_key_with_quotes_and_line_breaks_is_one_line_of_the_index():
    (file,) = request_files([PlannedRow(0, 2, orjson.dumps('A "b"\n\\ ë %d'), b"{}")], RUN_ID)
    assert [row.external_id for row in read_row_index(file.index.splitlines())] == ['A "b"\n\\ ë %d']
    assert file.index.count(b"\n") == 1


FIFTY = request_bodies(plan(50)[0].content)[0]


@PROPERTY
@given(st.integers(0, 50), st.integers(0, 50))
def test_a_part_of_a_request_has_its_operations_unchanged(one: int, other: int):
    start, stop = sorted((one, other))
    part, whole = orjson.loads(part_of_request(FIFTY, range(start, stop))), orjson.loads(FIFTY)
    assert part["Operations"] == whole["Operations"][start:stop]
    assert {**part, "Operations": []} == {**whole, "Operations": []}


def test_every_part_that_is_sent_is_a_bulk_request():
    for start, stop in ((0, 25), (25, 50), (49, 50), (0, 50)):
        BulkRequest.model_validate_json(part_of_request(FIFTY, range(start, stop)))


def test_a_part_can_have_holes():
    part, whole = orjson.loads(part_of_request(FIFTY, [0, 7, 49])), orjson.loads(FIFTY)
    assert part["Operations"] == [whole["Operations"][place] for place in (0, 7, 49)]


@PROPERTY
@given(st.lists(st.integers(1, 130), min_size=1, max_size=6))
def test_between_a_manager_and_a_report_in_a_later_request_there_is_a_barrier(sizes: list[int]):
    """Any row of a level may report to any row of the level above."""
    starts = list(accumulate(sizes, initial=0))
    found = barriers(starts[1:-1], starts[-1])
    assert found == sorted(set(found))
    assert all(1 < number <= -(-starts[-1] // 50) for number in found)
    for above, level, below in zip(starts, starts[1:], starts[2:], strict=False):
        managers = {place // 50 + 1 for place in range(above, level)}
        reports = {place // 50 + 1 for place in range(level, below)}
        pairs = [(m, r) for m in managers for r in reports if m < r]
        assert all(any(m < number <= r for number in found) for m, r in pairs)


@PROPERTY
@given(st.integers(1, 400), st.integers(1, 8), st.randoms(use_true_random=False))
def test_in_any_company_a_report_is_begun_after_their_managers_request_is_answered(
    rows: int, tall: int, random: Random
):
    """Some have no manager, some form circles; the few who go before their own manager are known."""
    managers = [max(NOBODY, row - random.randint(1, max(1, rows // tall))) for row in range(rows)]
    for row in random.sample(range(rows), rows // 20):
        managers[row] = random.randrange(rows)
    levels = array("i", managers)
    freed = give_levels(levels)
    found = barriers(level_starts(levels)[1:-1], rows)
    request = {row: place // 50 + 1 for place, row in enumerate(in_order_of_levels(levels))}
    for row, manager in enumerate(managers):
        if manager != NOBODY and row not in freed:
            before, after = request[manager], request[row]
            assert before == after or any(before < number <= after for number in found)


def test_a_company_of_twenty_thousand_has_few_barriers():
    """Everybody has eight reports, in the order of a staff number that says nothing of rank."""
    people = list(range(20_000))
    Random(5).shuffle(people)
    managers = array("i", [NOBODY]) * len(people)
    for place, row in enumerate(people[1:]):
        managers[row] = people[place // 8]
    give_levels(managers)
    starts = level_starts(managers)
    assert list(starts) == [0, 1, 9, 73, 585, 4681, 20_000]
    assert barriers(starts[1:-1], 20_000) == [2, 3, 12, 13, 94, 95]
