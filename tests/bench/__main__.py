"""`make bench`: how fast an HR file becomes a plan, and in how much memory.

Each measurement is a process of its own. The conversion (bytes to checked, ordered, planned bulk requests on disk) is
set beside hand-written csv + orjson loops over the same file, which check, order and store nothing: `loop` writes what
is quickest, `same` the very users that the conversion writes. What counts is the ratio within one run, not the seconds
of this machine. Then the sending of a plan: see `sending`.

`python -m tests.bench [ROWS]` does all of it, `python -m tests.bench sending [USERS]` that part only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from tests.bench import files, sending

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 100_000
_TRIES = 3
_FORMATS: dict[str, Callable[[Path, int], None]] = {
    "CSV, UTF-8": files.write_csv,
    "CSV, UTF-16": lambda path, count: files.write_csv(path, count, "utf-16"),
    "CSV in .gz": files.write_gzip,
    "NDJSON": files.write_ndjson,
    "JSON array": files.write_json,
    ".xlsx": files.write_xlsx,
}


def main(arguments: list[str]) -> None:
    console = Console()
    if arguments[:1] != ["sending"]:
        _show_planning(console, int(arguments[0]) if arguments else ROWS)
    sending.show(console, int(arguments[1]) if arguments[1:] else sending.USERS)


def _show_planning(console: Console, rows: int) -> None:
    many = rows * 10
    with tempfile.TemporaryDirectory() as folder:
        file, large = Path(folder) / "workers.csv", Path(folder) / "many.csv"
        files.write_csv(file, rows)
        console.print(
            f"{rows:,} rows, 22 columns, {file.stat().st_size / 1e6:.0f} MB; best of {_TRIES}, each in a process"
        )
        found = {name: measured(name, file) for name in ("loop", "same", "conversion")}
        console.print(_comparison(found, rows))
        staged = measured("stages", file, 1)["stages"]
        console.print(_stages(staged))
        files.write_csv(large, many)
        all_of_many = measured("conversion", large, 1)
        console.print(_memory(found["conversion"], all_of_many, rows, many))
        large.unlink()
        console.print(_formats(Path(folder), rows // 5))


def _comparison(found: dict[str, dict[str, Any]], rows: int) -> Table:
    table = _table("", "seconds", "rows/s", "peak MB", "speed beside loop", "beside same")
    for name, told in found.items():
        seconds = told["seconds"]
        ratios = [f"{found[other]['seconds'] / seconds:.2f}" for other in ("loop", "same")]
        table.add_row(name, f"{seconds:.2f}", f"{rows / seconds:,.0f}", f"{told['peakMegabytes']:.0f}", *ratios)
    return table


def _stages(spent: dict[str, float]) -> Table:
    table = _table("stage", "share")
    for name, seconds in spent.items():
        table.add_row(name, f"{seconds / sum(spent.values()):.0%}")
    return table


def _memory(few: dict[str, Any], many: dict[str, Any], rows: int, more: int) -> Table:
    table = _table("conversion of", "seconds", "rows/s", "peak MB", "memory beside the first")
    for count, told in ((rows, few), (more, many)):
        ratio = told["peakMegabytes"] / few["peakMegabytes"]
        seconds, peak = told["seconds"], told["peakMegabytes"]
        table.add_row(f"{count:,} rows", f"{seconds:.1f}", f"{count / seconds:,.0f}", f"{peak:.0f}", f"{ratio:.2f}")
    return table


def _formats(folder: Path, rows: int) -> Table:
    table = _table(f"format ({rows:,} rows)", "file MB", "rows/s", "peak MB", "speed beside CSV")
    first = None
    for number, (name, write) in enumerate(_FORMATS.items()):
        file = folder / f"format{number}"
        write(file, rows)
        told = measured("conversion", file, 1)
        first = first or told["seconds"]
        size, seconds = file.stat().st_size / 1e6, told["seconds"]
        peak, ratio = told["peakMegabytes"], first / seconds
        table.add_row(name, f"{size:.1f}", f"{rows / seconds:,.0f}", f"{peak:.0f}", f"{ratio:.2f}")
    return table


def _table(*headings: str) -> Table:
    table = Table()
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def measured(name: str, file: Path, tries: int = _TRIES) -> dict[str, Any]:
    """What the quickest of the tries told."""
    told = []
    for _ in range(tries):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "tests.bench.convert", name, str(file), out]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            told.append(json.loads(done.stdout))
    return min(told, key=lambda one: one["seconds"])


if __name__ == "__main__":
    main(sys.argv[1:])
