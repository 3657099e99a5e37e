"""What the rules of `machine.py` act on: files and their events, troubles, commands, processes that end."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobLeaseClient
from hypothesis.stateful import RuleBasedStateMachine

from shared.bootstrap import connector
from shared.cli.commands import main
from tests.integration.any_order.drawn import MANAGERS, OTHER_DOMAIN, key
from tests.integration.conftest import World
from tests.platform.accounting import run_blob
from tests.platform.hr_files import hr_csv, hr_row
from tests.platform.processes import connector_environment
from tests.platform.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.platform.mortal import Mortal


class Ground(RuleBasedStateMachine):
    """One storage account and one tenant. Whoever makes a machine of it gives the class these members."""

    storage: Any
    entra: Any
    environment: Any
    mortal: Mortal

    def __init__(self) -> None:
        super().__init__()
        self.entra.post("reset")
        self.entra.change(verifiedDomains=["example.com", OTHER_DOMAIN])
        self.world = World(self.storage, self.entra, None)
        for name, value in connector_environment(self.world.connection_string, self.entra.settings).items():
            self.environment.setenv(name, value)
        self.stack = contextlib.ExitStack()
        self.clock = self.stack.enter_context(virtual_clock(self.entra))
        self.world.put_feed()
        self.world.put_feed(self.world.feed("priority: urgent"), "leavers")
        self.version = 0
        self.files: dict[tuple[str, str, str], str] = {}
        self.drops: list[str] = []

    def person(self, number: int, **cells: str) -> dict[str, str]:
        """Some have an address in a domain that the tenant may not have."""
        address = {"UserID": f"u{key(number)}@{OTHER_DOMAIN}"} if number % 50 == 40 else {}
        title = {"JobTitle": f"v{self.version + 1}"}
        return hr_row(key(number), **title, **address, **{"ManagerID": MANAGERS.get(key(number), ""), **cells})

    def put_urgent(self, leavers: set[int], back: set[int]) -> None:
        gone = [self.person(n, WorkerStatus="Terminated", ManagerID="") for n in sorted(leavers)]
        here = [self.person(n, ManagerID="") for n in sorted(back - leavers)]
        self.put("leavers", "urgent.csv", gone + here)

    def put(self, feed: str, name: str, rows: list[dict[str, str]]) -> None:
        self.version += 1
        text = hr_csv(*rows)
        blob = self.world.drop(text, name, feed)
        etag = self.world.service.get_blob_client("hr-drop", blob).get_blob_properties().etag.strip('"')
        self.files[feed, name, etag] = text
        self.drops.append(blob)

    def text_of(self, run: dict[str, Any], *, only_its_rows: bool = False) -> str:
        """The run's file; of a run that sends some rows again, those rows on their lines, where it is asked for."""
        text = self.files[run["feed"], run["file"], run["etag"].strip('"')]
        if not (only_its_rows and run["resendOf"]):
            return text
        rows = map(json.loads, run_blob(self.world.service, run, "rows.ndjson").splitlines())
        kept = {1, *(row["line"] for row in rows)}
        return "\n".join(line if n in kept else "" for n, line in enumerate(text.splitlines(), start=1))

    def trouble(self, fault: Mapping[str, Any], about: int, times: int | None) -> None:
        """For calls that speak of one worker."""
        about_one = {"on": "bulkUpload", "containing": f"u{key(about).lower()}@", "times": times}
        self.entra.post("faults", {**about_one, **fault})

    def runs_with_failures(self) -> list[dict[str, Any]]:
        return [run for run in self.world.runs() if run["counts"]["failed"] + run["counts"]["rejected"]]

    def send_again(self, run: dict[str, Any]) -> None:
        """The log tells whole seconds: what failed must not look as if it came after the second time."""
        self.command("resend", run["run"], "--state", "failed,rejected")
        self.clock.sleep(70)

    def command(self, word: str, run: str, *more: str) -> int:
        """0: done; 1: it does not fit what has become of the run, and then it says so."""
        status = main([word, run, "--by", "somebody", *more])
        assert status in (0, 1)
        return status

    def tick_or_event(self, by_tick: bool) -> None:
        if by_tick:
            self.attempt(self.world.resume)
        else:
            self.event(0)

    def event(self, back: int) -> None:
        blob = self.drops[-1 - back % len(self.drops)]
        self.attempt(lambda: self.world.host.blob_created(blob))

    def attempt(self, act: Callable[[], None]) -> None:
        """As the host would: an exception ends this call, and there will be another."""
        try:
            act()
        except Exception as error:  # noqa: BLE001
            pytest.fail(f"a function raised {type(error).__name__}: {error}")

    def another_process(self) -> None:
        self.mortal.lives()
        connector.cache_clear()
        for container in ("runs", "state"):
            client = self.world.service.get_container_client(container)
            for name in client.list_blob_names():
                if name.endswith("lock"):
                    with contextlib.suppress(HttpResponseError):
                        BlobLeaseClient(client.get_blob_client(name)).break_lease(lease_break_period=0)
