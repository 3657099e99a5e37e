"""Two days of virtual time: three jobs in up to three processes, which are restarted and killed every ten minutes.

The store is in memory, since a real one could not be driven in virtual time; compare-and-swap against a real one is
held by tests/integration/test_pace.py. What the API sees is recorded here, by a list that knows nothing of the limiter.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from shared.inbound.sending.pacing import DailyQuota, Go, NotBefore, Wait
from shared.workflows.pace import Pace
from tests.unit.workflows.virtual_time import NOON, MemoryStore, Time, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOUR = 3600.0
DAY = 24 * HOUR
PLACES = 3
RESTART_EVERY = 600.0
IN_FLIGHT = 40


class Tenant:
    """What happens, in its order; when the API saw each call."""

    def __init__(self, *, per_day: int, seed: int, kills: float, until_now: Mapping[int, int] | None = None) -> None:
        """`kills`: how many of the restarts; `until_now`: calls of the day before, by their minute."""
        self.per_day = per_day
        self.kills = kills
        self.random = Random(seed)
        self.store = MemoryStore()
        self.time = Time()
        self.stamps = [minute * 60 + 59.9 for minute, calls in (until_now or {}).items() for _ in range(calls)]
        calls = {NOON + timedelta(minutes=minute): calls for minute, calls in (until_now or {}).items()}
        self.store.put("quota.json", DailyQuota(calls=calls).model_dump_json(by_alias=True).encode())
        self.happened: Counter[str] = Counter()
        self.killed: list[ExitStack] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.processes = [Process(self) for _ in range(PLACES)]
        for place, process in enumerate(self.processes):
            process.host(Job(self))
            self.after(100 + RESTART_EVERY / PLACES * place, lambda place=place: self.restart(place))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.time.seconds + seconds, next(self._numbers), action))

    def run(self, seconds: float) -> list[float]:
        while self._events and self._events[0][0] <= seconds:
            self.time.seconds, _, action = heapq.heappop(self._events)
            action()
        return sorted(stamp for stamp in self.stamps if stamp <= seconds)

    def restart(self, place: int) -> None:
        self.after(RESTART_EVERY, lambda: self.restart(place))
        old = self.processes[place]
        if self.random.random() < self.kills:
            old.is_doomed = True
            if not any(job.is_open for job in old.jobs):
                self.kill(old)
        else:
            self.happened["ended"] += 1
            old.stop(lambda: self.after(self.random.uniform(0.2, 3), lambda: self.replace(place)))

    def kill(self, process: Process) -> None:
        """It says goodbye to nobody, and its calls are on their way."""
        flying = sum(job.flying for job in process.jobs if job.is_open)
        self.happened["killed while sending" if flying else "killed while idle"] += 1
        self.killed += [job.stay for job in process.jobs]  # or the interpreter would end them in good order
        process.is_alive = False
        place = self.processes.index(process)
        self.after(self.random.uniform(0.2, 3), lambda: self.replace(place))

    def replace(self, place: int) -> None:
        """A job's next sender can be the new process or another one."""
        jobs = self.processes[place].jobs
        self.processes[place] = Process(self)
        for job in jobs:
            homes = [p for p in self.processes if p.is_alive and not p.is_stopping]
            home = self.random.choice([self.processes[place], *homes])
            self.happened["jobs together"] += bool(home.jobs)
            home.host(job)


class Process:
    """One process with its own clocks and its own `Pace`."""

    numbers = itertools.count()

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.clock = VirtualClock(
            tenant.time, ahead=tenant.random.uniform(-0.25, 0.25), booted=tenant.random.uniform(0, 1e6)
        )
        self.pace = Pace(
            tenant.store,
            self.clock,
            per_5_seconds=40,
            per_day=tenant.per_day,
            sender=f"process {next(self.numbers)}",
        )
        self.jobs: list[Job] = []
        self.is_alive = True
        self.is_stopping = False
        self.is_doomed = False
        self.when_stopped: Callable[[], None] = lambda: None

    def host(self, job: Job) -> None:
        self.jobs.append(job)
        job.begin(self)

    def stop(self, then: Callable[[], None]) -> None:
        self.is_stopping, self.when_stopped = True, then
        for job in list(self.jobs):
            job.turn()
        self.look()

    def look(self) -> None:
        if self.is_stopping and self.is_alive and not any(job.is_open for job in self.jobs):
            self.is_alive = False
            self.when_stopped()


