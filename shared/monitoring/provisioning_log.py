"""One record of `auditLogs/provisioning`, read leniently.

Documented examples differ in case, misname keys and leave properties out, and no real record of this kind of job is
public; so every property is optional, enums are lower-cased text, and what is unknown is kept, not guessed at.
Source: Graph metadata, provisioningObjectSummary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FRACTION = re.compile(r"\.(\d{6})\d+")


@dataclass(frozen=True, slots=True)
class ProvisioningEvent:
    """What the log said once about one worker.

    `external_id` is `sourceIdentity.id`. `status` and `action` are lower case. `code` is an errorCode or SkipReason.
    """

    id: str
    at: datetime
    external_id: str
    status: str
    action: str
    code: str | None
    cycle_id: str | None


def parse_event(record: object) -> ProvisioningEvent | None:
    """One record, or None when it lacks what an event can't do without: an id, a time and a worker."""
    if not isinstance(record, Mapping):
        return None
    event_id, at = _text(record.get("id")), _time(record.get("activityDateTime"))
    external_id = _text(_inner(record, "sourceIdentity").get("id"))
    if not event_id or at is None or not external_id:
        return None
    info = _inner(record, "provisioningStatusInfo") or _inner(record, "statusInfo")
    status = (_text(info.get("status")) or "").lower()
    action = (_text(record.get("provisioningAction")) or _text(record.get("action")) or "").lower()
    error = _inner(info, "errorInformation") or _inner(info, "errorInfo") or info
    # The skip reason is the finer word: the error code of a skip often only says that it was one.
    code = _code(_skip_reason(record)) or _code(error.get("errorCode"))
    return ProvisioningEvent(event_id, at, external_id, status, action, code, _text(record.get("cycleId")))


def _inner(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    """Text that can be stored: half a surrogate pair can't."""
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() or not _SURROGATE.search(value) else None


def _code(value: object) -> str | None:
    """A code, or `unrecognised` for a text that does not look like one: it could hold personal data."""
    text = _text(value)
    if text is None:
        return None
    return text if _CODE.fullmatch(text) else "unrecognised"


def _time(value: object) -> datetime | None:
    text = _text(value)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r".\1", text))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _skip_reason(record: Mapping[str, Any]) -> object:
    steps = record.get("provisioningSteps")
    for step in steps if isinstance(steps, list) else ():
        details = _inner(step, "details") if isinstance(step, Mapping) else {}
        if reason := details.get("SkipReason"):
            return reason
    return None
