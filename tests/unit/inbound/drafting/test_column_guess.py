"""Guesses at columns: sure only where name and cells agree; no guess tells what is in a cell."""

from __future__ import annotations

import pytest

from shared.inbound.drafting.column_guess import Guess, Level, guess_columns
from shared.inbound.drafting.draft_table import Table
from tests.unit.builders import CONTOSO, EMAIL, ENTERPRISE

ADDRESS = 'addresses[type eq "work"]'


def guesses(*, typed_dates: bool = False, is_whole: bool = True, **columns: str | list[str]) -> list[Guess]:
    """Guesses for columns of three rows: cells as a list, or separated by vertical bars."""
    cells = [column.split("|") if isinstance(column, str) else column for column in columns.values()]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return guess_columns(Table(list(columns), rows, typed_dates=typed_dates, is_whole=is_whole))


def of(path: str, found: list[Guess]) -> list[tuple[str, str]]:
    return [(guess.level.value, guess.columns[0]) for guess in found if guess.path == path]


def the(path: str, found: list[Guess]) -> Guess:
    (guess,) = [guess for guess in found if guess.path == path]
    return guess


@pytest.mark.parametrize(
    ("names", "path", "cells"),
    [
        ("Employee ID, employeeId, EMPLOYEE_ID, worker-id, Person Number", "externalId", "1|2|3"),
        ("Personalnummer, PERNR, Pers.-Nr., Mitarbeiter ID, Matricule", "externalId", "a1|a2|a3"),
        ("User Principal Name, upn, Username, Benutzername", "userName", "a@x.com|b@x.com|c@x.com"),
        ("First Name, givenName, Vorname, VORNA, Prénom", "name.givenName", "Ann|Bob|"),
        ("Last Name, surname, Nachname, NACHN, Apellidos", "name.familyName", "Ann|Bob|"),
        ("Preferred Name, Rufname", "nickName", "Ann|Bob|"),
        ("Work Email, businessEmail, E-Mail, E-Mail (geschaeftlich)", EMAIL, "a@x.com|A@x.com|"),
        ("Job Title, Stellenbezeichnung, business title", "title", "Chef|Chef|"),
        ("Department, Abteilung", f"{ENTERPRISE}:department", "Sales|Sales|"),
        ("Cost Center, COST_CENTRE, Kostenstelle, KOSTL", f"{ENTERPRISE}:costCenter", "41|42|"),
        ("Country, Land", f"{ADDRESS}.country", "DE|Österreich|France"),
        ("City, Arbeitsort", f"{ADDRESS}.locality", "Lyon|Bonn|"),
        ("Hire Date, Start Date, Eintrittsdatum", f"{CONTOSO}:hireDate", "13.05.2021|01.02.2020|"),
        ("Termination Date, Austrittsdatum", f"{CONTOSO}:leaveDate", "2021-05-13||"),
        ("Status, Employment Status, Beschäftigungsstatus, Beschaeftigungsstatus", "active", "Active|Active|Active"),
    ],
)
def test_a_usual_name_with_cells_that_fit_is_sure(names: str, path: str, cells: str) -> None:
    for name in names.split(", "):
        assert of(path, guesses(**{name: cells})) == [("sure", name)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("worker.employeeId", "externalId"),
        ("attributes.first_name.value", "name.givenName"),
        ("name.given", "name.givenName"),
        ("data.name.family", None),
        ("manager.firstName", None),
        ("personal.email", None),
        ("private.phone", None),
    ],
)
def test_a_path_into_json_counts_by_its_end_unless_what_is_before_means_somebody_or_something_else(
    name: str, path: str | None
) -> None:
    found = guesses(**{name: "a|b|c" if path else "a@x.com|b@x.com|c@x.com"})
    assert [guess.path for guess in found if guess.level != Level.UNSURE] == ([path] if path else [])


