"""Conditions on columns, for `when`, `include` and `exclude`: every column that is named must pass its test."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr, StringConstraints, model_validator

from shared.inbound.feeds.bounded_regex import compile_regex
from shared.inbound.feeds.feed_model import FeedModel, Word

_DATE_CODES = ("d", "m", "Y", "b", "B", "a", "A", "j", "H", "M", "S", "f", "%")
_PROBES = (date(2021, 5, 13), date(2021, 3, 4), date(2021, 4, 3), date(2020, 12, 11))


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _whole_dates(layouts: tuple[str, ...]) -> tuple[str, ...]:
    if not layouts:
        raise ValueError("must name a format, such as %d/%m/%Y")
    for layout in layouts:
        _whole_date(layout)
    for layout in layouts:
        for other in layouts:
            if other != layout and _mistaken(layout, other):
                raise ValueError(f"has {layout} and {other}, under which the same text can be two days")
    return layouts


def _whole_date(layout: str) -> None:
    codes = re.findall(r"%(.?)", layout)
    if unknown := sorted(set(codes) - set(_DATE_CODES)):
        raise ValueError(
            f"has %{unknown[0]}, which leaves something open (a century, a zone, a half of the day) or is no code; "
            f"these can be used: {', '.join('%' + code for code in _DATE_CODES)}"
        )
    probe = datetime(2021, 5, 13)
    try:
        whole = datetime.strptime(probe.strftime(layout), layout).date() == probe.date()
    except (ValueError, re.error):
        whole = False
    if not whole or len(set(codes)) < len(codes):
        raise ValueError("must give day, month and year, each once, as in %d/%m/%Y")


def _mistaken(layout: str, other: str) -> bool:
    """Whether a day that is written in one layout reads as another day in the other."""
    for day in _PROBES:
        try:
            if datetime.strptime(day.strftime(layout), other).date() != day:
                return True
        except ValueError:
            continue
    return False


DateFormats = Annotated[
    tuple[Word, ...],
    BeforeValidator(_one_or_many, json_schema_input_type=str | list[str]),
    AfterValidator(_whole_dates),
]
"""Formats as of Python's strptime, none of which leaves anything open."""


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no IANA time zone, such as Europe/Lisbon")
    return name


TimeZone = Annotated[StrictStr, AfterValidator(_time_zone)]


def _bound(value: str) -> str:
    if value != "today":
        try:
            date.fromisoformat(value)
        except ValueError:
            raise ValueError("must be today, or a date such as 2026-01-31") from None
    return value


def _iso_date(value: object) -> object:
    """YAML has dates of its own."""
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


Bound = Annotated[StrictStr, BeforeValidator(_iso_date), AfterValidator(_bound)]


def _pattern(value: str) -> str:
    compile_regex(value)
    return value


Words = Annotated[tuple[Word, ...], Field(min_length=1)]


class Test(FeedModel):
    """What one cell must be. Cells are trimmed before; letter case counts."""

    __test__ = False

    equals: StrictStr | None = Field(None, description="Just this text.")
    not_equals: StrictStr | None = Field(None, description="Any other text, or blank.")
    in_: Words | None = Field(None, alias="in", description="One of these texts.")
    not_in: Words | None = Field(None, description="None of these texts.")
    matches: Annotated[StrictStr, StringConstraints(min_length=1, max_length=500), AfterValidator(_pattern)] | None = (
        Field(None, description="The whole text matches this regular expression (RE2).")
    )
    blank: bool | None = Field(None, strict=True, description="true: the cell is blank; false: it is not.")
    before: Bound | None = Field(None, description="A date before today, or before this date. Needs date.")
    after: Bound | None = Field(None, description="A date after today, or after this date. Needs date.")
    days: Annotated[int, Field(ge=-3660, le=3660, strict=True)] = Field(
        0, description="Shifts today by so many days: before today with days 14 is up to 13 days from now."
    )
    date: DateFormats | None = Field(None, description="How the dates in the column are written.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        kinds = ("equals", "not_equals", "in_", "not_in", "matches", "blank", "before", "after")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"needs exactly one of {', '.join(kind.rstrip('_') for kind in kinds)}")
        is_date = self.before is not None or self.after is not None
        if is_date != (self.date is not None):
            raise ValueError("date goes with before or after, and they with it")
        if self.days and "today" not in (self.before, self.after):
            raise ValueError("days shifts today, so it needs before: today or after: today")
        return self


def _equals(value: object) -> object:
    return {"equals": value} if isinstance(value, str) else value


def _not_empty(condition: dict[str, Test]) -> dict[str, Test]:
    if not condition:
        raise ValueError("names no column")
    return condition


Condition = Annotated[
    dict[Word, Annotated[Test, BeforeValidator(_equals, json_schema_input_type=str | Test)]], AfterValidator(_not_empty)
]
"""Column to test; a text alone means `equals`."""
