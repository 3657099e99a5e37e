"""One rule of a feed file's `mapping`: where an attribute's value comes from, and what is done to it.

A rule has one source (`column`, `constant`, `template`, `first_of`); then its steps are taken in the order in which the
fields of `Rule` stand here, whatever their order in the file. It is no programming language: no expressions, no loops.
"""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictStr,
    field_validator,
    model_validator,
)

from shared.inbound.feeds.condition import Condition
from shared.inbound.feeds.feed_model import FeedModel, Word
from shared.inbound.feeds.mapping_steps import ActiveDay, DateStep, NumberFormat, Pad, Regex, RegexStep, Split
from shared.inbound.text.phone_numbers import is_region
from shared.inbound.text.text_transforms import TRANSFORMS, Transform

if TYPE_CHECKING:
    from collections.abc import Iterator

Check = Literal["upn", "email", "phone", "language", "time_zone", "country", "none"]


def template_columns(template: str) -> Iterator[str]:
    """The columns in braces, in order.

    Raises:
        ValueError: it is no template.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise ValueError("has a brace without its other half; write a brace itself as {{ or }}") from None
    for _, column, spec, conversion in parts:
        if column is None:
            continue
        if not column.strip() or spec or conversion:
            raise ValueError("write a column as {Column}, a brace itself as {{ or }}")
        yield column


def template_parts(template: str) -> tuple[str, list[str]]:
    """The template for the % operator, and the columns in their order."""
    parts = list(Formatter().parse(template))
    pattern = "".join(literal.replace("%", "%%") + ("" if column is None else "%s") for literal, column, _, _ in parts)
    return pattern, [column for _, column, _, _ in parts if column is not None]


def _scalar(value: object) -> bool | int | str:
    if isinstance(value, bool | int) or (isinstance(value, str) and value):
        return value
    raise ValueError("must be text in quotes, a whole number, or true or false")


def _number(value: object) -> object:
    return {} if value is True else value


def _null_word(value: object) -> object:
    """YAML has a null of its own; where it is written, the word is meant."""
    return "null" if value is None else value


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _phone_region(value: str) -> str:
    if not is_region(value):
        raise ValueError("must be a country with phone numbers, as two capital letters such as PT")
    return value


def _pad(value: object) -> object:
    if isinstance(value, str):
        raise ValueError("must be a whole number without quotes, such as 6")
    return {"width": value} if isinstance(value, int) and not isinstance(value, bool) else value


def column_or_rule(value: object) -> object:
    """The YAML shorthand: a column's name alone is a rule."""
    return {"column": value} if isinstance(value, str) else value


def _dates(value: object) -> object:
    return {"formats": value} if isinstance(value, str | list | tuple) else value


SubRule = Annotated["Rule", BeforeValidator(column_or_rule, json_schema_input_type="str | Rule")]


