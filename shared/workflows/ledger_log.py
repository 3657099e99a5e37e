"""The ledger of one run as its sender writes it: every line is put down before what it allows is done.

Each append names the length that the ledger must have. A sender that was overtaken, even one that slept through it,
meets another length, since its successor began by writing: it posts nothing more and writes nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, LeaseLostError
from shared.inbound.sending.ledger_entry import BegunEntry, SessionEntry, ledger_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.inbound.sending.ledger import Ledger
    from shared.inbound.sending.ledger_entry import Entry, Part
    from shared.ports import Clock
    from shared.run.record import RunRecord
    from shared.workflows.run_store import RunStore

_LARGEST_APPEND = 2_000_000
"""A block of an append blob holds 4 MiB in every service version."""


class LedgerLog:
    """One session. `ledger` is always what storage has."""

    def __init__(self, record: RunRecord, runs: RunStore, clock: Clock, session: str) -> None:
        """Reads the ledger; `session` is an id that no other session has.

        Raises:
            RunDamagedError: the ledger can't be read, or says less than the record does.
        """
        self._record = record
        self._runs = runs
        self._clock = clock
        self._session = session
        self._is_open = False
        self.ledger: Ledger
        self.ledger, self._length = runs.ledger_and_length(record)

    def begin(self, parts: Iterable[Part]) -> None:
        """Put down what is about to be posted. Raises LeaseLostError."""
        at = self._clock.now()
        begun = tuple((part.request, part.start, part.stop) for part in parts)
        self.add([BegunEntry(session=self._session, at=at, parts=begun)])

    def add(self, entries: Iterable[Entry]) -> None:
        """Put entries down, durably, then take them in.

        Raises:
            LeaseLostError: somebody else has written since.
        """
        some = list(entries)
        if not some:
            return
        if not self._is_open:
            some.insert(0, SessionEntry(session=self._session, at=self._clock.now()))
            self._is_open = True
        for content in _blocks(map(ledger_line, some)):
            try:
                self._length = self._runs.append(self._record, content, self._length)
            except BlobChangedError:
                raise LeaseLostError("another sender writes this run's ledger") from None
        for entry in some:
            self.ledger.add(entry)


def _blocks(lines: Iterable[bytes]) -> Iterable[bytes]:
    block = b""
    for line in lines:
        if block and len(block) + len(line) > _LARGEST_APPEND:
            yield block
            block = b""
        block += line
    yield block