@pytest.mark.parametrize(
    ("columns", "path", "why"),
    [
        ({"Employee ID": "1|2|2"}, "externalId", "2 rows have a value that another row has too"),
        ({"Employee ID": "1|2|"}, "externalId", "1 cells are blank"),
        ({"Employee ID": "a|b|A"}, "externalId", "2 rows have a value that another row has too"),
        ({"Employee ID": f"{'1' * 17}|2|3"}, "externalId", "1 cells do not"),
        ({"Employee ID": "a@x.com|b@x.com|c@x.com"}, "externalId", "3 cells are e-mail addresses"),
        ({"Username": "ann|bob|eve"}, "userName", "3 cells do not"),
        ({"Work Email": "a@x.com|none|"}, EMAIL, "1 cells do not"),
        ({"Department": "||"}, f"{ENTERPRISE}:department", "every cell is blank"),
        ({"Department": "a@x.com||"}, f"{ENTERPRISE}:department", "1 cells are e-mail addresses"),
        ({"Country": "DE|Atlantis|"}, f"{ADDRESS}.country", "1 cells do not"),
        ({"Language": "de|deutsch|"}, "preferredLanguage", "1 cells do not"),
    ],
)
def test_a_usual_name_with_cells_that_do_not_fit_is_for_a_person(columns: dict[str, str], path: str, why: str) -> None:
    guess = the(path, guesses(**columns))
    assert guess.level == Level.LIKELY
    assert f"the name fits, but {why}" in guess.why
    assert "decide:" in guess.why


def test_of_two_columns_with_usual_names_none_is_taken_if_both_fit() -> None:
    both = {"Employee ID": "1|2|3", "Personnel Number": "4|5|6"}
    assert of("externalId", guesses(**both)) == [("likely", "Employee ID"), ("likely", "Personnel Number")]
    one = {"Employee ID": "1|2|3", "Personnel Number": "4||6"}
    assert of("externalId", guesses(**one)) == [("sure", "Employee ID")]


def test_the_more_usual_name_counts_and_the_private_address_never_does() -> None:
    mails = "a@x.com|b@x.com|c@x.com"
    assert of(EMAIL, guesses(Email=mails, **{"Work Email": mails})) == [("sure", "Work Email")]
    assert of(EMAIL, guesses(**{"Private Email": mails})) == []


def test_a_name_that_can_mean_several_things_is_unsure() -> None:
    found = guesses(Name="A|B|C", ID="1|2|3", Title="Dr.|Mr|Ms", Phone="+49 221 12345||", Street="A 1|B 2|")
    assert {guess.level for guess in found} == {Level.UNSURE}
    assert [guess.path for guess in found] == [
        *("externalId", "name.formatted", "name.familyName", "title"),
        *('phoneNumbers[type eq "work"].value', f"{ADDRESS}.streetAddress"),
    ]


def test_a_city_beside_a_street_could_be_the_home() -> None:
    found = guesses(City="Lyon|Bonn|", Country="FR|DE|", Street="A 1|B 2|")
    assert of(f"{ADDRESS}.locality", found) == [("unsure", "City")]
    assert of(f"{ADDRESS}.country", found) == [("sure", "Country")]


def test_without_a_usual_name_the_cells_only_suggest() -> None:
    found = guesses(X1="7|8|9", X2="a@x.com|b@x.com|c@x.com", X3="|7|8", X4="Active|Terminated|Active", X5="a|a|b")
    assert of("externalId", found) == [("unsure", "X1")]
    assert of("userName", found) == of(EMAIL, found) == [("unsure", "X2")]
    assert of("active", found) == [("unsure", "X4")]
    assert of(f"{ENTERPRISE}:manager.value", found) == []  # nobody is sure which column is the externalId
    assert of(f"{ENTERPRISE}:manager.value", guesses(PERNR="7|8|9", X3="|7|8")) == [("unsure", "X3")]


def test_the_email_address_is_the_login_only_if_a_person_says_so() -> None:
    mails = "a@x.com|b@x.com|c@x.com"
    assert of("userName", guesses(Email=mails)) == [("unsure", "Email")]
    assert of("userName", guesses(Email=mails, UPN="d@x.com|e@x.com|f@x.com")) == [("sure", "UPN")]


