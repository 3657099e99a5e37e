"""HR row to SCIM user: what every rule does, and that nothing unknown disables, renames or clears a person."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import HrFileError
from shared.inbound.planning.bulk_request import bulk_id
from shared.inbound.reading.hr_file import HrFile, HrRow
from shared.inbound.reading.row_batch import RowBatch
from shared.scim.bulk import BulkRequest, bulk_operation, bulk_request
from tests.unit.builders import (
    BLANKS,
    CELLS,
    COLUMNS,
    CONTOSO,
    CORE,
    ENTERPRISE,
    PROPERTY,
    RUN_ID,
    MappedRow,
    codes,
    csv_file,
    hr_row,
    map_row,
    map_rows,
    mapping_of,
    problems_of,
    user_of,
)


def check(*users: dict[str, Any]) -> None:
    """Raises unless the API would take these users."""
    operations = (bulk_operation(bulk_id(RUN_ID, 0), orjson.dumps(user)) for user in users)
    BulkRequest.model_validate_json(bulk_request(operations))


def test_a_whole_row_becomes_a_whole_user():
    mapped = map_row()
    assert isinstance(mapped, MappedRow)
    assert (mapped.line, mapped.external_id, mapped.manager) == (2, "701984", "89607")
    assert mapped.user == {
        "schemas": [CORE, ENTERPRISE, CONTOSO],
        "externalId": "701984",
        "userName": "bjensen@example.com",
        "active": True,
        "displayName": "Barbara Jensen",
        "name": {"givenName": "Barbara", "familyName": "Jensen"},
        "emails": [{"type": "work", "value": "barbara.jensen@example.com"}],
        ENTERPRISE: {"department": "Tour Operations", "manager": {"value": "89607"}},
        CONTOSO: {"hireDate": "2021-05-13T00:00:00Z"},
    }
    check(mapped.user)


def test_a_row_finds_its_cells_by_the_header_and_not_by_their_place():
    shuffled = mapping_of(columns=[*reversed(COLUMNS), "Other"])
    (mapped,) = map_rows(shuffled, HrRow(2, [*reversed(CELLS.values()), "x"]))
    assert isinstance(mapped, MappedRow)
    assert mapped.user == user_of()


# Columns


@BLANKS
def test_a_blank_cell_leaves_its_attribute_out(blank: str):
    user = user_of(Email=blank, Department=blank, HireDate=blank, ManagerID=blank)
    assert user.keys() == {"schemas", "externalId", "userName", "active", "displayName", "name"}
    check(user)


@BLANKS
@pytest.mark.parametrize("rule", ["X", {"template": "{X}"}, {"column": "X", "date": "%d/%m/%Y"}])
def test_a_blank_cell_gives_no_empty_text_whatever_the_rule(rule: Any, blank: str):
    assert "title" not in user_of({"title": rule}, X=blank)


def test_a_cell_goes_over_as_it_stands():
    assert user_of(Department=" R&D  Zoë ")[ENTERPRISE]["department"] == " R&D  Zoë "


@pytest.mark.parametrize(
    ("transforms", "value"),
    [
        (["trim"], "Ab C"),
        (["lower"], " ab c "),
        (["upper"], " AB C "),
        (["trim", "upper"], "AB C"),
        (["upper", "trim", "lower"], "ab c"),
        ([], " Ab C "),
    ],
)
def test_transforms_are_applied_in_their_order(transforms: list[str], value: str):
    assert user_of({"title": {"column": "X", "transforms": transforms}}, X=" Ab C ")["title"] == value


def test_a_constant_is_the_same_for_everybody():
    user = user_of({"userType": {"constant": "Employee"}, f"{CONTOSO}:isContractor": {"constant": False}})
    assert user["userType"] == "Employee"
    assert user[CONTOSO]["isContractor"] is False


def test_what_is_not_mapped_is_not_sent():
    assert "Salary" not in str(user_of(Salary="100000"))
    assert "100000" not in str(user_of(Salary="100000"))


# Who it is


@BLANKS
@pytest.mark.parametrize(("column", "attribute"), [("WorkerID", "externalId"), ("UserID", "userName")])
def test_a_row_without_a_key_is_set_aside_by_column(column: str, attribute: str, blank: str):
    (problem,) = problems_of(**{column: blank})
    assert (problem.line, problem.column, problem.code) == (2, column, "blank")
    assert attribute in problem.message


def test_keys_are_trimmed_so_that_a_manager_is_found():
    mapped = map_row(WorkerID=" 701984 ", ManagerID="\t89607 ")
    assert isinstance(mapped, MappedRow)
    assert (mapped.external_id, mapped.manager) == ("701984", "89607")
    assert mapped.user["externalId"] == "701984"
    assert mapped.user[ENTERPRISE]["manager"] == {"value": "89607"}


def test_a_user_name_is_trimmed_as_every_key_is():
    assert user_of({"userName": "UserID"}, UserID=" bjensen@example.com ")["userName"] == "bjensen@example.com"


@pytest.mark.parametrize("character", ["\u200b", "\ufeff", "\u00a0", "\n", "\t", "\u202e", "\u00ad"], ids=repr)
@pytest.mark.parametrize("column", ["WorkerID", "UserID", "ManagerID"])
def test_a_key_with_a_character_that_nobody_sees_sets_the_row_aside(column: str, character: str):
    (problem,) = problems_of(**{column: f"89{character}607"})
    assert (problem.column, problem.code) == (column, "invisibleCharacter")


@pytest.mark.parametrize("key", ["Zoë-7", "社員7", "A B", "o'neil"])
def test_a_key_of_any_letters_is_a_key(key: str):
    assert user_of(WorkerID=key)["externalId"] == key


@pytest.mark.parametrize("key", ["007", "1e3", "1.0", "TRUE", "null", "0", "-"])
def test_a_key_that_looks_like_something_else_stays_text(key: str):
    assert user_of(WorkerID=key)["externalId"] == key


# Managers


def test_the_own_manager_is_a_problem():
    assert codes(problems_of(ManagerID="701984")) == [("ManagerID", "managerIsSelf")]
    assert codes(problems_of(ManagerID=" 701984 ")) == [("ManagerID", "managerIsSelf")]


def test_the_own_manager_in_other_letter_case_is_the_same_problem():
    assert codes(problems_of(WorkerID="w7a", ManagerID="W7A")) == [("ManagerID", "managerIsSelf")]


def test_a_feed_without_managers_sends_none():
    mapped = map_row({f"{ENTERPRISE}:manager.value": None})
    assert isinstance(mapped, MappedRow)
    assert mapped.manager is None
    assert "manager" not in mapped.user[ENTERPRISE]


def test_a_manager_alone_makes_an_enterprise_user():
    assert user_of({f"{ENTERPRISE}:department": None})[ENTERPRISE] == {"manager": {"value": "89607"}}


# Shapes


def test_every_part_of_a_work_entry_goes_into_one_entry():
    address = 'addresses[type eq "work"].'
    user = user_of(
        {f"{address}streetAddress": "S", f"{address}locality": "L", f"{address}country": "C"}, S="1", L="2", C=""
    )
    assert user["addresses"] == [{"type": "work", "streetAddress": "1", "locality": "2"}]


def test_every_extension_that_is_mapped_is_declared_also_where_the_row_has_nothing_for_it():
    other = "urn:ietf:params:scim:schemas:extension:fabrikam:1.0:User"
    user = user_of({f"{other}:badge": "Badge", f"{other}:shoe": "Shoe"}, Badge="", Shoe="")
    assert user["schemas"] == [CORE, ENTERPRISE, CONTOSO, other]
    assert other not in user


def test_the_enterprise_user_is_declared_also_where_nothing_of_it_is_mapped():
    plain = dict.fromkeys((f"{ENTERPRISE}:department", f"{ENTERPRISE}:manager.value", f"{CONTOSO}:hireDate"))
    user = user_of(plain)
    assert user["schemas"] == [CORE, ENTERPRISE]
    check(user)


@pytest.mark.parametrize(
    "path",
    [
        *("title", "name.middleName", 'emails[type eq "work"].value', 'addresses[type eq "work"].region'),
        *(f"{ENTERPRISE}:department", f"{CONTOSO}:badge"),
    ],
)
def test_an_explicit_null_is_something_that_the_api_takes(path: str):
    user = user_of({path: {"column": "X", "blank": "null"}}, X="")
    assert "null" in orjson.dumps(user).decode()
    check(user)


# Headers and widths


def test_a_mapped_column_that_is_gone_refuses_the_file():
    with pytest.raises(HrFileError, match="WorkerStatus, Email") as refusal:
        mapping_of(columns=[c for c in COLUMNS if c not in ("Email", "WorkerStatus")])
    assert refusal.value.reason.code == "missingColumns"


def test_a_column_of_a_template_that_is_gone_refuses_the_file():
    with pytest.raises(HrFileError, match="Middle"):
        mapping_of({"title": {"template": "{FirstName} {Middle}"}})


@pytest.mark.parametrize("name", ["workerstatus", "Worker Status", "WORKER status"])
def test_a_header_in_other_letter_case_is_another_column_and_the_refusal_says_so(name: str):
    with pytest.raises(HrFileError, match=f"It has {name} for WorkerStatus") as refusal:
        mapping_of(columns=[c.replace("WorkerStatus", name) for c in COLUMNS])
    assert refusal.value.reason.code == "missingColumns"


@pytest.mark.parametrize("mark", [";", "\t", "|"], ids=["semicolon", "tab", "bar"])
def test_another_separator_refuses_the_file_by_its_name(mark: str):
    with pytest.raises(HrFileError) as refusal:
        mapping_of(columns=[mark.join(COLUMNS)])
    assert refusal.value.reason.code == "otherSeparator"


def test_a_mapped_column_that_stands_twice_refuses_the_file():
    with pytest.raises(HrFileError, match="more than once: WorkerStatus") as refusal:
        mapping_of(columns=[*COLUMNS, "WorkerStatus"])
    assert refusal.value.reason.code == "repeatedColumns"


def test_a_column_that_nobody_maps_may_stand_twice_or_have_no_name():
    mapping = mapping_of(columns=[*COLUMNS, "Other", "Other", "", ""])
    assert mapping.map(RowBatch([2], [[*CELLS.values(), "x", "y", "", ""]])).problems == []


@pytest.mark.parametrize(
    ("change", "code"), [(-1, "tooFewCells"), (-8, "tooFewCells"), (1, "tooManyCells"), (9, "tooManyCells")]
)
def test_a_row_of_another_width_than_the_header_is_set_aside_whole(change: int, code: str):
    cells = (list(CELLS.values()) + ["Terminated"] * 20)[: len(CELLS) + change]
    (problems,) = map_rows(mapping_of(), HrRow(2, cells))
    assert isinstance(problems, list)
    assert codes(problems) == [(None, code)]


# Problems


def test_every_problem_of_a_row_is_told_at_once():
    problems = problems_of(WorkerID="", UserID=" ", WorkerStatus="?", HireDate="soon")
    assert sorted(codes(problems)) == [
        ("HireDate", "dateFormat"),
        ("UserID", "blank"),
        ("WorkerID", "blank"),
        ("WorkerStatus", "unknownStatus"),
    ]
    assert {problem.line for problem in problems} == {2}
    assert all(problem.message and problem.advice for problem in problems)


def test_a_problem_says_whose_row_it_is_as_far_as_the_row_does():
    assert problems_of(WorkerID=" W7 ", WorkerStatus="?")[0].external_id == "W7"
    assert problems_of(WorkerID=" ")[0].external_id is None
    (short,) = map_rows(mapping_of(), HrRow(2, ["W7"]))
    (empty,) = map_rows(mapping_of(columns=[*COLUMNS[1:], "WorkerID"]), HrRow(2, [""]))
    assert isinstance(short, list)
    assert isinstance(empty, list)
    assert (short[0].external_id, empty[0].external_id) == ("W7", None)


def test_a_row_with_a_problem_spoils_no_other_row():
    mapping = mapping_of()
    bad, after = map_rows(
        mapping, hr_row(2, WorkerStatus="?", Email="secret@example.com"), hr_row(3, WorkerID="7", Email="")
    )
    (later,) = map_rows(mapping, hr_row(4, Email=""))
    assert codes(bad) == [("WorkerStatus", "unknownStatus")]
    for found in (after, later):
        assert isinstance(found, MappedRow)
        assert "emails" not in found.user
    assert after.user["externalId"] == "7"


TOKEN = "Xq7Zk9"
CELL = st.one_of(
    st.sampled_from([TOKEN, f" {TOKEN}", f"{TOKEN}\n{TOKEN}", f"{TOKEN}@example.com", "", " "]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6).map(lambda t: t + TOKEN),
)


@PROPERTY
@given(st.lists(st.sampled_from(COLUMNS), unique=True, min_size=1), st.lists(CELL, min_size=9, max_size=9), st.data())
def test_no_problem_ever_holds_the_text_of_a_cell(spoiled: list[str], cells: list[str], data: st.DataObject):
    row = hr_row(**dict(zip(spoiled, cells, strict=False)))
    row.cells.extend(data.draw(st.lists(CELL, max_size=2)))
    (found,) = map_rows(mapping_of(), row)
    for problem in found if isinstance(found, list) else ():
        assert TOKEN not in f"{problem.column}{problem.code}{problem.message}{problem.advice}"


@PROPERTY
@given(
    st.lists(st.lists(CELL, min_size=1, max_size=12), min_size=1, max_size=3),
    st.sampled_from([b"", b'"', b'"x"y', b"\xff", b"\0", b"\r1", f'"{TOKEN}'.encode(), b"x" * 140_000]),
    st.booleans(),
)
def test_no_refusal_ever_holds_the_text_of_a_cell(rows: list[list[str]], spoiler: bytes, lost_header: bool):
    content = csv_file(*rows, header=rows[0] if lost_header else COLUMNS) + spoiler
    try:
        hr_file = HrFile([content])
        mapping = mapping_of(columns=hr_file.columns)
        problems = [problem for batch in hr_file.batches() for problem in mapping.map(batch).problems]
        words = "".join(f"{found.column}{found.code}{found.message}{found.advice}" for found in problems)
    except HrFileError as refusal:
        words = f"{refusal} {refusal.reason}"
    assert TOKEN not in words


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@PROPERTY
@given(st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXT)), st.sampled_from(["Active", "Terminated", "?"]))
def test_whatever_is_in_the_cells_a_mapped_user_is_one_that_the_api_takes(cells: dict[str, str], status: str):
    date_as_text = {f"{CONTOSO}:hireDate": "HireDate"}
    mapped = map_row(date_as_text, **{**cells, "WorkerStatus": status})
    if isinstance(mapped, MappedRow):
        check(mapped.user)
        assert mapped.external_id == mapped.user["externalId"] == cells["WorkerID"].strip()
        assert re.search(r"\S", mapped.user["userName"])
        assert mapped.user["active"] is (status == "Active")
