"""Bulk request files: what is posted, the same bytes each time the same drop is planned."""

from __future__ import annotations

import gzip
import hashlib
import uuid

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.bulk_request import (
    IndexedRow,
    RequestFileContent,
    bulk_id,
    part_of_request,
    read_row_index,
    request_bodies,
    request_files,
    row_index,
)
from shared.inbound.working_set import PlannedRow
from shared.scim.bulk import BulkRequest
from tests.unit.builders import PROPERTY, RUN_ID, user_of


def planned(count: int) -> list[PlannedRow]:
    """Rows in an order other than the file's, as managers first makes it."""
    users = [user_of(WorkerID=f"W{number}", FirstName="Zoë\n\u2028") for number in range(count)]
    return [PlannedRow(2 * count - n, f"W{n}", orjson.dumps(user)) for n, user in enumerate(users)]


def keys(count: int) -> list[tuple[int, str]]:
    return [(row.line, row.external_id) for row in planned(count)]


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
    rows = [PlannedRow(n, f"W{n}", b"{}") for n in range(2, 10_003)]
    first, second = request_files(rows, RUN_ID)
    assert (first.requests, first.operations) == (200, 10_000)
    assert (second.name, second.requests, second.operations) == ("requests/0002.ndjson.gz", 1, 1)


def test_planning_the_same_drop_again_gives_the_same_bytes():
    assert plan(123) == plan(123)
    assert [file.content[4:8] for file in plan(123)] == [bytes(4)], "gzip's header would hold the time of day"
    assert b"".join(row_index(keys(123), RUN_ID)) == b"".join(row_index(keys(123), RUN_ID))


def test_the_operations_come_in_the_order_of_the_plan():
    (file,) = plan(60)
    found = [
        operation["data"]["externalId"]
        for body in request_bodies(file.content)
        for operation in orjson.loads(body)["Operations"]
    ]
    assert found == [f"W{n}" for n in range(60)]


def test_a_bulk_id_names_one_row_of_one_run():
    ids = {bulk_id(run, line) for run in (RUN_ID, "other") for line in range(2, 100)}
    assert len(ids) == 2 * 98
    assert {uuid.UUID(found).version for found in ids} == {5}


@PROPERTY
@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 10**9))
def test_a_bulk_id_is_a_version_5_uuid_as_the_standard_makes_them(run_id: str, line: int):
    namespace = uuid.UUID("5b0f5ad4-7c39-5f0e-9d53-3a2a6c0f4d10")
    assert bulk_id(run_id, line) == str(uuid.uuid5(namespace, f"{run_id}/{line}"))


def test_a_bulk_id_never_changes_since_a_half_sent_run_may_go_on_with_newer_code():
    assert bulk_id(RUN_ID, 2) == "1a777daa-419f-5173-83f1-48bf85834e36"


def test_the_row_index_says_where_each_line_went():
    rows = planned(123)
    bodies = [orjson.loads(body) for file in plan(123) for body in request_bodies(file.content)]
    index = list(row_index([(row.line, row.external_id) for row in rows], RUN_ID))
    for row, line in zip(rows, index, strict=True):
        entry = orjson.loads(line)
        operation = bodies[entry["request"] - 1]["Operations"][entry["operation"]]
        assert operation["bulkId"] == entry["bulkId"] == bulk_id(RUN_ID, row.line)
        assert operation["data"]["externalId"] == entry["externalId"] == row.external_id
    assert list(read_row_index(index))[50] == IndexedRow(rows[50].line, "W50", 2, 0)


FIFTY = request_bodies(plan(50)[0].content)[0]


@PROPERTY
@given(st.integers(0, 50), st.integers(0, 50))
def test_a_part_of_a_request_has_its_operations_unchanged(one: int, other: int):
    start, stop = sorted((one, other))
    part, whole = orjson.loads(part_of_request(FIFTY, start, stop)), orjson.loads(FIFTY)
    assert part["Operations"] == whole["Operations"][start:stop]
    assert {**part, "Operations": []} == {**whole, "Operations": []}


def test_every_part_that_is_sent_is_a_bulk_request():
    for start, stop in ((0, 25), (25, 50), (49, 50), (0, 50)):
        BulkRequest.model_validate_json(part_of_request(FIFTY, start, stop))
