"""Pacing by one or two processes, whose clocks and storage are moved by hand: virtual_time.py says why."""

from __future__ import annotations

from threading import Thread

import pytest

from shared.errors import BlobChangedError
from shared.inbound.sending.pacing import Go, Wait
from tests.unit.workflows.virtual_time import Tenant, VirtualClock, begin, end


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


def test_as_many_calls_as_there_are_slots_begin_at_once_and_the_next_ones_after_five_seconds(tenant: Tenant):
    with tenant.pace().session(urgent=False) as calls:
        assert begin(calls) == 40
        end(calls, 40)
        tenant.time.seconds += 5
        answer = calls.ask(1)
        assert isinstance(answer, Wait)
        assert 0 < answer.seconds < 0.1
        tenant.time.seconds += answer.seconds
        assert begin(calls) == 40


def test_a_wait_is_never_zero_and_never_long(tenant: Tenant):
    with tenant.pace("a").session(urgent=False) as first, tenant.pace("bb").session(urgent=False) as second:
        assert begin(first) == 40
        waits = [first.ask(5), second.ask(5)]
        assert all(isinstance(wait, Wait) and 0 < wait.seconds <= 2 for wait in waits)


def test_a_renewal_costs_one_write_while_nobody_interferes(tenant: Tenant):
    with tenant.pace().session(urgent=False) as calls:
        end(calls, begin(calls, 1))
        tenant.store.operations.clear()
        for _ in range(20):
            tenant.time.seconds += 1
            calls.ask(1)
            calls.ended()
    pace = [operation for operation in tenant.store.operations[:-1] if "pace" in operation]
    assert set(pace) == {"replace pace.json"}
    assert 9 <= len(pace) <= 11


def test_a_session_that_asks_nothing_touches_no_storage(tenant: Tenant):
    with tenant.pace().session(urgent=False) as calls:
        calls.keep()
    assert tenant.store.operations == []


def test_two_sessions_of_one_process_share_its_slots(tenant: Tenant):
    pace = tenant.pace()
    with pace.session(urgent=False) as first, pace.session(urgent=False) as second:
        assert begin(first, 30) == 30
        tenant.time.seconds += 0.6
        assert begin(second) == 10
    assert tenant.held() == {"a": 40}


def test_leaving_keeps_only_what_is_hot_and_gives_the_days_unused_calls_back(tenant: Tenant):
    with tenant.pace().session(urgent=False) as calls:
        end(calls, begin(calls, 3))
        assert isinstance(calls.ask(100), Wait)
        assert calls.ask(100) == Go()
        assert tenant.calls_of_the_day() == 13
    assert tenant.held() == {"a": 4}
    assert tenant.calls_of_the_day() == 4
    with tenant.pace("bb").session(urgent=False) as calls:
        assert begin(calls) == 36


def test_who_ends_with_an_error_leaves_too_and_raises_that_error(tenant: Tenant):
    def fail(name: str) -> None:
        raise OSError(name)

    for before_write in (lambda name: None, fail):
        with pytest.raises(ZeroDivisionError), tenant.pace().session(urgent=False) as calls:  # noqa: PT012
            assert begin(calls, 3) == 3
            tenant.store.before_write = before_write
            raise ZeroDivisionError
        assert tenant.held()["a"] == (3 if before_write is not fail else tenant.held()["a"])
        tenant.time.seconds += 20


def test_calls_of_which_nobody_said_that_they_have_ended_end_with_their_session(tenant: Tenant):
    """So it is where sending raises: what is in flight is waited for, and its answers are nobody's."""
    pace = tenant.pace()
    with pytest.raises(ZeroDivisionError), pace.session(urgent=False) as calls:  # noqa: PT012
        assert begin(calls) == 40
        raise ZeroDivisionError
    with pace.session(urgent=False) as calls:
        assert begin(calls) == 0
        tenant.time.seconds += 5.03
        assert begin(calls) == 40


def test_what_can_not_be_given_back_is_no_failure_of_what_was_sent(tenant: Tenant):
    def fail(name: str) -> None:
        raise OSError(name)

    with tenant.pace().session(urgent=False) as calls:
        end(calls, begin(calls, 3))
        assert isinstance(calls.ask(100), Wait)
        assert calls.ask(100) == Go()
        calls.ended()
        tenant.store.before_write = fail
    assert tenant.calls_of_the_day() == 13
    tenant.store.before_write = lambda name: None
    tenant.time.seconds += 14
    with tenant.pace("bb").session(urgent=False) as calls:
        assert begin(calls) == 40


def test_a_call_that_is_said_to_have_ended_twice_frees_one_slot_only(tenant: Tenant):
    with tenant.pace().session(urgent=False) as calls:
        assert begin(calls) == 40
        end(calls, 50)
        tenant.time.seconds += 5.03
        assert begin(calls) == 40


# Two processes


def test_a_second_process_gets_its_half_as_the_slots_of_the_first_cool(tenant: Tenant):
    with tenant.pace("a").session(urgent=False) as first, tenant.pace("bb").session(urgent=False) as second:
        end(first, begin(first))
        assert begin(second) == 0
        begun = [0, 0]
        for _ in range(20):
            tenant.time.seconds += 0.6
            for number, calls in enumerate((first, second)):
                new = begin(calls)
                end(calls, new)
                begun[number] += new
        assert begun[0] == begun[1] == 40
        assert tenant.held() == {"a": 20, "bb": 20}


def test_who_was_stopped_for_long_begins_nothing_before_it_has_a_share_again(tenant: Tenant):
    stopped, other = tenant.pace("a"), tenant.pace("bb")
    with stopped.session(urgent=False) as first, other.session(urgent=False) as second:
        end(first, begin(first, 1))
        tenant.time.seconds += 15
        assert begin(second) == 40
        assert begin(first) == 0
        assert first.ask(100) == Wait(0.5)


