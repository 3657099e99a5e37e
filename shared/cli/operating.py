"""What the commands for operators have in common: a connection, one run by a part of its id, JSON, exit status."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from shared.cli.opening import REFUSED, say_error
from shared.errors import ConnectorError, RunDamagedError
from shared.ports import FEEDS
from shared.run.drop import FEED_NAME
from shared.run.record import OperatorAction
from shared.workflows.operate_run import NothingToDoError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from shared.cli.connection import Connection
    from shared.ports import BlobStore
    from shared.run.record import RunRecord
    from shared.workflows.run_heads import RunHead
    from shared.workflows.run_store import RunStore

SOMETHING_TO_DO = 1
_LISTED = 10
_AT_ONCE = 16


class NoSuchRunError(ConnectorError):
    """No run, or more than one, has an id like that."""


class NoSuchFeedError(ConnectorError):
    """There is no such feed; the text lists those that there are."""


def operating(command: Callable[..., int]) -> Callable[..., int]:
    """A command that is given the connection first; what it can't do is said in a sentence."""

    def run(*, storage: str | None, graph_endpoint: str | None, **arguments: Any) -> int:
        # The SDKs take a while to import, which commands without a connection need not wait for.
        from azure.core.exceptions import AzureError

        from shared.cli.connection import open_connection, process_environment
        from shared.cli.refusals import in_words

        connection = None
        try:
            connection = open_connection(storage, graph_endpoint, process_environment())
            return command(connection, **arguments)
        except NothingToDoError as error:
            say_error(str(error))
            return SOMETHING_TO_DO
        except (ConnectorError, AzureError) as error:
            say_error(in_words(error, connection.storage if connection else ""))
            return REFUSED

    return run


def find_run(runs: RunStore, text: str) -> RunRecord:
    """The run with that id, the only one whose id contains it, or that of the newest drop of that name.

    Args:
        runs: where they lie.
        text: also with the feed before it, `feed/run` or `feed/file`.

    Raises:
        NoSuchRunError: there is none, or there are several, which it lists.
        RunDamagedError: its record can't be read.
    """
    heads = runs.heads()
    feed, slash, part = text.rpartition("/")
    ours = [head for head in heads if not slash or head.feed == feed]
    found = [head for head in ours if head.run == part]
    if not found and part:
        found = [head for head in ours if part.lower() in head.run.lower()]
    if len(found) > 1:
        some = ", ".join(f"{head.feed}/{head.run}" for head in found[-_LISTED:])
        more = f" and {len(found) - _LISTED} older ones" if len(found) > _LISTED else ""
        raise NoSuchRunError(f"{len(found)} runs have {text} in their id: {some}{more}. Give more of it")
    record = runs.load(found[0].feed, found[0].run) if found else _newest_of_file(runs, heads, text)
    if record is None:
        raise NoSuchRunError(f"No run has {text} in its id, nor its file's name; `python -m shared runs` lists them")
    return record


def refuse_unknown_feed(feed: str, store: BlobStore) -> None:
    """Raises NoSuchFeedError where the container feeds has no feed file of that name."""
    if not FEED_NAME.fullmatch(feed) or store.read(FEEDS, f"{feed}.yaml") is None:
        names = sorted(blob.name for blob in store.list(FEEDS) if blob.name.endswith(".yaml"))
        there = ", ".join(name.removesuffix(".yaml") for name in names) or "none"
        raise NoSuchFeedError(f"There is no feed file {feed}.yaml in the container feeds; the feeds are: {there}")


def _newest_of_file(runs: RunStore, heads: list[RunHead], name: str) -> RunRecord | None:
    def record(head: RunHead) -> RunRecord | None:
        try:
            return runs.load(head.feed, head.run)
        except RunDamagedError:
            return None

    with ThreadPoolExecutor(_AT_ONCE) as at_once:
        for end in range(len(heads), 0, -_AT_ONCE):
            some = heads[max(0, end - _AT_ONCE) : end]
            for found in reversed(list(at_once.map(record, some))):
                # Rows that were sent again have a run of their own, which is no drop: its id names it.
                if found and not found.resend_of and name in (found.file, f"{found.feed}/{found.file}"):
                    return found
    return None


def operator_action(
    connection: Connection, action: Literal["resume", "cancel", "resend"], by: str | None, why: str | None
) -> OperatorAction:
    """What goes into run.json about this command."""
    return OperatorAction(action=action, by=by or connection.user(), at=connection.outside.clock.now(), why=why)


def print_json(data: object) -> None:
    """On standard output."""
    print(json.dumps(data, indent=2, ensure_ascii=False))  # noqa: T201


def record_json(record: RunRecord) -> dict[str, Any]:
    """run.json."""
    return record.model_dump(mode="json", by_alias=True)
