"""One rule of a feed file as one function of a row's cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import TYPE_CHECKING

from shared.scim.attribute_path import ACTIVE, EXTERNAL_ID, MANAGER, USER_NAME, AttributePath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.inbound.feed_file import Rule

Value = str | bool | None
Evaluate = Callable[[list[str]], Value]
"""Cells in, value out; None leaves the attribute out. Raises CellProblem."""
_TRANSFORMS: dict[str, Callable[[str], str]] = {"trim": str.strip, "lower": str.lower, "upper": str.upper}


class CellProblem(Exception):  # noqa: N818 - the mapping turns it into a row's problem
    """Why a rule has no value for this row; never holds a cell's text."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(code)
        self.code, self.message, self.advice = code, message, advice


def compile_rule(path: AttributePath, rule: Rule, position: dict[str, int]) -> Evaluate:
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
    problem = CellProblem("blank", f"{attribute} is blank.", "Fill in this column for the worker in the HR system.")

    def required(cells: list[str]) -> Value:
        value = evaluate(cells)
        if value is None:
            raise problem
        return value

    return required


def _status(evaluate: Evaluate, true_when: Iterable[str], false_when: Iterable[str], *, required: bool) -> Evaluate:
    """Only a word that the feed file knows says yes or no; everything else sets the row aside."""
    words = {**dict.fromkeys(true_when, True), **dict.fromkeys(false_when, False)}
    blank = CellProblem("blankStatus", "The status is blank.", "Fill in the worker's status in the HR system.")
    unknown = CellProblem(
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
    problem = CellProblem(
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
