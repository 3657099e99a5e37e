"""A real SIGTERM to a child process, and what its handlers do."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.adapters.shutdown import Shutdown

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process can't send itself SIGTERM there")


def child(*lines: str) -> list[str]:
    """Run those lines in a process of its own, ours imported; what it printed, by words."""
    start = "import os, signal, threading; from shared.adapters.shutdown import Shutdown"
    program = "\n".join([start, "term = lambda: os.kill(os.getpid(), signal.SIGTERM)", *lines])
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_sigterm_sets_the_flag_and_does_not_end_the_process():
    assert child(
        "shutdown = Shutdown(); shutdown.install()", "print(shutdown())", "term()", "print(shutdown(), shutdown())"
    ) == ["False", "True", "True"]


def test_whoever_listened_before_is_called_too_and_once_however_often_it_is_installed():
    assert child(
        "signal.signal(signal.SIGTERM, lambda number, frame: print('before', int(number)))",
        "some = [Shutdown() for _ in range(2000)]",
        "for shutdown in some: shutdown.install(); shutdown.install()",
        "term()",
        "print(all(shutdown() for shutdown in some))",
    ) == ["before", str(int(signal.SIGTERM)), "True"]


def test_a_handler_that_came_between_and_passes_on_makes_no_circle():
    assert child(
        "first, second = Shutdown(), Shutdown()",
        "first.install(); ours = signal.getsignal(signal.SIGTERM)",
        "def between(number, frame):\n  print('between'); ours(number, frame)",
        "signal.signal(signal.SIGTERM, between)",
        "second.install(); term()",
        "print(first(), second())",
    ) == ["between", "True", "True"]


def test_a_signal_that_was_ignored_is_heard_all_the_same():
    assert child(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "shutdown = Shutdown(); shutdown.install(); term()",
        "print(shutdown())",
    ) == ["True"]


def test_without_installing_nobody_is_told():
    assert not Shutdown()()


def test_outside_the_main_thread_nothing_is_done_and_nothing_raised():
    before, shutdown, raised = signal.getsignal(signal.SIGTERM), Shutdown(), []

    def install() -> None:
        try:
            shutdown.install()
        except BaseException as error:  # noqa: BLE001 - whatever it is
            raised.append(error)

    thread = threading.Thread(target=install)
    thread.start()
    thread.join()
    assert (raised, shutdown(), signal.getsignal(signal.SIGTERM)) == ([], False, before)


def test_where_there_is_no_sigterm_nothing_is_done(monkeypatch):
    monkeypatch.delattr(signal, "SIGTERM")
    shutdown = Shutdown()
    shutdown.install()
    assert not shutdown()
