"""A file that holds SCIM users: no mapping, but the same checks, and the same way from rows to a plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

from shared.inbound.mapping.cell_problem import key_numbers
from shared.inbound.mapping.scim_users import ScimUser, scim_user
from shared.inbound.reading.json_decoding import JsonNumber
from shared.inbound.reading.row_batch import MappedBatch, RowBatch, RowProblem
from shared.inbound.text.value_checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Collection


class ScimMapping:
    """Rows of one cell, a SCIM user as JSON, to users that are sent as they are."""

    def __init__(self, columns: list[str], ignored: Collection[str] = ()) -> None:
        """`columns`: those of the file, the last of which has the user. `ignored`: attributes that are left out."""
        self._place = columns.index("user")
        self._ignored = tuple(ignored)
        self.dropped: dict[str, int] = {}
        """How many users had each attribute that was left out."""

    def map(self, batch: RowBatch) -> MappedBatch:
        """Every user of the batch, or every reason why it can't be sent."""
        mapped = MappedBatch(batch.lines, [orjson.dumps(row) for row in batch.rows], [], [], [], [], [])
        for line, row in zip(batch.lines, batch.rows, strict=True):
            self._add(mapped, line, row)
        return mapped

    def _add(self, mapped: MappedBatch, line: int, row: list[str]) -> None:
        value = _json_object(row[self._place] if len(row) > self._place else "")
        problems: list[RowProblem] = []
        external_id = user_name = manager = ""
        user = b""
        if value is None:
            problems.append(RowProblem(line, "user", "notJson", "The cell is no JSON object.", "Repair it as JSON."))
        else:
            found = scim_user(value, self._ignored)
            if isinstance(found, ScimUser):
                external_id, user_name, manager, user = (
                    found.external_id,
                    found.user_name,
                    found.manager or "",
                    found.user,
                )
                for name in found.dropped:
                    self.dropped[name] = self.dropped.get(name, 0) + 1
                if words := CHECKS["upn"](user_name):
                    advice = "Correct the userName in the HR system."
                    problems.append(RowProblem(line, "userName", "invalidUserName", words, advice, external_id))
            else:
                key = value.get("externalId")
                external_id = key.strip() if isinstance(key, str) else ""
                problems += [RowProblem(line, *problem, external_id=external_id or None) for problem in found]
        mapped.external_ids.append(external_id)
        mapped.keys += key_numbers([external_id])
        mapped.logins += key_numbers([user_name])
        mapped.managers += key_numbers([manager])
        mapped.users.append(b"" if problems else user)
        mapped.problems += problems


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text, parse_int=JsonNumber, parse_float=JsonNumber)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
