"""What a process has used: processor seconds and memory. Reads /proc; NaN where there is none."""

from __future__ import annotations

import json
import os
import re
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PROC = Path("/proc")


def tell_cost(work: Callable[[], object]) -> None:
    """Do the work and print, as JSON: seconds, processor seconds (user + system), the memory before and at its peak."""
    before, used, began = peak_megabytes(), _own_cpu_seconds(), time.perf_counter()
    work()
    seconds, used = time.perf_counter() - began, _own_cpu_seconds() - used
    told = {"seconds": seconds, "cpuSeconds": used, "megabytesBefore": before, "peakMegabytes": peak_megabytes()}
    print(json.dumps(told))


def peak_megabytes() -> float:
    """VmHWM, since a child's `ru_maxrss` begins at its parent's size; NaN where there is no /proc."""
    status = _PROC / "self" / "status"
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


def cpu_seconds_of_child(words: str) -> float:
    """User + system of this process's one child whose command line has these words."""
    for folder in _PROC.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if words in command and int(fields[1]) == os.getpid():
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return float("nan")


def _own_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
