"""Rows of `set_aside.csv` and `excluded.csv` that are about one worker: the key is in HR's own cells."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from shared.errors import FeedFileError, RunDamagedError
from shared.inbound.feeds.feed_file import parse_feed
from shared.inbound.mapping.cell_problem import same_key
from shared.inbound.mapping.compiled_attribute import CompiledAttribute
from shared.inbound.reading.own_set_aside import OWN_COLUMNS, own_cells
from shared.ports import RUNS
from shared.scim.attribute_path import EXTERNAL_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from shared.inbound.feeds.feed_file import Feed
    from shared.ports import BlobStore
    from shared.run.record import RunRecord

    KeysOf = Callable[[Sequence[str]], set[str]]

_FEED_COPY = "feed.yaml"
_CODE = re.compile(r"\[(\w+)\](?= |$)")


class LeftOutRow(NamedTuple):
    """A row that was not sent. `codes`: those of its problems, with commas."""

    line: int
    codes: str | None
    problem: str
    what_to_do: str


def left_out_rows(key: str, name: str, record: RunRecord, store: BlobStore) -> Iterator[LeftOutRow]:
    """The rows with that key in one of a run's csv files, streamed.

    Args:
        key: from `same_key`.
        name: the file below the run's folder.
        record: the run.
        store: where it lies.

    Raises:
        RunDamagedError: the file, or the copy of the feed file that tells which column the key is in, is not what it
            was.
    """
    feed = _feed(record, store)
    rows = csv.reader(_text(store.lines(RUNS, f"{record.feed}/{record.run}/{name}")))
    try:
        header = next(rows, None)
        keys_of = _keys(feed, own_cells(header or []), record.dropped_at.date())
        for row in rows:
            if key in keys_of(own_cells(row)):
                line, _, problem, what_to_do = row[: len(OWN_COLUMNS)]
                codes = ", ".join(dict.fromkeys(_CODE.findall(problem)))
                yield LeftOutRow(int(line), codes or None, problem, what_to_do)
    except (csv.Error, ValueError):
        raise RunDamagedError(f"{name} of run {record.run} is not as it was written") from None


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line.decode("utf-8" if number else "utf-8-sig") + "\n"


def _feed(record: RunRecord, store: BlobStore) -> Feed:
    """The feed file as it was when the run was planned."""
    found = store.read(RUNS, f"{record.feed}/{record.run}/{_FEED_COPY}")
    try:
        return parse_feed(found.content if found else b"")
    except FeedFileError:
        raise RunDamagedError(f"{_FEED_COPY} of run {record.run} is gone, or not what it was") from None


def _keys(feed: Feed, columns: Sequence[str], day: date) -> KeysOf:
    """What gives the keys that a row's own cells stand for: as HR wrote it, and as the mapping makes it."""
    if feed.file.format == "scim":
        place = columns.index("user")
        return lambda cells: _key_of_user(cells[place] if place < len(cells) else "")
    rule = feed.rules[EXTERNAL_ID]
    position = {name: columns.index(name) for name in rule.columns}
    mapped = CompiledAttribute(EXTERNAL_ID, rule, position, day, typed_dates=False)

    def keys_of(cells: Sequence[str]) -> set[str]:
        whole = [*cells, *[""] * (len(columns) - len(cells))]
        texts = [mapped.value(whole), *(whole[place].strip() for place in position.values())]
        return {same_key(text) for text in texts if isinstance(text, str) and text}

    return keys_of


def _key_of_user(text: str) -> set[str]:
    try:
        user = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    found = user.get("externalId") if isinstance(user, dict) else None
    return {same_key(found.strip())} if isinstance(found, str) and found.strip() else set()
