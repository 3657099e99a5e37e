"""What may happen to a connector, and what has to hold whatever does."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis.stateful import initialize, invariant, rule

from shared.bootstrap import connector
from tests.integration.any_order.drawn import (
    BACK,
    CHANGES,
    EVERYONE,
    FAULTS,
    GROUPS,
    HEALTH,
    LOGS,
    MANAGERS,
    OTHER_DOMAIN,
    SELDOM,
    SOME,
    TROUBLE,
    UPLOAD,
)
from tests.integration.any_order.ground import Ground
from tests.platform.accounting import faults
from tests.platform.last_word import last_words, lost
from tests.platform.managers_first import order_faults
from tests.platform.mortal import Killed
from tests.platform.sent_twice import turned_back
from tests.platform.superseding import wrongly_superseded

if TYPE_CHECKING:
    from collections.abc import Collection

FINAL = ("sent", "settled", "refused")


class AnyOrder(Ground):
    """`teardown` repairs everything, brings what is open to its end, and checks that end."""

    @initialize(trouble=TROUBLE, leavers=SOME, back=SOME)
    def first_files(self, trouble: dict[str, Any], leavers: set[int], back: set[int]) -> None:
        """A company file meets trouble, and an urgent file follows: whatever else happens begins from there."""
        self.company_file(name="a.csv", group=EVERYONE, unknown=False, is_lost=False, trouble=trouble)
        self.urgent_file(leavers, back, is_lost=False, fault=None)

    @rule(
        name=st.sampled_from(["a.csv", "b.csv"]),
        group=st.sampled_from(GROUPS),
        unknown=SELDOM,
        is_lost=SELDOM,
        trouble=st.none() | TROUBLE,
    )
    def company_file(
        self, name: str, group: Collection[int], unknown: bool, is_lost: bool, trouble: dict[str, Any] | None
    ) -> None:
        """`unknown`: so many have an unknown status that the run is held."""
        if trouble:
            self.trouble(**trouble)
        odd = {"WorkerStatus": "Sabbatical"} if unknown else {}
        self.put("contoso", name, [self.person(n, **(odd if n % 5 == 0 else {})) for n in group])
        if not is_lost:
            self.event(0)

    @rule(leavers=SOME, back=SOME, is_lost=SELDOM, fault=st.none() | st.sampled_from(FAULTS))
    def urgent_file(self, leavers: set[int], back: set[int], is_lost: bool, fault: dict[str, Any] | None) -> None:
        """As often as it takes until the run is left for another tick, its calls meet the fault."""
        if fault:
            self.trouble(fault, about=min(leavers), times=5)
        self.put_urgent(leavers, back)
        if not is_lost:
            self.event(0)

    @rule(calls=st.integers(0, 90), leavers=SOME, back=SOME, by_tick=st.booleans())
    def urgent_file_while_another_is_sent(self, calls: int, leavers: set[int], back: set[int], by_tick: bool) -> None:
        def meanwhile() -> None:
            self.put_urgent(leavers, back)
            self.event(0)

        self.mortal.meets(meanwhile, after=calls)
        self.tick_or_event(by_tick)
        self.mortal.lives()

    @rule(calls=st.integers(0, 90), by_tick=st.booleans())
    def be_killed(self, calls: int, by_tick: bool) -> None:
        """In the middle of a tick or of an event; its leases run out, a new process takes over."""
        self.mortal.dies_after(calls)
        with contextlib.suppress(Killed):
            self.tick_or_event(by_tick)
        self.another_process()

    @rule(fault=st.sampled_from(FAULTS), after=st.integers(0, 5), times=st.integers(1, 4))
    def some_call_fails(self, fault: dict[str, Any], after: int, times: int) -> None:
        self.entra.post("faults", {"on": "bulkUpload", "after": after, "times": times, **fault})

    @rule(change=st.sampled_from(CHANGES))
    def the_tenant_changes(self, change: dict[str, Any]) -> None:
        self.entra.change(**change)
        connector.cache_clear()

    @rule(seconds=st.sampled_from([1, 70, 700, 4000]), then=st.sampled_from(["tick", "report", "event"]), back=BACK)
    def time_passes(self, seconds: int, then: str, back: int) -> None:
        """The event is perhaps one of a file that has its run already, or that was overwritten."""
        self.clock.sleep(seconds)
        if then == "event":
            self.event(back)
        else:
            self.attempt(self.world.resume if then == "tick" else self.world.report)

    @rule(word=st.sampled_from(["cancel", "cancel", "resume", "resend"]), back=BACK)
    def a_person_decides(self, word: str, back: int) -> None:
        runs = self.runs_with_failures() if word == "resend" else self.world.runs()
        if runs and word == "resend":
            self.send_again(runs[-1 - back % len(runs)])
        elif runs:
            self.command(word, runs[-1 - back % len(runs)]["run"], *(["--yes", "--why", "x"] * (word == "cancel")))

    @invariant()
    def counts_add_up(self) -> None:
        for run in self.world.runs():
            assert sum(run["counts"].values()) == run["rows"]

    def teardown(self) -> None:
        """Everything is repaired; whatever was left open comes to its end."""
        try:
            self.repair()
            self.come_to_an_end()
            self.check_the_end()
        finally:
            self.mortal.lives()
            self.stack.close()
            connector.cache_clear()

    def repair(self) -> None:
        self.entra.control.delete("faults").raise_for_status()
        self.entra.change(
            permissions=[UPLOAD, LOGS, HEALTH],
            jobStatus="Active",
            rejectExternalIds=[],
            verifiedDomains=["example.com", OTHER_DOMAIN],
        )
        self.another_process()

    def come_to_an_end(self) -> None:
        """What is held is let go, and what came to nothing is sent once more."""
        self.send_until_all_is_sent()
        if held := [run["run"] for run in self.world.runs() if run["state"] == "held"]:
            assert [self.command("resume", run) for run in held] == [0] * len(held)
            self.send_until_all_is_sent()
        if failures := self.runs_with_failures():
            for run in failures:
                self.send_again(run)
            self.send_until_all_is_sent()

    def send_until_all_is_sent(self) -> None:
        for _ in range(12):
            self.clock.sleep(4000)
            self.world.resume()
            runs = self.world.runs()
            if len(runs) >= bool(self.files) and all(run["state"] in (*FINAL, "held") for run in runs):
                break
        self.world.report()

    def check_the_end(self) -> None:
        service, posts, runs = self.world.service, self.world.posts(), self.world.runs()
        assert [run["state"] for run in runs if run["state"] not in FINAL] == []
        assert turned_back(service, posts) == []
        assert wrongly_superseded(service) == []
        assert lost(service, posts) == []
        for run in runs:
            if run["state"] == "refused":
                assert run["reason"]["code"] in ("dropGone", "repeatedContent")
            else:
                assert order_faults(service, run, MANAGERS if run["feed"] == "contoso" else {}) == []
                assert faults(service, run, self.text_of(run, only_its_rows=True)) == []
        said = last_words(service, posts, self.text_of)
        wanted = {worker: (cells["JobTitle"], cells["WorkerStatus"] == "Active") for worker, cells in said.items()}
        accounts = self.world.accounts().items()
        assert {w: (account["attributes"]["jobTitle"], account["accountEnabled"]) for w, account in accounts} == wanted
