"""Conditions on columns, compiled: a function of a row's cells."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from shared.inbound.feeds.bounded_regex import compile_regex, is_too_long
from shared.inbound.mapping.compiled_date import date_reader, with_typed_dates
from shared.inbound.mapping.compiled_steps import text_too_long

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.inbound.feeds.condition import Condition, Test
    from shared.inbound.mapping.compiled_rule import Context

    Holds = Callable[[Sequence[str]], bool]
    Passes = Callable[[str], bool]


def compile_condition(condition: Condition, context: Context) -> Holds:
    """True where every named column passes. Raises CellProblem where a date can't be read."""
    tests = [(context.position[column], _test(test, context)) for column, test in condition.items()]

    def holds(cells: Sequence[str]) -> bool:
        return all(passes(cells[index].strip()) for index, passes in tests)

    return holds


def _test(test: Test, context: Context) -> Passes:
    if test.blank is not None:
        is_wanted = test.blank
        return lambda text: (not text) is is_wanted
    if test.matches is not None:
        pattern = compile_regex(test.matches)

        def matches(text: str) -> bool:
            if is_too_long(text):
                raise text_too_long()
            return pattern.fullmatch(text) is not None

        return matches
    if test.date is not None:
        return _day(test, context)
    return _words(test)


def _words(test: Test) -> Passes:
    if test.equals is not None or test.in_ is not None:
        wanted = frozenset(word.strip() for word in test.in_ or (str(test.equals),))
        return wanted.__contains__
    unwanted = frozenset(word.strip() for word in test.not_in or (str(test.not_equals),))
    return lambda text: text not in unwanted


def _day(test: Test, context: Context) -> Passes:
    """A blank date is neither before nor after anything."""
    read = date_reader(with_typed_dates(test.date or (), typed_dates=context.typed_dates))
    bound = str(test.before if test.before is not None else test.after)
    limit = context.today + timedelta(days=test.days) if bound == "today" else date.fromisoformat(bound)
    if test.before is not None:
        return lambda text: bool(text) and read(text).date() < limit
    return lambda text: bool(text) and read(text).date() > limit
