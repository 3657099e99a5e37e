"""What the job makes of the users it was sent."""

import pytest

from tests.unit.simulator.calling import ENTERPRISE, Caller, user


def outcomes(api: Caller) -> list[tuple[str, str, str]]:
    return [
        (r["sourceIdentity"]["id"], r["provisioningAction"], r["provisioningStatusInfo"]["status"])
        for r in api.control("GET", "logs")
    ]


def error_codes(api: Caller) -> list[str | None]:
    infos = [record["provisioningStatusInfo"]["errorInformation"] for record in api.control("GET", "logs")]
    return [info and info["errorCode"] for info in infos]


def changed(api: Caller) -> dict[str, tuple[str | None, str | None]]:
    modified = api.control("GET", "logs")[-1]["modifiedProperties"]
    return {m["displayName"]: (m["oldValue"], m["newValue"]) for m in modified}


def test_a_person_is_created_then_left_alone_then_updated_then_disabled_then_enabled(api: Caller):
    api.upload(user("1", title="Clerk"))
    api.upload(user("1", title="Clerk"))
    api.upload(user("1", title="Head"))
    assert changed(api) == {"jobTitle": ("Clerk", "Head")}
    api.upload(user("1", title="Head", active=False))
    assert changed(api) == {"accountEnabled": ("True", "False")}
    api.upload(user("1", title="Head"))
    assert outcomes(api) == [
        ("1", "create", "success"),
        ("1", "other", "skipped"),
        ("1", "update", "success"),
        ("1", "disable", "success"),
        ("1", "update", "success"),
    ]
    assert api.accounts()["1"]["accountEnabled"] is True


def test_a_redundant_person_is_skipped_with_its_reason_or_not_logged_at_all(api: Caller):
    api.upload(user())
    api.upload(user())
    assert api.control("GET", "logs")[-1]["provisioningSteps"][-1]["details"] == {"SkipReason": "RedundantExport"}
    api.set(redundantRecords=False)
    api.upload(user())
    assert len(outcomes(api)) == 2


def test_an_attribute_left_out_stays_unless_null_values_flow(api: Caller):
    api.upload(user(title="Clerk", nickName="Al"))
    api.upload(user(title=None, nickName=""))
    assert outcomes(api)[-1] == ("1", "other", "skipped")
    api.set(flowNullValues=True)
    api.upload(user())
    assert changed(api) == {"jobTitle": ("Clerk", None), "nickName": ("Al", None)}


def test_a_sub_attribute_is_cleared_only_when_its_container_is_sent(api: Caller):
    api.set(flowNullValues=True)
    phone = [{"type": "work", "value": "555"}]
    api.upload(user(name={"givenName": "A", "familyName": "B"}, phoneNumbers=phone))
    api.upload(user(name={"familyName": "B"}))
    assert changed(api) == {"givenName": ("A", None)}
    assert api.accounts()["1"]["attributes"]["telephoneNumber"] == "555"


def test_only_work_entries_count(api: Caller):
    numbers = [{"type": "mobile", "value": "1"}, {"type": "work", "value": "2"}]
    api.upload(user(phoneNumbers=numbers, emails=[{"type": "home", "value": "a@b.c"}]))
    attributes = api.accounts()["1"]["attributes"]
    assert attributes["telephoneNumber"] == "2"
    assert not [name for name in attributes if name.startswith("emails")]


def test_custom_extensions_and_enterprise_attributes_arrive(api: Caller):
    urn = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User"
    api.upload(user(**{urn: {"HireDate": "2021-05-01"}, ENTERPRISE: {"department": "Ops", "costCenter": "7"}}))
    attributes = api.accounts()["1"]["attributes"]
    assert attributes[f"{urn}:HireDate"] == "2021-05-01"
    assert (attributes["department"], attributes[f"{ENTERPRISE}:costCenter"]) == ("Ops", "7")


def test_without_active_the_account_keeps_its_state(api: Caller):
    api.upload(user(active=False))
    api.upload(user(active=None, title="X"))
    assert api.accounts()["1"]["accountEnabled"] is False


def test_a_new_person_needs_a_user_name_and_a_known_one_does_not(api: Caller):
    api.upload(user(userName=None))
    assert error_codes(api) == ["MandatoryFieldsMissing"]
    api.upload(user())
    api.upload({"schemas": user()["schemas"], "externalId": "1", "active": False})
    assert outcomes(api)[-1] == ("1", "disable", "success")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a@nowhere.test", "InvalidDomain"),
        ("a b@example.com", "AzureActiveDirectoryInvalidUserPrincipalName"),
        ("@example.com", "AzureActiveDirectoryInvalidUserPrincipalName"),
        ("a@b@example.com", "AzureActiveDirectoryInvalidUserPrincipalName"),
    ],
)
def test_a_user_principal_name_that_the_directory_does_not_take_fails_the_record(api: Caller, name: str, code: str):
    api.upload(user(userName=name))
    assert error_codes(api) == [code]
    assert outcomes(api) == [("1", "create", "failure")]
    assert api.accounts() == {}


