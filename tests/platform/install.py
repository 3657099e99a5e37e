"""Puts into the checkout what the demo and the tests need: a Python environment and Azurite.

Standard library only, since nothing else is there yet. Two runs at once wait for each other, and a run that finds
everything up to date changes nothing, so that `make test` can go on in two terminals of one checkout.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
INPUTS = ("requirements.txt", "tests/requirements.txt", "tests/package.json", "tests/package-lock.json")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever python3 is on this machine runs this file
        sys.exit(f"Python 3.11 or newer is needed; python3 is {sys.version.split()[0]}. Try: make PYTHON=python3.12 …")
    with (ROOT / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = VENV / ".installed"
        wanted = fingerprint()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        print("Installing into .venv and tests/node_modules (once) …", flush=True)
        venv.create(VENV, with_pip=True, clear=True, symlinks=os.name != "nt")
        python = str(VENV / "bin" / "python")
        quietly([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", "tests/requirements.txt"])
        quietly(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", "tests"])
        stamp.write_text(wanted)


def fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def quietly(command: list[str]) -> None:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"{command[0]} was not found on this machine; Node 20 or newer brings it.")
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
