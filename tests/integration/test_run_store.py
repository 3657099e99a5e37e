"""The record of a run has several writers; none may write over what another has just put down."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.adapters.blob_storage import AzureBlobStore
from shared.adapters.system_clock import SystemClock
from shared.errors import BlobChangedError
from shared.run.record import Notice
from shared.workflows.run_store import RunStore
from tests.platform.hr_files import hr_csv, workers


def test_a_change_that_comes_in_between_is_kept(world):
    run = world.upload(hr_csv(*workers(1)))
    runs, calls = RunStore(AzureBlobStore(world.service), SystemClock()), []
    late = datetime(2030, 1, 1, tzinfo=UTC)

    def slow(record):
        calls.append(record)
        if len(calls) == 1:
            runs.update("contoso", run["run"], lambda other: other.changed(not_before=late))
        return record.changed(notices=[Notice(code="noLineEnd", message="x", rows=1)])

    after = runs.update("contoso", run["run"], slow)
    assert len(calls) == 2
    assert (after.not_before, len(after.notices)) == (late, 1)


def test_a_version_that_is_gone_is_not_written_over(world):
    store = AzureBlobStore(world.service)
    first = store.create("state", "x", b"1")
    store.replace("state", "x", b"2", first)
    with pytest.raises(BlobChangedError):
        store.replace("state", "x", b"3", first)
    with pytest.raises(BlobChangedError):
        store.create("state", "x", b"4")
    assert world.blob("state", "x") == b"2"
