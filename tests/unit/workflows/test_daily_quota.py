"""The calls of a day, as sessions of one or two processes fetch them; the clocks are moved by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.inbound.sending.pacing import Go, NotBefore, Wait
from tests.unit.workflows.virtual_time import NOON, Tenant, begin, end

if TYPE_CHECKING:
    from datetime import datetime

    from shared.workflows.pace import Calls


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


@pytest.mark.parametrize("content", [b"", b"[", b'{"calls": {"2026-09-01T12:00:00": 1}}', b'{"calls": 5}'])
def test_a_broken_quota_counts_as_unused(tenant: Tenant, content: bytes):
    tenant.store.put("quota.json", content)
    with tenant.pace().session(urgent=False) as calls:
        assert calls.ask(1) == Go()
    assert tenant.calls_of_the_day() == 1


def at_the_fastest(tenant: Tenant, calls: Calls) -> tuple[int, datetime]:
    """Calls until the day's are used up, and when there will be more."""
    begun = 0
    while True:
        match calls.ask(100_000):
            case Go():
                begun += 1
                calls.ended()
            case Wait(seconds):
                tenant.time.seconds += seconds
            case NotBefore(at):
                return begun, at


def test_the_days_calls_are_used_up_and_the_time_is_told_when_they_free(tenant: Tenant):
    with tenant.pace(per_day=100).session(urgent=False) as calls:
        assert at_the_fastest(tenant, calls) == (100, NOON + timedelta(hours=24, minutes=2))
    tenant.time.seconds = 24 * 3600 + 119
    with tenant.pace("bb", per_day=100).session(urgent=False) as calls:
        assert at_the_fastest(tenant, calls)[0] == 0
        tenant.time.seconds += 1
        assert at_the_fastest(tenant, calls)[0] == 100


def test_what_is_reserved_is_for_urgent_sessions_only(tenant: Tenant):
    pace = tenant.pace(per_day=100, reserved=30)
    with pace.session(urgent=False) as normal, pace.session(urgent=True) as urgent:
        assert at_the_fastest(tenant, normal)[0] == 70
        assert at_the_fastest(tenant, urgent)[0] == 30


def test_when_calls_free_depends_on_what_the_session_may_use(tenant: Tenant):
    pace = tenant.pace(per_day=100, reserved=30)
    with pace.session(urgent=True) as urgent, pace.session(urgent=False) as normal:
        for minute in range(10):
            tenant.time.seconds = max(tenant.time.seconds, 60.0 * minute)
            end(urgent, begin(urgent, 10))
        day = NOON + timedelta(hours=24, minutes=2)
        assert at_the_fastest(tenant, urgent) == (0, day)
        assert at_the_fastest(tenant, normal) == (0, day + timedelta(minutes=3))


def test_calls_that_were_fetched_are_counted_in_the_minute_in_which_they_are_made(tenant: Tenant):
    with tenant.pace().session(urgent=False) as calls:
        assert calls.ask(1000) == Go()
        tenant.time.seconds += 61
        assert calls.ask(1000) == Go()
        assert list(tenant.blob("quota.json")["calls"].values()) == [1, 10]


def test_calls_that_somebody_else_gave_back_are_found(tenant: Tenant):
    first, second = tenant.pace("a", per_day=10), tenant.pace("bb", per_day=10)
    with second.session(urgent=False) as late:
        with first.session(urgent=False) as early:
            assert early.ask(9) == Go()
            assert begin(late, 1) == 1
            assert isinstance(late.ask(1), Wait)
            assert isinstance(late.ask(1), NotBefore)
        assert late.ask(1) == Go()
