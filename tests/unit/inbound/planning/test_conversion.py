"""From bytes to what would be sent: what reviews found, held so that it stays mended."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import FeedFileError, HrFileError
from shared.inbound.feeds.feed_file import parse_feed
from shared.inbound.planning.bulk_request import bulk_requests
from shared.inbound.planning.conversion import convert, open_working_set
from shared.inbound.planning.set_aside import excluded_csv, set_aside_csv

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
RULES = {
    "externalId": "Id",
    "userName": "Login",
    "active": {"column": "Status", "true_when": ["A"], "false_when": ["T"]},
    "displayName": "Name",
}
JOB = {"servicePrincipalId": "4f7c2d58-2f3e-4d84-9a2c-3a0c5b1e7d11", "jobId": "API2AAD.0"}


def converted(content: bytes, mapping: dict[str, Any] | None = None, **sections: Any) -> tuple[list[Any], bytes, bytes]:
    """The users that would be sent, set_aside.csv and excluded.csv."""
    feed = parse_feed(json.dumps({"job": JOB, "mapping": RULES | (mapping or {}), **sections}).encode())
    with open_working_set(feed) as working_set:
        done = convert([content], feed, working_set, NOW)
        bodies = list(bulk_requests(working_set.planned(), "run"))
        aside = b"".join(set_aside_csv(working_set.set_aside(), done.columns))
        left_out = b"".join(excluded_csv(working_set.excluded(), done.columns))
    return [one["data"] for body in bodies for one in json.loads(body)["Operations"]], aside, left_out


def refusal(content: bytes, **sections: Any) -> str:
    with pytest.raises(HrFileError) as refused:
        converted(content, **sections)
    return refused.value.reason.code


def test_a_row_that_stood_back_behind_another_does_not_come_back_with_the_repaired_file():
    newest = {"rows": {"duplicates": "last"}}
    users, aside, left_out = converted(
        b"Id,Login,Status,Name\n1,a@x.com,T,Old\n1,a@x.com,A,New\n2,b@x.com,?,Bob\n", **newest
    )
    assert [(user["externalId"], user["active"]) for user in users] == [("1", True)]
    users, _, _ = converted(aside.replace(b",?,", b",A,"), **newest)
    assert [user["externalId"] for user in users] == ["2"]
    assert b"Old" in left_out
    assert refusal(left_out, **newest) == "ownExcluded"


@pytest.mark.parametrize("cell", ["1122026", "112026", "01122026 "])
def test_a_lost_zero_in_a_date_without_separators_is_not_guessed(cell):
    until = {"active": {"until": {"column": "D", "date": "%d%m%Y"}}}
    users, aside, _ = converted(f"Id,Login,D,Name\n1,a@x.com,{cell},N\n".encode(), until)
    if cell.strip() == "01122026":
        assert [user["active"] for user in users] == [True]
    else:
        assert users == []
        assert b"[dateFormat]" in aside


def test_rows_of_json_under_a_name_that_no_standard_has_are_asked_for_and_then_read():
    content = json.dumps(
        {"at": "x", "employees": [{"Id": str(n), "Login": f"u{n}@x.com", "Status": "A", "Name": "N"} for n in (1, 2)]}
    ).encode()
    assert refusal(content) == "wrappedRows"
    users, _, _ = converted(content, file={"records": "employees"})
    assert [user["externalId"] for user in users] == ["1", "2"]


def test_names_within_json_objects_stand_in_no_notice():
    feed = parse_feed(json.dumps({"job": JOB, "mapping": RULES}).encode())
    row = {"Id": "1", "Login": "a@x.com", "Status": "A", "Name": "N", "deputies": {"jane.doe@x.com": True}}
    with open_working_set(feed) as working_set:
        done = convert([json.dumps([row]).encode()], feed, working_set, NOW)
    assert [notice.code for notice in done.notices] == ["columnsIgnored"]
    assert "jane" not in done.notices[0].message


def test_entries_of_another_type_than_work_can_be_left_out_without_the_work_address():
    emails = [{"type": "work", "value": "w@x.com"}, {"type": "home", "value": "h@x.com"}]
    user = {"externalId": "1", "userName": "a@x.com", "active": True, "emails": emails}
    layout = {"format": "scim", "ignore_attributes": ['emails[type ne "work"]']}
    feed = parse_feed(json.dumps({"job": JOB, "file": layout}).encode())
    with open_working_set(feed) as working_set:
        convert([json.dumps([user]).encode()], feed, working_set, NOW)
        (body,) = bulk_requests(working_set.planned(), "run")
    assert json.loads(body)["Operations"][0]["data"]["emails"] == emails[:1]
    with pytest.raises(FeedFileError):
        parse_feed(json.dumps({"job": JOB, "file": {"format": "scim", "ignore_attributes": ["userName"]}}).encode())


def test_a_cell_that_can_not_be_read_is_told_once_and_by_its_own_column():
    rule = {"column": "Status", "true_when": ["A"], "false_when": ["T"], "until": {"column": "D", "date": "%d/%m/%Y"}}
    _, aside, _ = converted(b"Id,Login,Status,Name,D\n1,#N/A,A,N,soon\n", {"active": rule})
    line = aside.decode("utf-8-sig").splitlines()[1]
    assert line.startswith("2,Login; D,")
    assert line.count("[") == 2


def test_the_same_file_gives_the_same_requests_again():
    content = b"Id,Login,Status,Name\n" + b"".join(b"%d,u%d@x.com,A,N\n" % (n, n) for n in range(2000))
    assert converted(content) == converted(content)
