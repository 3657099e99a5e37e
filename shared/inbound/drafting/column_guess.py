"""Which column of an HR file could be which attribute: by its name, and by what the mapping itself says to its cells.

Only where both agree, a guess is sure; whatever is not is for a person to decide. No guess holds the text of a cell,
but for words of a status.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.inbound.drafting.draft_dates import date_guesses
from shared.inbound.drafting.draft_guess import Guess, Level
from shared.inbound.drafting.draft_names import KNOWN, Known, all_keys
from shared.inbound.drafting.draft_status import status_guesses
from shared.inbound.feeds.mapping_rule import template_columns
from shared.inbound.mapping.cell_problem import same_key

__all__ = ["Guess", "Level", "guess_columns"]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.inbound.drafting.draft_table import Column, Table
    from shared.inbound.drafting.draft_yaml import Node

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MAX_SUGGESTIONS = 5
_FITS = "name and cells fit"
_BY_PATH = {known.path: known for known in KNOWN}
_HOME = (
    _BY_PATH['addresses[type eq "work"].streetAddress'].hints | _BY_PATH['addresses[type eq "work"].postalCode'].hints
)
_GIVEN, _FAMILY = "name.givenName", "name.familyName"


def guess_columns(table: Table) -> list[Guess]:
    """What could be mapped, in the order of a feed file; an attribute has one sure guess, or any number of others."""
    return list(_Guesses(table).all())


class _Guesses:
    """The guesses so far; those for keys come first, since others depend on them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._made: list[Guess] = []
        for known in KNOWN:
            self._made += self._of(known)

    def all(self) -> Iterator[Guess]:
        by_path: dict[str, list[Guess]] = {}
        for guess in [*self._made, *self._login_by_email(), *self._display_name(), *self._active_by_dates()]:
            by_path.setdefault(guess.path, []).append(guess)
        for known in KNOWN:
            yield from by_path.get(known.path, ())

    def _hits(self, known: Known) -> list[tuple[Column, int]]:
        """The columns with a name of the first group that has any, with the group's number."""
        for number, keys in enumerate(known.groups):
            if found := [column for column in self._table.columns if column.keys & keys]:
                return [(column, number) for column in found]
        return []

    def _of(self, known: Known) -> list[Guess]:
        hits = self._hits(known)
        if known.kind == "status":
            return status_guesses([column for column, _ in hits], self._table)
        if known.kind in ("hire", "leave"):
            columns = [column for column, _ in hits]
            return date_guesses(known.path, columns, typed_dates=self._table.typed_dates)
        if not hits:
            hinted = [column for column in self._table.columns if column.keys & known.hints]
            return [self._hint(known, column) for column in hinted] or self._by_cells(known)
        reasons = {column.name: self._misfit(known, column) for column, _ in hits}
        fits = [hit for hit in hits if not reasons[hit[0].name]]
        if len(fits) == 1:
            return [self._named_guess(known, *fits[0])]
        if fits:
            why = f"{len(fits)} columns have such a name; decide: which one is it?"
            return [_guess(known, column, Level.LIKELY, why) for column, _ in fits]
        return [
            _guess(known, column, Level.LIKELY, f"the name fits, but {reasons[column.name]}; decide: is it this one?")
            for column, _ in hits
        ]

    def _named_guess(self, known: Known, column: Column, group: int) -> Guess:
        if known.kind == "address" and group and any(other.keys & _HOME for other in self._table.columns):
            return self._hint(known, column)
        return _guess(known, column, Level.SURE, _FITS)

    def _hint(self, known: Known, column: Column) -> Guess:
        question = "is it the address of the office, not of the home?" if known.kind == "address" else "is it this one?"
        if known.kind == "phone":
            question = "is it the phone at work, not at home?"
        return _guess(known, column, Level.UNSURE, f"the name can mean other things; decide: {question}")

    def _misfit(self, known: Known, column: Column) -> str:
        """What the cells say against it; empty if nothing."""
        if not column.words:
            return "every cell is blank"
        if known.kind in ("key", "login") and column.blank_count:
            return f"{column.blank_count} cells are blank"
        if known.kind in ("key", "login") and column.repeated_count:
            return f"{column.repeated_count} rows have a value that another row has too"
        emails = sum(count for word, count in column.words.items() if _EMAIL.fullmatch(word))
        if known.kind in ("key", "text", "address", "manager") and emails:
            return f"{emails} cells are e-mail addresses"
        if problems := self._table.problems(known.path, _rule(known, column)):
            return f"{len(problems)} cells do not ({problems[0].message.rstrip('.')})"
        return self._no_manager(column) if known.kind == "manager" else ""

    def _sure_column(self, path: str) -> Column | None:
        names = [guess.columns[0] for guess in self._made if guess.path == path and guess.level == Level.SURE]
        return next((column for column in self._table.columns if column.name in names), None)

    def _no_manager(self, column: Column) -> str:
        ids = self._sure_column("externalId")
        if ids is None:
            return "without a sure externalId nobody can tell whether its cells are managers' externalIds"
        known = set(map(same_key, ids.cells))
        strangers = sum(count for word, count in column.words.items() if same_key(word) not in known)
        if strangers:
            return f"{strangers} cells are no externalId of the rows that were read"
        if own := sum(map(_same, column.cells, ids.cells)):
            return f"{own} rows name the worker as their own manager"
        return ""

    def _by_cells(self, known: Known) -> list[Guess]:
        """For what has to be found: columns whose name says nothing, and whose cells would do."""
        if known.kind not in ("key", "login", "email", "manager"):
            return []
        why = {
            "key": "no cell is blank, no two are the same",
            "login": "every cell is an address, no two are the same",
            "email": "every cell is an e-mail address",
            "manager": "every cell is an externalId of another row",
        }[known.kind]
        free = (column for column in self._table.columns if not column.keys & all_keys())
        found = (column for column in free if self._looks_like(known, column))
        guesses = [_guess(known, column, Level.UNSURE, f"{why}; decide: is it this one?") for column in found]
        return guesses[:_MAX_SUGGESTIONS]

    def _looks_like(self, known: Known, column: Column) -> bool:
        if known.kind == "email" and not all(map(_EMAIL.fullmatch, column.words)):
            return False
        return not self._misfit(known, column)

    def _login_by_email(self) -> Iterator[Guess]:
        email = self._sure_column('emails[type eq "work"].value')
        if email is None or self._sure_column("userName"):
            return
        login = _BY_PATH["userName"]
        if not any(guess.path == login.path and email.name in guess.columns for guess in self._made):
            against = self._misfit(login, email)
            why = f"but {against}; decide" if against else "decide"
            yield _guess(login, email, Level.UNSURE, f"{why}: is the e-mail address the user principal name?")

    def _display_name(self) -> Iterator[Guess]:
        given, family = self._sure_column(_GIVEN), self._sure_column(_FAMILY)
        if not given or not family or any(guess.path == "displayName" for guess in self._made):
            return
        template = f"{{{given.name}}} {{{family.name}}}"
        try:
            is_template = list(template_columns(template)) == [given.name, family.name]
        except ValueError:
            return
        if is_template and len(template) <= 1024:
            rule: dict[str, Node] = {"template": template}
            yield Guess("displayName", rule, Level.SURE, "made of the two names", (given.name, family.name))

    def _active_by_dates(self) -> Iterator[Guess]:
        """Where no status is found, the dates could decide; a person has to want that."""
        if any(guess.path == "active" for guess in self._made):
            return
        hires = self._of_kind("hire")
        leaves = self._of_kind("leave")
        for hire in hires:
            same = [leave for leave in leaves if leave.rule["date"] == hire.rule["date"]]
            for leave in same or leaves:
                rule: dict[str, Node] = {"from": hire.rule, "until": leave.rule}
                why = "no status was found; decide: do these dates say who is active?"
                remarks = ["decide: time_zone, a key of its own, says where a day begins; without it that is UTC."]
                yield Guess("active", rule, Level.UNSURE, why, (*hire.columns, *leave.columns), remarks)

    def _of_kind(self, kind: str) -> list[Guess]:
        return [guess for guess in self._made if _BY_PATH[guess.path].kind == kind]


def _same(manager: str, own: str) -> bool:
    return bool(manager) and same_key(manager) == same_key(own)


def _rule(known: Known, column: Column) -> dict[str, Node]:
    if known.kind in ("login", "email"):
        return {"column": column.name, "transforms": ["trim", "lower"]}
    return {"column": column.name, "transforms": ["country"]} if known.kind == "country" else {"column": column.name}


def _guess(known: Known, column: Column, level: Level, why: str) -> Guess:
    return Guess(known.path, _rule(known, column), level, why, (column.name,))
