"""HR row to SCIM user: the feed's mapping, compiled once for the columns of one file.

Compiled means: every rule becomes one function of the row's cells, and the functions are grouped by where their
values go, so that a row costs as many calls as there are mapped attributes and no look-up by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.inbound.compiled_rule import CellProblem, Evaluate, compile_rule, same_key
from shared.inbound.headers import check_header
from shared.scim.attribute_path import EXTERNAL_ID, MANAGER, USER_NAME, AttributePath
from shared.scim.user import CORE_USER, ENTERPRISE_USER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.inbound.feed_file import Feed, Rule
    from shared.inbound.hr_file import HrRow


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is set aside. `column` is None where the whole row is meant; message and advice hold no cell's text.

    `external_id` is the row's key as far as it can be read: whatever stands elsewhere about that worker is not sent
    either, and a person can look the worker up.
    """

    line: int
    column: str | None
    code: str
    message: str
    advice: str
    external_id: str | None = None


class MappedRow(NamedTuple):
    """A row that can be sent: `user` is the SCIM User, a plain dict ready for JSON."""

    line: int
    external_id: str
    manager: str | None
    user: dict[str, Any]


class _Group(NamedTuple):
    """The attributes that go into one container of the user (None: the user itself).

    Most attributes are a column's text as it is: `plain` has their name and the cell's index, and costs no call.
    `ruled` has name, columns for messages, and the compiled rule.
    """

    container: str | None
    multi_valued: bool
    plain: list[tuple[str, int]]
    ruled: list[tuple[str, str | None, Evaluate]]


def mapped_columns(feed: Feed) -> list[str]:
    """The columns that a file of the feed must have."""
    return list(dict.fromkeys(column for rule in feed.rules.values() for column in rule.columns))


class AttributeMapping:
    """The compiled mapping: `map` turns a row into a user or into every problem that it has."""

    def __init__(self, feed: Feed, columns: Sequence[str]) -> None:
        """Compiles.

        Args:
            feed: the feed's rules.
            columns: the file's header, in order.

        Raises:
            HrFileError: a mapped column is missing from the header, or stands in it twice.
        """
        rules = feed.rules
        check_header(mapped_columns(feed), columns)
        self._width = len(columns)
        self._position = {name: index for index, name in enumerate(columns)}
        self._groups: dict[str | None, _Group] = {}
        self._manager: tuple[str | None, Evaluate] | None = None
        extensions = [p.container for p in rules if p.is_custom and p.container]
        self._schemas = [CORE_USER, ENTERPRISE_USER, *dict.fromkeys(extensions)]
        self._external_id = compile_rule(EXTERNAL_ID, rules[EXTERNAL_ID], self._position)
        for path, rule in rules.items():
            self._place(path, rule)
        self._compiled = tuple(self._groups.values())

    def _place(self, path: AttributePath, rule: Rule) -> None:
        columns = ", ".join(rule.columns) or None
        if path == MANAGER:
            self._manager = (columns, compile_rule(path, rule, self._position))
            return
        group = self._groups.setdefault(path.container, _Group(path.container, path.multi_valued, [], []))
        if rule.is_plain and path not in (EXTERNAL_ID, USER_NAME):
            group.plain.append((path.attribute, self._position[rule.columns[0]]))
        else:
            group.ruled.append((path.attribute, columns, compile_rule(path, rule, self._position)))

    def map(self, row: HrRow) -> MappedRow | list[RowProblem]:
        """One row: a whole user, or every reason why it can't be one."""
        if len(row.cells) != self._width:
            return [_wrong_width(row, self._width, self._key(row.cells))]
        cells = row.cells
        problems: list[RowProblem] = []
        user: dict[str, Any] = {"schemas": self._schemas}
        for container, multi_valued, plain, ruled in self._compiled:
            found: dict[str, Any] = {name: text for name, i in plain if (text := cells[i]) and not text.isspace()}
            for name, column, evaluate in ruled:
                try:
                    value = evaluate(cells)
                except CellProblem as problem:
                    problems.append(RowProblem(row.line, column, problem.code, problem.message, problem.advice))
                    continue
                if value is not None:
                    found[name] = value
            if container is None:
                user.update(found)
            elif found:
                user[container] = [{"type": "work", **found}] if multi_valued else found
        manager = self._map_manager(user, row, problems)
        if problems:
            key = self._key(cells)
            return [replace(problem, external_id=key) for problem in problems]
        return MappedRow(row.line, user["externalId"], manager, user)

    def _key(self, cells: list[str]) -> str | None:
        try:
            return str(self._external_id(cells))
        except (CellProblem, IndexError):
            return None

    def _map_manager(self, user: dict[str, Any], row: HrRow, problems: list[RowProblem]) -> str | None:
        if self._manager is None:
            return None
        column, evaluate = self._manager
        try:
            manager = evaluate(row.cells)
        except CellProblem as problem:
            problems.append(RowProblem(row.line, column, problem.code, problem.message, problem.advice))
            return None
        if manager is None:
            return None
        if same_key(str(manager)) == same_key(str(user.get("externalId", ""))):
            problems.append(
                RowProblem(
                    row.line,
                    column,
                    "managerIsSelf",
                    "The worker is their own manager.",
                    "Put the manager's key in this column, or leave it blank for somebody without a manager.",
                )
            )
        user.setdefault(ENTERPRISE_USER, {})["manager"] = {"value": manager}
        return str(manager)


def _wrong_width(row: HrRow, width: int, key: str | None) -> RowProblem:
    count = len(row.cells)
    return RowProblem(
        row.line,
        None,
        "tooManyCells" if count > width else "tooFewCells",
        f"The row has {count} cells, the header has {width}.",
        "Put a cell that holds the separator or a line break in quotes; keep a separator for every empty cell.",
        key,
    )
