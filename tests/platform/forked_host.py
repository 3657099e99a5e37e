"""Function calls in processes of their own, made in milliseconds: a warmed parent forks one for each.

`ForkingHost` is the test's side. The parent is single-threaded, has imported everything and called nothing, so that
each child is like a process that has just started.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import time_machine

from tests.platform.fault_points import FaultPoint, calls_made
from tests.platform.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Child:
    """One function call. `log`: its standard output and error."""

    host: ForkingHost
    pid: int
    log: Path
    call_log: Path

    def wait(self) -> int:
        """Its exit status, minus the signal that ended it, or minus SIGSTOP while it is stopped."""
        return int(self.host.ask({"wait": self.pid})["status"])

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def calls(self) -> list[str]:
        return calls_made(self.call_log)

    def events(self) -> list[str]:
        """The names of the events that it logged."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line)["event"] for line in lines if line.startswith("{")]


class ForkingHost:
    """Not for use by several threads."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder, self._children = process, folder, 0

    def start(
        self, *arguments: str, environment: dict[str, str], point: FaultPoint | None = None, ahead_seconds: float = 0
    ) -> Child:
        """Begin `functions_host <arguments>` in a new process whose wall clock is so far ahead."""
        self._children += 1
        log, call_log = (self._folder / f"{self._children}.{what}" for what in ("log", "calls"))
        told = {**environment, "KILL_LOG": str(call_log), **(point.environment() if point else {})}
        wish = {"arguments": arguments, "environment": told, "ahead": ahead_seconds, "log": str(log)}
        return Child(self, self.ask(wish)["pid"], log, call_log)

    def run(self, *arguments: str, environment: dict[str, str], ahead_seconds: float = 0) -> Child:
        """The same, to its end.

        Raises:
            RuntimeError: it did not end well.
        """
        child = self.start(*arguments, environment=environment, ahead_seconds=ahead_seconds)
        if status := child.wait():
            raise RuntimeError(f"{arguments} ended with {status}:\n{child.log.read_text(errors='replace')[-3000:]}")
        return child

    def ask(self, wish: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextlib.contextmanager
def forking_host() -> Iterator[ForkingHost]:
    """Children that are left at the end are killed."""
    command = [sys.executable, "-m", "tests.platform.forked_host"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):  # leaving closes its standard input, which ends it
        yield ForkingHost(process, Path(folder))


def _serve() -> None:
    importlib.import_module("tests.platform.functions_host")
    gc.freeze()  # what is shared with the children stays shared
    left: set[int] = set()
    for line in sys.stdin:
        wish = json.loads(line)
        answer = {"status": _wait(wish["wait"], left)} if "wait" in wish else {"pid": _fork(wish, left)}
        print(json.dumps(answer), flush=True)
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def _wait(pid: int, left: set[int]) -> int:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return -os.WSTOPSIG(status)
    left.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _fork(wish: dict[str, Any], left: set[int]) -> int:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            _work(wish)
            status = 0
        except BaseException:  # noqa: BLE001 - the parent's loop must not go on in the child
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(status)
    left.add(pid)
    return pid


def _work(wish: dict[str, Any]) -> None:
    output = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(wish["environment"])
    with contextlib.ExitStack() as stack:
        if wish["ahead"]:
            stack.enter_context(time_machine.travel(datetime.now(UTC) + timedelta(seconds=wish["ahead"]), tick=True))
        sys.modules["tests.platform.functions_host"].main(wish["arguments"])


if __name__ == "__main__":
    _serve()
