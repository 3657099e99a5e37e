"""`active` by dates, and dates as values: nothing that can't be read decides about anybody."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.errors import HrFileError
from shared.inbound.mapping.attribute_mapping import AttributeMapping
from shared.inbound.reading.row_batch import RowBatch
from tests.unit.builders import (
    BLANKS,
    CELLS,
    CONTOSO,
    TODAY,
    MappedRow,
    codes,
    feed,
    hr_row,
    map_row,
    map_rows,
    mapping_of,
    user_of,
)

DAY = {"date": "%d/%m/%Y"}
STATUS = {"column": "WorkerStatus", "true_when": ["Active"], "false_when": ["Terminated"]}


def active(rule: dict[str, Any], today: date = TODAY, **cells: str) -> Any:
    """True, False, or where and why nobody knows."""
    mapping = mapping_of({"active": rule}, list({**CELLS, "Start": "", "End": "", **cells}), today)
    (found,) = map_rows(mapping, hr_row(**{"Start": "", "End": "", **cells}))
    return found.user["active"] if isinstance(found, MappedRow) else codes(found)


@pytest.mark.parametrize(
    ("start", "expected"),
    [("31/08/2026", True), ("01/09/2026", True), (" 01/09/2026 ", True), ("02/09/2026", False)],
)
def test_nobody_is_active_before_their_first_day(start: str, expected: bool):
    assert active({"from": {"column": "Start", **DAY}}, Start=start) is expected


@pytest.mark.parametrize(("end", "expected"), [("31/08/2026", False), ("01/09/2026", True), ("02/09/2026", True)])
def test_everybody_is_active_on_their_last_day(end: str, expected: bool):
    assert active({"until": {"column": "End", **DAY}}, End=end) is expected


@pytest.mark.parametrize(
    ("day", "shift", "cell", "expected"),
    [
        ("from", {"days_before": 7}, "08/09/2026", True),
        ("from", {"days_before": 7}, "09/09/2026", False),
        ("from", {"days_after": 1}, "01/09/2026", False),
        ("from", {"days_after": 1}, "31/08/2026", True),
        ("until", {"days_after": 30}, "02/08/2026", True),
        ("until", {"days_after": 30}, "01/08/2026", False),
        ("until", {"days_before": 1}, "01/09/2026", False),
        ("until", {"days_before": 1}, "02/09/2026", True),
        ("until", {"days_after": 30}, "31/12/9999", True),
        ("from", {"days_before": 30}, "01/01/0001", True),
    ],
)
def test_a_date_can_take_effect_before_or_after(day: str, shift: dict[str, int], cell: str, expected: bool):
    assert active({day: {"column": "D", **DAY, **shift}}, D=cell) is expected


@BLANKS
def test_a_blank_first_day_sets_the_row_aside_and_a_blank_last_day_is_ignored(blank: str):
    start, end = {"column": "Start", **DAY}, {"column": "End", **DAY}
    assert active({"from": start}, Start=blank) == [("Start", "blankDate")]
    assert active({"from": {**start, "blank": "ignore"}}, Start=blank) is True
    assert active({"until": end}, End=blank) is True
    assert active({"until": {**end, "blank": "set_aside"}}, End=blank) == [("End", "blankDate")]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"WorkerStatus": "Active", "Start": "01/01/2020", "End": ""}, True),
        ({"WorkerStatus": "Terminated", "Start": "01/01/2020", "End": ""}, False),
        ({"WorkerStatus": "Active", "Start": "01/01/2030", "End": ""}, False),
        ({"WorkerStatus": "Active", "Start": "01/01/2020", "End": "01/01/2021"}, False),
    ],
)
def test_status_and_dates_must_all_say_yes(cells: dict[str, str], expected: bool):
    rule = {**STATUS, "from": {"column": "Start", **DAY}, "until": {"column": "End", **DAY}}
    assert active(rule, **cells) is expected


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"WorkerStatus": "Terminated", "End": "soon"}, "dateFormat"),
        ({"WorkerStatus": "?", "End": "01/01/2021"}, "unknownStatus"),
        ({"WorkerStatus": "", "End": ""}, "blankStatus"),
        ({"WorkerStatus": "Active", "End": "2026-09-01"}, "dateFormat"),
        ({"WorkerStatus": "Active", "End": "31/02/2026"}, "dateFormat"),
    ],
)
def test_a_part_that_can_not_be_read_sets_the_row_aside_whatever_the_others_say(cells: dict[str, str], code: str):
    rule = {**STATUS, "until": {"column": "End", **DAY}}
    assert active(rule, **cells) == [("End" if code == "dateFormat" else "WorkerStatus", code)]


def test_the_day_is_the_one_that_is_given_and_not_the_machines():
    rule = {"until": {"column": "End", **DAY}}
    assert [active(rule, date(2030, 1, day), End="02/01/2030") for day in (1, 2, 3)] == [True, True, False]


# Dates as values


@pytest.mark.parametrize(
    ("step", "cell", "value"),
    [
        ({"formats": "%d/%m/%Y"}, "13/05/2021", "2021-05-13T00:00:00Z"),
        ({"formats": ["%d/%m/%Y", "%Y-%m-%d"]}, "2021-05-13", "2021-05-13T00:00:00Z"),
        ({"formats": "%d/%m/%Y", "output": "date"}, "13/05/2021", "2021-05-13"),
        ({"formats": "%d/%m/%Y", "time": "06:00"}, "13/05/2021", "2021-05-13T06:00:00Z"),
        ({"formats": "%d/%m/%Y", "time_zone": "Europe/Berlin"}, "13/05/2021", "2021-05-13T00:00:00+02:00"),
        ({"formats": "%d/%m/%Y", "time_zone": "Europe/Berlin"}, "13/01/2021", "2021-01-13T00:00:00+01:00"),
        (
            {"formats": "%d/%m/%Y", "time": "23:59", "time_zone": "Asia/Tokyo"},
            "13/05/2021",
            "2021-05-13T23:59:00+09:00",
        ),
        ({"formats": "%d/%m/%Y", "time_zone": "UTC"}, "13/05/2021", "2021-05-13T00:00:00Z"),
        ({"formats": "%d/%m/%Y %H:%M", "time_zone": "Europe/Berlin"}, "28/03/2021 02:30", "2021-03-28T03:30:00+02:00"),
    ],
    ids=str,
)
def test_a_date_is_written_as_the_feed_file_says(step: dict[str, Any], cell: str, value: str):
    rule = {f"{CONTOSO}:hireDate": {"column": "HireDate", "date": step}}
    assert user_of(rule, HireDate=cell)[CONTOSO]["hireDate"] == value


@pytest.mark.parametrize("cell", ["01/01/0001", "31/12/9999"])
def test_the_first_and_the_last_day_of_the_calendar_are_dates_in_any_zone(cell: str):
    step = {"formats": "%d/%m/%Y", "time_zone": "Pacific/Auckland"}
    mapped = map_row({f"{CONTOSO}:hireDate": {"column": "HireDate", "date": step}}, HireDate=cell)
    assert isinstance(mapped, MappedRow)
    year, month, day = reversed(cell.split("/"))
    assert mapped.user[CONTOSO]["hireDate"].startswith(f"{year}-{month}-{day}T00:00:00+")


def workbook(cell: str, layout: str) -> Any:
    rule = {f"{CONTOSO}:hireDate": {"column": "HireDate", "date": layout}}
    mapping = AttributeMapping(feed(rule), list(CELLS), TODAY, typed_dates=True)
    return mapping.map(RowBatch([2], [hr_row(HireDate=cell).cells]))


@pytest.mark.parametrize("cell", ["2021-05-13", "2021-05-13T00:00:00", "13/05/2021"])
def test_a_date_cell_of_a_workbook_is_read_beside_the_declared_format(cell: str):
    mapped = workbook(cell, "%d/%m/%Y")
    assert b'"hireDate":"2021-05-13T00:00:00Z"' in mapped.users[0]


def test_a_format_under_which_a_date_cell_is_another_day_refuses_the_workbook():
    with pytest.raises(HrFileError) as refused:
        workbook("2021-05-13", "%Y-%d-%m")
    assert refused.value.reason.code == "ambiguousDates"
