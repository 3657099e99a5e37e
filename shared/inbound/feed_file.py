"""The feed file: one HR source's layout, attribute mapping, rules and provisioning job, as YAML.

Read with YAML 1.2 rules, under which `Yes`, `No`, `On` and `Off` are words: a status column must never turn into
Booleans on the way. Everything unknown is an error, and every error is reported at once with its line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from shared.errors import FeedFileError
from shared.inbound.text_encoding import ENCODINGS
from shared.scim.attribute_path import (
    ACTIVE,
    EXTERNAL_ID,
    MANAGER,
    USER_NAME,
    AttributePath,
    parse_attribute_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_FEED_FILE_BYTES = 256 * 1024
"""A feed file is written by hand; more than this is something else."""

_DATE_CODES = ("d", "m", "Y", "b", "B", "a", "A", "j", "H", "M", "S", "f", "%")
Word = Annotated[StrictStr, StringConstraints(min_length=1, max_length=1024)]
Transform = Literal["trim", "lower", "upper"]
TRANSFORMS: dict[Transform, Callable[[str], str]] = {"trim": str.strip, "lower": str.lower, "upper": str.upper}


class FeedModel(BaseModel):
    """Unknown keys are errors; the names in YAML are the Python names."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Job(FeedModel):
    """The provisioning job that the feed's workers go to."""

    servicePrincipalId: Annotated[  # noqa: N815 - the API's own name
        StrictStr, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
    ]
    jobId: Annotated[StrictStr, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$")]  # noqa: N815


def _encoding(value: object) -> object:
    if isinstance(value, str) and value.lower() not in ENCODINGS:
        raise ValueError(f"must be one of {', '.join(ENCODINGS)}")
    return value.lower() if isinstance(value, str) else value


def _comment_mark(value: object) -> object:
    if not isinstance(value, str) or not 0 < len(value) <= 10 or not value.isprintable() or set(value) & set(' ",;|'):
        raise ValueError(
            'must be text in quotes without blanks, quotes and separators, such as "#"; at most 10 characters'
        )
    return value


def _header_row(value: object) -> object:
    if value != "auto" and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000):
        raise ValueError("must be auto, or the number of the header's line, 1 to 1000")
    return value


class Trailer(FeedModel):
    """The last line of a file that says how many rows there are: its first cell, and the number of the cell with it.

    `also_counts`: what HR counts besides the rows.
    """

    first_cell: Annotated[StrictStr, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    count_cell: Annotated[int, Field(ge=2, le=1000, strict=True)] = 2
    also_counts: tuple[Literal["header", "trailer"], ...] = ()


class FileLayout(FeedModel):
    """How the HR file is written."""

    format: Literal["auto", "csv"] = "auto"
    contains: Literal["everyone", "changes"] = "everyone"
    separator: Literal["auto", "comma", "semicolon", "tab", "pipe"] = "auto"
    encoding: Annotated[StrictStr, BeforeValidator(_encoding)] = "auto"
    header_row: Annotated[Literal["auto"] | int, BeforeValidator(_header_row)] = "auto"
    comment: Annotated[StrictStr | None, BeforeValidator(_comment_mark)] = None
    trailer: Trailer | None = None
    member: Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)] | None = None
    max_unpacked_megabytes: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 4096
    max_unpacked_ratio: Annotated[int, Field(ge=1, le=2000, strict=True)] = 200


class Safety(FeedModel):
    """What stops a run before its first request."""

    max_set_aside_percent: Annotated[float, Field(ge=0, le=100, strict=True)] = 10
    leavers: Literal["ignore"] = "ignore"


def _template_columns(template: str) -> Iterator[str]:
    for _, column, spec, conversion in Formatter().parse(template):
        if column is None:
            continue
        if not column.strip() or spec or conversion:
            raise ValueError("write a column as {Column}, a brace itself as {{ or }}")
        yield column


