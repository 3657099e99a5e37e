"""HR files that are made to take all memory or all time: each ends in a result or a refusal, within bounds."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.integration.bounded_child import Outcome, bounded
from tests.integration.hostile_packages import package_outcome
from tests.integration.hostile_texts import MEGABYTE, text_outcome

LONG = 1024 * MEGABYTE
SCIM = {"file": {"format": "scim"}}
COMMENTS = {"file": {"comment": "#"}}
LATIN = {"file": {"encoding": "iso-8859-1"}}


class Rows(NamedTuple):
    """So many rows are planned, the others are set aside for these reasons."""

    rows: int
    planned: int
    set_aside: tuple[str, ...] = ()


EITHER = Rows(-1, -1)
"""A result or a refusal, as long as it is within bounds."""


def check(outcome: Outcome, expected: str | Rows) -> None:
    assert outcome.failed is None
    if expected == EITHER:
        assert outcome.refused or outcome.rows
    elif isinstance(expected, str):
        assert outcome.refused == expected
    else:
        assert (outcome.refused, outcome.rows, outcome.planned) == (None, expected.rows, expected.planned)
        assert outcome.set_aside == set(expected.set_aside)


TEXTS: list[tuple[str, int, str | Rows]] = [
    ("one line", LONG, "lineTooLong"),
    ("one line of cells", LONG, "lineTooLong"),
    ("one line below the header", LONG, "lineTooLong"),
    ("one line of line separators", LONG, "lineTooLong"),
    ("a header of many columns", 200_000, "lineTooLong"),
    ("a header of many columns", 100_000, "tooManyColumns"),
    ("long first lines", 20, "cellTooLong"),
    ("a quote that is never closed, first", LONG, "quoteNeverClosed"),
    ("a quote that is never closed", LONG, "cellTooLong"),
    ("a quote that is never closed, short lines", LONG, "cellTooLong"),
    ("rows of cells of a thousand lines", LONG, "quoteNeverClosed"),
    ("cells with line breaks without end", LONG, "rowsTooLong"),
    ("a title with a lone quote", 40_000, Rows(40, 40)),
    ("blank lines", MEGABYTE, "noDataRows"),
    ("blank lines first", MEGABYTE, Rows(1, 1)),
    ("blank cells", MEGABYTE, "noDataRows"),
    ("rows of no cells", 100_000, "noDataRows"),
    ("rows of one cell", 50_000, Rows(50_000, 0, ("tooFewCells",))),
    ("rows that are all set aside", 50_000, Rows(50_000, 0, ("unknownStatus",))),
    (
        "rows with everything wrong",
        10_000,
        Rows(10_000, 0, ("blank", "blankStatus", "errorCell", "invalidUserName", "tooLong")),
    ),
    ("rows of far too many cells", 600, EITHER),
    ("rows of long cells", LONG, "rowsTooLong"),
    ("one worker, the same", 1000, Rows(1000, 1)),
    ("one worker, the same", 50_000, Rows(50_000, 0, ("duplicateExternalId",))),
    ("one worker, other data", 40_000, Rows(40_000, 0, ("duplicateExternalId",))),
    ("one worker, half known", 80_000, Rows(80_000, 0, ("blankStatus", "duplicateExternalId"))),
    ("one login", 40_000, Rows(40_000, 0, ("duplicateUserName",))),
    ("a chain of managers", 100_000, Rows(100_000, 100_000)),
    ("a circle of managers", 100_000, Rows(100_000, 100_000)),
    ("managers of themselves", 20_000, Rows(20_000, 0, ("managerIsSelf",))),
    ("managers of marks", 3, EITHER),
    ("column names of marks", 3, EITHER),
    ("NUL characters", LONG, "notText"),
    ("NUL characters first", LONG, "notText"),
    ("half a surrogate pair in UTF-16", 1000, "notInEncoding"),
    ("a byte order mark in the middle", 5000, Rows(5000, 0, ("invisibleCharacter",))),
    ("rows of byte order marks", 20_000, Rows(20_000, 0, ("tooFewCells",))),
    ("carriage returns", MEGABYTE, Rows(1, 1)),
    ("bytes that are no text", LONG, "notUtf8"),
    ("empty objects", 50_000, "missingColumns"),
    ("objects that say nothing", 20_000, Rows(20_000, 0, ("duplicateExternalId",))),
    ("an object nested deep", 100_000, "notJson"),
    ("an object of many keys", 10_000, "tooManyColumns"),
    ("objects of almost a megabyte", 150, EITHER),
    ("a string without end", LONG, "objectTooLarge"),
    ("a name without end", LONG, "objectTooLarge"),
    ("a number without end", LONG, "objectTooLarge"),
    ("white space without end", LONG, "objectTooLarge"),
    ("arrays without end", LONG, "notJson"),
]


@pytest.mark.parametrize(("name", "size", "expected"), TEXTS, ids=[f"{name}-{size}" for name, size, _ in TEXTS])
def test_a_hostile_text_ends_within_bounds(name: str, size: int, expected: str | Rows):
    check(bounded(text_outcome, name, size, seconds=15), expected)


DECLARED: list[tuple[str, int, dict[str, Any], str | Rows]] = [
    ("a SCIM user nested deep", 500, SCIM, "notJson"),
    ("SCIM users, each wrong in its own way", 20_000, SCIM, Rows(20_000, 0, ("notTaken",))),
    ("SCIM users of almost a megabyte", 150, SCIM, EITHER),
    ("rows of long cells", 600, COMMENTS, EITHER),
    ("rows of long cells", 600, LATIN, EITHER),
    ("rows of far too many cells", 600, COMMENTS, EITHER),
    ("cells with line breaks without end", LONG, COMMENTS, "quoteNeverClosed"),
]


@pytest.mark.parametrize(("name", "size", "sections", "expected"), DECLARED, ids=str)
def test_a_hostile_text_ends_within_bounds_whatever_the_feed_file_says_of_it(
    name: str, size: int, sections: dict[str, Any], expected: str | Rows
):
    check(bounded(text_outcome, name, size, None, sections, seconds=15), expected)


PACKAGES: list[tuple[str, int, str | Rows]] = [
    ("a gzip bomb", 200, "archiveRatio"),
    ("empty gzip members", 100_000, Rows(1, 1)),
    ("a zip bomb", 200, "archiveRatio"),
    ("a zip of very many entries", 1_000_000, "tooManyEntries"),
    ("a zip in a zip", 3, "nestedArchive"),
    ("a workbook of a huge sheet", 1_048_576, "workbookTooLarge"),
    ("a workbook that unpacks to much", 50, "workbookTooLarge"),
    ("a workbook with a billion laughs", 1, "damagedWorkbook"),
    ("a workbook with an external entity", 1, "damagedWorkbook"),
]


@pytest.mark.parametrize(("name", "size", "expected"), PACKAGES, ids=[name for name, *_ in PACKAGES])
def test_a_hostile_package_ends_within_bounds(name: str, size: int, expected: str | Rows):
    check(bounded(package_outcome, name, size, seconds=15), expected)
