"""Anything at all is put as a feed file: it can be used or is refused in words; what is taken works on any cells."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import FeedFileError
from shared.inbound.feeds.feed_file import Feed, parse_feed
from tests.unit.builders import csv_file, feed_file
from tests.unit.inbound.reading.test_hostile_input import ANY, NAME, SCALAR, TEXT, outcome_in, said


def feed_file_outcome(content: bytes) -> Feed | None:
    """The feed, or None where it is refused in words that can be written."""
    try:
        return parse_feed(content)
    except FeedFileError as error:
        refused = error.problems
    assert said(*refused)
    return None


@ANY
@given(st.binary(max_size=200) | TEXT.map(str.encode))
def test_any_bytes_as_a_feed_file(content: bytes):
    assert feed_file_outcome(content) is None


KEY = st.sampled_from(["job", "mapping", "file", "rows", "safety", "title", "column", "template", "when", "values"])
YAML = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY | NAME, inner, max_size=4))


@ANY
@given(st.dictionaries(KEY, YAML, max_size=5), YAML)
def test_any_document_as_a_feed_file(document: dict[str, Any], rule: Any):
    """JSON is YAML; names and texts can have escaped halves of surrogate pairs."""
    feed_file_outcome(json.dumps(document).encode())
    feed_file_outcome(feed_file(f"  title: {json.dumps(rule)}"))
    feed_file_outcome(feed_file(f"  title: {{column: A, {json.dumps(str(rule)[:20])}: {json.dumps(rule)}}}"))


SCRAPS = ["!!int", "!!bool", "!!float", "!!set", "!!omap", "!!timestamp", "!!binary", "!!map", "!!seq", "!!str", "!x"]
SCRAPS += ["''", "x", "_", "2021-13-45", "1e9", "&a", "*a", "<<", "{a: b}", "[a, [b]]", "? ", ": ", "- ", "|", ">", "%"]
SCRAPS += [
    "\n",
    "\n  ",
    "#",
    '"\\ud800"',
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    "\t",
    "---\n",
    "...",
    "=",
    "~",
    "0x",
    "\u0085",
]


@settings(ANY, max_examples=400)
@given(st.lists(st.sampled_from(SCRAPS), max_size=8))
def test_any_scraps_of_yaml_as_a_feed_file(scraps: list[str]):
    feed_file_outcome(feed_file(f"  title: {' '.join(scraps)}"))
    feed_file_outcome(feed_file(" ".join(scraps)))


@pytest.mark.parametrize(
    "line",
    [
        *["  title: !!bool x", "  title: !!int ''", "  title: !!float '_'", "? [[a], [b]]\n: x", '  "\\ud800": x'],
        *['  title: {constant: "\\ud800"}', r"  title: {column: A, regex: {replace: a, with: '\9'}}"],
        *[
            r"  title: {column: A, regex: {replace: a, with: '\'}}",
            r"  title: {column: A, regex: {replace: a, with: '\g<x>'}}",
        ],
    ],
)
def test_a_feed_file_that_could_not_be_used_is_refused(line: str):
    assert feed_file_outcome(feed_file(line)) is None


TEMPLATES = TEXT.map(lambda text: text[:20]) | st.text(st.sampled_from("{}WorkerID:!%0[]."), max_size=12)


@ANY
@given(TEMPLATES, st.text(st.sampled_from(r"\()[]{}*+?|.^$C1gax<>"), max_size=8), TEMPLATES, TEXT)
def test_any_template_and_any_expression_that_a_feed_file_takes_can_be_used(
    template: str, pattern: str, replacement: str, cell: str
):
    """What the feed file says is known to be right before the first file; a file of any cells never breaks on it."""
    rules = [
        {"template": template},
        {"column": "A", "pattern": pattern},
        {"column": "A", "regex": {"extract": pattern}},
    ]
    rules.append({"column": "A", "regex": {"replace": pattern, "with": replacement}})
    for rule in rules:
        used = feed_file_outcome(feed_file(f"  title: {orjson.dumps(rule).decode()}"))
        if used is not None:
            columns = used.mapped_columns
            row = ["701984", "u@example.com", "Active", cell.replace("\0", ""), *[cell] * len(columns)][: len(columns)]
            outcome_in(used, [csv_file(row, header=columns)])