class Rule(FeedModel):
    """How one attribute gets its value: one source, then the steps in this order."""

    column: Word | None = Field(None, description="Source: the cell of this column.")
    constant: Annotated[bool | int | str, BeforeValidator(_scalar, json_schema_input_type=bool | int | str)] | None = (
        Field(None, description="Source: the same for everybody.")
    )
    template: Word | None = Field(
        None, description="Source: text with columns in braces.", examples=["{FirstName} {LastName}"]
    )
    partly_blank: Literal["close_up", "omit", "set_aside"] | None = Field(
        None,
        description="What a template does where some of its columns are blank: close the gap, have no value, or set "
        "the row aside. Default: close_up; set_aside for userName, e-mail addresses and phone numbers.",
    )
    first_of: tuple[SubRule, ...] | None = Field(
        None, description="Source: the first of these rules that is not blank."
    )
    when: Condition | None = Field(None, description="The rule has a value only where this holds; else it is blank.")
    split: Split | None = Field(None, description="Step: take one part.")
    regex: RegexStep | None = Field(None, description="Step: extract or replace.")
    transforms: Annotated[
        tuple[Transform, ...], BeforeValidator(_one_or_many, json_schema_input_type=Transform | list[Transform])
    ] = Field((), description="Step: these, one after another.")
    pad: Annotated[Pad, BeforeValidator(_pad, json_schema_input_type=int | Pad)] | None = Field(
        None, description="Step: fill up with zeros to this width.", examples=[6]
    )
    values: dict[Word, StrictStr] | None = Field(
        None,
        description="Step: look the text up. Another text sets the row aside, unless `else` is given.",
    )
    else_: Word | None = Field(None, alias="else", description="What texts become that `values` does not have.")
    number: (
        Annotated[NumberFormat, BeforeValidator(_number, json_schema_input_type=Literal[True] | NumberFormat)] | None
    ) = Field(None, description="Step: read a number.")
    phone: Annotated[StrictStr, AfterValidator(_phone_region)] | None = Field(
        None,
        description="Step: write a phone number as E.164; this is the country of numbers without one.",
        examples=["PT"],
    )
    date: Annotated[DateStep, BeforeValidator(_dates, json_schema_input_type=str | list[str] | DateStep)] | None = (
        Field(None, description="Step: read a date.")
    )
    true_when: tuple[Word, ...] | None = Field(None, description="Texts that mean true.")
    false_when: tuple[Word, ...] | None = Field(
        None, description="Texts that mean false. Any other sets the row aside."
    )
    from_: ActiveDay | None = Field(None, alias="from", description="For active: not before this date.")
    until: ActiveDay | None = Field(None, description="For active: not after this date.")
    type: Literal["String", "Boolean", "Integer", "DateTime"] | None = Field(
        None, description="The type of a custom extension attribute, as it is registered in Entra."
    )
    pattern: Regex | None = Field(
        None, description="The whole value must match this, or the row is set aside.", examples=[r"\d{6}"]
    )
    check: Check | None = Field(None, description="What the value is checked to be; `none` turns the usual check off.")
    blank: Annotated[Literal["omit", "null", "set_aside"] | None, BeforeValidator(_null_word)] = Field(
        None, description="What a blank value does. null clears the attribute where Entra flows null values."
    )
    required: bool = Field(False, strict=True, description="The same as blank: set_aside.")

    @field_validator("true_when", "false_when")
    @classmethod
    def _words_are_trimmed(cls, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """A cell is trimmed before it is compared."""
        return None if words is None else tuple(word.strip() for word in words)

    @field_validator("template")
    @classmethod
    def _template_has_columns(cls, template: str | None) -> str | None:
        if template is not None and not list(template_columns(template)):
            raise ValueError("names no {Column}; for a fixed text use constant")
        return template

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for problem in _contradictions(self):
            raise ValueError(problem)
        return self

    @property
    def is_boolean(self) -> bool:
        """True where the value is true or false, not text."""
        return self.true_when is not None or isinstance(self.constant, bool) or bool(self.from_ or self.until)

    @property
    def has_steps(self) -> bool:
        """True where a text is not taken as it is."""
        return any(getattr(self, name) for name in _STEPS)

    @property
    def is_plain(self) -> bool:
        """True where the value is a column's text as it is, or nothing if that is blank."""
        others = (self.when, self.pattern, self.check, self.blank, self.required, self.type, self.is_boolean)
        return self.column is not None and not self.has_steps and not any(others)

    @property
    def is_required(self) -> bool:
        """True where a blank value sets the row aside."""
        return self.required or self.blank == "set_aside"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule reads, in the order in which it names them, each once."""
        found = [self.column] if self.column is not None else []
        found += template_columns(self.template) if self.template is not None else []
        found += [name for rule in self.first_of or () for name in rule.columns]
        found += self.when or {}
        found += [day.column for day in (self.from_, self.until) if day]
        return tuple(dict.fromkeys(found))


_SOURCES = ("column", "constant", "template", "first_of")
_STEPS = ("split", "regex", "transforms", "pad", "values", "number", "phone", "date")


def _contradictions(rule: Rule) -> Iterator[str]:
    """What does not go together within one rule."""
    sources = [name for name in _SOURCES if getattr(rule, name) is not None]
    by_date_only = bool((rule.from_ or rule.until) and not sources)
    if len(sources) != 1 and not by_date_only:
        yield "needs exactly one of column, constant, template, first_of"
    if rule.first_of == ():
        yield "first_of is empty"
    if rule.partly_blank and rule.template is None:
        yield "partly_blank needs template"
    if rule.constant is not None and (rule.has_steps or rule.pattern):
        yield "transforms and other steps do nothing to a constant"
    if rule.else_ is not None and rule.values is None:
        yield "else needs values"
    if rule.values == {}:
        yield "values is empty"
    if rule.blank not in (None, "set_aside") and rule.required:
        yield f"required and blank: {rule.blank} exclude each other"
    if sum(step is not None for step in (rule.number, rule.date, rule.phone)) > 1:
        yield "number, date and phone exclude each other"
    for part in rule.first_of or ():
        yield from _misplaced(part)
    yield from _boolean_contradictions(rule, sources)


def _misplaced(part: Rule) -> Iterator[str]:
    """What a rule within `first_of` can't have: it gives a text, and what becomes of that the outer rule says."""
    for name in ("true_when", "false_when", "from_", "until", "type", "pattern", "check", "blank", "required"):
        if getattr(part, name) not in (None, False):
            yield f"{name.rstrip('_')} belongs to the whole rule, not to a rule within first_of"
    if part.constant is not None and not isinstance(part.constant, str):
        yield "a constant within first_of must be text"


def _boolean_contradictions(rule: Rule, sources: list[str]) -> Iterator[str]:
    if (rule.true_when is None) != (rule.false_when is None):
        yield "true_when and false_when go together: a word in neither list sets the row aside"
    if rule.true_when is None:
        if sources and (rule.from_ or rule.until):
            yield "from and until need true_when and false_when, or no column"
        return
    if sources != ["column"]:
        yield "true_when needs column"
    if rule.true_when == () == rule.false_when:
        yield "true_when and false_when are both empty"
    if rule.date or rule.number or rule.phone:
        yield "true_when and date, number or phone exclude each other"
    words = [*rule.true_when, *(rule.false_when or ())]
    if set(rule.true_when) & set(rule.false_when or ()):
        yield "the same word stands in true_when and false_when"
    if any(_transformed(rule, word) != word for word in words):
        yield "a word in true_when or false_when can never be met: the cell is transformed before"


def _transformed(rule: Rule, text: str) -> str:
    if rule.split or rule.regex or rule.pad or rule.values:
        return text
    try:
        for transform in rule.transforms:
            text = TRANSFORMS[transform](text)
    except ValueError:
        return ""
    return text


MappingRule = Annotated[Rule, BeforeValidator(column_or_rule, json_schema_input_type=str | Rule)]
"""A rule, or just a column's name."""
