"""The first rows of an HR file by column, and what they would become under a rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from shared.inbound.drafting.draft_keys import column_keys
from shared.inbound.feeds.mapping_rule import Rule
from shared.inbound.mapping.cell_problem import Problem, same_key
from shared.inbound.mapping.compiled_attribute import CompiledAttribute
from shared.scim.attribute_path import parse_attribute_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.inbound.drafting.draft_yaml import Node

_MAX_NAME = 1000
_ANY_DAY = date(2026, 1, 1)


@dataclass(frozen=True)
class Column:
    """A column that a feed file can name. `cells` are trimmed."""

    name: str
    cells: tuple[str, ...]

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of its name."""
        return column_keys(self.name)

    @cached_property
    def words(self) -> Counter[str]:
        """How often each cell occurs, blank ones left out."""
        return Counter(filter(None, self.cells))

    @property
    def blank_count(self) -> int:
        """How many cells are blank."""
        return len(self.cells) - self.words.total()

    @cached_property
    def repeated_count(self) -> int:
        """In how many rows stands a key of another row."""
        keys = Counter(map(same_key, self.words.elements()))
        return sum(count for count in keys.values() if count > 1)

    @property
    def is_key(self) -> bool:
        """Never blank, never the same."""
        return not self.blank_count and not self.repeated_count


class Table:
    """What was read of a file. `columns` has those that a feed file can name, `others` the names of the rest."""

    def __init__(
        self, names: list[str], rows: list[list[str]], *, is_whole: bool = True, typed_dates: bool = False
    ) -> None:
        """Rows with another number of cells than names are left out, and counted in `ragged`."""
        even = [row for row in rows if len(row) == len(names)]
        self.row_count, self.ragged = len(even), len(rows) - len(even)
        self.is_whole, self.typed_dates = is_whole, typed_dates
        self.columns: list[Column] = []
        self.others: list[str] = []
        repeated = Counter(names)
        for index, name in enumerate(names):
            if name.strip() and len(name) <= _MAX_NAME and repeated[name] == 1:
                self.columns.append(Column(name, tuple(row[index].strip() for row in even)))
            elif name.strip():
                self.others.append(name[:_MAX_NAME])

    def problems(self, path: str, rule: Mapping[str, Node]) -> list[Problem]:
        """What the mapping itself says against the rows: one for each row that it would set aside."""
        compiled_rule = Rule.model_validate(rule)
        cells = {column.name: column.cells for column in self.columns}
        named = {name: cells[name] for name in compiled_rule.columns}
        position = {name: index for index, name in enumerate(named)}
        compiled = CompiledAttribute(
            parse_attribute_path(path), compiled_rule, position, _ANY_DAY, typed_dates=self.typed_dates
        )
        values = compiled.values(list(named.values()), self.row_count)
        return [value for value in values if isinstance(value, Problem)]
