"""Commands as an operator gives them, and runs that they are about."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from shared.bootstrap import connector
from shared.cli.commands import main
from tests.platform.hr_files import hr_csv, hr_row, workers
from tests.platform.processes import ROOT

if TYPE_CHECKING:
    import pytest

    from tests.integration.conftest import World

THREE_REQUESTS = hr_csv(*workers(120))
TOO_MANY_ASIDE = hr_csv(*workers(4), hr_row("W00005", WorkerStatus="Sabbatical"))


class Terminal:
    """Runs commands as a person does, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Exit status, standard output and standard error, with blanks folded since tables are wrapped."""
        self._capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return status, " ".join(captured.out.split()), " ".join(captured.err.split())

    def json(self, *arguments: object) -> tuple[int, Any]:
        self._capsys.readouterr()
        status = main([str(argument) for argument in (*arguments, "--json")])
        return status, json.loads(self._capsys.readouterr().out)


def half_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """100 of 120 rows are sent, the rest has to wait for the day's quota."""
    monkeypatch.setenv("BULK_REQUESTS_PER_DAY", "2")
    connector.cache_clear()
    run = world.upload(THREE_REQUESTS)
    assert (run["reason"]["code"], run["counts"]["planned"]) == ("dailyQuota", 20)
    return run


def child(world: World, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    names = ("GRAPH_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID")
    settings = {"PATH": "", "HR_STORAGE": world.connection_string, **{n: world.entra.settings[n] for n in names}}
    command = [sys.executable, "-m", "shared", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**settings, **environment})
