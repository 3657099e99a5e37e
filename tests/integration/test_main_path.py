"""The whole way: a dropped file becomes accounts, and run, outcomes and summary say so."""

from __future__ import annotations

import gzip
import json
import time

from shared.monitoring.summary import LatestSummaries, Summary
from shared.run.record import RunRecord
from shared.scim.bulk import BulkRequest
from tests.demo.company import company
from tests.platform.accounting import outcomes, run_blob, set_aside
from tests.platform.hr_files import hr_csv, hr_row, workers


def test_two_workers_become_two_accounts_with_their_manager_set(world, tour_guides):
    world.upload(tour_guides)
    world.report()
    accounts = world.accounts()
    assert {key: account["userName"] for key, account in accounts.items()} == {
        "701984": "bjensen@example.com",
        "701985": "kjensen@example.com",
    }
    assert accounts["701985"]["manager"] == "701984"
    assert accounts["701985"]["accountEnabled"] is True
    run = world.run()
    assert run["state"] == "settled"
    assert run["counts"]["created"] == run["rows"] == 2
    assert world.faults() == []


def test_the_request_is_microsofts_sample_with_the_manager_first(world, tour_guides):
    run = world.upload(tour_guides)
    packed = world.blob("runs", f"contoso/{run['run']}/requests/0001.ndjson.gz")
    (body,) = gzip.decompress(packed).splitlines()
    BulkRequest.model_validate_json(body)
    first, second = (operation["data"] for operation in json.loads(body)["Operations"])
    assert [first["externalId"], second["externalId"]] == ["701984", "701985"]
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert second[enterprise]["manager"] == {"value": "701984"}
    assert second["name"] == {
        "formatted": "Ms. Kathy J Jensen, III",
        "givenName": "Kathy",
        "middleName": "Jane",
        "familyName": "Jensen",
        "honorificPrefix": "Ms.",
        "honorificSuffix": "III",
    }
    assert second["emails"] == [{"type": "work", "value": "kjensen@example.com"}]
    assert second["addresses"][0]["streetAddress"] == "100 Universal City Plaza"
    assert second["urn:ietf:params:scim:schemas:extension:contoso:1.0:User"] == {"hireDate": "2021-05-01T00:00:00Z"}


def test_every_request_carries_a_managed_identity_token_and_the_scim_content_type(world, tour_guides):
    world.upload(tour_guides)
    world.report()
    (post,) = world.posts()
    assert post["token"]["issuer"] == "managedIdentity"
    assert post["token"]["aud"] == world.entra.settings["GRAPH_ENDPOINT"]
    assert post["contentType"] == "application/scim+json"
    issued = world.entra.get("tokens")
    assert [token["issuer"] for token in issued] == ["managedIdentity"]
    assert issued[0]["clientId"] == world.entra.settings["AZURE_CLIENT_ID"]


def test_the_ledger_names_each_request_as_the_api_knows_it(world, tour_guides):
    run = world.upload(tour_guides)
    session, begun, entry = map(json.loads, run_blob(world.service, run, "ledger.ndjson").splitlines())
    (post,) = world.posts()
    assert (session["kind"], begun["kind"], begun["parts"]) == ("session", "begun", [[1, 0, 2]])
    assert (entry["status"], entry["verdict"]) == (202, "accepted")
    assert entry["requestId"] == post["requestId"]
    assert entry["clientRequestId"] == post["clientRequestId"]


def test_a_company_with_bad_rows_is_accounted_for_to_the_last_row(world, tmp_path):
    made = company(300, bad_percent=8)
    made.write(tmp_path / "company.csv")
    run = world.upload((tmp_path / "company.csv").read_bytes())
    world.report()
    assert world.faults() == []
    failed = [row for row in outcomes(world.service, run) if row["state"] == "failed"]
    assert len(failed) == made.bad["login in a domain that is not the tenant's"]
    aside = {row["reason"] for row in set_aside(world.service, run)}
    both = {"duplicateExternalId", "duplicateUserName"}
    assert aside == {"blank", "unknownStatus", "blankStatus", "dateFormat", "tooFewCells", *both}


