"""The memory of a column: always what the function says, and never more of it than is worth it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.mapping.column_memo import ColumnMemo
from tests.unit.builders import PROPERTY


def counting(most: int = 4096) -> tuple[ColumnMemo, list[object]]:
    calls: list[object] = []

    def function(key: object) -> str:
        calls.append(key)
        return f"<{key}>"

    return ColumnMemo(function, most), calls


def test_a_cell_that_was_met_before_costs_no_call():
    memo, calls = counting()
    assert list(map(memo.__getitem__, ["a", "b", "a", "a", "b"])) == ["<a>", "<b>", "<a>", "<a>", "<b>"]
    assert calls == ["a", "b"]
    assert memo.is_worth_it


def test_a_column_of_many_different_cells_is_no_longer_remembered():
    memo, calls = counting(most=3)
    assert [memo[text] for text in "abcdabc"] == [f"<{text}>" for text in "abcdabc"]
    assert not memo.is_worth_it
    assert len(memo) == 0
    assert calls == list("abcdabc")


def test_just_as_many_cells_as_it_may_remember_are_remembered():
    memo, calls = counting(most=3)
    for text in "abcabc":
        _ = memo[text]
    assert memo.is_worth_it
    assert calls == list("abc")


def test_long_cells_are_worked_on_and_not_kept():
    memo, calls = counting()
    for key in ("x" * 257, ("x" * 200, "y" * 57), "x" * 256, ("x" * 128, "y" * 128)):
        assert memo[key] == memo[key] == f"<{key}>"
    assert len(calls) == 6
    assert set(memo) == {"x" * 256, ("x" * 128, "y" * 128)}
    assert memo.is_worth_it


def test_what_the_function_raises_comes_through_and_is_not_kept():
    memo = ColumnMemo(lambda text: 1 / len(text))
    for _ in range(2):
        try:
            _ = memo[""]
        except ZeroDivisionError:
            continue
        raise AssertionError
    assert len(memo) == 0


@PROPERTY
@given(st.lists(st.text(st.sampled_from("ab"), max_size=3) | st.none() | st.booleans()), st.integers(0, 8))
def test_whatever_is_remembered_the_results_are_the_functions(cells: list[object], most: int):
    memo = ColumnMemo(repr, most)
    assert list(map(memo.__getitem__, cells)) == list(map(repr, cells))
    assert len(memo) <= most
