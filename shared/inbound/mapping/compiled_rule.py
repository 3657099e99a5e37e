"""One mapping rule, compiled for the columns of one file: a function of a row's cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.inbound.feeds.bounded_regex import compile_regex, is_too_long
from shared.inbound.feeds.mapping_rule import template_parts
from shared.inbound.mapping.cell_problem import CellProblem
from shared.inbound.mapping.compiled_active import compile_active
from shared.inbound.mapping.compiled_condition import compile_condition
from shared.inbound.mapping.compiled_steps import compile_steps
from shared.inbound.text.value_checks import CHECKS, default_check, max_length
from shared.scim.attribute_path import ACTIVE, EXTERNAL_ID, MANAGER, USER_NAME, AttributePath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from shared.inbound.feeds.mapping_rule import Rule

Value = str | bool | int | None
"""What an attribute gets: "" leaves it out, None is an explicit null."""
Cells = Sequence[str]
Evaluate = Callable[[Cells], Value]
"""Cells in, value out. Raises CellProblem."""
Text = Callable[[Cells], str]

CHECK_CODES = {
    "upn": "invalidUserName",
    "email": "invalidEmail",
    "phone": "invalidPhone",
    "language": "invalidLanguage",
    "time_zone": "invalidTimeZone",
    "country": "invalidCountry",
}
MAX_TEXT = 2**31
"""No limit."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True)
class Context:
    """What a rule is compiled for.

    Args:
        position: where each column is among the cells that the function gets.
        today: the day that decides conditions and `active`.
        typed_dates: the cells are a workbook's, whose dates are read as ISO 8601 whatever their format.
    """

    position: dict[str, int]
    today: date
    typed_dates: bool = False


def compile_rule(path: AttributePath, rule: Rule, context: Context) -> Evaluate:
    """The rule as a function of the cells. What identifies a worker is trimmed, and never blank or invisible."""
    if path == ACTIVE and rule.constant is None:
        return compile_active(rule, context)
    if rule.constant is not None and rule.when is None:
        constant = rule.constant
        return lambda _cells: constant
    finish, source = compile_finish(path, rule, context), _source(path, rule, context)
    return lambda cells: finish(source(cells))


def compile_finish(path: AttributePath, rule: Rule, context: Context) -> Callable[[str], Value]:
    """What the rule makes of its source's text: the steps, the checks, and what a blank does. Raises CellProblem."""
    steps, checks = compile_steps(rule, context), list(_text_checks(path, rule))
    if_blank = _if_blank(path, rule)
    identifies = path in (EXTERNAL_ID, USER_NAME, MANAGER)
    limit, whose = length_limit(path, rule) or (MAX_TEXT, "")

    def finish(text: str) -> Value:
        for step in steps:
            if not text or text.isspace():
                break
            text = step(text)
        if not text or text.isspace():
            return if_blank()
        if identifies:
            text = text.strip()
            if not text.isprintable():
                raise _invisible(path.attribute)
        if len(text) > limit:
            raise too_long(limit, whose)
        for check in checks:
            check(text)
        return text

    if rule.true_when is not None and rule.false_when is not None:
        return _words(finish, rule.true_when, rule.false_when)
    if rule.constant is not None and not isinstance(rule.constant, str):
        return _constant(finish, rule.constant)
    return _integer(finish) if rule.type == "Integer" else finish


def length_limit(path: AttributePath, rule: Rule) -> tuple[int, str] | None:
    """How many characters the directory takes and who says so; None where nobody does, or nothing is checked."""
    return max_length(path) if rule.check != "none" else None


def _integer(finish: Callable[[str], Value]) -> Callable[[str], Value]:
    def integer(text: str) -> Value:
        value = finish(text)
        if value is None or value == "":
            return value
        if not _INTEGER.fullmatch(str(value)):
            raise CellProblem(
                "numberFormat",
                "The value is not a whole number, as the type Integer demands.",
                "Correct the cell in the HR system, or use number in the feed file if it is written with other marks.",
            )
        return int(str(value))

    return integer


def _constant(finish: Callable[[str], Value], constant: bool | int) -> Callable[[str], Value]:
    """A constant that depends on a condition: itself, not its text, or nothing."""

    def itself(text: str) -> Value:
        value = finish(text)
        return constant if isinstance(value, str) and value else value

    return itself


def _words(
    finish: Callable[[str], Value], true_when: Iterable[str], false_when: Iterable[str]
) -> Callable[[str], Value]:
    """Only a word that the feed file knows says yes or no."""
    words = {**dict.fromkeys(true_when, True), **dict.fromkeys(false_when, False)}

    def known(text: str) -> Value:
        value = finish(text)
        if not isinstance(value, str) or not value:
            return value
        word = words.get(value.strip())
        if word is None:
            raise CellProblem(
                "unknownWord",
                "The text is neither in true_when nor in false_when of the feed file.",
                "Correct the cell in the HR system, or add the word to true_when or false_when in the feed file.",
            )
        return word

    return known


