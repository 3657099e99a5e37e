"""Rate windows, the daily quota, and the full queue."""

from tests.unit.simulator.calling import Caller, user


def test_the_forty_first_call_within_five_seconds_is_throttled_with_a_decimal_wait(api: Caller):
    assert {api.upload(user()).status_code for _ in range(40)} == {202}
    refused = api.upload(user())
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TooManyRequests")
    assert refused.json()["error"]["innerError"]["code"] == "429"
    assert "." in refused.headers["retry-after"]
    api.advance(float(refused.headers["retry-after"]))
    assert api.upload(user()).status_code == 202


def test_waiting_less_than_told_is_throttled_again(api: Caller):
    api.set(callsPer5Seconds=1)
    api.upload(user())
    api.advance(4)
    assert api.upload(user()).status_code == 429


def test_the_daily_quota_counts_every_job_of_the_tenant(api: Caller):
    api.set(callsPerDay=2)
    second = api.control("POST", "jobs", {"servicePrincipalId": "sp2", "jobId": "API2AAD.x.y"})
    path = f"/v1.0/servicePrincipals/sp2/synchronization/jobs/{second['jobId']}/bulkUpload"
    assert [api.upload(user()).status_code, api.upload(user(), path=path).status_code] == [202, 202]
    refused = api.upload(user())
    assert refused.status_code == 429
    assert float(refused.headers["retry-after"]) > 80_000
    api.set(dailyQuotaRetryAfter=False)
    assert "retry-after" not in api.upload(user(), path=path).headers


def test_the_five_second_window_can_be_counted_per_job(api: Caller):
    api.control("POST", "jobs", {"servicePrincipalId": "sp2", "jobId": "j2"})
    other = "/v1.0/servicePrincipals/sp2/synchronization/jobs/j2/bulkUpload"
    api.set(callsPer5Seconds=1)
    assert [api.upload(user()).status_code, api.upload(user(), path=other).status_code] == [202, 429]
    api.set(callsPer5SecondsCountedPer="job")
    assert api.upload(user(), path=other).status_code == 202


def test_null_means_no_limit(api: Caller):
    api.set(callsPer5Seconds=None, callsPerDay=None)
    assert {api.upload(user()).status_code for _ in range(60)} == {202}


def test_a_full_queue_answers_500_until_a_cycle_empties_it(api: Caller):
    api.set(queueCapacity=2, cycleSeconds=2400)
    assert api.upload(user("1")).status_code == 202
    full = api.upload(user("2"), user("3"))
    assert full.status_code == 500
    assert full.json()["error"]["message"].startswith("The bucket that stores the ingested data is full")
    api.control("POST", "process")
    assert api.upload(user("2"), user("3")).status_code == 202


def test_failed_records_go_on_filling_the_queue_until_they_succeed(api: Caller):
    api.set(queueCapacity=1)
    api.upload(user("1", userName="a@nowhere.test"))
    assert api.upload(user("2")).status_code == 500
    api.set(queueCapacity=2)
    api.upload(user("1"))
    assert [job["queued"] for job in api.control("GET", "jobs")] == [0]


def test_logs_have_a_limit_of_their_own(api: Caller):
    assert {api.logs().status_code for _ in range(5)} == {200}
    refused = api.logs()
    assert refused.status_code == 429
    assert 0 < float(refused.headers["retry-after"]) <= 10
    api.advance(10)
    assert api.logs().status_code == 200
