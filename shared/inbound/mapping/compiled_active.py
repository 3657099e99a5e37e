"""`active`: from the status, from dates, or from both. Only what the feed file knows says yes or no."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.inbound.mapping.cell_problem import CellProblem
from shared.inbound.mapping.compiled_date import date_reader, with_typed_dates
from shared.inbound.mapping.compiled_steps import compile_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from shared.inbound.feeds.mapping_rule import Rule
    from shared.inbound.feeds.mapping_steps import ActiveDay
    from shared.inbound.mapping.compiled_rule import Context

    Decide = Callable[[Sequence[str]], bool]
    Day = Callable[[Sequence[str]], date | None]


def compile_active(rule: Rule, context: Context) -> Decide:
    """Every part must say yes: the status, the day from which and the day until which. Raises CellProblem."""
    parts: list[Decide] = []
    if rule.true_when is not None:
        parts.append(_status(rule, context))
    if rule.from_:
        parts.append(_has_begun(_day(rule.from_, context, default="set_aside"), context.today))
    if rule.until:
        parts.append(_has_not_ended(_day(rule.until, context, default="ignore"), context.today))
    if len(parts) == 1:
        return parts[0]

    def decide(cells: Sequence[str]) -> bool:
        # Every part is asked, not only up to the first no: a date that can't be read sets the row aside in any case.
        said = [part(cells) for part in parts]
        return all(said)

    return decide


def _status(rule: Rule, context: Context) -> Decide:
    words = {**dict.fromkeys(rule.true_when or (), True), **dict.fromkeys(rule.false_when or (), False)}
    index = context.position[rule.column or ""]
    steps = compile_steps(rule, context)

    def status(cells: Sequence[str]) -> bool:
        text = cells[index]
        for step in steps:
            if not text or text.isspace():
                break
            text = step(text)
        text = text.strip()
        if not text:
            advice = "Fill in the worker's status in the HR system."
            raise CellProblem("blankStatus", "The status is blank.", advice, rule.column)
        known = words.get(text)
        if known is None:
            raise CellProblem(
                "unknownStatus",
                "The status is a word that the feed file does not know.",
                "Correct the status in the HR system, or add the word to true_when or false_when in the feed file.",
                rule.column,
            )
        return known

    return status


def _day(day: ActiveDay, context: Context, *, default: str) -> Day:
    """The day on which it takes effect; None where a blank date is ignored."""
    read = date_reader(with_typed_dates(day.date, typed_dates=context.typed_dates))
    index, shift = context.position[day.column], timedelta(days=day.shift)
    is_problem = (day.blank or default) == "set_aside"

    def effective(cells: Sequence[str]) -> date | None:
        text = cells[index].strip()
        if text:
            try:
                moment = read(text).date()
            except CellProblem as error:
                raise CellProblem(*error.problem[:3], column=day.column) from None
            try:
                return moment + shift
            except OverflowError:
                return moment
        if is_problem:
            raise CellProblem(
                "blankDate",
                "The date that decides whether the worker is active is blank.",
                "Fill in the date in the HR system, or put blank: ignore beside it in the feed file.",
                day.column,
            )
        return None

    return effective


def _has_begun(day: Day, today: date) -> Decide:
    def has_begun(cells: Sequence[str]) -> bool:
        begins = day(cells)
        return begins is None or begins <= today

    return has_begun


def _has_not_ended(day: Day, today: date) -> Decide:
    def has_not_ended(cells: Sequence[str]) -> bool:
        ends = day(cells)
        return ends is None or today <= ends

    return has_not_ended
