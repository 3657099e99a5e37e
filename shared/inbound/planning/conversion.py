"""From an HR file's bytes to its working set: read, map, check, put in order. What is planned is then only written."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.errors import HrFileError
from shared.inbound.mapping.attribute_mapping import AttributeMapping
from shared.inbound.mapping.scim_mapping import ScimMapping
from shared.inbound.planning.file_notices import dropped_notice, file_notices, manager_notices
from shared.inbound.planning.working_set import WorkingSet
from shared.inbound.reading.hr_file import HrFile, no_workbooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from shared.inbound.feeds.feed_file import Feed
    from shared.inbound.reading.hr_file import ReadWorkbook
    from shared.run.record import Notice


@dataclass(frozen=True)
class Converted:
    """What was learnt of the file on the way. `columns`: HR's own, without those of a `set_aside.csv`."""

    columns: list[str]
    notices: list[Notice]


@contextmanager
def _without_cyclic_gc() -> Iterator[None]:
    """Rows are many small lists, and none is part of a cycle: to look for cycles among them takes time for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def open_working_set(feed: Feed) -> WorkingSet:
    """An empty working set for files of that feed; a context."""
    return WorkingSet(feed.rows)


def mapping_for(feed: Feed, hr_file: HrFile, now: datetime) -> AttributeMapping | ScimMapping:
    """What makes users of the file's rows.

    Raises:
        HrFileError: the feed's rules don't fit the file.
    """
    if feed.file.format == "scim":
        return ScimMapping(hr_file.columns, feed.file.ignore_attributes)
    today = now.astimezone(ZoneInfo(feed.time_zone)).date()
    columns = hr_file.columns
    if not hr_file.is_own_set_aside:
        return AttributeMapping(feed, columns, today, typed_dates=hr_file.has_typed_dates)
    try:  # it may come from a workbook, whose dates stand in it as they were read
        return AttributeMapping(feed, columns, today, typed_dates=True)
    except HrFileError:
        return AttributeMapping(feed, columns, today)


def convert(
    chunks: Iterable[bytes],
    feed: Feed,
    working_set: WorkingSet,
    now: datetime,
    *,
    read_workbook: ReadWorkbook = no_workbooks,
    still_alive: Callable[[], None] = lambda: None,
) -> Converted:
    """Take every row of the file into the working set, and arrange it.

    Args:
        chunks: the file's bytes in order.
        feed: its feed file.
        working_set: an empty one, from `open_working_set`.
        now: the moment that decides what day it is in the feed's time zone.
        read_workbook: reads workbooks.
        still_alive: called every now and then; what it raises ends the work.

    Raises:
        HrFileError: the file is refused.
    """
    with _without_cyclic_gc(), HrFile(chunks, feed.file, feed.mapped_columns, read_workbook) as hr_file:
        mapping = mapping_for(feed, hr_file, now)
        working_set.load(map(mapping.map, hr_file.batches()), still_alive)
        notices = file_notices(hr_file)
        columns = list(hr_file.header.columns)
    if isinstance(mapping, ScimMapping) and mapping.dropped:
        notices.append(dropped_notice(mapping.dropped))
    working_set.arrange(still_alive)
    return Converted(columns, [*notices, *manager_notices(working_set, feed)])