@pytest.mark.parametrize(
    ("managers", "level", "why"),
    [
        ("|1|1", "sure", "fit"),
        ("|1|4", "likely", "1 cells are no externalId of the rows that were read"),
        ("Jo|Jo|Jo", "likely", "3 cells are no externalId"),
        ("1|1|1", "likely", "1 rows name the worker as their own manager"),
    ],
)
def test_the_manager_is_the_externalid_of_another_row(managers: str, level: str, why: str) -> None:
    guess = the(f"{ENTERPRISE}:manager.value", guesses(PERNR="1|2|3", Vorgesetzter=managers))
    assert (guess.level, why in guess.why) == (level, True)


def test_the_display_name_is_made_of_two_sure_names() -> None:
    names = {"Vorname": "A|B|C", "Nachname": "D|E|F"}
    assert the("displayName", guesses(**names)).rule == {"template": "{Vorname} {Nachname}"}
    assert the("displayName", guesses(**names, Anzeigename="X|Y|Z")).rule == {"column": "Anzeigename"}
    assert of("displayName", guesses(Vorname="A|B|C")) == []
    assert of("displayName", guesses(**{"{Vor}name": "A|B|C", "Nachname": "D|E|F"})) == []


# --- the status


def test_only_words_that_are_known_everywhere_say_who_is_active() -> None:
    status = [*["Active"] * 5, *["Terminated"] * 3, *["Garden"] * 2, "On Leave", ""]
    guess = the("active", guesses(Status=status))
    assert guess.level == Level.SURE
    assert guess.rule == {"column": "Status", "true_when": ["Active"], "false_when": ["Terminated"]}
    assert guess.remarks == [
        "Different words: 4, in 11 rows.",
        'Known: "Active" (5 rows), "Terminated" (3 rows).',
        'decide: "Garden" (2 rows), "On Leave" (1 row). In neither list, their rows are set aside.',
        "decide: blank in 1 row, which are set aside.",
    ]


@pytest.mark.parametrize("words", ["3|0|3", "Married|Separated|Single", "Terminated|Terminated|Other", "Yes|No|Yes"])
def test_without_a_word_for_active_nothing_is_proposed(words: str) -> None:
    guess = the("active", guesses(Status=words))
    assert guess.level == Level.LIKELY
    assert guess.rule == {"column": "Status", "true_when": ["decide"], "false_when": ["decide"]}


@pytest.mark.parametrize(
    ("words", "true", "false"),
    [
        ("yes|no|yes", ["yes"], ["no"]),
        ("true|false|true", ["true"], ["false"]),
        ("1|0|1", ["1"], ["0"]),
        ("Ja|Nein|ja", ["Ja", "ja"], ["Nein"]),
        ("yes|x|x", ["yes"], []),
    ],
)
def test_yes_means_active_in_a_column_of_that_name_only(words: str, true: list[str], false: list[str]) -> None:
    assert the("active", guesses(**{"Is Active": words})).rule == {
        "column": "Is Active",
        "true_when": true,
        "false_when": false,
    }


@pytest.mark.parametrize("word", ["Active?", "Active\u200b", "Not active", "unbeschäftigt", "(Active)"])
def test_a_word_that_only_looks_like_a_known_one_is_not_taken(word: str) -> None:
    assert the("active", guesses(Status=["Active", word, word])).rule["true_when"] == ["Active"]


def test_a_rare_word_and_one_of_another_column_is_nobodys_business() -> None:
    words = [*["Active"] * 5, "Smith", "Smith", "Jones", "jo@x.com", "jo@x.com", "W" * 41, "W" * 41]
    names = ["", "", "", "", "Smith", *[""] * 7]
    guess = the("active", guesses(Status=words, Surname=names))
    told = " ".join(guess.remarks)
    assert not any(word in told for word in ("Smith", "Jones", "jo@x.com", "WW"))
    assert "4 more, too rare to be named here" in told


