"""Lines of a ledger, and what is left by one, as tests write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.inbound.sending.ledger_entry import BegunEntry, SessionEntry, SupersededEntry
from tests.unit.builders import NOON, after

if TYPE_CHECKING:
    from shared.inbound.sending.ledger import Ledger


def left(ledger: Ledger) -> list[tuple[int, int, int]]:
    return [(part.request, part.start, part.stop) for part in ledger.left()]


def begun(*parts: tuple[int, int, int], session: str = "s", **when: float) -> BegunEntry:
    return BegunEntry(session=session, at=after(**when), parts=parts)


def session(name: str = "s") -> SessionEntry:
    return SessionEntry(session=name, at=NOON)


def superseded(request: int, *places: int, by_run: str | None = "newer") -> SupersededEntry:
    return SupersededEntry(request=request, operations=places, by_run=by_run, at=NOON)
