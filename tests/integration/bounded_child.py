"""A function in a process of its own that may take little memory and little time: what breaks these bounds is seen."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import warnings
from contextlib import ExitStack
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.adapters.workbook_reader import read_workbook
from shared.errors import FeedFileError, HrFileError
from shared.inbound.feeds.feed_file import parse_feed
from shared.inbound.planning.bulk_request import request_files
from shared.inbound.planning.conversion import convert, open_working_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.inbound.feeds.feed_file import Feed

MEGABYTES = 700
"""Address space beyond what the interpreter has before it begins; the smallest function app has 2,048 MB."""
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "tests.integration.hostile_texts", "tests.integration.hostile_packages"])


class Outcome(NamedTuple):
    """What became of a file: the code of its refusal, or its rows by state and the codes of those set aside."""

    refused: str | None = None
    rows: int = 0
    planned: int = 0
    set_aside: frozenset[str] = frozenset()
    failed: str | None = None
    megabytes: int = 0


def refusal(code: str) -> Outcome:
    return Outcome(refused=code)


def outcome_of(chunks: Iterable[bytes], feed: Feed) -> Outcome:
    """Everything that planning does with a file, but for the storage."""
    with ExitStack() as stack:
        try:
            working_set = stack.enter_context(open_working_set(feed))
            convert(chunks, feed, working_set, datetime(2026, 9, 1, tzinfo=UTC), read_workbook=read_workbook)
        except HrFileError as error:
            return _worded(error)
        planned = sum(file.operations for file in request_files(working_set.planned(), "run"))
        codes = {problem.code for row in working_set.set_aside() for problem in row.problems}
        counted = planned + working_set.set_aside_count() + working_set.excluded_count()
        assert counted == working_set.row_count, "every row is in one state"
        working_set.problem_kinds()
        return Outcome(None, working_set.row_count, planned, frozenset(codes))


def _worded(error: HrFileError) -> Outcome:
    """A refusal that says what to do, in words that can be written and are no more than a person reads."""
    reason = error.reason
    assert reason.message
    assert reason.advice
    assert len(f"{reason.message}{reason.advice}".encode()) < 20_000
    return refusal(reason.code)


def feed_outcome(content: bytes) -> Outcome:
    """Whether a feed file can be used."""
    try:
        parse_feed(content)
    except FeedFileError as error:
        refused = error.problems
    else:
        return Outcome(rows=1)
    assert refused
    assert "".join(refused).encode()
    return refusal("invalidFeedFile")


def bounded(function: Callable[..., Outcome], *arguments: Any, seconds: float = 30) -> Outcome:
    """What the function gives in a child process, or in `failed` how it ended there."""
    mine, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_child, args=(theirs, function, arguments), daemon=False)
    process.start()
    theirs.close()
    try:
        if not mine.poll(seconds):
            return Outcome(failed=f"still at work after {seconds:.0f} seconds")
        return mine.recv()
    except EOFError:
        return Outcome(failed="the process was ended")
    finally:
        process.kill()
        process.join()
        process.close()
        mine.close()


def _child(answer: Connection, function: Callable[..., Outcome], arguments: tuple[Any, ...]) -> None:
    warnings.simplefilter("ignore")
    _bound_this_process()
    try:
        found = function(*arguments)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
        found = Outcome(failed=f"{type(error).__name__}: {str(error)[:100]}")
    answer.send(found._replace(megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))


def _bound_this_process() -> None:
    """macOS takes RLIMIT_AS and does not keep it, so there only time is bounded."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        most = taken + MEGABYTES * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