def test_a_column_with_many_words_is_no_status() -> None:
    guess = the("active", guesses(Status=["Active", *map(str, range(1000, 1020))]))
    assert (guess.level, guess.remarks) == (Level.LIKELY, [])


def test_of_two_columns_with_words_of_a_status_none_is_taken() -> None:
    found = guesses(**{"Employee Status": "Active|Terminated|Active", "Active": "yes|yes|yes"})
    assert of("active", found) == [("likely", "Employee Status"), ("likely", "Active")]


def test_without_a_status_the_dates_are_suggested() -> None:
    found = guesses(Eintritt="13.05.2021|01.02.2020|31.12.2019", Austritt="31.12.2025||")
    guess = the("active", found)
    assert guess.level == Level.UNSURE
    assert guess.rule == {
        "from": {"column": "Eintritt", "date": "%d.%m.%Y"},
        "until": {"column": "Austritt", "date": "%d.%m.%Y"},
    }


# --- dates


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        ("13.05.2021|1.2.2020|", ["%d.%m.%Y"]),
        ("03.04.2021|04.03.2021|", ["%d.%m.%Y"]),
        ("2021-05-13|2020-02-01|", ["%Y-%m-%d"]),
        ("20210513|20200201|", ["%Y%m%d"]),
        ("13/05/2021|01/02/2020|", ["%d/%m/%Y"]),
        ("05/13/2021|01/02/2020|", ["%m/%d/%Y"]),
        ("03/04/2021|01/02/2020|", ["%d/%m/%Y", "%m/%d/%Y"]),
        ("04/04/2021|01/01/2020|", ["%d/%m/%Y"]),
        ("13-May-2021|01-Feb-2020|", ["%d-%b-%Y"]),
        ("13 May 2021|01 May 2020|", ["%d %b %Y"]),
        ("May 13, 2021|February 1, 2020|", ["%B %d, %Y"]),
        ("2021-05-13T06:00:00|2020-02-01T00:00:00|", ["%Y-%m-%dT%H:%M:%S"]),
        ("2021-05-13T06:00:00Z|2020-02-01T00:00:00Z|", ["%Y-%m-%dT%H:%M:%SZ"]),
        ("13.05.2021 06:00|01.02.2020 00:00|", ["%d.%m.%Y %H:%M"]),
        ("13/05/2021|05/13/2021|", ["decide"]),
        ("13.05.2021|soon|", ["decide"]),
        ("13.05.21|01.02.20|", ["decide"]),
        ("||", ["decide"]),
    ],
)
def test_every_date_must_fit_the_format_and_two_that_fit_are_for_a_person(cells: str, formats: list[str]) -> None:
    found = [guess for guess in guesses(**{"Hire Date": cells}) if guess.path == f"{CONTOSO}:hireDate"]
    assert [guess.rule["date"] for guess in found] == formats
    assert {guess.level for guess in found} == (
        {Level.SURE} if len(formats) == 1 and "%" in formats[0] else {Level.LIKELY}
    )


def test_date_cells_of_a_workbook_are_iso_8601_also_beside_text() -> None:
    typed = guesses(typed_dates=True, **{"Hire Date": "2021-05-13|2020-02-01T00:00:00|13.05.2021"})
    assert the(f"{CONTOSO}:hireDate", typed).rule["date"] == "%d.%m.%Y"
    assert the(f"{CONTOSO}:hireDate", typed).level == Level.SURE


def test_two_columns_for_one_date_are_for_a_person() -> None:
    found = guesses(**{"Hire Date": "2021-05-13|2020-02-01|", "Original Hire Date": "2021-05-13|2020-02-01|"})
    assert [guess.level for guess in found if guess.path.endswith("hireDate")] == [Level.LIKELY] * 2


def test_a_column_that_the_header_has_twice_is_not_proposed() -> None:
    table = Table(["PERNR", "PERNR", "Vorname"], [["1", "2", "A"]])
    assert [guess.path for guess in guess_columns(table)] == ["name.givenName"]
    assert table.others == ["PERNR", "PERNR"]
