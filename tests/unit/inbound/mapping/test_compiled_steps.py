"""Sources, steps, checks and blanks of a rule, tried through the mapping."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.builders import (
    BLANKS,
    COLUMNS,
    CONTOSO,
    EMAIL,
    ENTERPRISE,
    MappedRow,
    codes,
    hr_row,
    map_row,
    map_rows,
    mapping_of,
    problems_of,
    user_of,
)

MISSING = "(nothing)"


def title(rule: dict[str, Any], /, **cells: str) -> Any:
    """The value of an attribute with that rule (of column X, unless it has another source), or the problem's code."""
    sources = {"column", "template", "first_of", "constant"}
    whole = rule if sources & set(rule) else {"column": "X", **rule}
    mapped = map_row({"title": whole}, **{"X": "", **cells})
    if isinstance(mapped, MappedRow):
        return mapped.user.get("title", MISSING)
    (problem,) = mapped
    assert not any(len(cell) > 2 and cell in f"{problem.message}{problem.advice}" for cell in cells.values())
    return problem.code


@pytest.mark.parametrize(
    ("rule", "cell", "value"),
    [
        ({"split": {"by": ",", "part": 1}}, "Jensen, Barbara", "Jensen"),
        ({"split": {"by": ",", "part": 2}}, "Jensen, Barbara", "Barbara"),
        ({"split": {"by": ",", "part": -1}}, "a,b, c ", "c"),
        ({"split": {"by": ",", "part": -3}}, "a,b,c", "a"),
        ({"split": {"by": ",", "part": 3}}, "a,b", MISSING),
        ({"split": {"by": ",", "part": -3}}, "a,b", MISSING),
        ({"split": {"by": ",", "part": 2}}, "a, ,c", MISSING),
        ({"split": {"by": " - ", "part": 2}}, "a - b-c", "b-c"),
        ({"regex": {"extract": r"^[A-Z]+-(\d+)$"}}, "AB-12", "12"),
        ({"regex": {"extract": r"\d+"}}, "AB-12", "12"),
        ({"regex": {"extract": r"(x)?\d+"}}, "12", MISSING),
        ({"regex": {"extract": r"^[A-Z]+-(\d+)$"}}, "secret", "regexNoMatch"),
        ({"regex": {"replace": r"\s*\(.*\)"}}, "Jensen (Lisbon)", "Jensen"),
        ({"regex": {"replace": r"(\w+), (\w+)", "with": r"\2 \1"}}, "Jensen, Barbara", "Barbara Jensen"),
        ({"regex": {"replace": "x"}}, "xxx", MISSING),
        ({"transforms": ["collapse_spaces"]}, " a   b ", "a b"),
        ({"transforms": ["country"]}, "Portugal", "PT"),
        ({"transforms": ["country"]}, "Nowhere", "transformFailed"),
        ({"transforms": ["keep_digits"]}, "a-1", "1"),
        ({"pad": 6}, "42", "000042"),
        ({"pad": 6}, " 42 ", "000042"),
        ({"pad": {"width": 4, "fill": "x"}}, "42", "xx42"),
        ({"pad": 2}, "42", "42"),
        ({"pad": 2}, "428", "tooLongToPad"),
        ({"values": {"M": "Manager", " D ": "Director"}}, " M ", "Manager"),
        ({"values": {"M": "Manager", " D ": "Director"}}, "D", "Director"),
        ({"values": {"M": "Manager"}}, "m", "unknownValue"),
        ({"values": {"M": "Manager"}, "else": "Staff"}, "x", "Staff"),
        ({"values": {"M": ""}}, "M", MISSING),
        ({"number": True}, "007", "7"),
        ({"number": True}, "1.50", "1.5"),
        ({"number": True}, "1.0", "1"),
        ({"number": True}, "-0.0", "0"),
        ({"number": True}, "+5", "5"),
        ({"number": True}, "1,5", "numberFormat"),
        ({"number": True}, "1e3", "numberFormat"),
        ({"number": True}, ".5", "numberFormat"),
        ({"number": True}, "٣", "numberFormat"),
        ({"number": {"decimal": ",", "group": "."}}, "1.234.567,50", "1234567.5"),
        ({"number": {"decimal": ",", "group": "."}}, "1234,5", "1234.5"),
        ({"number": {"decimal": ",", "group": "."}}, "1.23", "numberFormat"),
        ({"number": {"decimal": ",", "group": "."}}, "12.34.567", "numberFormat"),
        ({"number": {"decimal": ",", "group": " "}}, "1\u202f234,5", "1234.5"),
        ({"number": {"group": ","}}, "-1,234.5", "-1234.5"),
        ({"phone": "PT"}, "912 345 678", "+351912345678"),
        ({"phone": "PT"}, "+49 30 123456", "+4930123456"),
        ({"phone": "PT"}, "call me", "phoneNumber"),
        ({"pattern": r"\d{6}"}, "701984", "701984"),
        ({"pattern": r"\d{6}"}, "70198", "patternMismatch"),
        ({"pattern": r"\d{6}"}, "701984 ", "patternMismatch"),
        ({"pattern": r"\d{6}", "transforms": ["trim"]}, "701984 ", "701984"),
        ({"check": "country"}, "PT", "PT"),
        ({"check": "country"}, "Portugal", "invalidCountry"),
    ],
    ids=str,
)
def test_what_a_step_makes_of_a_cell(rule: dict[str, Any], cell: str, value: Any):
    assert title(rule, X=cell) == value