class Job:
    """A job with more to send than there will ever be room for, sent as `RunSender` sends a run."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.flying = 0
        self.is_open = False
        self.stay = ExitStack()
        self._turn = 0

    def begin(self, process: Process) -> None:
        if not process.is_alive or process.is_stopping or self not in process.jobs:
            return
        self.process, self.flying, self.is_open, self.resume_at = process, 0, True, None
        self.stay = ExitStack()
        self.calls = self.stay.enter_context(process.pace.session(urgent=False))
        self.turn()

    def turn(self) -> None:
        if not (self.process.is_alive and self.is_open):
            return
        wait = 1.0
        while self.can_ask():
            match self.calls.ask(100_000):
                case Go():
                    self.call()
                case Wait(seconds):
                    wait = seconds
                    break
                case NotBefore(at):
                    self.resume_at = (at - NOON).total_seconds() - self.process.clock.ahead
        if not self.process.is_alive:
            return
        if not self.flying and (self.resume_at is not None or self.process.is_stopping):
            self.end()
            return
        if self.flying == IN_FLIGHT:
            self.calls.keep()
        self._turn += 1
        self.tenant.after(min(wait, 1.0), lambda turn=self._turn: self.turn() if turn == self._turn else None)

    def can_ask(self) -> bool:
        is_going_on = self.process.is_alive and not self.process.is_stopping
        return is_going_on and self.resume_at is None and self.flying < IN_FLIGHT

    def call(self) -> None:
        random, tenant, process = self.tenant.random, self.tenant, self.process
        seconds = random.uniform(0.08, 0.25) if random.random() < 0.97 else random.uniform(0.25, 4)
        tenant.stamps.append(tenant.time.seconds + random.choice([0, 1, random.random()]) * seconds)
        self.flying += 1
        tenant.after(seconds, lambda: self.answered(process))
        if process.is_doomed and random.random() < 0.3:
            tenant.kill(process)

    def answered(self, process: Process) -> None:
        if process.is_alive:
            self.flying -= 1
            self.calls.ended()
            self.turn()

    def end(self) -> None:
        """What is left is sent after the minute in which the quota frees calls, by a timer."""
        self.is_open = False
        self.stay.close()
        process, tenant = self.process, self.tenant
        if self.resume_at is not None:
            tick = math.ceil(max(self.resume_at, tenant.time.seconds + 1) / 60) * 60
            tenant.after(tick - tenant.time.seconds, lambda: self.begin(process))
        process.look()


def most_in(stamps: list[float], seconds: float) -> int:
    """The most calls in any half-open span of that many seconds."""
    first, most = 0, 0
    for last, stamp in enumerate(stamps):
        while stamp - stamps[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize(("per_day", "kills"), [(2000, 0.5), (6000, 1.0)])
def test_neither_limit_is_ever_passed_and_hardly_a_call_of_the_day_is_lost(per_day: int, kills: float):
    tenant = Tenant(per_day=per_day, seed=1, kills=kills)
    stamps = tenant.run(50 * HOUR)
    assert tenant.happened["killed while sending"] >= 2
    assert most_in(stamps, 5) <= 40
    assert most_in(stamps, DAY) <= per_day
    allowed = 3 * per_day  # at 0 h, at 24 h and at 48 h
    assert len(stamps) >= 0.97 * allowed


def test_calls_that_free_up_all_day_long_are_used_as_they_come():
    """Every ten minutes 14 calls of the day before free up, so sessions begin and end hundreds of times."""
    tenant = Tenant(per_day=2000, seed=2, kills=0.5, until_now={-minute: 14 for minute in range(10, 1430, 10)})
    stamps = tenant.run(50 * HOUR)
    assert most_in(stamps, 5) <= 40
    assert most_in(stamps, DAY) <= 2000
    begun = sum(stamp >= 0 for stamp in stamps)
    assert begun >= 0.97 * 2000 / 24 * 50


@pytest.mark.parametrize(("kills", "used"), [(0.0, 0.94), (0.5, 0.935)])
def test_where_the_day_has_no_limit_the_five_seconds_are_used_well(kills: float, used: float):
    """A slot is taken for 0.22 seconds of a call and 5.02 seconds of cooling: 95.4 % without any restart."""
    tenant = Tenant(per_day=10**9, seed=3, kills=kills)
    stamps = tenant.run(2 * HOUR)
    assert most_in(stamps, 5) <= 40
    assert len(stamps) >= used * 2 * HOUR * 8
