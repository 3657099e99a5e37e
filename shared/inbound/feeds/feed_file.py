"""The feed file: one HR source's layout, attribute mapping, rules and provisioning job, as YAML.

Everything unknown is an error, and every error is reported at once with its line.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictStr, StringConstraints, ValidationError, model_validator

from shared.errors import FeedFileError
from shared.inbound.feeds.condition import Condition, DateFormats, TimeZone
from shared.inbound.feeds.feed_model import FeedModel, Word
from shared.inbound.feeds.feed_yaml import load_document, sentence, words_of
from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.feeds.mapping_fit import mapping_problems
from shared.inbound.feeds.mapping_rule import MappingRule
from shared.scim.attribute_path import AttributePath, parse_attribute_path


class Job(FeedModel):
    """The provisioning job that the feed's workers go to.

    Both ids are in the Provisioning API Endpoint: Entra admin center > your app > Provisioning > View technical
    information.
    """

    servicePrincipalId: Annotated[  # noqa: N815 - the API's own name
        StrictStr, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
    ] = Field(description="Object id of the provisioning app's service principal, not the application id.")
    jobId: Annotated[StrictStr, StringConstraints(pattern=r"^API2AA?D\.[A-Za-z0-9.-]{1,120}$")] = Field(  # noqa: N815
        description="API2AAD.… for Entra ID, API2AD.… for on-premises Active Directory."
    )


class NewestBy(FeedModel):
    """Of several rows of one worker, the one with the newest value in this column is taken."""

    newest_by: Word = Field(description="The column with the date, or the whole number, that tells.")
    date: DateFormats | None = Field(
        None, description="How the dates are written. Without it: whole numbers, or dates such as 2026-01-31."
    )


def _newest_by(value: object) -> object:
    if isinstance(value, str) and value not in ("set_aside", "first", "last"):
        raise ValueError("must be set_aside, first, last, or newest_by: and a column")
    return value


def _conditions(value: object) -> object:
    return (value,) if isinstance(value, dict) else value


_OneOrMany = Condition | list[Condition]


class Rows(FeedModel):
    """Which rows of the file are meant at all, and what several rows of one worker mean."""

    include: Annotated[tuple[Condition, ...], BeforeValidator(_conditions, json_schema_input_type=_OneOrMany)] = Field(
        (), description="Only rows for which one of these holds; the others are `excluded`: counted, named, not sent."
    )
    exclude: Annotated[tuple[Condition, ...], BeforeValidator(_conditions, json_schema_input_type=_OneOrMany)] = Field(
        (), description="Rows for which one of these holds are `excluded`."
    )
    duplicates: Annotated[
        Literal["set_aside", "first", "last"] | NewestBy,
        BeforeValidator(_newest_by, json_schema_input_type=Literal["set_aside", "first", "last"] | NewestBy),
    ] = Field(
        "set_aside",
        description="What is done where rows with different data name the same worker. set_aside: none is sent.",
    )


class Safety(FeedModel):
    """What stops a run before its first request."""

    max_set_aside_percent: Annotated[float, Field(ge=0, le=100, strict=True)] = Field(
        10, description="With more rows set aside than this, nothing is sent and a person looks."
    )
    leavers: Literal["ignore"] = Field("ignore", description="Being absent from a file means nothing.")


_NEEDED = ("externalId", "userName", "active")


class Feed(FeedModel):
    """A feed file that can be used."""

    job: Job
    file: FileLayout = FileLayout()
    mapping: dict[str, MappingRule] = Field(
        default_factory=dict,
        description="Attribute path, as on Entra's attribute-mapping page, to a column's name or a rule.",
        examples=[{"externalId": "WorkerID", "name.givenName": "FirstName"}],
    )
    rows: Rows = Rows()
    priority: Literal["normal", "urgent"] = Field(
        "normal",
        description="urgent: files of this feed go ahead of those of other feeds of the job, and may use the calls "
        "that BULK_REQUESTS_RESERVED_PER_DAY keeps back. For small files, such as leavers.",
    )
    time_zone: TimeZone = Field("UTC", description="Where `today` is decided.", examples=["Europe/Lisbon"])
    safety: Safety = Safety()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if self.file.ignore_attributes and self.file.format != "scim":
            raise ValueError("has file.ignore_attributes, which is for format: scim only")
        if unknown := [name for name in self.file.optional_columns if name not in self.mapped_columns]:
            raise ValueError(f"has columns in file.optional_columns that nothing maps: {', '.join(unknown)}")
        needed = [name for path in _NEEDED if path in self.mapping for name in self.mapping[path].columns]
        if both := [name for name in self.file.optional_columns if name in needed]:
            raise ValueError(f"has columns in file.optional_columns without which no row is sent: {', '.join(both)}")
        return self

    @model_validator(mode="after")
    def _mapped_unless_scim(self) -> Self:
        if self.file.format == "scim" and (self.mapping or self.rows.include or self.rows.exclude):
            raise ValueError("with file.format scim the file's users are sent as they are: leave mapping and rows out")
        if self.file.format == "scim" and not isinstance(self.rows.duplicates, str):
            raise ValueError("with file.format scim there are no columns for rows.duplicates.newest_by")
        return self

    @property
    def rules(self) -> dict[AttributePath, MappingRule]:
        """The mapping by parsed path, in the file's order."""
        return {parse_attribute_path(path): rule for path, rule in self.mapping.items()}

    @property
    def mapped_columns(self) -> list[str]:
        """The columns that a file of the feed must have, each once."""
        names = [column for rule in self.mapping.values() for column in rule.columns]
        names += [column for condition in (*self.rows.include, *self.rows.exclude) for column in condition]
        if isinstance(self.rows.duplicates, NewestBy):
            names.append(self.rows.duplicates.newest_by)
        return list(dict.fromkeys(names))


def feed_schema() -> dict[str, Any]:
    """The JSON Schema of feed files, for editors. It does not know all that `parse_feed` checks."""
    schema = Feed.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Feed file"}


def _is_echo(loc: tuple[int | str, ...], document: dict[Any, Any]) -> bool:
    """An error that says again what another one says: a block is no word, and an empty mapping no block."""
    if loc == ("mapping",) and document.get("mapping") is None:
        return True
    return any(isinstance(part, str) and part.startswith("literal[") for part in loc)


def parse_feed(content: bytes) -> Feed:
    """Read a feed file.

    Raises:
        FeedFileError: with one sentence for every problem, each with its line where it has one.
    """
    document = load_document(content)
    problems: list[tuple[int, str]] = []
    try:
        feed = Feed.model_validate(document)
    except ValidationError as error:
        found = [e for e in error.errors(include_url=False) if not _is_echo(e["loc"], document)]
        problems += [sentence(document, e["loc"], words_of(e)) for e in found]
        feed = None
    layout = document.get("file")
    is_scim = isinstance(layout, dict) and layout.get("format") == "scim"
    mapping = document.get("mapping")
    if isinstance(mapping, dict) and not is_scim:
        problems += [sentence(document, ("mapping", *loc), words) for loc, words in mapping_problems(mapping)]
    elif mapping is None and not is_scim:
        words = (
            "maps nothing yet: take the # away from the lines that are right" if "mapping" in document else "is missing"
        )
        problems.append(sentence(document, ("mapping",), words))
    if problems or feed is None:
        raise FeedFileError([text for _, text in sorted(problems)])
    return feed
