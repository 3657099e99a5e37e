"""The program as a process: what it says where something is missing, and which arguments it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.cli.commands import main
from shared.cli.outcome_words import CODES

ROOT = Path(__file__).resolve().parents[3]


def test_without_its_packages_it_says_how_to_install_them():
    command = [sys.executable, "-S", "-m", "shared", "runs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PATH": ""})
    assert (done.returncode, done.stdout) == (2, "")
    assert "make install" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("value", ["done", "held,done", ","])
def test_a_state_that_is_none_is_answered_with_those_that_there_are(value, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["runs", "--state", value])
    assert ended.value.code == 2
    assert "only planned, sending, sent, settled, held, blocked, refused" in capsys.readouterr().err


def test_every_code_of_the_log_that_the_program_has_advice_for_is_in_the_documents():
    text = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    assert [code for code in CODES if f"`{code}`" not in text] == []
