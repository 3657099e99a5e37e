"""`python -m tests.bench sending`: how fast a plan is sent, beside the API's own limit and a straightforward client.

Both clients post the same bodies to the same simulator, each in a process of its own. Planning is not measured here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from tests.bench.simulated import prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tests.bench.simulated import Sent

USERS = 20_000
LATENCY_MS = 150
_TRIES = 3
Figure = tuple[str, "Callable[[Sent], float]", str]
"""What it is, how it is had, and its format."""

LIMITED: list[Figure] = [
    ("requests accepted", lambda sent: sent.requests, "d"),
    ("answers 429", lambda sent: sent.throttled, "d"),
    ("first POST to last 202, s", lambda sent: sent.elapsed, ".1f"),
    ("beside the API's floor", lambda sent: sent.beside_floor, ".3f"),
    ("whole session, s", lambda sent: sent.seconds, ".1f"),
    ("processor s per 1,000 users", lambda sent: sent.cpu_per_1000_users, ".3f"),
]
CEILING: list[Figure] = [
    ("requests accepted", lambda sent: sent.requests, "d"),
    ("requests/s", lambda sent: sent.per_second, ".0f"),
    ("processor s per 1,000 users", lambda sent: sent.cpu_per_1000_users, ".3f"),
    ("peak memory, MB", lambda sent: sent.peak_megabytes, ".0f"),
    ("of which code, before the first request, MB", lambda sent: sent.megabytes_before, ".0f"),
    ("processor of the simulator in use", lambda sent: sent.server_cpu_seconds / sent.seconds, ".0%"),
]


def show(console: Console, users: int = USERS) -> None:
    """Print both tables; a plan is made, unmeasured, before each measurement."""
    limited = both(users, latency_ms=LATENCY_MS)
    console.print(f"Sending {users:,} users under the true limits, {LATENCY_MS} ms before every answer")
    console.print(f"The API's floor, (requests - 40) / 8 s: {limited['connector'].floor:.1f} s")
    console.print(side_by_side(limited, LIMITED))
    tries = [both(users, limits=False) for _ in range(_TRIES)]
    quickest = {name: min((sent[name] for sent in tries), key=lambda sent: sent.elapsed) for name in tries[0]}
    console.print(f"The same without limits and without latency; the quickest of {_TRIES}")
    console.print(side_by_side(quickest, CEILING))


def both(users: int, *, latency_ms: int = 0, limits: bool = True) -> dict[str, Sent]:
    """What each client did, by its name: one after the other, the same plan for both."""
    with prepared(users, latency_ms=latency_ms, limits=limits) as ready:
        sequential = whole(ready.sequential(), users)
        ready.forget()
        return {"sequential": sequential, "connector": whole(ready.connector(), users)}


def whole(sent: Sent, users: int) -> Sent:
    """The same. Figures of a client that lost or doubled users would look like those of a quick one.

    Raises:
        RuntimeError: not every user was accepted, or some were sent twice.
    """
    if sent.users != users or sent.doubled:
        raise RuntimeError(f"{sent.users} of {users} users were accepted, {sent.doubled} of them more than once")
    return sent


def side_by_side(found: dict[str, Sent], figures: list[Figure]) -> Table:
    table = Table()
    for heading in ("", *found, "connector beside sequential"):
        table.add_column(heading, justify="right")
    for name, figure, form in figures:
        values = [figure(sent) for sent in found.values()]
        beside = figure(found["sequential"])
        ratio = f"{figure(found['connector']) / beside:.2f}" if beside else ""
        table.add_row(name, *(format(value, form) for value in values), ratio)
    return table
