"""The steps of a rule, compiled: each a function of a text that is not blank, in the order in which they are taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.inbound.feeds.bounded_regex import LONGEST_TEXT, compile_regex, is_too_long, replacement
from shared.inbound.mapping.cell_problem import CellProblem
from shared.inbound.mapping.compiled_date import date_step
from shared.inbound.text.text_transforms import TRANSFORMS

if TYPE_CHECKING:
    from shared.inbound.feeds.mapping_rule import Rule
    from shared.inbound.feeds.mapping_steps import NumberFormat, Pad, RegexStep, Split
    from shared.inbound.mapping.compiled_rule import Context

    Step = Callable[[str], str]


_BUILT_IN: dict[str, Callable[[str], str]] = {"trim": str.strip, "lower": str.lower, "upper": str.upper}
"""Transforms that can't fail."""


def compile_steps(rule: Rule, context: Context) -> list[Step]:
    """What the rule does to a text; a step raises CellProblem, or gives a blank text, which ends the work."""
    steps: list[Step] = []
    if rule.split:
        steps.append(_split(rule.split))
    if rule.regex:
        steps.append(_regex(rule.regex))
    steps += [_BUILT_IN.get(name) or _transform(TRANSFORMS[name], name) for name in rule.transforms]
    if rule.pad:
        steps.append(_pad(rule.pad))
    if rule.values:
        steps.append(_look_up(rule.values, rule.else_))
    if rule.number:
        steps.append(_number(rule.number))
    if rule.phone:
        steps.append(_phone(rule.phone))
    if rule.date:
        steps.append(date_step(rule.date, typed_dates=context.typed_dates))
    return steps


def _split(split: Split) -> Step:
    index = split.part - 1 if split.part > 0 else split.part

    def take(text: str) -> str:
        parts = text.split(split.by)
        return parts[index].strip() if -len(parts) <= index < len(parts) else ""

    return take


def _regex(step: RegexStep) -> Step:
    if step.replace is not None:
        pattern = compile_regex(step.replace)
        replaced = replacement(step.with_, pattern)

        def replace(text: str) -> str:
            if is_too_long(text):
                raise text_too_long()
            return str(pattern.sub(replaced, text))

        return replace
    pattern = compile_regex(step.extract or "")
    group = 1 if pattern.groups else 0

    def extract(text: str) -> str:
        if is_too_long(text):
            raise text_too_long()
        match = pattern.search(text)
        if match is None:
            raise CellProblem(
                "regexNoMatch",
                "The text has no part that regex.extract of the feed file describes.",
                "Correct the cell in the HR system, or the pattern in the feed file.",
            )
        return match.group(group) or ""

    return extract


def text_too_long() -> CellProblem:
    """A cell that no expression is tried on."""
    return CellProblem(
        "textTooLong",
        f"The cell has more than {LONGEST_TEXT} characters; no expression of the feed file is tried on such a text.",
        "Shorten the cell in the HR system, or take the expression out of the feed file.",
    )


def _transform(transform: Step, name: str) -> Step:
    def transformed(text: str) -> str:
        try:
            return transform(text)
        except ValueError as error:
            raise CellProblem(
                "transformFailed",
                f"The transform {name} can't be done: {error}".rstrip(".") + ".",
                "Correct the cell in the HR system, or take the transform out of the feed file.",
            ) from None

    return transformed


def _pad(pad: Pad) -> Step:
    def padded(text: str) -> str:
        text = text.strip()
        if len(text) > pad.width:
            raise CellProblem(
                "tooLongToPad",
                f"The text has more than the {pad.width} characters that it is filled up to.",
                "Correct the cell in the HR system, or pad in the feed file.",
            )
        return text.rjust(pad.width, pad.fill)

    return padded


def _look_up(values: dict[str, str], otherwise: str | None) -> Step:
    table = {key.strip(): value for key, value in values.items()}

    def look_up(text: str) -> str:
        found = table.get(text.strip(), otherwise)
        if found is None:
            raise CellProblem(
                "unknownValue",
                "The text is not in the table values of the feed file.",
                "Correct the cell in the HR system, or add the text to values (or an else) in the feed file.",
            )
        return found

    return look_up


def _number(layout: NumberFormat) -> Step:
    decimal, group = re.escape(layout.decimal), re.escape(layout.group)
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if layout.group else r"\d+"
    pattern = re.compile(rf"([+-]?)({whole})(?:{decimal}(\d+))?", re.ASCII)

    def number(text: str) -> str:
        match = pattern.fullmatch(text.strip().replace("\u00a0", " ").replace("\u202f", " "))
        if match is None:
            raise CellProblem(
                "numberFormat",
                "The number is not written as number in the feed file says.",
                "Correct the cell in the HR system, or number in the feed file.",
            )
        sign, digits, fraction = match.groups()
        digits = (digits.replace(layout.group, "") if layout.group else digits).lstrip("0") or "0"
        fraction = (fraction or "").rstrip("0")
        text = f"{digits}.{fraction}" if fraction else digits
        return f"-{text}" if sign == "-" and text != "0" else text

    return number


def _phone(region: str) -> Step:
    from shared.inbound.text.phone_numbers import e164

    def phone(text: str) -> str:
        try:
            return e164(text, region)
        except ValueError as error:
            raise CellProblem(
                "phoneNumber",
                f"The phone number can't be written as E.164: {error}".rstrip(".") + ".",
                "Correct the number in the HR system.",
            ) from None

    return phone
