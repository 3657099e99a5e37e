"""`make bench`: how fast an HR file becomes a plan, and in how much memory.

Each measurement is a process of its own. The conversion (bytes to checked, ordered, planned bulk requests on disk) is
set beside a hand-written csv + orjson loop over the same file, which checks, orders and stores nothing; what counts is
the ratio within one run, not the seconds of this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.demo.company import company

ROWS = 100_000
_TRIES = 3


def main() -> None:
    console = Console()
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "company.csv"
        company(rows).write(file)
        console.print(f"{rows:,} rows, {file.stat().st_size / 1e6:.0f} MB; best of {_TRIES}, each in its own process")
        found = {name: measured(name, file) for name in ("loop", "conversion")}
    table = Table()
    for heading in ("", "seconds", "rows/s", "peak memory (MB)", "speed beside the loop"):
        table.add_column(heading, justify="right")
    for name, (seconds, memory) in found.items():
        ratio = found["loop"][0] / seconds
        table.add_row(name, f"{seconds:.2f}", f"{rows / seconds:,.0f}", f"{memory:.0f}", f"{ratio:.2f}")
    console.print(table)


def measured(name: str, file: Path) -> tuple[float, float]:
    """Seconds and peak resident megabytes of the best try."""
    tries = []
    for _ in range(_TRIES):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "tests.bench.convert", name, str(file), out]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            told = json.loads(done.stdout)
            tries.append((told["seconds"], told["peakMegabytes"]))
    return min(tries)


if __name__ == "__main__":
    main()
