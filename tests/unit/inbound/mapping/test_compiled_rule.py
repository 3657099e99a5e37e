"""One rule as one function of a row's cells, tried through the mapping: only what is declared becomes a value."""

from __future__ import annotations

import gc
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.mapping.cell_problem import same_key
from tests.unit.builders import (
    BLANKS,
    CONTOSO,
    EMAIL,
    PROPERTY,
    MappedRow,
    codes,
    hr_row,
    map_row,
    map_rows,
    mapping_of,
    problems_of,
    user_of,
)

# Status


@pytest.mark.parametrize(
    ("word", "active"),
    [("Active", True), ("On Leave", True), ("Terminated", False), (" Active ", True), ("Terminated\t", False)],
)
def test_a_word_that_the_feed_file_knows_is_the_status(word: str, active: bool):
    assert user_of(WorkerStatus=word)["active"] is active


@pytest.mark.parametrize("word", ["active", "TERMINATED", "Inactive", "False", "false", "0", "no", "?", "Active."])
def test_a_word_that_the_feed_file_does_not_know_sets_the_row_aside(word: str):
    assert codes(problems_of(WorkerStatus=word)) == [("WorkerStatus", "unknownStatus")]


@BLANKS
def test_a_blank_status_sets_the_row_aside(blank: str):
    assert codes(problems_of(WorkerStatus=blank)) == [("WorkerStatus", "blankStatus")]


@PROPERTY
@given(st.text(max_size=12))
def test_only_a_declared_word_ever_disables_anybody(word: str):
    mapped = map_row(WorkerStatus=word)
    if isinstance(mapped, MappedRow):
        assert word.strip() in ("Active", "On Leave", "Terminated")
        assert mapped.user["active"] is (word.strip() != "Terminated")


@pytest.mark.parametrize("constant", [True, False])
def test_a_declared_constant_is_the_status(constant: bool):
    assert user_of({"active": {"constant": constant}}, WorkerStatus="?")["active"] is constant


def test_a_boolean_of_ones_own_may_be_blank_but_not_unknown():
    rule = {f"{CONTOSO}:onSite": {"column": "X", "true_when": ["Yes"], "false_when": ["No"]}}
    assert user_of(rule, X="No")[CONTOSO]["onSite"] is False
    assert "onSite" not in user_of(rule, X="")[CONTOSO]
    assert codes(problems_of(rule, X="Maybe")) == [("X", "unknownWord")]


@pytest.mark.parametrize("word", ["Terminated", "Active", ""])
def test_a_status_of_which_only_one_side_has_words_is_a_status_all_the_same(word: str):
    mapped = map_row(
        {"active": {"column": "WorkerStatus", "true_when": [], "false_when": ["Terminated"]}}, WorkerStatus=word
    )
    assert isinstance(mapped, MappedRow) is (word == "Terminated")
    assert not isinstance(mapped, MappedRow) or mapped.user["active"] is False


def test_a_status_is_compared_after_its_transforms():
    rule = {"column": "WorkerStatus", "transforms": ["lower"], "true_when": ["active"], "false_when": ["gone"]}
    assert user_of({"active": rule}, WorkerStatus="ACTIVE")["active"] is True


# Templates


@pytest.mark.parametrize(
    ("template", "cells", "text"),
    [
        ("{A} {B}", ("x", "y"), "x y"),
        ("{A} {B}", (" x ", " y "), "x y"),
        ("{A} {B}", ("x", ""), "x"),
        ("{A} {B}", ("", "y"), "y"),
        ("{A} m {B}", ("x", " "), "x m"),
        ("{A}  {B}", ("x", "y"), "x  y"),
        ("{A}{A}", ("x", ""), "xx"),
        ("{{{A}}}", ("x", ""), "{x}"),
        ("Dr. {A}", ("{B}", "y"), "Dr. {B}"),
        ("{A} {B}", ("", "  "), None),
        ("Dr. {A}", ("", "y"), None),
    ],
)
def test_a_template_leaves_no_gap_where_a_cell_is_blank(template: str, cells: tuple[str, str], text: str | None):
    user = user_of({"title": {"template": template}}, A=cells[0], B=cells[1])
    assert user.get("title") == text


