"""The tenant's daily quota of calls, counted in `state/quota.json` so that it outlives every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import BlobChangedError
from shared.inbound.sending.pacing import DailyQuota
from shared.ports import STATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.workflows.outside import Outside

_NAME = "quota.json"
_BATCH = 20
_MAX_RACES = 50


class DailyCalls:
    """Calls that this session may make, fetched from the shared quota a few at a time; what is not used goes back.

    A process that is killed keeps what it had fetched: the quota then counts up to `_BATCH` calls too many.
    """

    def __init__(self, outside: Outside) -> None:
        """Takes the store, the clock and the limit."""
        self._outside = outside
        self._granted = 0
        self._granted_at = outside.clock.now()

    def take(self, wanted: int) -> datetime | None:
        """Take one call, of about that many still wanted; None, or the time at which there will be one."""
        limit = self._outside.limits.requests_per_day
        if not self._granted:
            self._granted_at = self._outside.clock.now()
            quota, self._granted = self._change(
                lambda quota: quota.grant(max(1, min(wanted, _BATCH)), limit, self._granted_at)
            )
            if not self._granted:
                return quota.frees_at(limit, self._granted_at)
        self._granted -= 1
        return None

    def give_back(self) -> None:
        """Return what was fetched and not used; called when the session ends."""
        if self._granted:
            unused, self._granted = self._granted, 0
            self._change(lambda quota: (0, quota.given_back(unused, self._granted_at)))

    def _change(self, change: Callable[[DailyQuota], tuple[int, DailyQuota]]) -> tuple[DailyQuota, int]:
        """Change the stored quota, from its newest version, until nobody came in between.

        Raises:
            BlobChangedError: it never succeeded.
        """
        store = self._outside.store
        for _ in range(_MAX_RACES):
            found = store.read(STATE, _NAME)
            quota = DailyQuota.model_validate_json(found.content) if found else DailyQuota()
            number, after = change(quota)
            if after == quota:
                return after, number
            content = after.model_dump_json().encode()
            try:
                if found:
                    store.replace(STATE, _NAME, content, found.etag)
                else:
                    store.create(STATE, _NAME, content)
            except BlobChangedError:
                self._outside.clock.sleep(0.1 * self._outside.clock.jitter())
                continue
            return after, number
        raise BlobChangedError("quota.json could not be updated")
