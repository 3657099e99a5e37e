"""`file` in a feed file: how the HR file is written."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr, StringConstraints

from shared.inbound.feeds.feed_model import FeedModel, Word
from shared.inbound.text.text_encoding import ENCODINGS


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


def _sheet(value: object) -> object:
    if isinstance(value, bool) or not (
        (isinstance(value, str) and 0 < len(value) <= 100) or (isinstance(value, int) and 1 <= value <= 1000)
    ):
        raise ValueError("must be the sheet's name, or its number; the first sheet is 1")
    return value


def _ignored(value: str) -> str:
    if not re.fullmatch(
        r'[A-Za-z$][\w$-]{0,100}|urn:[^\s"\[\]]{1,200}|(emails|phoneNumbers|addresses)\[type ne "work"\]', value
    ):
        raise ValueError(
            'must be the name of an attribute, or emails[type ne "work"], phoneNumbers[type ne "work"] or '
            'addresses[type ne "work"]'
        )
    if value in ("externalId", "userName", "active"):
        raise ValueError("can't be left out: without it no user is sent")
    return value


class Trailer(FeedModel):
    """The last line of a file that says how many rows there are: its first cell, and the number of the cell with it.

    `also_counts`: what HR counts besides the rows.
    """

    first_cell: Annotated[StrictStr, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)] = Field(
        description="The whole first cell of the trailer line.", examples=["TRAILER"]
    )
    count_cell: Annotated[int, Field(ge=2, le=1000, strict=True)] = Field(
        2, description="Which cell of the trailer has the number of rows; the first is 1."
    )
    also_counts: tuple[Literal["header", "trailer"], ...] = Field(
        (), description="What HR counts besides the rows.", examples=[["header", "trailer"]]
    )


class FileLayout(FeedModel):
    """How the HR file is written. Every key can be left out."""

    format: Literal["auto", "csv", "workbook", "json", "scim"] = Field(
        "auto",
        description="What kind of file it is. auto: its content decides. scim: it holds SCIM users or a bulk request.",
    )
    contains: Literal["everyone", "changes"] = Field(
        "everyone", description="A worker who is absent from the file is left alone in either case."
    )
    separator: Literal["auto", "comma", "semicolon", "tab", "pipe"] = Field(
        "auto", description="What separates cells. auto: that under which the header has all mapped columns."
    )
    encoding: Annotated[StrictStr, BeforeValidator(_encoding)] = Field(
        "auto",
        description="A byte order mark decides; without one this does. auto: UTF-8, or UTF-16 where the bytes can be "
        "nothing else.",
        examples=["windows-1252"],
        json_schema_extra={"enum": list(ENCODINGS)},
    )
    header_row: Annotated[Literal["auto"] | int, BeforeValidator(_header_row)] = Field(
        "auto", description="auto: the first of the first 20 lines that has all mapped columns."
    )
    records: Word | None = Field(
        None,
        description="For JSON: the member of the outermost object that has the rows, where it is none of Operations, "
        "Resources and value.",
        examples=["employees"],
    )
    sheet: Annotated[str | int | None, BeforeValidator(_sheet)] = Field(
        None, description="The sheet of a workbook, by its name or number; needed where several have data."
    )
    comment: Annotated[StrictStr | None, BeforeValidator(_comment_mark)] = Field(
        None, description="Lines that begin so are left out.", examples=["#"]
    )
    trailer: Trailer | None = Field(None, description="The last line holds the number of rows.")
    optional_columns: tuple[Word, ...] = Field(
        (),
        description="Mapped columns that the file may lack; they then read as blank. Without this, a file that lacks a "
        "mapped column is refused.",
    )
    ignore_attributes: tuple[Annotated[StrictStr, AfterValidator(_ignored)], ...] = Field(
        (),
        description="For format scim: attributes of the file's users that are left out.",
        examples=[["groups", 'emails[type ne "work"]']],
    )
    member: Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="Which file in a .zip with several is meant.", examples=["workers*.csv"]
    )
    max_rows: Annotated[int, Field(ge=1, le=10_000_000, strict=True)] = Field(
        2_000_000, description="A file with more rows is refused."
    )
    max_minutes: Annotated[int, Field(ge=1, le=120, strict=True)] = Field(
        20, description="A file that takes longer to be converted is refused; the host ends a function after 30."
    )
    max_unpacked_megabytes: Annotated[int, Field(ge=1, le=100_000, strict=True)] = Field(
        4096, description="An archive that unpacks to more is refused."
    )
    max_unpacked_ratio: Annotated[int, Field(ge=1, le=2000, strict=True)] = Field(
        200, description="So many times its own size an archive may unpack to (beyond 16 MiB)."
    )
    max_workbook_memory_megabytes: Annotated[int, Field(ge=128, le=16_384, strict=True)] = Field(
        1024, description="A workbook that needs more memory to be read is refused."
    )
    max_workbook_seconds: Annotated[int, Field(ge=1, le=1200, strict=True)] = Field(
        300, description="A workbook that takes longer to be read is refused."
    )