def test_a_name_that_somebody_else_holds_fails_whatever_its_case(api: Caller):
    api.upload(user("1", userName="ann@example.com"), user("2", userName="ANN@example.com"), user("3"))
    api.upload(user("3", userName="ann@example.com"))
    assert outcomes(api) == [
        ("1", "create", "success"),
        ("2", "create", "failure"),
        ("3", "create", "success"),
        ("3", "update", "failure"),
    ]
    assert error_codes(api)[-1] == "Conflict"


def test_a_name_given_up_is_free_again(api: Caller):
    api.upload(user("1", userName="ann@example.com"))
    api.upload(user("1", userName="ann.b@example.com"), user("2", userName="ann@example.com"))
    assert {a["userName"] for a in api.accounts().values()} == {"ann.b@example.com", "ann@example.com"}


def test_a_bare_name_gets_the_default_domain_and_null_means_any_domain(api: Caller):
    api.set(verifiedDomains=["contoso.com"])
    api.upload(user("1", userName="holger"))
    api.set(verifiedDomains=None)
    api.upload(user("2", userName="a@anywhere.test"))
    assert [a["userName"] for a in api.accounts().values()] == ["holger@contoso.com", "a@anywhere.test"]


def test_a_manager_in_the_same_cycle_is_found_in_any_order(api: Caller):
    api.upload(user("1", manager="2"), user("2"))
    assert api.accounts()["1"]["manager"] == "2"
    records = api.control("GET", "logs")
    assert outcomes(api) == [("1", "create", "success"), ("2", "create", "success"), ("1", "update", "success")]
    assert records[0]["changeId"] == records[2]["changeId"] != records[1]["changeId"]
    assert records[2]["modifiedProperties"] == [{"displayName": "manager", "oldValue": None, "newValue": "2"}]


def test_a_manager_whom_the_job_never_saw_leaves_the_person_done_and_a_skipped_record(api: Caller):
    api.upload(user("1", manager="99"))
    record = api.control("GET", "logs")[-1]
    assert outcomes(api) == [("1", "create", "success"), ("1", "update", "skipped")]
    assert record["provisioningSteps"][-1]["details"] == {
        "PropertyName": "manager",
        "SkipReason": "UnableToResolveReferenceAttributeValue",
    }
    api.upload(user("99"))
    assert api.accounts()["1"]["manager"] is None
    api.upload(user("1", manager="99"))
    assert api.accounts()["1"]["manager"] == "99"


def test_a_manager_known_only_to_another_job_is_not_found(api: Caller):
    api.control("POST", "jobs", {"servicePrincipalId": "sp2", "jobId": "j2"})
    api.upload(user("2"), path="/v1.0/servicePrincipals/sp2/synchronization/jobs/j2/bulkUpload")
    api.upload(user("1", manager="2"))
    assert api.accounts()["1"]["manager"] is None


def test_the_manager_can_be_part_of_the_one_record(api: Caller):
    api.set(managerAsSecondRecord=False)
    api.upload(user("1", manager="2"), user("2"))
    assert outcomes(api) == [("1", "create", "success"), ("2", "create", "success")]
    assert api.accounts()["1"]["manager"] == "2"


def test_a_change_of_manager_alone_is_one_record(api: Caller):
    api.upload(user("1", manager="2"), user("2"), user("3"))
    before = len(outcomes(api))
    api.upload(user("1", manager="3"))
    assert outcomes(api)[before:] == [("1", "update", "success")]


def test_cycles_run_at_their_interval_and_stamp_their_own_time(api: Caller):
    api.set(cycleSeconds=2400)
    api.upload(user("1"))
    api.advance(1000)
    api.upload(user("2"))
    assert api.accounts() == {}
    api.advance(10_000)
    records = api.control("GET", "logs")
    assert len({r["cycleId"] for r in records}) == 1
    assert len({r["activityDateTime"] for r in records}) == 1
    assert len(records) == 2


def test_a_shorter_interval_set_meanwhile_does_not_put_records_before_those_already_logged(api: Caller):
    api.control("POST", "jobs", {"servicePrincipalId": "sp2", "jobId": "j2"})
    api.set(cycleSeconds=2400)
    api.upload(user("1"))
    api.advance(100)
    api.upload(user("2"), path="/v1.0/servicePrincipals/sp2/synchronization/jobs/j2/bulkUpload")
    api.tenant._run(api.tenant.jobs["j2"], api.tenant.clock.now())
    api.set(cycleSeconds=0)
    first, second = [record["activityDateTime"] for record in api.control("GET", "logs")]
    assert first <= second


def test_lost_logs_leave_the_account(api: Caller):
    api.set(loseLogsOfExternalIds=["1"])
    api.upload(user("1"))
    assert (list(api.accounts()), outcomes(api)) == (["1"], [])
