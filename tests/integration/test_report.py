"""What the provisioning logs say, when they say it late, never, in pages, or not at all."""

from __future__ import annotations

import json

import pytest

from shared.bootstrap import connector
from tests.platform.accounting import outcomes
from tests.platform.hr_files import hr_csv, hr_row, workers


def test_until_the_log_speaks_the_rows_are_accepted(world):
    world.entra.change(logDelaySeconds=600)
    world.upload(hr_csv(*workers(3)))
    world.report()
    assert (world.run()["state"], world.run()["counts"]["accepted"]) == ("sent", 3)
    assert world.faults(all_final=False) == []
    world.advance(hours=0.25)
    world.report()
    assert (world.run()["state"], world.run()["counts"]["created"]) == ("settled", 3)


def test_a_row_of_which_the_log_never_speaks_is_unaccounted_after_a_day(world):
    world.entra.change(loseLogsOfExternalIds=["W00002"])
    world.upload(hr_csv(*workers(3)))
    world.report()
    world.advance(hours=23)
    connector.cache_clear()
    world.report()
    assert (world.run()["counts"]["created"], world.run()["counts"]["accepted"]) == (2, 1)
    world.advance(hours=1.1)
    world.report()
    assert (world.run()["counts"]["unaccounted"], world.run()["state"]) == (1, "settled")
    assert world.faults() == []
    assert "rows.unaccounted" in world.event_names()


def test_a_job_that_was_paused_for_a_day_settles_its_unaccounted_rows_after_all(world):
    world.entra.change(cycleSeconds=2400)
    world.upload(hr_csv(*workers(2)))
    world.entra.change(jobStatus="Paused")
    world.advance(hours=25)
    connector.cache_clear()
    world.report()
    assert world.run()["counts"]["unaccounted"] == 2
    world.entra.change(jobStatus="Active")
    world.advance(hours=1)
    world.report()
    assert world.run()["counts"]["created"] == 2
    assert world.faults() == []


def test_a_record_that_shows_a_day_late_is_found_before_its_row_is_called_unaccounted(world):
    world.entra.change(logDelaySeconds=20 * 3600)
    world.upload(hr_csv(*workers(2)))
    for _ in range(4):
        world.advance(hours=6.1)
        connector.cache_clear()
        world.report()
    assert world.run()["counts"]["created"] == 2


def test_the_log_is_read_page_by_page(world):
    world.entra.change(maxTop=60, logRequestsPer10Seconds=None)
    world.upload(hr_csv(*workers(150)))
    world.report()
    pages = [r for r in world.entra.get("requests", on="provisioningLogs") if r["status"] == 200]
    assert len(pages) >= 3
    assert world.run()["counts"]["created"] == 150


def test_a_refused_page_size_is_met_with_a_smaller_one(world):
    world.entra.change(maxTop=100, topAboveMax="refuse")
    world.upload(hr_csv(*workers(3)))
    world.report()
    assert world.run()["counts"]["created"] == 3


def test_the_logs_own_limit_is_kept(world):
    world.entra.change(maxTop=20)
    world.upload(hr_csv(*workers(150)))
    world.report()
    answers = [r["status"] for r in world.entra.get("requests", on="provisioningLogs")]
    assert len(answers) > 5
    assert set(answers) == {200}
    assert world.run()["counts"]["created"] == 150


def test_a_next_link_to_another_host_is_not_followed(world):
    port = world.entra.settings["GRAPH_ENDPOINT"].rsplit(":", 1)[1]
    world.entra.change(maxTop=2, nextLinkHost=f"localhost:{port}")
    world.upload(hr_csv(*workers(5)))
    world.report()
    assert world.run()["counts"]["accepted"] == 5
    event = next(e for e in world.events() if e["event"] == "logs.unavailable")
    assert event["code"] == "foreignNextLink"
    assert len(world.entra.get("requests", on="provisioningLogs")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"Retry-After": "0.3"}},
        {"status": 503, "headers": {"Retry-After": "0.3"}},
        {"status": 401},
        {"disconnect": "beforeReading"},
        {"disconnect": "halfAnswer"},
    ],
    ids=["throttled", "unavailable", "old token", "broken", "half"],
)
def test_trouble_with_the_logs_that_passes_is_waited_out(world, fault):
    world.upload(hr_csv(*workers(3)))
    world.entra.post("faults", {"on": "provisioningLogs", **fault})
    world.report()
    assert world.run()["counts"]["created"] == 3


def test_without_the_permission_for_the_logs_the_rows_stay_accepted_and_people_are_told(world):
    world.entra.change(permissions=["SynchronizationData-User.Upload"])
    world.upload(hr_csv(*workers(3)))
    world.report()
    assert world.run()["counts"]["accepted"] == 3
    event = next(e for e in world.events() if e["event"] == "logs.unavailable")
    assert (event["level"], event["status"]) == ("error", 403)


def test_each_failed_worker_is_in_the_outcomes_with_entras_code(world):
    world.upload(hr_csv(hr_row("W1")), "monday.csv")
    world.report()
    rows = [hr_row("W2", UserID="uW1@example.com"), hr_row("W3", UserID="u@elsewhere.example")]
    run = world.upload(hr_csv(*rows))
    world.report()
    told = {row["externalId"]: (row["state"], row.get("code")) for row in outcomes(world.service, run)}
    assert told == {"W2": ("failed", "Conflict"), "W3": ("failed", "InvalidDomain")}
    summary = json.loads(world.blob("summaries", "latest.json"))
    assert summary["jobs"][0]["codes"] == {"Conflict": 1, "InvalidDomain": 1}
    assert [e["failed"] for e in world.events() if e["event"] == "rows.failed"] == [2]


def test_a_second_report_says_nothing_new_twice(world):
    world.upload(hr_csv(hr_row("W1"), hr_row("W2", UserID="u@elsewhere.example")))
    world.report()
    before = world.run()
    world.report()
    assert world.run() == before
    assert world.event_names().count("rows.failed") == 1


def test_a_run_in_the_middle_of_its_sending_is_followed_too(world):
    world.entra.change(callsPerDay=1)
    world.upload(hr_csv(*workers(120)))
    world.report()
    run = world.run()
    assert (run["counts"]["created"], run["counts"]["planned"]) == (50, 70)
    assert world.faults(all_final=False) == []
