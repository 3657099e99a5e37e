"""Workers, files and troubles of which `machine.py` draws."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st

from tests.platform.answers import BUCKET_FULL

UPLOAD, LOGS, HEALTH = "SynchronizationData-User.Upload", "ProvisioningLog.Read.All", "Synchronization.Read.All"
OTHER_DOMAIN = "fabrikam.com"
HEADS, MIDDLE, EVERYONE = range(1, 71), range(71, 131), range(1, 201)
"""Four requests: heads have no manager, each of the middle has a head, each of the others somebody of the middle."""
GROUPS = [
    EVERYONE,
    EVERYONE,
    range(1, 131),
    range(51, 201),
    range(1, 201, 2),
    range(131, 201),
    [3, *range(131, 201, 3)],
]
SOME = st.sets(st.integers(1, 200), min_size=3, max_size=30)
SELDOM, BACK = st.sampled_from([False, False, True]), st.integers(0, 3)
FAULTS = [
    {"status": 500, "body": BUCKET_FULL},
    {"status": 500, "body": BUCKET_FULL},
    {"status": 429, "headers": {"Retry-After": "3.5"}},
    {"status": 429, "headers": {"Retry-After": "100"}},
    {"status": 429},
    {"status": 503},
    {"status": 504, "processed": True},
    {"status": 413},
    {"status": 401},
    {"disconnect": "beforeReading"},
    {"disconnect": "afterProcessing"},
    {"disconnect": "halfAnswer"},
]
TROUBLE = st.fixed_dictionaries(
    {
        "fault": st.sampled_from(FAULTS),
        "about": st.sampled_from([120, 60, 90, 5, 180]),
        "times": st.sampled_from([None, 1, 4]),
    }
)
CHANGES: list[dict[str, Any]] = [
    {"permissions": [LOGS, HEALTH]},
    {"permissions": [UPLOAD, LOGS, HEALTH]},
    {"jobStatus": "Paused"},
    {"jobStatus": "Quarantine"},
    {"jobStatus": "Active"},
    {"rejectExternalIds": ["W00005", "W00180"]},
    {"rejectExternalIds": []},
    {"verifiedDomains": ["example.com"]},
    {"verifiedDomains": ["example.com", OTHER_DOMAIN]},
]


def key(number: int) -> str:
    return f"W{number:05d}"


MANAGERS = {key(n): key(n - 70) for n in MIDDLE} | {key(n): key(71 + n % 60) for n in EVERYONE if n > MIDDLE[-1]}
"""By worker, as every company file says."""