@BLANKS
@pytest.mark.parametrize(
    "rule",
    [
        *({"split": {"by": ",", "part": 1}}, {"regex": {"extract": "x"}}, {"transforms": ["country", "keep_digits"]}),
        *({"pad": 6}, {"values": {"a": "b"}, "else": "c"}, {"number": True}, {"phone": "PT"}, {"date": "%d/%m/%Y"}),
        *({"pattern": "x"}, {"check": "email"}),
    ],
    ids=str,
)
def test_no_step_makes_something_of_a_blank_cell(rule: dict[str, Any], blank: str):
    assert title(rule, X=blank) is MISSING


def test_steps_are_taken_in_their_own_order_and_not_in_the_files():
    rule = {
        "pattern": "00000ab/7",
        "pad": 9,
        "transforms": ["lower"],
        "regex": {"replace": "-", "with": "/"},
        "split": {"by": ";", "part": 2},
    }
    assert title(rule, X="x;AB-7") == "00000ab/7"


# Sources


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ({"A": "a", "B": "b"}, "a"),
        ({"A": " ", "B": "b"}, "B"),
        ({"A": "", "B": "", "C": "c"}, "c!"),
        ({"A": "", "B": "", "C": ""}, "none"),
    ],
)
def test_the_first_rule_that_is_not_blank_has_the_value(cells: dict[str, str], value: str):
    rule = {"first_of": ["A", {"column": "B", "transforms": ["upper"]}, {"template": "{C}!"}, {"constant": "none"}]}
    assert title(rule, **{"A": "", "B": "", "C": "", **cells}) == value


def test_the_first_of_several_goes_through_the_steps_of_the_whole():
    assert title({"first_of": ["A", "B"], "transforms": ["upper"], "pattern": "B"}, A="", B="b") == "B"


def test_a_step_that_leaves_nothing_leads_on_to_the_next_rule():
    rule = {"first_of": [{"column": "A", "split": {"by": "/", "part": 2}}, "B"]}
    assert title(rule, A="a", B="b") == "b"
    assert title(rule, A="a/x", B="b") == "x"


def test_a_rule_whose_condition_does_not_hold_is_blank():
    rule = {"column": "A", "when": {"B": "yes"}}
    assert (title(rule, A="a", B="yes"), title(rule, A="a", B="no")) == ("a", MISSING)
    assert title({"constant": "c", "when": {"B": "yes"}}, B="yes") == "c"
    assert title({"constant": "c", "when": {"B": "yes"}}, B="no") is MISSING
    assert title({**rule, "required": True}, A="a", B="no") == "blank"
    assert title({"first_of": [rule, "C"]}, A="a", B="no", C="c") == "c"


def test_a_condition_on_a_constant_of_ones_own_gives_its_word_or_nothing():
    rule = {f"{CONTOSO}:onSite": {"constant": False, "when": {"B": "no"}}}
    assert user_of(rule, B="no")[CONTOSO]["onSite"] is False
    assert "onSite" not in user_of(rule, B="yes")[CONTOSO]


@pytest.mark.parametrize(
    ("partly", "cells", "value"),
    [
        ("close_up", ("x", ""), "x"),
        ("omit", ("x", ""), MISSING),
        ("omit", ("x", "y"), "x y"),
        ("set_aside", ("x", ""), "blank"),
        ("set_aside", ("", ""), MISSING),
    ],
)
def test_a_template_with_blanks_does_as_the_feed_file_says(partly: str, cells: tuple[str, str], value: Any):
    assert title({"template": "{A} {B}", "partly_blank": partly}, A=cells[0], B=cells[1]) == value


# Blanks


