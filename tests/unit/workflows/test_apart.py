"""What goes wrong with one thing is told by its class, and in words only where the words are safe to log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from shared.errors import (
    BlobChangedError,
    ConfigurationError,
    FeedFileError,
    HrFileError,
    LogsUnavailableError,
    RunDamagedError,
)
from shared.workflows.apart import apart, error_once
from shared.workflows.operate_run import NothingToDoError
from shared.workflows.outside import Outside


def told_of(error: BaseException) -> dict[str, object]:
    told: list[dict[str, object]] = []
    events = SimpleNamespace(error=lambda event, **fields: told.append({"event": event, **fields}))
    with apart("job.notSent", cast(Outside, SimpleNamespace(events=events)), job="a job"):
        raise error
    (one,) = told
    return one


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigurationError(["There is no container state."]), "There is no container state."),
        (RunDamagedError("rows.ndjson names 3 rows, the plan 4"), "rows.ndjson names 3 rows"),
        (BlobChangedError("state: the blob has another version by now"), "another version"),
        (LogsUnavailableError(503, "busy"), "answered 503 (busy)"),
    ],
)
def test_an_own_error_is_told_in_its_words(error, words):
    told = told_of(error)
    assert (told["event"], told["job"], told["error"]) == ("job.notSent", "a job", type(error).__name__)
    assert words in str(told["detail"])


@pytest.mark.parametrize(
    "error",
    [
        ValueError("W00001 is odd"),
        HrFileError("emptyFile", "The sheet W00001 has no cell with anything in it.", "Export it again."),
        FeedFileError(["line 3: W00001 is no column"]),
        NothingToDoError("The run was cancelled by W00001."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_could_quote_a_file_or_a_person_is_told_by_its_class(error):
    told = told_of(error)
    assert str(told.pop("at")).startswith("shared.workflows.apart:")
    assert told == {"event": "job.notSent", "job": "a job", "error": type(error).__name__}


def test_with_once_something_else_about_the_same_thing_is_told_as_well():
    told: list[object] = []
    events = SimpleNamespace(error=lambda _event, **fields: told.append(fields["error"]))
    outside = cast(Outside, SimpleNamespace(events=events, told_once=set()))
    for error in (OSError(), OSError(), RunDamagedError("rows.ndjson is gone")):
        with apart("run.damaged", outside, once=True, run="1"):
            raise error
    assert told == ["OSError", "RunDamagedError"]


def test_what_ends_the_process_passes():
    with pytest.raises(SystemExit):
        told_of(SystemExit())


def test_what_lasts_is_told_once_for_each_thing_and_each_run():
    told: list[tuple[str, object]] = []
    events = SimpleNamespace(error=lambda event, **fields: told.append((event, fields["run"])))
    outside = cast(Outside, SimpleNamespace(events=events, told_once=set()))
    for _ in range(3):
        for event in ("run.damaged", "run.notCancelled"):
            for run in ("1", "2"):
                error_once(outside, event, ValueError("W00001 is odd"), run=run, feed="contoso")
    assert sorted(told) == [(event, run) for event in ("run.damaged", "run.notCancelled") for run in ("1", "2")]
