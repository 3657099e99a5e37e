"""The commands and their arguments; each is a function of its own module that returns the exit status."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli import check, feed, operator_arguments, preview
from shared.cli.opening import say_error

if TYPE_CHECKING:
    from collections.abc import Sequence


_INTERRUPTED = 130
"""As a shell says of a program that Ctrl+C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Status 2 also stands for arguments that can't be understood, 130 for Ctrl+C."""
    given = _parser().parse_args(arguments)
    run = given.run
    del given.run
    try:
        status: int = run(**vars(given))
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        say_error("Interrupted.")
        return _INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared", description="The Entra HR connector at a terminal.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _check(commands.add_parser("check", help="convert an HR file as the function would, without sending anything"))
    _preview(commands.add_parser("preview", help="show how one row becomes a user, attribute by attribute"))
    feeds = commands.add_parser("feed", help="make and check feed files")
    _feed(feeds.add_subparsers(title="commands", required=True, metavar="COMMAND"))
    operator_arguments.add_commands(commands)
    return parser


def _check(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Converts FILE as the function would: no network, no Azure. Exit status: 0 every row is fine, 1 some rows are "
        "set aside, 2 the file is refused or the feed file can't be used."
    )
    _file_and_feed(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("check-output"), help=f"where {_WRITTEN} go")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the account as JSON")
    parser.set_defaults(run=check.check)


_WRITTEN = "requests.ndjson, set_aside.csv and excluded.csv"


def _preview(parser: argparse.ArgumentParser) -> None:
    _file_and_feed(parser)
    parser.add_argument(
        "--row",
        type=int,
        required=True,
        metavar="LINE",
        help="the line (in a workbook, the row) as set_aside.csv has it",
    )
    parser.set_defaults(run=preview.preview)


def _feed(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    new = commands.add_parser("new", help="write a first feed file for an export")
    new.add_argument("file", type=Path, metavar="FILE", help="a real export of the HR system")
    new.add_argument("--out", type=Path, metavar="FEED", help="write it there, unless there is a file already")
    new.set_defaults(run=feed.new)
    check_feed = commands.add_parser("check", help="say whether a feed file can be used, and every problem if not")
    check_feed.add_argument("feed", type=Path, metavar="FEED")
    check_feed.set_defaults(run=feed.check)
    schema = commands.add_parser("schema", help="print the JSON Schema of feed files, for editors")
    schema.set_defaults(run=feed.schema)


def _file_and_feed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the HR file")
    parser.add_argument("--feed", type=Path, required=True, metavar="FEED", help="its feed file")
