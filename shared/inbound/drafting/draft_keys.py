"""What different spellings of a column's name, or of a word, have in common.

Letter case, accents and everything that is no letter or digit do not count: `employeeId`, `EMPLOYEE_ID` and
`Employee-ID` are one.
"""

from __future__ import annotations

import unicodedata

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_NEUTRAL = frozenset(
    (
        *("worker", "employee", "person", "user", "mitarbeiter", "employment", "job", "work", "organization"),
        *("data", "attributes", "profile", "record", "workerdata", "employmentdata", "jobdata"),
    )
)
"""Names around a name in JSON that do not change what it means, as `manager` or `personal` would."""


def name_key(name: str) -> str:
    """What different spellings of a name have in common; empty where it has neither letter nor digit."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in folded if char.isalnum())


def column_keys(column: str) -> frozenset[str]:
    """The keys that a column goes by: its own, and for a path into JSON those of its end."""
    parts = [name_key(part) for part in column.split(".")]
    while len(parts) > 1 and parts[-1] in ("value", "label"):
        parts.pop()
    keys = {name_key(column), "".join(parts)}
    for start in range(1, len(parts)):
        if set(parts[:start]) <= _NEUTRAL:
            keys.add("".join(parts[start:]))
    if parts[0] in ("name", "names") and len(parts) == 2:
        keys.add(parts[1] + "name")
    return frozenset(keys - {""})


def keys_of(names: str) -> frozenset[str]:
    """The keys of names that are separated by commas, umlauts also as two letters."""
    spelt = [name.strip() for name in names.split(",")]
    return frozenset(key for name in spelt for key in (name_key(name), name_key(name.translate(_UMLAUTS))) if key)
