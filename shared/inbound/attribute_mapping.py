"""HR row to SCIM user: the feed's mapping, compiled once for the columns of one file.

Compiled means: every rule becomes one function of the row's cells, and the functions are grouped by where their
values go, so that a row costs as many calls as there are mapped attributes and no look-up by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import TYPE_CHECKING, Any

from shared.errors import HrFileError
from shared.scim.attribute_path import ACTIVE, EXTERNAL_ID, MANAGER, USER_NAME, AttributePath
from shared.scim.user import CORE_USER, ENTERPRISE_USER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.inbound.feed_file import Feed, Rule
    from shared.inbound.hr_file import HrRow

Value = str | bool | None
Evaluate = Callable[[list[str]], Value]
"""Cells in, value out; None leaves the attribute out. Raises _CellProblem."""


_TRANSFORMS: dict[str, Callable[[str], str]] = {"trim": str.strip, "lower": str.lower, "upper": str.upper}


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is set aside. `column` is None where the whole row is meant. Holds no cell's text."""

    line: int
    column: str | None
    code: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class MappedRow:
    """A row that can be sent: `user` is the SCIM User, a plain dict ready for JSON."""

    line: int
    external_id: str
    manager: str | None
    user: dict[str, Any]


class _CellProblem(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(code)
        self.code, self.message, self.advice = code, message, advice


@dataclass(frozen=True, slots=True)
class _Group:
    """The attributes that go into one container of the user (None: the user itself).

    Most attributes are a column's text as it is: `plain` has their name and the cell's index, and costs no call.
    `ruled` has name, columns for messages, and the compiled rule.
    """

    container: str | None
    multi_valued: bool
    plain: list[tuple[str, int]]
    ruled: list[tuple[str, str | None, Evaluate]]

    def fill(self, target: dict[str, Any], row: HrRow, problems: list[RowProblem]) -> None:
        cells = row.cells
        for name, index in self.plain:
            text = cells[index]
            if text and not text.isspace():
                target[name] = text
        for name, column, evaluate in self.ruled:
            try:
                value = evaluate(cells)
            except _CellProblem as problem:
                problems.append(RowProblem(row.line, column, problem.code, problem.message, problem.advice))
                continue
            if value is not None:
                target[name] = value


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
        _check_header([c for rule in rules.values() for c in rule.columns], columns)
        self._width = len(columns)
        self._position = {name: index for index, name in enumerate(columns)}
        self._groups: dict[str | None, _Group] = {}
        self._manager: tuple[str | None, Evaluate] | None = None
        extensions = [p.container for p in rules if p.is_custom and p.container]
        self._schemas = [CORE_USER, ENTERPRISE_USER, *dict.fromkeys(extensions)]
        for path, rule in rules.items():
            self._place(path, rule)

    def _place(self, path: AttributePath, rule: Rule) -> None:
        columns = ", ".join(rule.columns) or None
        if path == MANAGER:
            self._manager = (columns, _compile(path, rule, self._position))
            return
        group = self._groups.setdefault(path.container, _Group(path.container, path.multi_valued, [], []))
        if rule.is_plain and path not in (EXTERNAL_ID, USER_NAME):
            group.plain.append((path.attribute, self._position[rule.columns[0]]))
        else:
            group.ruled.append((path.attribute, columns, _compile(path, rule, self._position)))

    def map(self, row: HrRow) -> MappedRow | list[RowProblem]:
        """One row: a whole user, or every reason why it can't be one."""
        if len(row.cells) != self._width:
            return [_wrong_width(row, self._width)]
        problems: list[RowProblem] = []
        user: dict[str, Any] = {"schemas": self._schemas}
        for container, group in self._groups.items():
            if container is None:
                group.fill(user, row, problems)
                continue
            inner: dict[str, Any] = {}
            group.fill(inner, row, problems)
            if inner:
                user[container] = [{"type": "work", **inner}] if group.multi_valued else inner
        manager = self._map_manager(user, row, problems)
        if problems:
            return problems
        return MappedRow(row.line, user["externalId"], manager, user)

    def _map_manager(self, user: dict[str, Any], row: HrRow, problems: list[RowProblem]) -> str | None:
        if self._manager is None:
            return None
        column, evaluate = self._manager
        manager = evaluate(row.cells)
        if manager is None:
            return None
        if manager == user.get("externalId"):
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


def _check_header(mapped: list[str], columns: Sequence[str]) -> None:
    missing = [name for name in dict.fromkeys(mapped) if name not in columns]
    if missing:
        raise HrFileError(
            "missingColumns",
            f"The header lacks columns that the feed file maps: {', '.join(missing)}.",
            "Export the file with these columns, or change the mapping in the feed file if they were renamed.",
        )
    repeated = [name for name in dict.fromkeys(mapped) if columns.count(name) > 1]
    if repeated:
        raise HrFileError(
            "repeatedColumns",
            f"The header has mapped columns more than once: {', '.join(repeated)}.",
            "Export the file with each mapped column once.",
        )


def _wrong_width(row: HrRow, width: int) -> RowProblem:
    count = len(row.cells)
    return RowProblem(
        row.line,
        None,
        "tooManyCells" if count > width else "tooFewCells",
        f"The row has {count} cells, the header has {width}.",
        "Put a cell that holds a comma or a line break in quotes; keep a comma for every empty cell.",
    )


def _compile(path: AttributePath, rule: Rule, position: dict[str, int]) -> Evaluate:
    """The rule as a function of the cells. What identifies a worker is trimmed and never blank."""
    if rule.constant is not None:
        constant = rule.constant
        return lambda _cells: constant
    if rule.true_when is not None and rule.false_when is not None:
        return _status(_text(rule, position), rule.true_when, rule.false_when, required=path == ACTIVE)
    evaluate = _text(rule, position)
    if rule.date is not None:
        evaluate = _date(evaluate, rule.date)
    if path in (EXTERNAL_ID, MANAGER):
        evaluate = _trimmed(evaluate)
    return _required(evaluate, path.attribute) if path in (EXTERNAL_ID, USER_NAME) else evaluate


def _text(rule: Rule, position: dict[str, int]) -> Evaluate:
    """The column's or template's text after the transforms; None if blank."""
    if rule.template is not None:
        evaluate = _template(rule.template, position)
    else:
        index = position[rule.columns[0]]

        def evaluate(cells: list[str]) -> Value:
            text = cells[index]
            return text if text and not text.isspace() else None

    for transform in rule.transforms:
        evaluate = _transformed(evaluate, _TRANSFORMS[transform])
    return evaluate


def _template(template: str, position: dict[str, int]) -> Evaluate:
    """Blank columns leave no double or outer spaces behind; with all of them blank there is no value."""
    parts = [
        (literal, None if column is None else position[column]) for literal, column, _, _ in Formatter().parse(template)
    ]

    def evaluate(cells: list[str]) -> Value:
        values = [cells[index].strip() for _, index in parts if index is not None]
        if not any(values):
            return None
        filled = "".join(literal + (cells[index].strip() if index is not None else "") for literal, index in parts)
        return filled if all(values) else " ".join(filled.split())

    return evaluate


def _transformed(evaluate: Evaluate, transform: Callable[[str], str]) -> Evaluate:
    def transformed(cells: list[str]) -> Value:
        value = evaluate(cells)
        return transform(value) if isinstance(value, str) else value

    return transformed


def _trimmed(evaluate: Evaluate) -> Evaluate:
    return _transformed(evaluate, str.strip)


def _required(evaluate: Evaluate, attribute: str) -> Evaluate:
    problem = _CellProblem("blank", f"{attribute} is blank.", "Fill in this column for the worker in the HR system.")

    def required(cells: list[str]) -> Value:
        value = evaluate(cells)
        if value is None:
            raise problem
        return value

    return required


def _status(evaluate: Evaluate, true_when: Iterable[str], false_when: Iterable[str], *, required: bool) -> Evaluate:
    """Only a word that the feed file knows says yes or no; everything else sets the row aside."""
    words = {**dict.fromkeys(true_when, True), **dict.fromkeys(false_when, False)}
    blank = _CellProblem("blankStatus", "The status is blank.", "Fill in the worker's status in the HR system.")
    unknown = _CellProblem(
        "unknownStatus",
        "The status is a word that the feed file does not know.",
        "Correct the status in the HR system, or add the word to true_when or false_when in the feed file.",
    )

    def status(cells: list[str]) -> Value:
        value = evaluate(cells)
        if value is None:
            if required:
                raise blank
            return None
        known = words.get(str(value).strip())
        if known is None:
            raise unknown
        return known

    return status


def _date(evaluate: Evaluate, layout: str) -> Evaluate:
    """ISO 8601 with a time and a zone, since `employeeHireDate` takes nothing less; midnight UTC for a plain date."""
    problem = _CellProblem(
        "dateFormat",
        f"The date is not written as the feed file declares ({layout}), or is no day of the calendar.",
        "Correct the date in the HR system, or the declared format in the feed file.",
    )

    @lru_cache(maxsize=8192)
    def iso(text: str) -> str:
        try:
            moment = datetime.strptime(text, layout)
        except ValueError:
            raise problem from None
        return moment.isoformat() + "Z" if moment.tzinfo is None else moment.isoformat()

    def date(cells: list[str]) -> Value:
        value = evaluate(cells)
        return None if value is None else iso(str(value).strip())

    return date
