"""Random rules on random cells: rows mapped together, remembered or not, give what each row gives alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.inbound.feeds.feed_file import Feed
from shared.inbound.mapping.attribute_mapping import AttributeMapping
from shared.inbound.reading.hr_file import HrRow
from shared.inbound.reading.row_batch import RowBatch
from tests.unit.builders import CONTOSO, EMAIL, ENTERPRISE, TODAY, map_rows
from tests.unit.inbound.mapping.test_hostile_values import CELL, HEADER, PROPERTY, RULES, feed_of, row_of

WORD = st.sampled_from(["a", "b", "A", "1", " ", "é", "x y", ".", "@"])
STEPS = st.fixed_dictionaries(
    {},
    optional={
        "transforms": st.lists(
            st.sampled_from(["trim", "lower", "upper", "title", "collapse_spaces", "strip_diacritics"])
        ),
        "split": st.fixed_dictionaries({"by": WORD, "part": st.sampled_from([1, 2, -1])}),
        "regex": st.sampled_from([{"extract": "(a|b)+"}, {"replace": "[a-c]", "with": "x"}, {"extract": "^.(.*)"}]),
        "pad": st.integers(1, 12),
        "values": st.dictionaries(WORD, WORD, min_size=1, max_size=2),
        "else": WORD,
        "number": st.just(True),
        "date": st.just("%d/%m/%Y"),
        "pattern": st.sampled_from(["a*", r"\w+", ".{1,3}", "(?s).*"]),
        "check": st.sampled_from(["none", "email", "upn"]),
        "blank": st.sampled_from(["null", "set_aside"]),
        "required": st.booleans(),
        "when": st.sampled_from([{"B": {"blank": True}}, {"B": "a"}, {"A": {"matches": "a.*"}}]),
        "partly_blank": st.sampled_from(["close_up", "omit", "set_aside"]),
        "type": st.sampled_from(["String", "Integer"]),
    },
)
SOURCE = st.sampled_from(
    [{"column": "A"}, {"template": "{A}-{B}"}, {"template": "{B} {A}%"}, {"first_of": ["B", "A"]}, {"constant": "c"}]
)
TARGETS = ["title", "userName", "externalId", EMAIL, f"{ENTERPRISE}:manager.value", f"{CONTOSO}:x", "name.givenName"]
KEYS = ("externalId", f"{ENTERPRISE}:manager.value")
_FIT_FOR_KEYS = ("transforms", "split", "regex", "pad", "pattern", "check")
VALUES = (
    st.sampled_from([" a", "a ", "a", "ab", "B", "é", "01/02/2021", "7", "-1.50", "a@b.com", "x y", "a\nb", "y" * 70])
    | CELL
)


@settings(PROPERTY, max_examples=30)
@given(SOURCE, STEPS, st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=12))
@pytest.mark.parametrize("target", TARGETS)
def test_rows_together_give_what_each_gives_alone(target: str, source: Any, steps: Any, pairs: list[tuple[str, str]]):
    used = usable({target: rule_for(target, source, steps)})
    rows = [HrRow(n, row_of(n, a, b)) for n, (a, b) in enumerate(pairs)]
    alone = [map_rows(AttributeMapping(used, HEADER, TODAY), row)[0] for row in rows]
    together = AttributeMapping(used, HEADER, TODAY)
    assert map_rows(together, *rows) == alone, "first met"
    assert map_rows(together, *rows) == alone, "remembered"


@settings(PROPERTY, max_examples=8, phases=[Phase.generate])
@given(SOURCE, STEPS, st.lists(st.tuples(VALUES, VALUES), min_size=12, max_size=24))
@pytest.mark.parametrize("target", TARGETS)
def test_rows_below_very_many_others_give_what_each_gives_alone(target: str, source: Any, steps: Any, pairs: Any):
    """Seventeen thousand different cells were met before: no column is remembered any more."""
    used = usable({target: rule_for(target, source, steps)})
    rows = [HrRow(n, row_of(n, a, b)) for n, (a, b) in enumerate(pairs)]
    alone = [map_rows(AttributeMapping(used, HEADER, TODAY), row)[0] for row in rows]
    mapping = AttributeMapping(used, HEADER, TODAY)
    mapping.map(RowBatch([*range(17_000)], [row_of(n, f"{n}a", f"{n}b") for n in range(17_000)]))
    assert map_rows(mapping, *rows) == alone


def rule_for(target: str, source: Any, steps: Any) -> Any:
    """A key comes from one column, and is no date and nothing that depends on something."""
    if target in KEYS:
        return {"column": "A", **{name: step for name, step in steps.items() if name in _FIT_FOR_KEYS}}
    return {**source, **steps}


def usable(rules: dict[str, Any]) -> Feed:
    base = {name: RULES[name] for name in ("externalId", "userName", "active")}
    try:
        return feed_of({**base, **rules})
    except ValidationError:
        assume(False)
        raise
