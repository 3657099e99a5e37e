"""Whole columns at a time: what most rules do to most cells, by calls that loop in C.

A cell that is not as it should be is only found here; what is wrong with it the rule itself says, for that cell alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.inbound.feeds.bounded_regex import compile_regex, is_too_long
from shared.inbound.feeds.mapping_rule import template_parts
from shared.inbound.mapping.compiled_rule import MAX_TEXT, length_limit
from shared.inbound.text.value_checks import CHECKS, default_check
from shared.scim.attribute_path import EXTERNAL_ID, MANAGER, USER_NAME, AttributePath

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.inbound.feeds.mapping_rule import Rule

_EASY_STEPS: dict[str, Callable[[str], str]] = {"trim": str.strip, "lower": str.lower, "upper": str.upper}


class BulkText(NamedTuple):
    """What a rule does to a column, as far as that is easy: `pattern` joins several columns, if it is not None."""

    pattern: str | None
    order: tuple[int, ...]
    steps: tuple[Callable[[str], str], ...]
    identifies: bool
    limit: int
    is_wrong: tuple[Callable[[str], object], ...]

    def values(self, columns: Sequence[Sequence[str]]) -> tuple[list[str], set[int]]:
        """The column of values, and the rows for which the rule has to be asked: a cell is blank, or wrong."""
        odd: set[int] = set()
        if self.pattern is None:
            values = list(columns[0])
        else:
            stripped = [list(map(str.strip, columns[i])) for i in self.order]
            for column in stripped:
                odd |= _blank(column)
            values = list(map(self.pattern.__mod__, zip(*stripped, strict=True)))
        for step in self.steps:
            values = list(map(step, values))
        if self.identifies:
            values = list(map(str.strip, values))
            if not all(map(str.isprintable, values)):
                odd |= {i for i, text in enumerate(values) if not text.isprintable()}
        odd |= _blank(values)
        if max(map(len, values), default=0) > self.limit:
            odd |= {i for i, text in enumerate(values) if len(text) > self.limit}
        for check in self.is_wrong:
            results = list(map(check, values))
            if any(results):
                odd |= {i for i, result in enumerate(results) if result}
        return values, odd


def _blank(values: list[str]) -> set[int]:
    if all(values) and not any(map(str.isspace, values)):
        return set()
    return {i for i, text in enumerate(values) if not text or text.isspace()}


def bulk_text(path: AttributePath, rule: Rule) -> BulkText | None:
    """The rule for whole columns, or None where it is of another kind."""
    hard = (rule.split, rule.regex, rule.pad, rule.values, rule.number, rule.phone, rule.date, rule.when)
    if any(hard) or rule.is_boolean or rule.type == "Integer" or not set(rule.transforms) <= set(_EASY_STEPS):
        return None
    if rule.column is None and rule.template is None:
        return None
    pattern, order = (None, (0,)) if rule.template is None else _template(rule)
    checks: list[Callable[[str], object]] = []
    if rule.pattern is not None:
        matches = compile_regex(rule.pattern).fullmatch
        checks.append(lambda text: is_too_long(text) or matches(text) is None)
    name = rule.check or default_check(path)
    if name != "none":
        checks.append(CHECKS[name])
    limit = length_limit(path, rule)
    return BulkText(
        pattern=pattern,
        order=order,
        steps=tuple(_EASY_STEPS[name] for name in rule.transforms),
        identifies=path in (EXTERNAL_ID, USER_NAME, MANAGER),
        limit=limit[0] if limit else MAX_TEXT,
        is_wrong=tuple(checks),
    )


def _template(rule: Rule) -> tuple[str, tuple[int, ...]]:
    """The template with a place for each column, and which of the rule's columns each is."""
    pattern, names = template_parts(rule.template or "")
    return pattern, tuple(rule.columns.index(name) for name in names)
