"""The bodies of a run's plan, byte for byte as planned, read from storage as they are needed."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from shared.inbound.planning.bulk_request import part_of_request, request_bodies
from shared.inbound.sending.advice import plan_damaged
from shared.inbound.sending.stop import Stop
from shared.ports import RUNS
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from shared.inbound.sending.ledger import Ledger
    from shared.inbound.sending.ledger_entry import Part
    from shared.ports import BlobStore
    from shared.run.record import RunRecord

_FILES_KEPT = 2
"""What is in flight seldom spans more than two files of 200 requests."""


class PlanDamaged(Exception):  # noqa: N818 - a finding, which the sender turns into a held run
    """A blob of the plan is not what was planned."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self.stop = stop


class PlannedBodies:
    """What to post for a part."""

    def __init__(self, record: RunRecord, store: BlobStore) -> None:
        """Nothing is read yet."""
        self._record = record
        self._store = store
        self._first = [1, *accumulate((file.requests for file in record.plan), initial=1)][1:]
        self._file = lru_cache(maxsize=_FILES_KEPT)(self._read)

    def of(self, part: Part, ledger: Ledger) -> bytes:
        """The body with the operations of that part.

        Raises:
            PlanDamaged: the blob is gone or holds something else.
        """
        number = bisect_right(self._first, part.request) - 1
        body = self._file(number)[part.request - self._first[number]]
        return body if ledger.is_whole(part) else part_of_request(body, ledger.operations_of(part))

    def _read(self, number: int) -> list[bytes]:
        record, file = self._record, self._record.plan[number]
        blob = self._store.read(RUNS, f"{record.feed}/{record.run}/{file.name}")
        if blob is None or hashlib.sha256(blob.content).hexdigest() != file.sha256:
            raise PlanDamaged(damaged(file.name))
        return request_bodies(blob.content)


def damaged(blob: str) -> Stop:
    """The run is held: what is left of its plan can't be trusted."""
    return Stop(0.0, plan_damaged(blob), RunState.HELD)
