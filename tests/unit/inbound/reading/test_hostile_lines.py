"""Batches of 1024 rows and blocks of 256 KiB end anywhere in a file: each row still comes out with its own line."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.reading.hr_file import HrFile, HrRow
from tests.unit.builders import pieces
from tests.unit.inbound.mapping.test_hostile_values import FEW, HEADER, row_of


def naive_lines(content: bytes) -> list[HrRow]:
    """Where the csv module of Python, asked row by row, finds the rows to begin."""
    reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    ends, rows = [0], []
    for cells in reader:
        ends.append(reader.line_num)
        rows.append(cells)
    found = [HrRow(before + 1, cells) for (before, _), cells in zip(pairwise(ends), rows, strict=True)]
    return [row for row in found[1:] if any(map(str.strip, row.cells))]


def read(content: bytes, size: int = 1 << 16) -> list[HrRow]:
    with HrFile(pieces(content, size), None, HEADER) as hr_file:
        return list(hr_file.rows())


BREAKS = st.lists(st.tuples(st.integers(0, 1100), st.sampled_from(["\n", "a\nb\n", "\n" * 7, "\r\n"])), max_size=6)


@FEW
@given(
    BREAKS, st.sampled_from([1, 1022, 1023, 1024, 1025, 2047, 2048, 2049]), st.integers(0, 3), st.sampled_from("\n\r")
)
@pytest.mark.parametrize("at", [None, 255, 256, 1023, 1024])
def test_rows_around_a_batch_keep_their_lines(at: int | None, breaks: Any, count: int, blank: int, end: str):
    cells = dict(breaks) | ({} if at is None else {at: "x\ny"})
    lines = [",".join([*row_of(n, "", "")[:3], f'"{cells.get(n, "")}"', ""]) for n in range(count)]
    end = "\n" if end == "\n" else "\r\n"
    text = (
        ",".join(HEADER)
        + end
        + (end * blank)
        + "".join(line + end + end * (n % 97 == 0) for n, line in enumerate(lines))
    )
    assert read(text.encode()) == naive_lines(text.encode())


@pytest.mark.parametrize("before", [0, 1, 2, 30, 256 * 1024 - 60, 256 * 1024, 2 * 256 * 1024 - 40])
@pytest.mark.parametrize("shift", range(0, 12, 3))
@pytest.mark.parametrize("cell", ["\n", "a\r\nb", "é\n山\n👍", '""\n""', "\n" * 30])
def test_a_cell_with_line_breaks_at_a_block_border_is_read_and_its_lines_counted(before: int, shift: int, cell: str):
    """Blocks are 256 KiB and what is left of their last line."""
    filler = ",".join(row_of(1, "", "")) + "\n"
    rows = before // len(filler)
    odd = f'1,u@example.com,1,{"x" * (before % len(filler) + shift)},"{cell}"\n'
    content = (",".join(HEADER) + "\n" + filler * rows + odd * 3 + filler * 3).encode()
    assert read(content) == naive_lines(content)
    assert read(content, 4097) == naive_lines(content)


def test_a_title_with_a_lone_quote_costs_no_row():
    lines = [*(f'W{n},u{n}@example.com,1,"{"x" * 40_000}",' for n in range(48))]
    content = "\n".join(['"Report', ",".join(HEADER), *lines, ""]).encode()
    assert [row.line for row in read(content)] == list(range(3, 51))