def _text_or_boolean(value: object) -> bool | str:
    if isinstance(value, bool) or (isinstance(value, str) and value):
        return value
    raise ValueError("must be text in quotes, or true or false")


class Rule(FeedModel):
    """How one attribute gets its value; exactly one of `column`, `constant`, `template`."""

    column: Word | None = None
    constant: Annotated[bool | str, BeforeValidator(_text_or_boolean)] | None = None
    template: Word | None = None
    transforms: tuple[Transform, ...] = ()
    true_when: tuple[Word, ...] | None = None
    false_when: tuple[Word, ...] | None = None
    date: Word | None = None

    @field_validator("date")
    @classmethod
    def _date_is_a_whole_date(cls, layout: str | None) -> str | None:
        if layout is None:
            return None
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
        return layout

    @field_validator("true_when", "false_when")
    @classmethod
    def _words_are_trimmed(cls, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """A cell is trimmed before it is compared."""
        return None if words is None else tuple(word.strip() for word in words)

    @field_validator("template")
    @classmethod
    def _template_has_columns(cls, template: str | None) -> str | None:
        if template is not None and not list(_template_columns(template)):
            raise ValueError("names no {Column}; for a fixed text use constant")
        return template

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [name for name in ("column", "constant", "template") if getattr(self, name) is not None]
        if len(sources) != 1:
            raise ValueError("needs exactly one of column, constant, template")
        needs_column = [n for n in ("true_when", "false_when", "date") if getattr(self, n) is not None]
        if needs_column and self.column is None:
            raise ValueError(f"{needs_column[0]} needs column")
        if self.true_when == () == self.false_when:
            raise ValueError("true_when and false_when are both empty")
        if (self.true_when is None) != (self.false_when is None):
            raise ValueError("true_when and false_when go together: a word in neither list sets the row aside")
        if self.true_when is not None and self.date is not None:
            raise ValueError("true_when and date exclude each other")
        if self.constant is not None and self.transforms:
            raise ValueError("transforms do nothing to a constant")
        words = [*(self.true_when or ()), *(self.false_when or ())]
        if set(self.true_when or ()) & set(self.false_when or ()):
            raise ValueError("the same word stands in true_when and false_when")
        if any(self._transformed(word) != word for word in words):
            raise ValueError("a word in true_when or false_when can never be met: the cell is transformed before")
        return self

    def _transformed(self, text: str) -> str:
        for transform in self.transforms:
            text = TRANSFORMS[transform](text)
        return text

    @property
    def is_boolean(self) -> bool:
        """True where the value is true or false, not text."""
        return self.true_when is not None or isinstance(self.constant, bool)

    @property
    def is_plain(self) -> bool:
        """True where the value is a column's text as it is."""
        return self.column is not None and not self.transforms and self.date is None and self.true_when is None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule reads, in the order in which it names them."""
        if self.template is not None:
            return tuple(_template_columns(self.template))
        return (self.column,) if self.column is not None else ()


def _column_or_rule(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class Feed(FeedModel):
    """A feed file that can be used."""

    job: Job
    file: FileLayout = FileLayout()
    mapping: dict[str, Annotated[Rule, BeforeValidator(_column_or_rule)]]
    safety: Safety = Safety()

    @property
    def rules(self) -> dict[AttributePath, Rule]:
        """The mapping by parsed path, in the file's order."""
        return {parse_attribute_path(path): rule for path, rule in self.mapping.items()}


def parse_feed(content: bytes) -> Feed:
    """Read a feed file.

    Raises:
        FeedFileError: with one sentence for every problem, each with its line where it has one.
    """
    document = _yaml(content)
    problems: list[tuple[int, str]] = []
    try:
        feed = Feed.model_validate(document)
    except ValidationError as error:
        problems += [_sentence(document, e["loc"], _words(e)) for e in error.errors(include_url=False)]
        feed = None
    mapping = document.get("mapping")
    if isinstance(mapping, dict):
        problems += [_sentence(document, ("mapping", *loc), words) for loc, words in _mapping_problems(mapping)]
    if problems or feed is None:
        raise FeedFileError([text for _, text in sorted(problems)])
    return feed


def _yaml(content: bytes) -> Any:
    if len(content) > MAX_FEED_FILE_BYTES:
        raise FeedFileError([f"The feed file has more than {MAX_FEED_FILE_BYTES // 1024} KiB; it is not a feed file."])
    try:
        document = YAML(typ="rt", pure=True).load(io.StringIO(content.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise FeedFileError(["The feed file is not UTF-8 text; save it as UTF-8."]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"Line {mark.line + 1}: " if mark else ""
        raise FeedFileError([f"{where}this is not YAML ({error.problem or error.context})."]) from None
    except (YAMLError, ValueError, RecursionError):
        raise FeedFileError(["The feed file is not YAML."]) from None
    if not isinstance(document, dict):
        raise FeedFileError(["The feed file must hold the keys job, mapping and, if wanted, file and safety."])
    return document


def _mapping_problems(mapping: Mapping[Any, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Problems of the mapping as a whole: paths, doubles, what must be there, which rule fits which attribute."""
    paths: dict[AttributePath, str] = {}
    for key, value in mapping.items():
        text = str(key)
        if not isinstance(key, str):
            yield (text,), "must be an attribute path as plain text"
            continue
        try:
            path = parse_attribute_path(text)
        except ValueError as error:
            yield (text,), str(error)
            continue
        if path in paths:
            yield (text,), f"is the same attribute as {paths[path]}"
        paths.setdefault(path, text)
        rule = _rule(value)
        if rule is not None and (words := _misfit(path, rule)):
            yield (text,), words
    for path, name in ((EXTERNAL_ID, "externalId"), (USER_NAME, "userName"), (ACTIVE, "active")):
        if path not in paths:
            yield (), f"{name} must be mapped: without it no operation is sent"


def _rule(value: object) -> Rule | None:
    """The rule, or None where it is wrong in itself, which is reported elsewhere."""
    try:
        return Rule.model_validate(_column_or_rule(value))
    except ValidationError:
        return None


def _misfit(path: AttributePath, rule: Rule) -> str | None:
    if path.is_boolean:
        return None if rule.is_boolean else "needs true_when and false_when, or a constant true or false"
    if rule.is_boolean and not path.is_custom:
        return "is text, so true_when, false_when and a constant true or false don't fit"
    if path == USER_NAME and rule.constant is not None:
        return "can't be a constant: every worker would have the same login"
    if path in (EXTERNAL_ID, MANAGER) and (rule.column is None or rule.date is not None):
        return "must come from one column: it is a key, and a made-up key is somebody else's account"
    return None


def _words(error: Any) -> str:
    kind, message = error["type"], str(error["msg"])
    known = {
        "extra_forbidden": "is not a known key",
        "missing": "is missing",
        "string_type": "must be text; put it in quotes",
        "bool_type": "must be true or false",
        "string_pattern_mismatch": "does not have the form that Entra's page shows",
        "model_type": "must be a block of keys",
        "dict_type": "must be a block of keys",
        "tuple_type": "must be a list",
    }
    return known.get(kind, message.removeprefix("Value error, "))


def _sentence(document: Any, loc: Sequence[int | str], words: str) -> tuple[int, str]:
    """A problem with its line, that of the deepest key that is in the file, to sort by."""
    line, node, name = None, document, []
    for part in loc:
        if isinstance(node, dict) and part in node:
            line = _line_of(node, "key", part) or line
            node = node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            line = _line_of(node, "item", part) or line
            node = node[part]
        name.append(str(part))
    where = f"Line {line}: " if line else ""
    return line or 0, f"{where}{'.'.join(name) or 'the feed file'} {words.rstrip('.?')}."


def _line_of(node: Any, kind: str, part: int | str) -> int | None:
    """The line of a key or item; None where it was merged in from elsewhere."""
    try:
        return int(getattr(node.lc, kind)(part)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return None