def test_no_manager_is_in_a_later_request_than_their_reports(world):
    chain = [hr_row(f"W{n:05d}", ManagerID=f"W{n + 1:05d}") for n in range(1, 120)] + [hr_row("W00120")]
    world.upload(hr_csv(*chain))
    world.report()
    sent = [worker for post in world.posts() for worker in post["externalIds"]]
    assert sent == [f"W{n:05d}" for n in range(120, 0, -1)]
    accounts = world.accounts()
    assert all(accounts[f"W{n:05d}"]["manager"] == f"W{n + 1:05d}" for n in range(1, 120))


def test_a_change_updates_and_a_leaver_is_disabled_and_nothing_new_is_skipped(world):
    world.upload(hr_csv(*workers(3)), "monday.csv")
    world.report()
    time.sleep(1.1)  # the log's times are whole seconds: within one, it can't be told which run an event belongs to
    second = [hr_row("W00001", JobTitle="Director"), hr_row("W00002", WorkerStatus="Terminated"), hr_row("W00003")]
    world.upload(hr_csv(*second), "tuesday.csv")
    world.report()
    states = {row["externalId"]: row["state"] for row in outcomes(world.service, world.run("tuesday.csv"))}
    assert states == {"W00001": "updated", "W00002": "disabled", "W00003": "skipped"}
    assert world.accounts()["W00002"]["accountEnabled"] is False
    assert world.run("monday.csv")["counts"]["created"] == 3


def test_two_files_in_quick_succession_each_keep_what_was_theirs(world):
    """The log does not say which upload an event belongs to, and both runs are followed by one report."""
    world.upload(hr_csv(*workers(3)), "monday.csv")
    time.sleep(1.1)
    world.upload(hr_csv(*[{**row, "WorkerStatus": "Terminated"} for row in workers(3)]), "tuesday.csv")
    world.report()
    world.report()
    assert world.run("monday.csv")["counts"]["created"] == 3
    assert world.run("tuesday.csv")["counts"]["disabled"] == 3
    assert world.faults("monday.csv") + world.faults("tuesday.csv") == []


def test_run_json_and_the_summaries_are_what_their_models_say(world, tour_guides):
    run = world.upload(tour_guides)
    world.report()
    RunRecord.model_validate_json(world.blob("runs", f"contoso/{run['run']}/run.json"))
    latest = LatestSummaries.model_validate_json(world.blob("summaries", "latest.json"))
    dated = [n for n in world.service.get_container_client("summaries").list_blob_names() if n != "latest.json"]
    assert dated
    for name in dated:
        summary = Summary.model_validate_json(world.blob("summaries", name))
        assert summary.job_id == world.entra.settings["JOB_ID"]
        assert summary.counts["created"] == 2
    assert latest.jobs[0].codes == {"UnableToResolveReferenceAttributeValue": 1}


def test_the_manager_who_is_not_in_the_file_is_reported_beforehand(world, tour_guides):
    run = world.upload(tour_guides)
    assert [(notice["code"], notice["lines"]) for notice in run["notices"]] == [("managerNotInFile", [3])]


def test_the_same_event_again_sends_nothing_again(world, tour_guides):
    world.upload(tour_guides)
    before = world.run()
    world.host.blob_created("contoso/workers.csv")
    world.resume()
    assert world.run() == before
    assert len(world.posts()) == 1


def test_an_overwritten_file_is_a_run_of_its_own(world):
    world.upload(hr_csv(*workers(1)))
    world.upload(hr_csv(*workers(2)))
    assert [run["rows"] for run in world.runs()] == [1, 2] or [run["rows"] for run in world.runs()] == [2, 1]
    assert world.accepted() == {"W00001": 2, "W00002": 1}
