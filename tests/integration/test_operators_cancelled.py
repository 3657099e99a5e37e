"""What a cancelled run offers: its rows can be resent where plan and job still hold, and not otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.bootstrap import connector
from tests.integration.operators import TOO_MANY_ASIDE
from tests.integration.waiting_runs import damage
from tests.platform.feeds import sample_feed
from tests.platform.hr_files import hr_csv, workers

if TYPE_CHECKING:
    from typing import Any

    from tests.integration.conftest import World
    from tests.integration.operators import Terminal


def with_wrong_ids(world: World) -> dict[str, Any]:
    world.put_feed(sample_feed(world.entra.settings["SERVICE_PRINCIPAL_ID"], "API2AAD.no.such"))
    return world.upload(hr_csv(*workers(3)))


def with_damaged_plan(world: World) -> dict[str, Any]:
    world.entra.change(jobStatus="Paused")
    run = world.upload(hr_csv(*workers(3)))
    blob = world.service.get_blob_client("runs", f"contoso/{run['run']}/requests/0001.ndjson.gz")
    blob.upload_blob(b"something else", overwrite=True)
    world.entra.change(jobStatus="Active")
    later(world)
    return world.run()


def later(world: World) -> None:
    world.advance(hours=1.1)
    connector.cache_clear()
    world.resume()


def offers(terminal: Terminal, run: dict[str, Any]) -> list[bool]:
    """Whether `cancel` and then `show` offer to send the rows after all."""
    cancelled = terminal.run("cancel", run["run"], "--why", "dropped again", "--yes")[1]
    assert "Superseded" in cancelled
    return ["resend" in text for text in (cancelled, terminal.run("show", run["run"])[1])]


@pytest.mark.parametrize(
    ("kind", "code"), [(with_wrong_ids, "jobNotFound"), (with_damaged_plan, "planDamaged")], ids=["ids", "plan"]
)
def test_rows_that_can_not_be_resent_are_not_offered(world, terminal, kind, code):
    run = kind(world)
    assert run["reason"]["code"] == code
    assert offers(terminal, run) == [False, False]


@pytest.mark.parametrize("blob", ["rows.ndjson", "requests/0001.ndjson.gz"])
def test_where_a_blob_of_the_plan_is_gone_no_resend_is_offered_and_none_is_made(world, terminal, blob):
    run = world.upload(TOO_MANY_ASIDE)
    damage(world, run, blob, None)
    assert offers(terminal, run) == [False, False]
    assert terminal.json("show", run["run"])[1]["missing"] == [blob]
    later(world)
    assert (world.run()["reason"], "resend" in terminal.run("show", run["run"])[1]) == (None, False)
    status, _, err = terminal.run("resend", run["run"], "--state", "superseded")
    assert (status, len(world.runs())) == (1, 1)
    assert f"Run {run['run']} can't be resent" in err
    assert "Bring a blob back" in err


def test_once_the_feed_has_another_job_show_does_not_offer_to_send_rows_to_the_old_one(world, terminal):
    run = with_wrong_ids(world)
    world.put_feed()
    assert offers(terminal, run) == [False, False]
    later(world)
    assert world.run()["reason"] is None
    assert "resend" not in terminal.run("show", run["run"])[1]


def test_where_plan_and_job_hold_it_is_offered(world, terminal):
    assert offers(terminal, world.upload(TOO_MANY_ASIDE)) == [True, True]


def test_the_order_is_repair_cancel_drop(world, terminal):
    wrong, _ = terminal.json("show", with_wrong_ids(world)["run"])[1]["whatHelps"]
    assert wrong.index("repair the feed file") < wrong.index("cancel") < wrong.index("drop the file again")
