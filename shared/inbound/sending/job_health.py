"""Is the provisioning job fit to take data? A 202 is given by one that is paused too.

Source: Graph reference, synchronizationJob and synchronizationStatus; Entra's troubleshooting page for inbound
provisioning: uploads to a paused or quarantined job are accepted and pile up, and a restart can purge them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.errors import Reason
from shared.inbound.sending.answer import Block

LOOK_AGAIN_SECONDS = 300.0


@dataclass(frozen=True)
class JobStatus:
    """What GET on the job told. `http_status` None: nothing usable came back.

    `code`: synchronizationStatus.code, such as Active, Paused, Quarantine. `schedule`: synchronizationSchedule.state,
    such as Active, Disabled. `quarantine_reason`: its code, where there is one. Each None where it was not told.
    """

    http_status: int | None
    code: str | None = None
    schedule: str | None = None
    quarantine_reason: str | None = None


def block_for(status: JobStatus) -> Block | None:
    """Why the job should not be given data; None where nothing speaks against it, or nothing is known.

    Quarantine comes first and a disabled schedule last: a job in quarantine is disabled in the end, and not the other
    way round.
    """
    reason = _reason(_word(status.code), _word(status.schedule), status.quarantine_reason)
    return Block(reason, LOOK_AGAIN_SECONDS) if reason else None


def unknown_code(status: JobStatus) -> str | None:
    """Why the job's status is not known, for a warning; None where it is known, or is told by the POST (404)."""
    match status.http_status:
        case None:
            return "noAnswer"
        case 200:
            return None if status.code or status.schedule else "notTold"
        case 403:
            return "permissionMissing"
        case 404:
            return None
        case other:
            return f"status{other}"


def _word(text: str | None) -> str:
    return (text or "").strip().lower()


def _reason(code: str, schedule: str, quarantine_reason: str | None) -> Reason | None:
    if code == "quarantine":
        return _quarantined(quarantine_reason)
    if code == "notconfigured":
        return _NOT_CONFIGURED
    if "paused" in (code, schedule):
        return _PAUSED
    return _DISABLED if schedule == "disabled" else None


def _quarantined(reason: str | None) -> Reason:
    """Entra's reason is a word such as TooManyDeletes; anything else is not passed on."""
    why = f" ({reason})" if re.fullmatch(r"[A-Za-z0-9]{1,60}", reason or "") else ""
    return Reason(
        "jobQuarantined",
        f"The provisioning job is in quarantine{why}; nothing is sent to it.",
        "In the Entra admin center open the provisioning app's overview, read the reason of the quarantine and repair "
        f"it, then restart provisioning. {_ALL_THE_SAME}",
    )


_ALL_THE_SAME = (
    "Entra would answer 202 all the same, but work on nothing, and a restart can purge what was uploaded meanwhile. "
    "The run goes on by itself some minutes after the repair. To send without this check, set CHECK_JOB_HEALTH=false."
)
_NOT_CONFIGURED = Reason(
    "jobNotConfigured",
    "The provisioning job is not configured yet; nothing is sent to it.",
    "In the Entra admin center finish the set-up of the provisioning app (mappings, scope, notification e-mail) and "
    f"start provisioning. {_ALL_THE_SAME}",
)
_PAUSED = Reason(
    "jobPaused",
    "The provisioning job is paused; nothing is sent to it.",
    f"In the Entra admin center open the provisioning app's overview and start provisioning. {_ALL_THE_SAME}",
)
_DISABLED = Reason(
    "jobDisabled",
    "The provisioning job's schedule is disabled; nothing is sent to it.",
    "In the Entra admin center open the provisioning app's overview and start provisioning; it is also disabled after "
    f"four weeks in quarantine. {_ALL_THE_SAME}",
)
