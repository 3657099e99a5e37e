"""The steps of a mapping rule that need more than a word, as a feed file writes them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StrictStr, StringConstraints, field_validator, model_validator

from shared.inbound.feeds.bounded_regex import compile_regex, replacement
from shared.inbound.feeds.condition import DateFormats, TimeZone
from shared.inbound.feeds.feed_model import FeedModel, Word


def _regex(value: object) -> object:
    if isinstance(value, str):
        compile_regex(value)
    return value


Regex = Annotated[StrictStr, StringConstraints(min_length=1, max_length=500), BeforeValidator(_regex)]


class Split(FeedModel):
    """Take one part of a text that is separated by something."""

    by: Annotated[StrictStr, StringConstraints(min_length=1, max_length=20)] = Field(
        description="What separates parts."
    )
    part: Annotated[int, Field(ge=-100, le=100, strict=True)] = Field(
        description="Which part: 1 is the first, -1 the last. A part that is not there is blank."
    )

    @field_validator("part")
    @classmethod
    def _not_zero(cls, part: int) -> int:
        if part == 0:
            raise ValueError("must be 1 for the first part, or -1 for the last")
        return part


class RegexStep(FeedModel):
    r"""Extract a part of the text, or replace parts of it. RE2 syntax, which takes linear time: no back-references."""

    extract: Regex | None = Field(
        None,
        description="The value is what the first group matches (or the whole pattern, if it has no group). A text "
        "without a match sets the row aside.",
        examples=[r"^[A-Z]+-(\d+)$"],
    )
    replace: Regex | None = Field(None, description="Every match of this is replaced.")
    with_: Annotated[StrictStr, StringConstraints(max_length=100)] = Field(
        "", alias="with", description=r"The replacement; \1 is the first group."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.extract is None) == (self.replace is None):
            raise ValueError("needs either extract or replace")
        if self.replace is not None:
            replacement(self.with_, compile_regex(self.replace))
        return self


class Pad(FeedModel):
    """Fill a text up from the left, such as leading zeros that a spreadsheet has destroyed."""

    width: Annotated[int, Field(ge=1, le=100, strict=True)] = Field(
        description="Characters. A longer text is a problem."
    )
    fill: Annotated[StrictStr, StringConstraints(min_length=1, max_length=1)] = Field("0", description="One character.")


class NumberFormat(FeedModel):
    """How numbers are written; the value is the number with a point and without grouping."""

    decimal: Literal[".", ","] = Field(".", description="The mark before the fraction.")
    group: Literal[",", ".", " ", "'", ""] = Field("", description="The mark between groups of three digits.")

    @model_validator(mode="after")
    def _two_marks(self) -> Self:
        if self.decimal == self.group:
            raise ValueError("decimal and group must differ")
        return self


class ActiveDay(FeedModel):
    """A date that decides, beside the status, whether a worker is active."""

    column: Word = Field(description="The column with the date.")
    date: DateFormats = Field(description="How the date is written.")
    days_before: Annotated[int, Field(ge=0, le=366, strict=True)] = Field(
        0, description="So many days before that date it takes effect already."
    )
    days_after: Annotated[int, Field(ge=0, le=366, strict=True)] = Field(
        0, description="So many days after that date it takes effect."
    )
    blank: Literal["set_aside", "ignore"] | None = Field(
        None, description="What a blank date means. Default: set_aside for from, ignore for until."
    )

    @property
    def shift(self) -> int:
        """Days to add to the date."""
        return self.days_after - self.days_before


class DateStep(FeedModel):
    """Read a date in a declared format, and write it as ISO 8601."""

    formats: DateFormats = Field(description="One format or several, none of which can be mistaken for another.")
    output: Literal["datetime", "date"] = Field(
        "datetime", description="`employeeHireDate` takes nothing less than a date with a time."
    )
    time: Annotated[StrictStr, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = Field(
        None,
        description="The time of day for a date without one: early for a hire, late for a leave.",
        examples=["06:00", "23:59"],
    )
    time_zone: TimeZone | None = Field(
        None, description="The zone of the time. Default: UTC.", examples=["Europe/Berlin"]
    )

    @model_validator(mode="after")
    def _time_fits(self) -> Self:
        if self.output == "date" and (self.time or self.time_zone):
            raise ValueError("time and time_zone need output: datetime")
        if self.time and any("%H" in layout for layout in self.formats):
            raise ValueError("time and a format with %H exclude each other")
        return self
