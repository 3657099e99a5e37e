"""Feed files that are made to take all memory or all time, and expressions that make other engines hang."""

from __future__ import annotations

import pytest

from tests.integration.bounded_child import Outcome, bounded
from tests.integration.hostile_packages import expression_outcome, feed_file_outcome

REFUSED = [
    ("keys of a billion laughs", 12),
    ("rules of a billion laughs", 9),
    ("a rule that contains itself", 1),
    ("brackets", 5000),
    ("brackets that are closed", 5000),
    ("nested rules", 20_000),
    ("too large", 100_000),
    ("wrong lines", 20_000),
    ("unknown keys", 5000),
    ("a template of many columns", 10_000),
    ("digits", 200_000),
    ("hexadecimal digits", 200_000),
]


@pytest.mark.parametrize(("name", "size"), REFUSED, ids=[name for name, _ in REFUSED])
def test_a_hostile_feed_file_is_refused_within_bounds(name: str, size: int):
    outcome = bounded(feed_file_outcome, name, size, seconds=10)
    assert (outcome.failed, outcome.refused) == (None, "invalidFeedFile")


HANGS_OTHERS = [
    "(a+)+$",
    "(a|a)*$",
    "(a*)*b",
    "(.*)*x",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(a?){500}a{500}$",
    "(.+)*(.+)*b",
]


@pytest.mark.parametrize("kind", ["regex", "replace", "pattern", "matches"])
@pytest.mark.parametrize("expression", HANGS_OTHERS)
def test_an_expression_that_hangs_other_engines_takes_no_time(expression: str, kind: str):
    """Fifty cells of 120,000 characters, which nearly match."""
    outcome = bounded(expression_outcome, kind, expression, 50, seconds=15)
    assert (outcome.failed, outcome.refused, outcome.rows) == (None, None, 50)


MANY_OPTIONAL = "(?:a?){1000}" * 20 + "(?:a){1000}" * 10
LARGE = [("regex", "(.{0,1000}x?)" * 8 + "y"), ("pattern", MANY_OPTIONAL), ("matches", MANY_OPTIONAL)]


@pytest.mark.parametrize(("kind", "expression"), LARGE, ids=[kind for kind, _ in LARGE])
def test_a_very_large_expression_ends_within_bounds(kind: str, expression: str):
    """Time is linear in the text, but also in the expression, which a few characters can make large."""
    assert_ended(bounded(expression_outcome, kind, expression, 6, seconds=10))


def test_a_template_that_multiplies_a_long_cell_ends_within_bounds():
    assert_ended(bounded(expression_outcome, "template", "{title}" * 146, 5, seconds=15))


def assert_ended(outcome: Outcome) -> None:
    assert outcome.failed is None or outcome.failed.startswith("ValidationError"), "a result, or a feed file refused"
