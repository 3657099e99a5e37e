"""Odd things in the provisioning logs, or about what was read of them: no row is lost, no report ends for ever."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from shared.adapters import provisioning_logs
from shared.bootstrap import connector
from shared.monitoring.provisioning_log import ProvisioningEvent
from tests.platform.hr_files import hr_csv, hr_row, workers


@pytest.mark.parametrize(
    ("records", "link"),
    [
        ([{"id": "1", "activityDateTime": "0001-01-01T00:00:00+14:00", "sourceIdentity": {"id": "W1"}}], None),
        ([{"id": "1", "activityDateTime": "2026-01-01T00:00:00Z", "sourceIdentity": {"id": "\ud800"}}], None),
        (5, None),
        ([], "https://[bad"),
        ([], "x\x00y"),
        ([], 7),
    ],
    ids=["no UTC", "half a character", "no list", "no URL", "NUL", "a number"],
)
def test_odd_records_and_links_end_in_a_summary(world, monkeypatch, records, link):
    world.upload(hr_csv(*workers(1)))
    page = {"value": records, "@odata.nextLink": link} if link else {"value": records}
    monkeypatch.setattr(provisioning_logs, "_json_object", lambda _reply: page)
    world.report()
    assert world.run()["counts"]["accepted"] == 1
    latest = json.loads(world.blob("summaries", "latest.json"))
    is_unread = latest["jobsWithoutLog"] == [world.entra.settings["JOB_ID"]]
    assert is_unread is (link is not None or records == 5)


def test_a_next_link_that_leads_back_is_not_followed_for_ever(world, monkeypatch):
    world.upload(hr_csv(*workers(1)))
    link = world.entra.settings["GRAPH_ENDPOINT"] + "/v1.0/auditLogs/provisioning?$top=1"
    page = {"value": [], "@odata.nextLink": link}
    monkeypatch.setattr(provisioning_logs, "_json_object", lambda _reply: page)
    world.report()
    assert [e["code"] for e in world.events() if e["event"] == "logs.unavailable"] == ["endlessNextLink"]


def test_a_bad_watermark_costs_nothing_but_a_longer_reading(world):
    world.upload(hr_csv(*workers(3)))
    name = f"jobs/{world.entra.settings['JOB_ID']}/watermark.json"
    world.service.get_blob_client("state", name).upload_blob(b"{}")
    world.report()
    assert world.run()["counts"]["created"] == 3


def test_a_failure_after_a_success_is_heard_although_the_run_was_settled(world, monkeypatch):
    """The service sets the manager in a second step, minutes later. The simulator never fails there: a made-up log."""
    log: list[ProvisioningEvent] = []
    monkeypatch.setattr(provisioning_logs.GraphProvisioningLogs, "events", lambda *_: iter(log))
    world.upload(hr_csv(hr_row("W1")))
    log.append(ProvisioningEvent("1", datetime.now(UTC), "W1", "success", "create", None, None))
    world.report()
    assert (world.run()["state"], world.run()["counts"]["created"]) == ("settled", 1)
    world.advance(hours=0.3)
    log.append(ProvisioningEvent("2", datetime.now(UTC), "W1", "failure", "update", "Boom", None))
    world.report()
    assert world.run()["counts"]["failed"] == 1


def test_a_newer_run_that_posted_nothing_does_not_close_the_older_ones_ears(world, monkeypatch):
    log: list[ProvisioningEvent] = []
    monkeypatch.setattr(provisioning_logs.GraphProvisioningLogs, "events", lambda *_: iter(log))
    world.upload(hr_csv(hr_row("W1")), "older.csv")
    log.append(ProvisioningEvent("1", datetime.now(UTC), "W1", "failure", "create", "Boom", None))
    world.report()
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "1")
    connector.cache_clear()
    world.later()
    run = world.upload(hr_csv(hr_row("W1")), "newer.csv")
    assert (run["reason"]["code"], len(world.posts())) == ("dailyQuota", 1)
    world.advance(hours=0.7)
    log.append(ProvisioningEvent("2", datetime.now(UTC), "W1", "success", "create", None, None))
    connector.cache_clear()
    world.report()
    assert world.run("older.csv")["counts"]["created"] == 1
