"""Reading the logs: who may, which, in what order, page by page."""

from urllib.parse import urlsplit

import pytest

from tests.unit.simulator.calling import Caller, user


@pytest.fixture
def full(api: Caller) -> Caller:
    """Twelve records in three requests, a minute apart, without limits."""
    api.set(logRequestsPer10Seconds=None, callsPer5Seconds=None)
    for start in (0, 4, 8):
        api.upload(*[user(str(number)) for number in range(start, start + 4)])
        api.advance(60)
    return api


def ids(records: list[dict]) -> list[str]:
    return [record["sourceIdentity"]["id"] for record in records]


def walk(api: Caller, **options: object) -> list[list[str]]:
    answer = api.logs(**options).json()
    pages = [ids(answer["value"])]
    while link := answer.get("@odata.nextLink"):
        answer = api.graph("GET", link).json()
        pages.append(ids(answer["value"]))
        assert len(pages) < 20
    return pages


def test_a_record_has_the_documented_members(full: Caller):
    record = full.records()[0]
    assert set(record) == {
        "id", "activityDateTime", "tenantId", "jobId", "cycleId", "changeId", "provisioningAction",
        "durationInMilliseconds", "servicePrincipal", "sourceSystem", "targetSystem", "initiatedBy", "sourceIdentity",
        "targetIdentity", "provisioningStatusInfo", "provisioningSteps", "modifiedProperties",
    }  # fmt: skip
    assert record["provisioningStatusInfo"] == {"status": "success", "errorInformation": None}


def test_beta_adds_action_and_status_info(full: Caller):
    full.upload(user("x", userName="x@nowhere.test"))
    ok, *_, failed = full.records(version="beta")
    assert (ok["action"], ok["statusInfo"]) == ("Create", {"status": "success"})
    assert failed["statusInfo"]["errorCode"] == "InvalidDomain"
    assert failed["statusInfo"]["@odata.type"] == "#microsoft.graph.statusDetails"


def test_pages_follow_each_other_without_gap_or_double(full: Caller):
    newest_first = [str(number) for number in reversed(range(12))]
    assert walk(full, top=5) == [newest_first[:5], newest_first[5:10], newest_first[10:]]
    assert walk(full, top=6, orderby="activityDateTime asc") == [newest_first[::-1][:6], newest_first[::-1][6:]]
    assert walk(full, top=12) == [newest_first]


def test_the_next_link_keeps_the_whole_query(full: Caller):
    job_id = full.tenant.identifiers.job_id
    link = full.logs(f"jobId eq '{job_id}'", top=5).json()["@odata.nextLink"]
    assert link.startswith(f"{full.tenant.base_url}/v1.0/auditLogs/provisioning?$filter=jobId%20eq%20'{job_id}'&$top=5")
    assert len(full.graph("GET", link).json()["value"]) == 5


def test_records_that_arrive_between_pages_neither_shift_nor_double_them(full: Caller):
    first = full.logs(top=5).json()
    full.upload(user("new"))
    second = full.graph("GET", first["@odata.nextLink"]).json()
    assert ids(first["value"] + second["value"]) == [str(number) for number in range(11, 1, -1)]


def test_records_appear_after_the_delay_and_go_after_the_retention(api: Caller):
    api.set(logDelaySeconds=300)
    api.upload(user())
    assert api.records() == []
    assert [r["visible"] for r in api.control("GET", "logs")] == [False]
    api.advance(301)
    assert len(api.records()) == 1
    api.advance(31 * 86400)
    token = {"Authorization": f"Bearer {api.fresh_token()}"}
    assert api.call("GET", "/v1.0/auditLogs/provisioning", headers=token).json()["value"] == []


def test_filters_select_by_job_time_status_and_person(full: Caller):
    full.upload(user("x", userName="x@nowhere.test"))
    since = full.records("sourceIdentity/id eq '8'")[0]["activityDateTime"]
    assert ids(full.records(f"jobid eq '{full.tenant.identifiers.job_id}' and sourceIdentity/id eq '8'")) == ["8"]
    assert ids(full.records(f"activityDateTime ge {since}")) == ["8", "9", "10", "11", "x"]
    assert ids(full.records(f"activityDateTime gt {since}")) == ["x"]
    assert ids(full.records("provisioningStatusInfo/status eq 'failure'")) == ["x"]
    assert ids(full.records("statusInfo/status eq 'failure'", version="beta")) == ["x"]
    assert full.records("jobId eq 'another'") == []


@pytest.mark.parametrize(
    "query",
    ["$top=0", "$top=x", "$orderby=id", "$count=true", "$skiptoken=%21", "$filter=", "$top=1&$top=2", "$filter=a%20eq"],
)
def test_a_query_that_cannot_be_understood_is_400(api: Caller, query: str):
    answer = api.graph("GET", f"/v1.0/auditLogs/provisioning?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["innerError"]["request-id"]


def test_an_oversize_top_is_capped_or_refused(full: Caller):
    full.set(maxTop=3, defaultTop=2)
    assert len(full.logs(top=999).json()["value"]) == 3
    assert len(full.logs().json()["value"]) == 2
    full.set(topAboveMax="refuse")
    assert full.logs(top=4).status_code == 400


def test_the_next_link_can_point_elsewhere(full: Caller):
    full.set(nextLinkHost="elsewhere.test:81")
    assert urlsplit(full.logs(top=1).json()["@odata.nextLink"]).netloc == "elsewhere.test:81"


@pytest.mark.parametrize(
    ("permission", "status"),
    [
        ("ProvisioningLog.Read.All", 200),
        ("AuditLog.Read.All", 200),
        ("Directory.Read.All", 200),
        ("SynchronizationData-User.Upload", 403),
    ],
)
def test_reading_needs_one_of_three_permissions(api: Caller, permission: str, status: int):
    api.set(permissions=[permission])
    assert api.logs().status_code == status


def test_the_path_with_a_trailing_slash_answers_too(full: Caller):
    assert len(full.graph("GET", "/beta/auditLogs/provisioning/").json()["value"]) == 12
