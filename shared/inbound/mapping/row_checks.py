"""Checks of whole rows: their width, spreadsheet errors among their cells, workers who manage themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.inbound.reading.row_batch import RowProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ERROR_CELL = re.compile(r"#(?:N/[A-Z]!?|NV|[^\s#]{1,24}[!?]|GETTING_DATA)", re.IGNORECASE)
"""What spreadsheet programs show in place of a value, in any language: #N/A, #BEZUG!, #NOM?, #¡VALOR!."""
_LOST = "\ufffd"
"""The replacement character: what some program put where it could not read a letter."""


def wrong_width(line: int, count: int, width: int, key: str) -> RowProblem:
    """A row with another number of cells than the header: nobody knows which of its cells is which."""
    return RowProblem(
        line,
        None,
        "tooManyCells" if count > width else "tooFewCells",
        f"The row has {count} cells, the header has {width}.",
        "Put a cell that holds the separator or a line break in quotes; keep a separator for every empty cell.",
        key or None,
    )


def error_cells(
    lines: list[int],
    cells: list[bytes],
    rows: list[list[str]],
    mapped: Sequence[tuple[int, str]],
    keys: list[str],
    misfits: set[int],
) -> Iterator[RowProblem]:
    """Mapped cells with a spreadsheet's error, or with letters that were lost. `cells` has the rows as JSON."""
    lost = _LOST.encode()
    suspects = [i for i, row in enumerate(cells) if (b"#" in row or lost in row) and i not in misfits]
    for i in suspects:
        for index, name in mapped:
            cell = rows[i][index] if index < len(rows[i]) else ""
            if _ERROR_CELL.fullmatch(cell.strip()):
                yield RowProblem(
                    lines[i],
                    name,
                    "errorCell",
                    "The cell holds an error of a spreadsheet program, not a value.",
                    "Repair the formula or the data behind it, and export the file again.",
                    keys[i] or None,
                )
            elif _LOST in cell:
                yield RowProblem(
                    lines[i],
                    name,
                    "lostLetters",
                    "The cell has the character that stands for a letter that a program could not read.",
                    "Correct the cell in the HR system; look for the program that reads its data in another encoding.",
                    keys[i] or None,
                )


def own_manager(
    lines: list[int],
    external_ids: list[str],
    keys: list[int | None],
    managers: list[int | None],
    columns: str | None,
    misfits: set[int],
) -> Iterator[RowProblem]:
    """Workers who are their own manager, by the numbers of both keys."""
    for i in [i for i, (key, manager) in enumerate(zip(keys, managers, strict=True)) if key == manager]:
        if keys[i] is not None and i not in misfits:
            yield RowProblem(
                lines[i],
                columns,
                "managerIsSelf",
                "The worker is their own manager.",
                "Put the manager's key in this column, or leave it blank for somebody without a manager.",
                external_ids[i],
            )