def test_no_call_begins_on_a_share_that_took_too_long_to_renew(tenant: Tenant):
    def slow(name: str) -> None:
        tenant.time.seconds += 7

    tenant.store.before_write = slow
    with tenant.pace().session(urgent=False) as calls:
        assert isinstance(calls.ask(1), Wait)
        tenant.store.before_write = lambda name: None
        assert calls.ask(1) == Go()


def test_no_call_begins_where_the_share_ran_out_while_the_days_calls_were_fetched(tenant: Tenant):
    def slow(name: str) -> None:
        tenant.time.seconds += 7 if name == "quota.json" else 0

    tenant.store.before_write = slow
    with tenant.pace().session(urgent=False) as calls:
        assert isinstance(calls.ask(1), Wait)


def test_the_slots_of_calls_in_flight_are_kept_while_nothing_is_asked(tenant: Tenant):
    with tenant.pace("a").session(urgent=False) as first, tenant.pace("bb").session(urgent=False) as second:
        assert begin(first) == 40
        for _ in range(20):
            tenant.time.seconds += 1
            first.keep()
        assert begin(second) == 0


def test_what_another_thread_gives_up_is_not_used_while_that_is_being_written(tenant: Tenant):
    pace, begun = tenant.pace(), []
    with (
        pace.session(urgent=False) as first,
        pace.session(urgent=False) as second,
        tenant.pace("bb").session(urgent=False) as other,
    ):
        assert [first.ask(1000) for _ in range(25)] == [Go()] * 25
        other.ask(1000)
        tenant.time.seconds += 2

        def meanwhile(name: str) -> None:
            """The first write fails, for it knows nothing of the other process; the next one gives up 15 slots."""
            if name == "pace.json" and len(tenant.store.operations) > written + 2:
                tenant.store.before_write = lambda name: None
                thread = Thread(target=lambda: begun.append(begin(second)))
                thread.start()
                thread.join(10)

        written = len(tenant.store.operations)
        tenant.store.before_write = meanwhile
        first.ask(1000)
        assert begun == [0]
        assert tenant.held()["a"] == 25


def test_where_one_session_leaves_the_share_stays_with_the_other(tenant: Tenant):
    pace = tenant.pace()
    with pace.session(urgent=False) as staying:
        with pace.session(urgent=False) as leaving:
            assert leaving.ask(1000) == Go()
            before = tenant.blob("pace.json")
        assert tenant.blob("pace.json") == before
        assert begin(staying) == 39


def test_a_write_in_between_is_read_and_nothing_is_given_twice(tenant: Tenant):
    with tenant.pace("a").session(urgent=False) as first, tenant.pace("bb").session(urgent=False) as second:

        def other_first(name: str) -> None:
            tenant.store.before_write = lambda name: None
            assert begin(second) == 40

        tenant.store.before_write = other_first
        assert begin(first) == 0
        assert tenant.held() == {"a": 0, "bb": 40}


def test_who_always_comes_too_late_raises_in_the_end(tenant: Tenant):
    tenant.store.before_write = lambda name: tenant.store.put(name, b"{}") and None
    with pytest.raises(BlobChangedError), tenant.pace().session(urgent=False) as calls:
        calls.ask(1)


# Trouble


@pytest.mark.parametrize("failing", ["pace.json", "quota.json"])
def test_what_storage_raises_comes_out_and_neither_a_slot_nor_a_call_is_lost(tenant: Tenant, failing: str):
    def fail(name: str) -> None:
        if name == failing:
            raise OSError(name)

    with tenant.pace(per_day=40).session(urgent=False) as calls:
        tenant.store.before_write = fail
        for _ in range(3):
            with pytest.raises(OSError, match=failing):
                calls.ask(1000)
        tenant.store.before_write = lambda name: None
        assert begin(calls) == 40


@pytest.mark.parametrize("content", [b"", b"{", b'{"senders": {"x": {"slots": -1}}}', b"\xff", b"null"])
def test_a_broken_record_of_shares_stops_everything_for_six_seconds_and_no_longer(tenant: Tenant, content: bytes):
    tenant.store.put("pace.json", content)
    with tenant.pace().session(urgent=False) as calls:
        assert begin(calls) == 0
        tenant.time.seconds += 5.9
        assert begin(calls) == 0
        tenant.time.seconds += 0.7
        assert begin(calls) == 40


def test_a_record_of_shares_that_is_deleted_while_in_use_counts_as_broken(tenant: Tenant):
    with tenant.pace("a").session(urgent=False) as first, tenant.pace("bb").session(urgent=False) as second:
        assert begin(first, 1) == 1
        tenant.time.seconds += 3
        del tenant.store.blobs["pace.json"]
        assert begin(first) == 0
        assert begin(second) == 0
        assert tenant.held()["unknown"] == 40


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, 1.5])
def test_who_sees_its_own_clock_jump_rests_until_others_have_renewed_theirs(tenant: Tenant, jump: float):
    clock = VirtualClock(tenant.time)
    with tenant.pace(clock=clock).session(urgent=False) as calls:
        end(calls, begin(calls, 1))
        clock.ahead += jump
        tenant.time.seconds += 13.9
        assert isinstance(calls.ask(1), Wait)
        tenant.time.seconds += 13.9
        assert isinstance(calls.ask(1), Wait)
        tenant.time.seconds += 0.2
        assert calls.ask(1) == Go()


def test_a_small_step_of_the_clock_changes_nothing(tenant: Tenant):
    clock = VirtualClock(tenant.time)
    with tenant.pace(clock=clock).session(urgent=False) as calls:
        assert begin(calls, 1) == 1
        clock.ahead += 0.5
        assert begin(calls, 10) == 10
