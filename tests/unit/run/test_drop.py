"""Drops: which feed they belong to, which run is theirs, and which files are still being written."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.run.drop import FEED_NAME, NO_FEED, dropped_at
from tests.unit.builders import NOON, PROPERTY, drop


@pytest.mark.parametrize(
    ("blob_name", "feed", "file"),
    [
        ("contoso/workers.csv", "contoso", "workers.csv"),
        ("contoso/2026/09/workers.csv", "contoso", "2026/09/workers.csv"),
        ("Contoso_HR-2/workers.csv", "Contoso_HR-2", "workers.csv"),
        ("7/workers.csv", "7", "workers.csv"),
        ("contoso/Zoë's workers.csv", "contoso", "Zoë's workers.csv"),
        (f"{'f' * 63}/workers.csv", "f" * 63, "workers.csv"),
    ],
)
def test_the_first_folder_is_the_feed_and_the_rest_the_file(blob_name: str, feed: str, file: str):
    assert (drop(blob_name).feed, drop(blob_name).file) == (feed, file)


@pytest.mark.parametrize(
    "blob_name",
    [
        "workers.csv",
        "/workers.csv",
        "_no-feed/workers.csv",
        "-contoso/workers.csv",
        ".contoso/workers.csv",
        "../contoso/workers.csv",
        "con toso/workers.csv",
        "con.toso/workers.csv",
        "contoso\n/workers.csv",
        "Zoë/workers.csv",
        f"{'f' * 64}/workers.csv",
    ],
    ids=repr,
)
def test_a_folder_with_an_odd_name_is_no_feed_and_the_file_keeps_its_whole_name(blob_name: str):
    assert (drop(blob_name).feed, drop(blob_name).file) == (NO_FEED, blob_name)


def test_no_folder_can_be_mistaken_for_the_place_of_files_without_a_feed():
    assert not FEED_NAME.fullmatch(NO_FEED)


def test_a_run_id_begins_with_the_time_of_the_drop():
    run_id = drop().run_id
    assert re.fullmatch(r"20260901T120000Z-[0-9a-f]{12}", run_id)
    assert dropped_at(run_id) == "20260901T120000Z"


def test_the_same_version_is_the_same_run():
    assert drop().run_id == drop().run_id


def test_quotes_around_the_etag_make_no_other_run():
    assert drop(etag='"0x8DC1"').run_id == drop(etag="0x8DC1").run_id


@pytest.mark.parametrize(
    "other",
    [
        drop(etag="0x8DC2"),
        drop("contoso/workers2.csv"),
        drop("fabrikam/workers.csv"),
        drop("contoso/Workers.csv"),
        drop(dropped_at=NOON + timedelta(seconds=1)),
    ],
)
def test_another_version_is_another_run(other: object):
    assert other.run_id != drop().run_id  # type: ignore[attr-defined]


def test_a_run_id_never_changes_since_runs_are_stored_under_it():
    assert drop().run_id == "20260901T120000Z-b2431b52b240"


@PROPERTY
@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=5, unique=True))
def test_run_ids_sort_by_time_of_drop(seconds: list[int]):
    drops = [drop(dropped_at=NOON + timedelta(seconds=s)) for s in seconds]
    by_id = sorted(drops, key=lambda d: d.run_id)
    assert by_id == sorted(drops, key=lambda d: d.dropped_at)


@PROPERTY
@given(st.text(min_size=1))
def test_whatever_its_name_a_drop_has_a_feed_a_file_and_a_run_id_that_can_name_a_folder(blob_name: str):
    found = drop(blob_name)
    assert found.feed == NO_FEED or FEED_NAME.fullmatch(found.feed)
    assert blob_name in (found.file, f"{found.feed}/{found.file}")
    assert re.fullmatch(r"[0-9TZ]+-[0-9a-f]{12}", found.run_id)


@pytest.mark.parametrize(
    "name",
    ["w.tmp", "w.csv.part", "w.filepart", "w.partial", "w.csv.crdownload", "W.TMP", ".w.csv", ".hidden", "sub/.w.csv"],
)
def test_a_file_that_is_still_being_written_is_left_alone(name: str):
    assert drop(f"contoso/{name}").is_unfinished
    assert drop(name).is_unfinished


@pytest.mark.parametrize("name", ["w.csv", "w", "tmp", "w.tmp.csv", "part.csv", "w.tmp/x.csv", "w.csv.parts", "a.b.c"])
def test_every_other_name_is_a_finished_file(name: str):
    assert not drop(f"contoso/{name}").is_unfinished
