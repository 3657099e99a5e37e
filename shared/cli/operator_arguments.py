"""The arguments of the commands for operators: runs, show, worker, resume, cancel, resend, send, doctor.

Each command's module is imported when it is called: what they need takes longer to import than other commands run.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cli.operating import operating
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.workflows.resend_run import RESENDABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_TWO = "2 wrong arguments, or no way to storage or Graph"
_LOOKS = f"Exit status: 0 all is well, 1 there is something to do, {_TWO}."
_ACTS = f"Exit status: 0 done, 1 nothing was changed since it does not fit what has become of the run, {_TWO}."
_FINDS = f"Exit status: 0 the worker was found, 1 no run names the worker, {_TWO}."


def add_commands(commands: Commands) -> None:
    """Add every one of them."""
    _runs(_command(commands, "runs", "list runs, newest last", ".runs"))
    _run(_command(commands, "show", "show one run: counts, waits, reason, what helps", ".show"))
    _worker(_command(commands, "worker", "show what became of one worker, in every run", ".worker", _FINDS))
    _resume(_command(commands, "resume", "let a held run be sent, or end the wait of one that waits", ".act", _ACTS))
    _cancel(_command(commands, "cancel", "send nothing more of a run", ".act", _ACTS))
    _resend(_command(commands, "resend", "send some rows of a run again, or after all", ".act", _ACTS))
    _send(_command(commands, "send", "drop an HR file and follow its run", ".send"))
    _doctor(_command(commands, "doctor", "check everything: what works, what doesn't, what to do", ".doctor"))


def _command(commands: Commands, name: str, text: str, module: str, status: str = _LOOKS) -> argparse.ArgumentParser:
    """`name` is also the function's, in that module."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}. {status}")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
    where = parser.add_argument_group("where, if the app settings in the environment don't say it")
    where.add_argument("--storage", metavar="ACCOUNT", help="the HR storage account: its name, or its blob endpoint")
    where.add_argument("--graph-endpoint", metavar="URL", help="a national cloud's Microsoft Graph")
    parser.set_defaults(run=operating(_called_later(module, name)))
    return parser


def _called_later(module: str, function: str) -> Callable[..., int]:
    def call(*arguments: Any, **more: Any) -> int:
        status: int = getattr(import_module(module, __package__), function)(*arguments, **more)
        return status

    return call


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--feed", metavar="FEED", help="only runs of this feed")
    parser.add_argument(
        "--state",
        type=_run_states,
        metavar="STATE[,STATE]",
        help=f"only runs in these states: {', '.join(RunState)}",
    )
    parser.add_argument("--all", action="store_true", dest="everything", help="not only the newest 50")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run_id",
        type=_text,
        metavar="RUN",
        help="the run's id, a part of it that no other run's has, or a file's name for the run of its newest drop",
    )


def _worker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("external_id", type=_text, metavar="EXTERNAL_ID", help="the worker's key, as HR writes it")
    parser.add_argument("--feed", metavar="FEED", help="only runs of this feed")


def _acting(parser: argparse.ArgumentParser, *, why: bool | None) -> None:
    _run(parser)
    parser.add_argument(
        "--by", type=_text, metavar="NAME", help="who decides this; without it, as the login's token says"
    )
    if why is not None:
        parser.add_argument("--why", type=_text, metavar="TEXT", required=why, help="goes into run.json")


def _resume(parser: argparse.ArgumentParser) -> None:
    _acting(parser, why=False)


def _cancel(parser: argparse.ArgumentParser) -> None:
    _acting(parser, why=True)
    parser.add_argument("--yes", action="store_true", help="don't ask; needed where there is no terminal")


def _resend(parser: argparse.ArgumentParser) -> None:
    _acting(parser, why=None)
    parser.add_argument(
        "--state",
        type=_resendable,
        required=True,
        metavar="STATE[,STATE]",
        help=f"rows in these states: {', '.join(RESENDABLE)}; superseded: not sent, since the run was cancelled or "
        "a newer file spoke of the worker, which still counts unless that one was cancelled",
    )


def _send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the HR file")
    parser.add_argument("--feed", type=_text, required=True, metavar="FEED", help="its feed: the folder in hr-drop")
    parser.add_argument("--name", metavar="NAME", help="the blob's name in that folder; without it, the file's")
    parser.add_argument("--no-wait", action="store_true", help="don't follow the run")
    parser.add_argument("--timeout", type=_minutes, default=60.0, metavar="MINUTES", help="how long to follow it (60)")


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--feed", metavar="FEED", help="only this feed's file, job and runs")


def _resendable(text: str) -> frozenset[RowState]:
    return frozenset(map(RowState, _chosen(text, RESENDABLE)))


def _run_states(text: str) -> frozenset[RunState]:
    return frozenset(map(RunState, _chosen(text, tuple(RunState))))


def _chosen(text: str, choices: Collection[str]) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or not set(names) <= set(choices):
        raise argparse.ArgumentTypeError(f"only {', '.join(choices)}, with commas between them")
    return names


def _minutes(text: str) -> float:
    with suppress(ValueError):
        if 0 < (minutes := float(text)) < 10_000:
            return minutes
    raise argparse.ArgumentTypeError("must be a number of minutes, more than 0")


def _text(text: str) -> str:
    """A blank comes from a shell's variable that is not set; as a part of an id it would fit every run."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is blank")
    return text