@BLANKS
def test_what_a_blank_does_is_declared(blank: str):
    assert title({"blank": "omit"}, X=blank) is MISSING
    assert title({"blank": "null"}, X=blank) is None
    assert title({"blank": "set_aside"}, X=blank) == "blank"
    assert title({"required": True}, X=blank) == "blank"
    assert title({"blank": "null"}, X="x") == "x"


def test_a_null_of_every_shape():
    user = user_of({EMAIL: {"column": "X", "blank": "null"}, "name.middleName": {"column": "X", "blank": "null"}}, X="")
    assert user["emails"] == [{"type": "work", "value": None}]
    assert user["name"]["middleName"] is None


def test_a_required_attribute_of_a_template_is_named_with_its_columns():
    rule = {"displayName": {"template": "{A} {B}", "required": True}}
    assert codes(problems_of(rule, A="", B=" ")) == [("A, B", "blank")]


def test_a_manager_may_be_required():
    rule = {f"{ENTERPRISE}:manager.value": {"column": "ManagerID", "required": True}}
    assert codes(problems_of(rule, ManagerID=" ")) == [("ManagerID", "blank")]


# Types of custom attributes


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("5", 5),
        ("-3", -3),
        ("007", 7),
        ("", MISSING),
        ("5.0", "numberFormat"),
        ("x", "numberFormat"),
        ("9" * 19, "numberFormat"),
    ],
)
def test_a_whole_number_of_ones_own_is_a_number(cell: str, value: Any):
    mapped = map_row({f"{CONTOSO}:grade": {"column": "X", "type": "Integer"}}, X=cell)
    if isinstance(mapped, list):
        assert codes(mapped) == [("X", value)]
    else:
        assert mapped.user[CONTOSO].get("grade", MISSING) == value


def test_a_boolean_of_ones_own_may_be_required_or_null():
    rule = {"column": "X", "true_when": ["Yes"], "false_when": ["No"]}
    assert user_of({f"{CONTOSO}:b": {**rule, "blank": "null"}}, X="")[CONTOSO]["b"] is None
    assert codes(problems_of({f"{CONTOSO}:b": {**rule, "required": True}}, X="")) == [("X", "blank")]


# Checks


@pytest.mark.parametrize(
    ("path", "cell", "code"),
    [
        ("userName", "bjensen", "invalidUserName"),
        (EMAIL, "bjensen@", "invalidEmail"),
        ('phoneNumbers[type eq "work"].value', "call me", "invalidPhone"),
        ("preferredLanguage", "English", "invalidLanguage"),
        ("locale", "en_US", "invalidLanguage"),
        ("timezone", "GMT Standard Time", "invalidTimeZone"),
        ('addresses[type eq "work"].country', "Portugal", "invalidCountry"),
        ("title", "x" * 129, "tooLong"),
        ("name.givenName", "x" * 65, "tooLong"),
        ("externalId", "1" * 17, "tooLong"),
    ],
)
def test_what_the_directory_would_refuse_sets_the_row_aside_unless_the_check_is_off(path: str, cell: str, code: str):
    (problem,) = problems_of({path: "X"}, X=cell)
    assert (problem.column, problem.code) == ("X", code)
    assert cell not in f"{problem.message}{problem.advice}"
    assert user_of({path: {"column": "X", "check": "none"}}, X=cell)


def test_a_text_of_the_greatest_length_is_taken():
    assert title({}, X="x" * 128) == "x" * 128


@pytest.mark.parametrize("error", ["#N/A", "#REF!", " #n/a ", "#NAME?", "#WERT!", "#BEZUG!", "#DIV/0!"])
@pytest.mark.parametrize("column", ["Department", "WorkerID", "LastName"])
def test_a_spreadsheets_error_in_a_mapped_column_sets_the_row_aside(column: str, error: str):
    assert (column, "errorCell") in codes(problems_of(**{column: error}))


@pytest.mark.parametrize("text", ["#1", "#N/A or so", "N/A", "#", "C#"])
def test_a_text_with_a_hash_is_no_error(text: str):
    assert user_of(Department=text)[ENTERPRISE]["department"] == text


def test_an_error_in_a_column_that_nobody_maps_is_nobodys():
    assert user_of(Salary="#N/A")


def test_a_problem_is_told_of_each_time_it_comes_and_of_its_rows_only():
    mapping = mapping_of({"title": {"column": "X", "values": {"M": "Manager"}}}, [*COLUMNS, "X"])
    cells = ["M", "x", "", "x", "M"]
    for _ in range(3):
        found = map_rows(mapping, *(hr_row(n + 2, WorkerID=str(n), X=cell) for n, cell in enumerate(cells)))
        assert [isinstance(row, MappedRow) for row in found] == [True, False, True, False, True]
