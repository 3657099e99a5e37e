"""What a person decides about a run is an event of the function that carries it out, once, without who and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.bootstrap import connector
from tests.integration.operators import THREE_REQUESTS, TOO_MANY_ASIDE, half_sent
from tests.integration.test_operators_resend import others_domain, resent
from tests.platform.hr_files import hr_csv, workers

if TYPE_CHECKING:
    from tests.integration.conftest import World

DECISIONS = ("run.cancelled", "run.resumed", "run.resent")
SAID = ("--by", "ann@contoso.com", "--why", "wrong file")


def decisions(world: World) -> list[dict[str, Any]]:
    return [event for event in world.events() if event["event"] in DECISIONS]


def told(world: World, name: str, run: str, **more: object) -> dict[str, Any]:
    ids = {"run": run, "feed": "contoso", "job": world.entra.settings["JOB_ID"]}
    return {"event": name, "level": "info", **more, **ids}


def ticks(world: World, hours: float = 0.2) -> None:
    """Three, the last of which an hour and more later."""
    for length in (0.0, hours, 1.1):
        world.advance(hours=length)
        connector.cache_clear()
        world.resume()


def test_a_cancel_that_the_command_carries_out_is_told_by_the_next_sender(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    terminal.run("cancel", run["run"], "--yes", *SAID)
    assert decisions(world) == []
    ticks(world)
    assert decisions(world) == [told(world, "run.cancelled", run["run"])]
    sent = [event for event in world.events() if event["event"] == "run.sent"]
    assert [(event["accepted"], event["superseded"]) for event in sent] == [(100, 20)]


def test_a_cancel_that_is_left_to_the_sender_is_told_once_too(world, terminal, monkeypatch):
    run = half_sent(world, monkeypatch)
    lock = world.service.get_blob_client("state", f"jobs/{world.entra.settings['JOB_ID']}/lock")
    lease = lock.acquire_lease(lease_duration=60)
    terminal.run("cancel", run["run"], "--yes", *SAID)
    lease.release()
    ticks(world)
    assert decisions(world) == [told(world, "run.cancelled", run["run"])]


def test_that_a_held_run_was_resumed_is_told_when_it_is_sent(world, terminal):
    run = world.upload(TOO_MANY_ASIDE)
    terminal.run("resume", run["run"], *SAID)
    ticks(world)
    assert decisions(world) == [told(world, "run.resumed", run["run"])]
    assert world.run()["state"] == "sent"


def test_that_a_blocked_run_was_resumed_is_told_once_also_where_it_stays_blocked(world, terminal):
    world.entra.change(permissions=[])
    run = world.upload(THREE_REQUESTS)
    terminal.run("resume", run["run"], *SAID)
    ticks(world)
    assert world.run()["state"] == "blocked"
    assert decisions(world) == [told(world, "run.resumed", run["run"])]


def test_that_rows_were_sent_again_is_told_with_where_they_came_from(world, terminal):
    others_domain(world)
    origin = world.upload(hr_csv(*workers(3)))
    world.report()
    record = resent(world, terminal, origin["run"], "failed")
    ticks(world)
    assert decisions(world) == [told(world, "run.resent", record["run"], origin=origin["run"], rows=3)]


def test_a_run_that_nobody_touched_has_no_such_event(world, monkeypatch):
    half_sent(world, monkeypatch)
    ticks(world, hours=25)
    assert world.run()["state"] == "sent"
    assert decisions(world) == []
