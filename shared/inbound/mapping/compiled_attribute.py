"""One attribute of the mapping, compiled: columns of cells in, a column of values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.inbound.mapping.bulk_text import BulkText, bulk_text
from shared.inbound.mapping.cell_problem import CellProblem, Problem
from shared.inbound.mapping.column_memo import ColumnMemo
from shared.inbound.mapping.compiled_rule import MAX_TEXT, Context, compile_finish, compile_rule, length_limit, too_long
from shared.inbound.text.value_checks import default_check
from shared.scim.attribute_path import ACTIVE, EXTERNAL_ID, MANAGER, USER_NAME, AttributePath

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from shared.inbound.feeds.mapping_rule import Rule
    from shared.inbound.mapping.compiled_rule import Value

_IDENTIFIERS = (EXTERNAL_ID, USER_NAME, MANAGER)


class CompiledAttribute:
    """`values` gives one value a row, or a Problem in its place; then `problems` says so."""

    def __init__(
        self, path: AttributePath, rule: Rule, position: dict[str, int], today: date, *, typed_dates: bool
    ) -> None:
        self.path = path
        self.rule = rule
        self.columns = ", ".join(rule.columns) or None
        self.inputs = [position[name] for name in rule.columns]
        self.problems = False
        self._is_plain = rule.is_plain and path not in _IDENTIFIERS and default_check(path) == "none"
        self._limit, self._source = length_limit(path, rule) or (MAX_TEXT, "")
        self._bulk = bulk_text(path, rule)
        local = {name: index for index, name in enumerate(rule.columns)}
        context = Context(local, today, typed_dates)
        is_one = rule.column is not None and len(self.inputs) == 1 and path != ACTIVE and rule.when is None
        self._input = self.inputs[0] if is_one else None
        self._evaluate = compile_finish(path, rule, context) if is_one else compile_rule(path, rule, context)
        self._memo = ColumnMemo(self._guarded, 4096 if self._bulk else 16_384)

    def values(self, columns: Sequence[Sequence[str]], count: int) -> list[Any]:
        """The column of values for the columns of all cells; sets `problems` where a Problem is among them."""
        self.problems = self.problems and self._memo.is_worth_it
        if self._is_plain:
            return self._plain(columns[self.inputs[0]])
        if not self.inputs:
            return [self._guarded(())] * count
        arguments: Iterable[Any] = (
            columns[self._input] if self._input is not None else zip(*[columns[i] for i in self.inputs], strict=True)
        )
        if self._memo.is_worth_it:
            return list(map(self._memo.__getitem__, arguments))
        if self._bulk is None:
            return self._each(arguments if self._input is not None else list(arguments))
        return self._in_bulk(self._bulk, [columns[i] for i in self.inputs], list(arguments))

    def value(self, cells: Sequence[str]) -> Value | Problem:
        """The value of one row."""
        found: Value | Problem = self.values([[cell] for cell in cells], 1)[0]
        return found

    def _plain(self, column: Sequence[str]) -> list[Any]:
        """The cells as they are, blank ones as no text; a limit on their length is looked at for all at once."""
        self.problems = False
        values: list[Any] = list(column)
        if any(map(str.isspace, values)):
            values = ["" if text.isspace() else text for text in values]
        if max(map(len, values), default=0) > self._limit:
            self.problems = True
            problem = too_long(self._limit, self._source).problem
            values = [problem if len(text) > self._limit else text for text in values]
        return values

    def _in_bulk(self, bulk: BulkText, columns: list[Sequence[str]], arguments: list[Any]) -> list[Any]:
        values: list[Any]
        values, odd = bulk.values(columns)
        for i in odd:
            values[i] = self._guarded(arguments[i])
        return values

    def _each(self, arguments: Iterable[Any]) -> list[Any]:
        """Most batches have no problem, so rows are looked at one by one only where there is one."""
        evaluate: Any = self._evaluate
        try:
            return [evaluate(argument) for argument in arguments]
        except CellProblem:
            return list(map(self._guarded, arguments))

    def _guarded(self, argument: Any) -> Any:
        evaluate: Any = self._evaluate
        try:
            return evaluate(argument)
        except CellProblem as problem:
            self.problems = True
            return problem.problem
