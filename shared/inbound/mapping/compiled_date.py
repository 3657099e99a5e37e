"""Dates: a cell's text in a declared format to a day, or to ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.errors import HrFileError
from shared.inbound.mapping.cell_problem import CellProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.inbound.feeds.mapping_steps import DateStep

_CACHED = 16_384
_ISO = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")
"""As the date cells of a workbook are read."""


def with_typed_dates(layouts: Sequence[str], *, typed_dates: bool) -> tuple[str, ...]:
    """The declared formats, and those of a workbook's date cells.

    Raises:
        HrFileError: a declared format reads the text of a date cell as another day.
    """
    if not typed_dates:
        return tuple(layouts)
    probe = date(2021, 3, 4)
    for layout in layouts:
        try:
            is_other = datetime.strptime(probe.isoformat(), layout).date() != probe
        except ValueError:
            continue
        if is_other:
            raise HrFileError(
                "ambiguousDates",
                f"The feed file declares the date format {layout}, under which a date cell of a workbook would be "
                "read as another day.",
                "Format the column as text in the workbook and drop it as CSV, or declare another format.",
            )
    return (*layouts, *(layout for layout in _ISO if layout not in layouts))


def date_reader(layouts: Sequence[str]) -> Callable[[str], datetime]:
    """Reads a text in the first of the formats that fits; raises CellProblem."""
    quick = _quick_reader(layouts[0])
    widths = {layout: _whole_width(layout) for layout in layouts}
    declared = " or ".join(layout for layout in layouts if layout not in _ISO) or layouts[0]

    @lru_cache(maxsize=_CACHED)
    def read(text: str) -> datetime:
        if (moment := quick(text)) is not None:
            return moment
        for layout in layouts:
            if widths[layout] in (None, len(text)):
                try:
                    return datetime.strptime(text, layout)
                except ValueError:
                    continue
        raise CellProblem(
            "dateFormat",
            f"The date is not written as the feed file declares ({declared}), or is no day of the calendar.",
            "Correct the date in the HR system, or the declared format in the feed file.",
        )

    return read


def _whole_width(layout: str) -> int | None:
    """How long a date is where numbers stand side by side: with a zero missing, nobody knows whose digit is whose.

    None where something stands between them.
    """
    if not re.search("%[dmYjHMSf]%[dmYjHMSf]", layout):
        return None
    return len(datetime(2021, 12, 13, 14, 15, 16).strftime(layout))


def _quick_reader(layout: str) -> Callable[[str], datetime | None]:
    """Reads the usual digits of a layout of day, month and year, in a tenth of strptime's time; None says nothing."""
    codes = re.findall("%(.)", layout)
    if sorted(codes) != ["Y", "d", "m"]:
        return lambda _text: None
    digits = {"Y": r"(\d{4})", "m": r"(\d\d)", "d": r"(\d\d)"}
    parts = re.split("%([Ymd])", layout)
    pattern = re.compile("".join(digits[p] if i % 2 else re.escape(p) for i, p in enumerate(parts)), re.ASCII)
    year, month, day = (codes.index(code) + 1 for code in "Ymd")

    def read(text: str) -> datetime | None:
        match = pattern.fullmatch(text)
        try:
            return datetime(int(match[year]), int(match[month]), int(match[day])) if match else None
        except ValueError:
            return None

    return read


def as_declared(layouts: Sequence[str]) -> Callable[[str], str]:
    """A workbook's date cell as text in the first of the declared formats; any other text as it is."""

    def declared(text: str) -> str:
        for layout in _ISO:
            try:
                return datetime.strptime(text.strip(), layout).strftime(layouts[0])
            except ValueError:
                continue
        return text

    return declared


def date_step(step: DateStep, *, typed_dates: bool) -> Callable[[str], str]:
    """ISO 8601 as the step says. `2021-05-01T00:00:00Z` unless it says otherwise."""
    read = date_reader(with_typed_dates(step.formats, typed_dates=typed_dates))
    if step.output == "date":
        return lambda text: read(text.strip()).date().isoformat()
    of_day = time.fromisoformat(step.time) if step.time else None
    zone = ZoneInfo(step.time_zone) if step.time_zone and step.time_zone != "UTC" else None

    @lru_cache(maxsize=_CACHED)
    def iso(text: str) -> str:
        moment = read(text.strip())
        if of_day is not None and moment.time() == time():
            moment = datetime.combine(moment, of_day)
        return _in_zone(moment, zone).isoformat() if zone else moment.isoformat() + "Z"

    return iso


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """A local time that the clocks skip in spring is the one that they show instead."""
    local = moment.replace(tzinfo=zone)
    try:
        shown = datetime.fromtimestamp(local.timestamp(), zone)
    except (OverflowError, ValueError, OSError):
        shown = local
    offset = shown.utcoffset()
    if offset is None or not offset.seconds % 60:
        return shown
    try:  # before about 1900; RFC 3339 has no seconds in an offset
        return shown.astimezone(UTC)
    except OverflowError:
        return shown
