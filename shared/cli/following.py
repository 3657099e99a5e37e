"""Watch a run until nothing moves any more without a person; bars on standard error where that is a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from shared.run.row_state import OPEN, RowState
from shared.run.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.cli.connection import Connection
    from shared.run.drop import Drop
    from shared.run.record import RunRecord

_LOOK_EVERY_SECONDS = 1.0
_NOTHING_MOVES = (RunState.SETTLED, RunState.HELD, RunState.REFUSED, RunState.BLOCKED)


def stages(record: RunRecord) -> tuple[int, int, int]:
    """How many rows are planned or past it, answered by the API or past it, and in a final state."""
    waiting, accepted = record.counts[RowState.PLANNED], record.counts[RowState.ACCEPTED]
    return record.rows, record.rows - waiting, record.rows - waiting - accepted


class Follower:
    """Follows one run."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read yet."""
        self._connection = connection
        self._console = Console(stderr=True)

    def is_over(self, record: RunRecord) -> bool:
        """Whether nothing happens to it any more without a person."""
        is_final = record.state is RunState.SENT and not any(record.counts[state] for state in OPEN)
        return record.state in _NOTHING_MOVES or is_final

    @contextmanager
    def uploading(self, size: int) -> Iterator[Callable[[int, int | None], None]]:
        """Gives what takes in how many bytes are uploaded."""
        columns = (TextColumn("uploading"), BarColumn(), DownloadColumn())
        with self._bars(*columns) as progress:
            task = progress.add_task("", total=size)
            yield lambda current, _total: progress.update(task, completed=current)

    def follow(self, drop: Drop, seconds: float) -> RunRecord | None:
        """The run as it is when it is over, when the time is, or as soon as it waits for longer than that.

        None where there is none yet.
        """
        clock, runs = self._connection.outside.clock, self._connection.runs
        until = clock.monotonic() + seconds
        columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with self._bars(*columns) as progress:
            tasks = [progress.add_task(name, total=None) for name in ("planned", "accepted", "settled")]
            while True:
                record = runs.load(drop.feed, drop.run_id)
                if record:
                    for task, count in zip(tasks, stages(record), strict=True):
                        progress.update(task, total=record.rows, completed=count)
                left = until - clock.monotonic()
                if left <= 0 or (record and (self.is_over(record) or self._waits_longer(record, left))):
                    return record
                clock.sleep(_LOOK_EVERY_SECONDS)

    def _waits_longer(self, record: RunRecord, seconds: float) -> bool:
        not_before = record.not_before
        return not_before is not None and (not_before - self._connection.outside.clock.now()).total_seconds() > seconds

    def _bars(self, *columns: ProgressColumn) -> Progress:
        return Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