def _text_checks(path: AttributePath, rule: Rule) -> Iterator[Callable[[str], None]]:
    if rule.pattern is not None:
        yield _matches(rule.pattern)
    name = rule.check or default_check(path)
    if name != "none" and not rule.is_boolean:
        yield _is_valid(name)


def _invisible(attribute: str) -> CellProblem:
    """A key with an invisible character in it looks like another worker's and is not."""
    return CellProblem(
        "invisibleCharacter",
        f"{attribute} has a character that can't be seen, such as a zero-width space or a line break.",
        "Type the cell anew in the HR system.",
    )


def _matches(pattern: str) -> Callable[[str], None]:
    compiled = compile_regex(pattern)

    def check(value: str) -> None:
        if is_too_long(value) or compiled.fullmatch(value) is None:
            raise CellProblem(
                "patternMismatch",
                "The value does not have the form that pattern in the feed file demands.",
                "Correct the cell in the HR system. If a spreadsheet has cut leading zeros, pad in the feed file "
                "restores them.",
            )

    return check


def _is_valid(name: str) -> Callable[[str], None]:
    is_wrong, code = CHECKS[name], CHECK_CODES[name]

    def check(value: str) -> None:
        if words := is_wrong(value):
            raise CellProblem(
                code,
                words if words.endswith(".") else f"{words}.",
                "Correct the cell in the HR system, or change it by steps in the feed file (check: none there turns "
                "this check off).",
            )

    return check


def too_long(limit: int, source: str) -> CellProblem:
    """A value that the directory would refuse."""
    return CellProblem(
        "tooLong",
        f"The value has more than {limit} characters, which the directory does not take ({source}).",
        "Shorten it in the HR system, or by steps in the feed file.",
    )


def _if_blank(path: AttributePath, rule: Rule) -> Callable[[], Value]:
    """What a blank does: nothing, a null, or a problem."""
    if rule.is_required or path in (EXTERNAL_ID, USER_NAME):
        name = path.sub_attribute or path.attribute

        def is_problem() -> Value:
            raise CellProblem("blank", f"{name} is blank.", "Fill in this column for the worker in the HR system.")

        return is_problem
    value = None if rule.blank == "null" else ""
    return lambda: value


def _source(path: AttributePath, rule: Rule, context: Context) -> Text:
    """The text of the rule's source where its condition holds, else ""."""
    source = _unconditional(rule, context, whole=path == USER_NAME or path.multi_valued)
    return _guarded(source, rule, context)


def _guarded(source: Text, rule: Rule, context: Context) -> Text:
    if rule.when is None:
        return source
    holds = compile_condition(rule.when, context)
    return lambda cells: source(cells) if holds(cells) else ""


def _unconditional(rule: Rule, context: Context, *, whole: bool) -> Text:
    if rule.column is not None:
        index = context.position[rule.column]
        return lambda cells: cells[index]
    if rule.template is not None:
        return _template(rule, context, whole=whole)
    if rule.first_of is not None:
        return _first_of([_with_steps(one, context, whole=whole) for one in rule.first_of])
    constant = str(rule.constant)
    return lambda _cells: constant


def _with_steps(rule: Rule, context: Context, *, whole: bool) -> Text:
    """A rule within `first_of`: source, condition and steps; "" if blank."""
    source = _guarded(_unconditional(rule, context, whole=whole), rule, context)
    steps = compile_steps(rule, context)

    def stepped(cells: Cells) -> str:
        text = source(cells)
        for step in steps:
            if not text or text.isspace():
                return ""
            text = step(text)
        return text

    return stepped if steps else source


def _first_of(texts: list[Text]) -> Text:
    def first(cells: Cells) -> str:
        for text in texts:
            found = text(cells)
            if found and not found.isspace():
                return found
        return ""

    return first


def _template(rule: Rule, context: Context, *, whole: bool) -> Text:
    """Blank columns leave no double or outer spaces behind; with all of them blank there is no value.

    With `whole`, some blank columns are a problem: half a login or half an address is somebody else's.
    """
    pattern, names = template_parts(rule.template or "")
    indexes = [context.position[name] for name in names]
    partly_blank = rule.partly_blank or ("set_aside" if whole else "close_up")

    def filled(cells: Cells) -> str:
        values = tuple([cells[index].strip() for index in indexes])
        if all(values):
            return pattern % values
        if not any(values) or partly_blank == "omit":
            return ""
        if partly_blank == "set_aside":
            advice = "Fill in these columns for the worker in the HR system."
            raise CellProblem("blank", "A column of this template is blank.", advice)
        return " ".join((pattern % values).split())

    return filled
