"""The tenant's daily quota of calls, counted in `state/quota.json` so that it outlives every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import BlobChangedError
from shared.inbound.pacing import DailyQuota
from shared.ports import STATE

if TYPE_CHECKING:
    from datetime import datetime

    from shared.workflows.outside import Outside

_NAME = "quota.json"
_BATCH = 20


class DailyCalls:
    """Calls that this session may make, fetched from the shared quota a few at a time.

    What is fetched and not used stays counted: at most `_BATCH` less one call a session, on the safe side.
    """

    def __init__(self, outside: Outside) -> None:
        """Takes the store, the clock and the limit."""
        self._outside = outside
        self._granted = 0

    def take(self, wanted: int) -> datetime | None:
        """Take one call, of about that many still wanted; None, or the time at which there will be one."""
        if not self._granted:
            until = self._fetch(max(1, min(wanted, _BATCH)))
            if until:
                return until
        self._granted -= 1
        return None

    def _fetch(self, wanted: int) -> datetime | None:
        store, limit = self._outside.store, self._outside.limits.requests_per_day
        while True:
            now = self._outside.clock.now()
            found = store.read(STATE, _NAME)
            quota = DailyQuota.model_validate_json(found.content) if found else DailyQuota()
            granted, after = quota.grant(wanted, limit, now)
            if not granted:
                return quota.frees_at(limit, now)
            content = after.model_dump_json().encode()
            try:
                if found:
                    store.replace(STATE, _NAME, content, found.etag)
                else:
                    store.create(STATE, _NAME, content)
            except BlobChangedError:
                continue
            self._granted = granted
            return None
