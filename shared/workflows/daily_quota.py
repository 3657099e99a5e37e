"""The tenant's daily quota of calls, counted in `state/quota.json` so that it outlives every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.inbound.sending.pacing import DailyQuota, minute_of
from shared.workflows.state_document import StateDocument

if TYPE_CHECKING:
    from datetime import datetime

    from shared.ports import BlobStore, Clock

_BATCH = 10
"""Calls fetched at a time; what a session had fetched when it was killed is lost."""


def stored_quota(store: BlobStore, clock: Clock) -> StateDocument[DailyQuota]:
    """`state/quota.json`."""
    return StateDocument(store, clock, "quota.json", _parse)


def _parse(content: bytes | None) -> DailyQuota:
    """A quota that can't be read counts as empty: to use too much costs an answer 429, which says how long to wait.

    To count it as used up would stop all sending for a day, and for ever if the blob is broken again and again.
    """
    try:
        return DailyQuota.model_validate_json(content) if content is not None else DailyQuota()
    except ValidationError:
        return DailyQuota()


class DailyCalls:
    """The day's calls of one session, fetched a few at a time. One thread's."""

    def __init__(self, quota: StateDocument[DailyQuota], clock: Clock, limit: int) -> None:
        """`limit`: how many calls the tenant may have made in 24 hours for this session to make another."""
        self._quota, self._clock, self._limit = quota, clock, limit
        self._granted = 0
        self._granted_at = clock.now()

    def fetch(self, wanted: int) -> datetime | None:
        """Have at least one to use; the time at which there will be one, if there is none.

        Raises:
            BlobChangedError: other processes always came in between.
        """
        if self._granted and minute_of(self._granted_at) == minute_of(self._clock.now()):
            return None
        now, unused, since = self._clock.now(), self._granted, self._granted_at
        self._granted = granted = 0

        def fetched(quota: DailyQuota) -> DailyQuota:
            nonlocal granted
            granted, after = quota.given_back(unused, since).grant(min(wanted, _BATCH), self._limit, now)
            return after

        quota = self._quota.change(fetched)
        self._granted, self._granted_at = granted, now
        return None if granted else quota.frees_at(self._limit, now)

    def use(self) -> None:
        """One call begins, in the minute in which `fetch` was last asked."""
        self._granted -= 1

    def unused(self) -> None:
        """A call that was used was not made after all. Where a minute has ended meanwhile it counts for the new one."""
        self._granted += 1

    def give_back(self) -> None:
        """Return what was fetched and not used.

        Raises:
            BlobChangedError: other processes always came in between.
        """
        unused, self._granted = self._granted, 0
        if unused:
            self._quota.change(lambda quota: quota.given_back(unused, self._granted_at))
