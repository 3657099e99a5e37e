"""One rule of a feed file as one function of a row's cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import TYPE_CHECKING
from unicodedata import normalize

from shared.inbound.feed_file import TRANSFORMS
from shared.scim.attribute_path import ACTIVE, EXTERNAL_ID, MANAGER, USER_NAME, AttributePath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.inbound.feed_file import Rule

Value = str | bool | None
Evaluate = Callable[[list[str]], Value]
"""Cells in, value out; None leaves the attribute out. Raises CellProblem."""


class CellProblem(Exception):  # noqa: N818 - the mapping turns it into a row's problem
    """Why a rule has no value for this row; never holds a cell's text.

    Raise a new one each time: an exception that is raised again keeps the frames, and so the cells, of every row.
    """

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(code)
        self.code, self.message, self.advice = code, message, advice


def compile_rule(path: AttributePath, rule: Rule, position: dict[str, int]) -> Evaluate:
    """The rule as a function of the cells. What identifies a worker is trimmed, and never blank or invisible."""
    if rule.constant is not None:
        constant = rule.constant
        return lambda _cells: constant
    if rule.true_when is not None and rule.false_when is not None:
        return _status(_text(rule, position), rule.true_when, rule.false_when, required=path == ACTIVE)
    evaluate = _text(rule, position, whole=path == USER_NAME or path.multi_valued)
    if rule.date is not None:
        evaluate = _date(evaluate, rule.date)
    if path in (EXTERNAL_ID, USER_NAME, MANAGER):
        evaluate = _identifier(evaluate, path.attribute, required=path != MANAGER)
    return evaluate


def _text(rule: Rule, position: dict[str, int], *, whole: bool = False) -> Evaluate:
    """The column's or template's text after the transforms; None if blank."""
    transforms = tuple(TRANSFORMS[name] for name in rule.transforms)
    if rule.template is None:
        return _column(position[rule.columns[0]], transforms)
    evaluate = _template(rule.template, position, whole=whole)
    return _transformed(evaluate, transforms) if transforms else evaluate


def _column(index: int, transforms: tuple[Callable[[str], str], ...]) -> Evaluate:
    def column(cells: list[str]) -> Value:
        text = cells[index]
        if not text or text.isspace():
            return None
        for transform in transforms:
            text = transform(text)
        return text

    return column


def _template(template: str, position: dict[str, int], *, whole: bool) -> Evaluate:
    """Blank columns leave no double or outer spaces behind; with all of them blank there is no value.

    With `whole`, some blank columns are a problem: half a login or half an address is somebody else's.
    """
    parts = list(Formatter().parse(template))
    indexes = [position[column] for _, column, _, _ in parts if column is not None]
    pattern = "".join(literal.replace("%", "%%") + ("" if column is None else "%s") for literal, column, _, _ in parts)

    def filled(cells: list[str]) -> Value:
        values = tuple([cells[index].strip() for index in indexes])
        if all(values):
            return pattern % values
        if not any(values):
            return None
        if whole:
            advice = "Fill in these columns for the worker in the HR system."
            raise CellProblem("blank", "A column of this template is blank.", advice)
        return " ".join((pattern % values).split())

    return filled


def _transformed(evaluate: Evaluate, transforms: tuple[Callable[[str], str], ...]) -> Evaluate:
    def transformed(cells: list[str]) -> Value:
        value = evaluate(cells)
        if isinstance(value, str):
            for transform in transforms:
                value = transform(value)
        return value

    return transformed


def _identifier(evaluate: Evaluate, attribute: str, *, required: bool) -> Evaluate:
    """A key with an invisible character in it looks like another worker's and is not."""

    def identifier(cells: list[str]) -> Value:
        value = evaluate(cells)
        if not isinstance(value, str):
            if required:
                advice = "Fill in this column for the worker in the HR system."
                raise CellProblem("blank", f"{attribute} is blank.", advice)
            return None
        value = value.strip()
        if not value.isprintable():
            raise CellProblem(
                "invisibleCharacter",
                f"{attribute} has a character that can't be seen, such as a zero-width space or a line break.",
                "Type the cell anew in the HR system.",
            )
        return value

    return identifier


def _status(evaluate: Evaluate, true_when: Iterable[str], false_when: Iterable[str], *, required: bool) -> Evaluate:
    """Only a word that the feed file knows says yes or no; everything else sets the row aside."""
    words = {**dict.fromkeys(true_when, True), **dict.fromkeys(false_when, False)}

    def status(cells: list[str]) -> Value:
        value = evaluate(cells)
        if value is None:
            if required:
                advice = "Fill in the worker's status in the HR system."
                raise CellProblem("blankStatus", "The status is blank.", advice)
            return None
        known = words.get(str(value).strip())
        if known is None:
            raise CellProblem(
                "unknownStatus",
                "The status is a word that the feed file does not know.",
                "Correct the status in the HR system, or add the word to true_when or false_when in the feed file.",
            )
        return known

    return status


def _date(evaluate: Evaluate, layout: str) -> Evaluate:
    """ISO 8601 with a time and a zone, since `employeeHireDate` takes nothing less; midnight UTC for a plain date."""

    @lru_cache(maxsize=8192)
    def iso(text: str) -> str:
        try:
            return datetime.strptime(text, layout).isoformat() + "Z"
        except ValueError:
            raise CellProblem(
                "dateFormat",
                f"The date is not written as the feed file declares ({layout}), or is no day of the calendar.",
                "Correct the date in the HR system, or the declared format in the feed file.",
            ) from None

    def date(cells: list[str]) -> Value:
        value = evaluate(cells)
        return None if value is None else iso(str(value).strip())

    return date


def same_key(text: str) -> str:
    """What two keys have in common that a directory takes for one: letter case and Unicode form don't count."""
    return text.lower() if text.isascii() else normalize("NFKC", text).casefold()
