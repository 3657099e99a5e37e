"""What can go wrong, named by what happens next.

ConnectorError
├── ConfigurationError    nothing runs until an app setting, a container or a lock is repaired
├── FeedFileError         no file of this feed is processed until its feed file is repaired
├── HrFileError           the whole file is refused; HR exports it again
├── DropGoneError         the drop was overwritten or deleted while it was read; its successor has its own run
├── LeaseLostError        another sender has this job now, or another planner this drop; write nothing more
├── BlobChangedError      somebody else wrote the blob first; read it again
├── RunDamagedError       a run's blobs contradict each other; a person looks
├── NewerRunUnreadableError  an older run waits, since nobody can tell what a newer one has sent
├── NoTokenError          the identity endpoint gave no token
├── LogsUnavailableError  the provisioning logs can't be read now; the next report tries again
└── StepFailedError       a trigger met an error that is not ours; the host or the next tick tries again

A row that can't be sent is no exception: it is data, a `RowProblem` of the working set.
Messages hold ids, numbers, names of columns and of settings, never the text of a cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from traceback import walk_tb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODE = re.compile(r"[A-Za-z0-9_]{1,80}")


@dataclass(frozen=True)
class Reason:
    """Why something was refused, held, blocked or set aside, for a person.

    `code` is stable and meant for programs, `message` says what is wrong and where, `advice` what to do about it.
    """

    code: str
    message: str
    advice: str


class ConnectorError(Exception):
    """Base of everything the connector raises on purpose."""


class ConfigurationError(ConnectorError):
    """What is missing or wrong in app settings or in the storage account; `problems` has one sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("The deployment needs repair: " + " ".join(problems))
        self.problems = tuple(problems)


class FeedFileError(ConnectorError):
    """A feed file that can't be used; `problems` has one sentence for each, with its line where there is one."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class HrFileError(ConnectorError):
    """A file that is refused whole."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.reason = Reason(code, message, advice)


class DropGoneError(ConnectorError):
    """The blob no longer has the version that the run is about."""


class LeaseLostError(ConnectorError):
    """The lease on a provisioning job, or on the planning of a drop, could not be renewed."""


class BlobChangedError(ConnectorError):
    """A conditional write met a newer version, or a blob where none was expected."""


class RunDamagedError(ConnectorError):
    """Somebody changed or deleted blobs of a run."""


class NewerRunUnreadableError(ConnectorError):
    """What a newer run says can't be read, so what an older one says may be out of date."""

    def __init__(self, feed: str, run: str) -> None:
        super().__init__(f"the blobs of run {run} can't be read")
        self.feed = feed
        self.run = run


class NoTokenError(ConnectorError):
    """There is no token to send; the text names the kind of error only."""


class LogsUnavailableError(ConnectorError):
    """The provisioning logs answered with something other than records."""

    def __init__(self, status: int | None, code: str) -> None:
        super().__init__(f"the provisioning logs answered {status or 'nothing'} ({code})")
        self.status = status
        self.code = code


class StepFailedError(ConnectorError):
    """Stands for an error whose text could hold anything, such as a URL with a file's name."""

    def __init__(self, step: str, kind: str) -> None:
        """Takes the trigger's name and the error's class, with the status and code that storage gave."""
        super().__init__(
            f"{step} stopped at an error that is not its own: {kind}. It is tried again by itself; nothing is lost. "
            "If it lasts, see whether the storage account can be reached from the function app and lets its identity "
            "in; else the exception's lines of code say where it stopped."
        )


_OF_IDS_AND_NUMBERS = (
    ConfigurationError,
    DropGoneError,
    LeaseLostError,
    BlobChangedError,
    RunDamagedError,
    NewerRunUnreadableError,
    NoTokenError,
    LogsUnavailableError,
    StepFailedError,
)


def loggable_text(error: BaseException) -> str | None:
    """The text of an error that may stand in a log; None for foreign ones, and for ours that quote a file or a person.

    An HrFileError can name what stands in a header or in an archive; it belongs into the run's record.
    """
    return str(error) if isinstance(error, _OF_IDS_AND_NUMBERS) else None


def error_kind(error: BaseException) -> str:
    """Its class, which may stand in a log whatever its text holds; of an answer of storage also status and code."""
    status, code = getattr(error, "status_code", None), getattr(error, "error_code", None)
    told = [f"status {status}"] if isinstance(status, int) else []
    text = str(getattr(code, "value", code))
    told += [text] if code is not None and _CODE.fullmatch(text) else []
    return f"{type(error).__name__} ({', '.join(told)})" if told else type(error).__name__


def error_fields(error: BaseException) -> dict[str, str]:
    """For an event: the error's kind, and the last line of ours that it came through (`shared.workflows.pace:210`)."""
    frames = [(frame.f_globals.get("__name__", ""), line) for frame, line in walk_tb(error.__traceback__)]
    places = [f"{module}:{line}" for module, line in frames if module.startswith("shared.")]
    return {"error": error_kind(error), **({"at": places[-1]} if places else {})}
