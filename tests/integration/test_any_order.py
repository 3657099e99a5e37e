"""Company files with managers, urgent files, faults, kills, ticks, permissions, operators, in any order.

A hypothesis state machine drives the real functions and commands against Azurite and the simulator. At every moment
each run's counts add up. In the end everything is sent, every row is accounted for and left out only for a good reason,
managers came before their reports, no worker's older state was taken after a newer one, and each account is as the
newest file says of which it was taken.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.any_order.drawn import EVERYONE
from tests.integration.any_order.machine import AnyOrder
from tests.platform.answers import BUCKET_FULL
from tests.platform.mortal import Mortal, mortal_process
from tests.platform.sent_twice import turned_back


@pytest.fixture
def machine(storage, entra, monkeypatch) -> type[AnyOrder]:
    mortal: Mortal = mortal_process(monkeypatch)
    members = {"storage": storage, "entra": entra, "environment": monkeypatch, "mortal": mortal}
    return type("Machine", (AnyOrder,), members)


def test_in_any_order_nothing_is_lost_doubled_or_turned_back(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=10,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


WAITS = {"fault": {"status": 500, "body": BUCKET_FULL}, "about": 60, "times": None}
"""Of four requests the second waits; the others are taken, and are to be posted again after it."""

TAKEN_WITHOUT_ANSWER = {"status": 504, "processed": True}


def test_an_urgent_leaver_stays_one_though_the_load_repeats_what_overtook_their_manager(machine):
    order = machine()
    order.first_files(WAITS, leavers={120, 150, 180}, back={140})
    order.teardown()


def test_while_the_halves_of_a_request_are_sent_no_report_of_theirs_is(machine):
    order = machine()
    order.the_tenant_changes({"rejectExternalIds": ["W00005"]})
    order.company_file(name="a.csv", group=EVERYONE, unknown=False, is_lost=False, trouble=None)
    order.teardown()


def test_a_newer_file_that_is_cancelled_takes_no_older_rows_along(machine):
    order = machine()
    order.first_files(WAITS, leavers={120}, back={140})
    order.company_file(name="b.csv", group=EVERYONE, unknown=False, is_lost=False, trouble=None)
    order.a_person_decides("cancel", 0)
    order.teardown()


def test_a_newer_file_that_is_held_takes_no_older_rows_along(machine):
    order = machine()
    order.first_files(WAITS, leavers={120}, back={140})
    order.company_file(name="b.csv", group=EVERYONE, unknown=True, is_lost=False, trouble=None)
    order.teardown()


def test_what_got_no_answer_counts_as_posted_though_the_urgent_run_is_cancelled(machine):
    order = machine()
    order.company_file(name="a.csv", group=EVERYONE, unknown=False, is_lost=False, trouble=WAITS)
    order.urgent_file(leavers={150}, back=set(), is_lost=False, fault=TAKEN_WITHOUT_ANSWER)
    order.time_passes(700, "tick", 0)
    order.a_person_decides("cancel", 0)
    order.teardown()


def test_what_got_no_answer_counts_as_posted_though_a_newer_urgent_run_replaces_it_and_is_refused(machine):
    order = machine()
    order.company_file(name="a.csv", group=EVERYONE, unknown=False, is_lost=False, trouble=WAITS)
    order.urgent_file(leavers={150}, back=set(), is_lost=False, fault=TAKEN_WITHOUT_ANSWER)
    order.time_passes(700, "tick", 0)
    assert turned_back(order.world.service, order.world.posts()) == []
    order.the_tenant_changes({"rejectExternalIds": ["W00150"]})
    order.urgent_file(leavers={150}, back=set(), is_lost=False, fault=None)
    order.time_passes(700, "tick", 0)
    order.the_tenant_changes({"rejectExternalIds": []})
    order.entra.control.delete("faults")
    order.time_passes(4000, "tick", 0)
    order.teardown()
