"""`active` from a status column: only words that mean the same everywhere are proposed, others are for a person.

A word for a leave is none of them: whether the account of somebody on leave stays enabled differs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from shared.inbound.drafting.draft_guess import UNDECIDED, Guess, Level
from shared.inbound.drafting.draft_keys import keys_of, name_key
from shared.inbound.drafting.draft_yaml import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.inbound.drafting.draft_table import Column, Table
    from shared.inbound.drafting.draft_yaml import Node

_TRUE = keys_of("Active, Aktiv, Employed, Currently employed, Beschäftigt, Aktiv beschäftigt, Actif, Activo, Activa")
_FALSE = keys_of(
    "Inactive, Inaktiv, Terminated, Left, Leaver, Resigned, Dismissed, No longer employed, Ausgeschieden, "
    "Ausgetreten, Nicht mehr beschäftigt, Inactif, Sorti, Parti, Inactivo, Inactiva, Cesado"
)
_OPEN = keys_of(
    "On Leave, Leave, Leave of Absence, Paid Leave, Unpaid Leave, Parental Leave, Maternity Leave, Suspended, Retired, "
    "Pending, Future Hire, Pre-hire, Beurlaubt, Elternzeit, Mutterschutz, Ruhend, Freigestellt, Gekündigt, Rentner, "
    "Altersteilzeit, En congé, Suspendu, De baja, Suspendido, Jubilado"
)
"""Well-known as well, but what they mean for an account is different everywhere."""
_YES = keys_of("true, yes, y, 1, ja, j, wahr, oui, si")
_NO = keys_of("false, no, n, 0, nein, falsch, non")
_FLAG_NAMES = keys_of("Active, Is Active, Aktiv, Ist aktiv, Actif, Activo")
"""Names of columns in which yes means active."""
_PLAIN = re.compile(r"[\w .-]+")
_MAX_WORDS = 20
"""A column with more different words is no status."""
_MAX_WORD = 40
_MAX_CODE = 2
_SHOWN = 12
_MAX_SUGGESTIONS = 5


class _Status(NamedTuple):
    """What a column says as a status; `rule` is None where no word of it is known to mean active."""

    rule: dict[str, Node] | None
    remarks: list[str]


def _status_of(column: Column, columns: Iterable[Column]) -> _Status | None:
    """The column read as a status; None where it has too many different words to be one.

    `columns`: all of the file. An unknown word is named only where it is no person's data: it is frequent, short, and
    no cell of another column.
    """
    words = column.words
    if not 0 < len(words) <= _MAX_WORDS:
        return None
    is_flag = bool(column.keys & _FLAG_NAMES)
    true = [word for word in words if _means(word, _TRUE | _YES if is_flag else _TRUE)]
    false = [word for word in words if _means(word, _FALSE | _NO if is_flag else _FALSE)]
    known = [*true, *false]
    unknown = [word for word in words if word not in known]
    others = [other for other in columns if other is not column]
    shown = [word for word in unknown if _may_be_named(word, words[word], others)][:_SHOWN]
    remarks = [f"Different words: {len(words)}, in {_rows(words.total())}."]
    if known:
        remarks.append(f"Known: {_listed(column, known)}.")
    if shown:
        remarks.append(f"decide: {_listed(column, shown)}. In neither list, their rows are set aside.")
    if rest := len(unknown) - len(shown):
        remarks.append(f"decide: {rest} more, too rare to be named here. In neither list, their rows are set aside.")
    if column.blank_count:
        remarks.append(f"decide: blank in {_rows(column.blank_count)}, which are set aside.")
    if known and not false:
        remarks.append("decide: these rows have no word for somebody who has left; add it to false_when.")
    rule: dict[str, Node] = {"column": column.name, "true_when": true, "false_when": false}
    return _Status(rule if true else None, remarks)


def _means(word: str, keys: frozenset[str]) -> bool:
    return name_key(word) in keys and _PLAIN.fullmatch(word) is not None


def _may_be_named(word: str, count: int, others: list[Column]) -> bool:
    if len(word) > _MAX_WORD or "@" in word:
        return False
    if len(word) <= _MAX_CODE or _means(word, _OPEN):
        return True
    return count > 1 and not any(word in other.words for other in others)


def _listed(column: Column, words: list[str]) -> str:
    return ", ".join(f"{quoted(word)} ({_rows(column.words[word])})" for word in words)


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def status_guesses(hits: list[Column], table: Table) -> list[Guess]:
    """`active` from the columns that are named as a status; without any, from those with the words of one."""
    read = [(column, _status_of(column, table.columns)) for column in hits or table.columns]
    fits = [(column, status.rule, status.remarks) for column, status in read if status and status.rule]
    if hits and len(fits) == 1:
        return [_guess(*fits[0], Level.SURE, "name and cells fit")]
    if hits and fits:
        why = "several columns could be the status; decide: which one is it?"
        return [_guess(*fit, Level.LIKELY, why) for fit in fits]
    if hits:
        return [_unknown(column, status) for column, status in read]
    why = "the cells have words of a status; decide: is it this one?"
    return [_guess(*fit, Level.UNSURE, why) for fit in fits][:_MAX_SUGGESTIONS]


def _guess(column: Column, rule: dict[str, Node], remarks: list[str], level: Level, why: str) -> Guess:
    return Guess("active", rule, level, why, (column.name,), remarks)


def _unknown(column: Column, status: _Status | None) -> Guess:
    rule: dict[str, Node] = {"column": column.name, "true_when": [UNDECIDED], "false_when": [UNDECIDED]}
    why = "the name fits, but no word is known to mean active; decide: which words mean active, which not?"
    if status is None:
        why = "the name fits, but its cells are blank, or too many are different; decide: is it this one?"
    return _guess(column, rule, status.remarks if status else [], Level.LIKELY, why)
