"""Apply a function to a column of cells, with a memory of what was met before.

Most columns of an HR file have few different cells (a department, a country, a status), so most results are looked up
by C code without a call into Python. A column with many different cells is found out and no longer remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

_REMEMBERED = 4096
_LONGEST = 256
"""Characters of a text that is worth remembering; a file can have cells of any size."""


class ColumnMemo(dict[Any, Any]):
    """`memo[cell]` is the function's result; `list(map(memo.__getitem__, column))` that of a whole column."""

    __slots__ = ("_function", "_most", "_remembers")

    def __init__(self, function: Callable[[Any], Any], most: int = _REMEMBERED) -> None:
        super().__init__()
        self._function = function
        self._most = most
        self._remembers = True

    def __missing__(self, key: Hashable) -> Any:
        value = self._function(key)
        if self._remembers and _is_short(key):
            if len(self) >= self._most:
                self._remembers = False
                self.clear()
            else:
                self[key] = value
        return value

    @property
    def is_worth_it(self) -> bool:
        """False once the column has turned out to have many different cells."""
        return self._remembers


def _is_short(key: object) -> bool:
    if isinstance(key, tuple):
        return sum(map(len, filter(None, key))) <= _LONGEST
    return not isinstance(key, str) or len(key) <= _LONGEST
