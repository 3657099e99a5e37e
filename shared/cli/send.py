"""`send`: drop a file as an HR system would, then follow the run of exactly that version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

from shared.cli.following import Follower
from shared.cli.opening import REFUSED, say_error
from shared.cli.operating import SOMETHING_TO_DO, print_json, refuse_unknown_feed
from shared.cli.show import show_run
from shared.errors import ConnectorError, RunDamagedError
from shared.ports import HR_DROP
from shared.run.drop import Drop

if TYPE_CHECKING:
    from pathlib import Path

    from shared.cli.connection import Connection
    from shared.ports import BlobListing


class NotDroppedError(ConnectorError):
    """The file was not uploaded; the text says why."""


def send(
    connection: Connection, *, file: Path, feed: str, name: str | None, no_wait: bool, timeout: float, as_json: bool
) -> int:
    """Upload the file and follow its run; `timeout` in minutes. Exit status as `show`'s, 1 where it is not over yet."""
    follower = Follower(connection)
    try:
        drop = _drop(connection, file, feed, name or file.name, follower)
    except OSError as error:
        say_error(f"{file}: {error.strerror or 'can not be read'}.")
        return REFUSED
    if no_wait:
        _say_where(drop, in_json=as_json)
        return 0
    try:
        record = follower.follow(drop, timeout * 60)
    except KeyboardInterrupt:
        say_error("Not followed any more; the run goes on by itself.")
        _say_where(drop, in_json=as_json)
        return SOMETHING_TO_DO
    if record is None:
        say_error(
            "The file is there, but no run yet. Is the function app running and its event subscription in place? "
            f"python -m shared doctor --feed {feed}"
        )
        _say_where(drop, in_json=as_json)
        return SOMETHING_TO_DO
    status = show_run(connection, record, in_json=as_json)
    if follower.is_over(record):
        return status
    why = "it waits for longer than --timeout" if record.not_before else "--timeout is over"
    say_error(f"Not followed any more: {why}. The run goes on by itself. Later: python -m shared show {record.run}")
    return SOMETHING_TO_DO


def _drop(connection: Connection, file: Path, feed: str, name: str, follower: Follower) -> Drop:
    """Upload it. Raises NotDroppedError, or OSError where the file can't be read."""
    blob_name = f"{feed}/{name}"
    _refuse_what_nobody_would_take(connection, feed, blob_name)
    condition = _condition(connection, blob_name)
    with file.open("rb") as data, follower.uploading(file.stat().st_size) as progress:
        try:
            written = connection.service.get_blob_client(HR_DROP, blob_name).upload_blob(
                data, progress_hook=progress, **condition
            )
        except (ResourceExistsError, ResourceModifiedError):
            raise NotDroppedError(f"Somebody else wrote {blob_name} just now; nothing was uploaded") from None
    return Drop(blob_name, str(written["etag"]), written["last_modified"], file.stat().st_size)


def _refuse_what_nobody_would_take(connection: Connection, feed: str, blob_name: str) -> None:
    refuse_unknown_feed(feed, connection.outside.store)
    if not blob_name.partition("/")[2] or blob_name.endswith("/"):
        raise NotDroppedError("The file needs a name: --name NAME")
    if any(part in (".", "..") for part in blob_name.split("/")) or not blob_name.isprintable():
        raise NotDroppedError(
            "Storage would not keep a name with . or .. for a folder, or with control characters: "
            "give another with --name"
        )
    if Drop(blob_name, "", connection.outside.clock.now(), 0).is_unfinished:
        raise NotDroppedError(
            "The connector leaves files of such a name alone, since writers use them while a file grows: "
            "give another with --name"
        )


def _condition(connection: Connection, blob_name: str) -> dict[str, Any]:
    """What keeps the upload from replacing a version that has not been planned yet."""
    found = next((blob for blob in connection.outside.store.list(HR_DROP, blob_name) if blob.name == blob_name), None)
    if found is None:
        return {"overwrite": False}
    if not _has_run(connection, found):
        raise NotDroppedError(
            f"{blob_name} is there already and has no run yet: its rows would be lost. Wait a minute, or use --name"
        )
    return {"overwrite": True, "etag": found.etag, "match_condition": MatchConditions.IfNotModified}


def _has_run(connection: Connection, blob: BlobListing) -> bool:
    drop = Drop(blob.name, blob.etag, blob.last_modified, blob.size)
    try:
        return connection.runs.load(drop.feed, drop.run_id) is not None
    except RunDamagedError:
        return True


def _say_where(drop: Drop, *, in_json: bool) -> None:
    if in_json:
        print_json({"run": drop.run_id, "feed": drop.feed, "file": drop.file})
    else:
        print(f"Run {drop.run_id}: python -m shared show {drop.run_id}")  # noqa: T201
        print("It takes up to a minute until a dropped file has its run; before that, show finds none.")  # noqa: T201