@pytest.mark.parametrize("path", ["userName", EMAIL])
@pytest.mark.parametrize("cells", [("Barbara", ""), (" ", "Jensen")])
def test_half_a_login_or_address_is_somebody_elses_so_the_row_is_set_aside(path: str, cells: tuple[str, str]):
    rule = {path: {"template": "{A}.{B}@example.com"}}
    assert codes(problems_of(rule, A=cells[0], B=cells[1])) == [("A, B", "blank")]
    assert user_of(rule, A="x", B="y")


def test_an_address_of_blank_cells_is_left_out():
    assert "emails" not in user_of({EMAIL: {"template": "{A}.{B}@example.com"}}, A="", B=" ")


def test_a_template_is_transformed_as_a_whole():
    rule = {"template": "{A}.{B}@EXAMPLE.com", "transforms": ["lower"]}
    assert user_of({"userName": rule}, A="Barbara", B="Jensen")["userName"] == "barbara.jensen@example.com"


def test_a_user_name_of_blank_cells_sets_the_row_aside():
    problems = problems_of({"userName": {"template": "{A}.{B}@example.com"}}, A="", B=" ")
    assert codes(problems) == [("A, B", "blank")]


# Dates


@pytest.mark.parametrize(
    ("layout", "cell", "value"),
    [
        ("%d/%m/%Y", "13/05/2021", "2021-05-13T00:00:00Z"),
        ("%d/%m/%Y", " 01/02/2021 ", "2021-02-01T00:00:00Z"),
        ("%m/%d/%Y", "01/02/2021", "2021-01-02T00:00:00Z"),
        ("%Y-%m-%d", "0987-01-02", "0987-01-02T00:00:00Z"),
        ("%Y%m%d", "20240229", "2024-02-29T00:00:00Z"),
        ("%d/%m/%Y %H:%M", "13/05/2021 08:30", "2021-05-13T08:30:00Z"),
    ],
)
def test_a_date_in_the_declared_layout_becomes_iso_8601(layout: str, cell: str, value: str):
    rule = {f"{CONTOSO}:hireDate": {"column": "HireDate", "date": layout}}
    assert user_of(rule, HireDate=cell)[CONTOSO]["hireDate"] == value


@pytest.mark.parametrize(
    "cell",
    ["05/13/2021", "2021-05-13", "13/05/21", "29/02/2023", "00/01/2021", "13/05/2021 ?", "0", "n/a", "13.05.2021"],
)
def test_a_date_in_another_layout_sets_the_row_aside(cell: str):
    (problem,) = problems_of(HireDate=cell)
    assert (problem.column, problem.code) == ("HireDate", "dateFormat")
    assert "%d/%m/%Y" in problem.message


def test_the_same_wrong_date_is_wrong_every_time():
    mapping = mapping_of()
    wrong = [hr_row(line, HireDate="n/a") for line in range(2, 5)]
    for found in (map_rows(mapping, *wrong), map_rows(mapping, *wrong)):
        assert [codes(problems) for problems in found] == [[("HireDate", "dateFormat")]] * 3


# Keys


@pytest.mark.parametrize(("one", "other"), [("W7A", "w7a"), ("Ö7", "ö7"), ("e\u0301", "é"), ("STRASSE", "straße")])
def test_letter_case_and_unicode_form_make_no_other_key(one: str, other: str):
    assert same_key(one) == same_key(other)


@PROPERTY
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_key_in_either_letter_case_is_one_key(key: str):
    if len(key.upper().lower()) == len(key):
        assert same_key(key) == same_key(key.lower())


# Always


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@PROPERTY
@given(TEXT | st.from_regex(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,4}", fullmatch=True))
def test_whatever_is_in_a_date_cell_it_is_a_date_or_a_problem(cell: str):
    mapped = map_row(HireDate=cell)
    if isinstance(mapped, MappedRow) and cell.strip():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", mapped.user[CONTOSO]["hireDate"])


def test_memory_stays_flat_however_many_rows_are_set_aside():
    mapping = mapping_of()
    tracemalloc.start()
    try:
        for line in range(2, 2002):
            map_rows(mapping, hr_row(line, WorkerStatus="?"))
        gc.collect()  # the interpreter keeps some thousands of tuples for later use
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000
