"""HR files for the benchmark: 22 columns, any number of rows written one by one, and the same in other formats."""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
from typing import TYPE_CHECKING

from shared.inbound.feeds.feed_file import parse_feed
from tests.demo.company import COLUMNS, worker
from tests.platform.feeds import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shared.inbound.feeds.feed_file import Feed

LEFT_OUT = {"FullName", "MiddleName", "Prefix", "Suffix", "State", "Division"}
BENCH_COLUMNS = [name for name in COLUMNS if name not in LEFT_OUT]
_CHAIN = 23
"""So many managers report to one another before the tree begins: that makes 30 levels of a million."""
_REPORTS = 8
_STRIDE = 611_953
"""A prime: every multiple of it is another row, so that rows come in no order of any kind."""


def bench_feed() -> Feed:
    """The sample feed file without the columns that the files lack."""
    text = (SAMPLES / "contoso.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not re.search(rf": ({'|'.join(LEFT_OUT)})\b", line)]
    return parse_feed("\n".join(lines).encode())


def bench_rows(count: int) -> Iterator[list[str]]:
    """About one row in a hundred can't be sent; no more than `count` rows are ever in memory: one."""
    chance = random.Random(1)
    kept = [COLUMNS.index(name) for name in BENCH_COLUMNS]
    manager, status = BENCH_COLUMNS.index("ManagerID"), BENCH_COLUMNS.index("WorkerStatus")
    for place in range(count):
        number = place * _STRIDE % count
        whole = worker(number, chance)
        row = [whole[index] for index in kept]
        row[manager] = _manager(number)
        if place % 100 == 99:
            row[status] = "Sabbatical"
        yield row


def _manager(number: int) -> str:
    if number == 0:
        return ""
    above = number - 1 if number < _CHAIN else _CHAIN - 1 + (number - _CHAIN) // _REPORTS
    return str(100000 + above)


def write_csv(path: Path, count: int, encoding: str = "utf-8", delimiter: str = ",") -> None:
    with path.open("w", encoding=encoding, newline="", errors="replace") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(BENCH_COLUMNS)
        writer.writerows(bench_rows(count))


def write_gzip(path: Path, count: int) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(BENCH_COLUMNS)
        writer.writerows(bench_rows(count))


def write_ndjson(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in bench_rows(count):
            file.write(json.dumps(dict(zip(BENCH_COLUMNS, row, strict=True)), ensure_ascii=False) + "\n")


def write_json(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        before = "["
        for row in bench_rows(count):
            file.write(before + json.dumps(dict(zip(BENCH_COLUMNS, row, strict=True)), ensure_ascii=False))
            before = ",\n"
        file.write("]")


def write_xlsx(path: Path, count: int) -> None:
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Workers")
    sheet.append(BENCH_COLUMNS)
    for row in bench_rows(count):
        sheet.append(row)
    workbook.save(path)
