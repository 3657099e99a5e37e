"""Letter case of people's names: what comes in capitals or in small letters, and what is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.text.person_names import title_case
from tests.unit.builders import PROPERTY


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MARIA", "Maria"),
        ("maria schmidt", "Maria Schmidt"),
        ("MARIA O'BRIEN", "Maria O'Brien"),
        ("maria o’brien", "Maria O’Brien"),
        ("N'DIAYE", "N'Diaye"),
        ("JA'FAR", "Ja'far"),
        ("МАР'ЯНА", "Мар'яна"),
        ("ANNA-LENA", "Anna-Lena"),
        ("anna\u2010lena", "Anna\u2010Lena"),
        ("J.R.R. TOLKIEN", "J.R.R. Tolkien"),
        ("MCDONALD", "McDonald"),
        ("mcdonald-smith", "McDonald-Smith"),
        ("MCA", "Mca"),
        ("MACRON", "Macron"),
        ("MACDONALD", "Macdonald"),
        ("A", "A"),
        ("", ""),
        ("123", "123"),
    ],
)
def test_a_name_in_one_case_gets_capitals_where_its_parts_begin(text: str, name: str):
    assert title_case(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("jan van der berg", "Jan van der Berg"),
        ("VAN DEN BERG", "van den Berg"),
        ("MARIA DE LA CRUZ", "Maria de la Cruz"),
        ("DE LA CRUZ", "de la Cruz"),
        ("VON BÜLOW", "von Bülow"),
        ("VON UND ZU GUTTENBERG", "von und zu Guttenberg"),
        ("ALI BIN SALEM", "Ali bin Salem"),
        ("D'ARTAGNAN", "d'Artagnan"),
        ("CHARLES D’ARTAGNAN", "Charles d’Artagnan"),
        ("'T HART", "'t Hart"),
    ],
)
def test_a_particle_before_a_name_is_small(text: str, name: str):
    assert title_case(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("VAN", "Van"),
        ("bin", "Bin"),
        ("JEAN DE", "Jean De"),
        ("BIN ZHANG", "Bin Zhang"),
        ("DU WEI", "Du Wei"),
        ("LE PEN", "Le Pen"),
        ("JEAN LE PEN", "Jean Le Pen"),
        ("LA FONTAINE", "La Fontaine"),
    ],
)
def test_a_word_that_can_be_a_whole_name_is_no_particle(text: str, name: str):
    assert title_case(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HENRY II", "Henry II"),
        ("henry iii", "Henry III"),
        ("JOHN SMITH IV", "John Smith IV"),
        ("IV", "Iv"),
        ("JOHN SMITH JR", "John Smith Jr"),
    ],
)
def test_a_roman_numeral_behind_a_name_stays_in_capitals(text: str, name: str):
    assert title_case(text) == name


@pytest.mark.parametrize(
    "text", ["McDonald", "DeShawn", "van der Berg", "O'Brien", "Müller VON BÜLOW", "IJssel", "MacLeod", "e.e. Cummings"]
)
def test_a_name_in_both_cases_is_somebodys_decision(text: str):
    assert title_case(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GROßE", "Große"),
        ("STRAUß", "Strauß"),
        ("IJSSEL", "Ijssel"),
        ("İBRAHİM", "İbrahim"),
        ("ışık", "Işık"),
        ("ΓΙΩΡΓΟΣ", "Γιωργος"),
        ("ÅSA ØST", "Åsa Øst"),
        ("ǆamonja", "ǅamonja"),
        ("王小明", "王小明"),
    ],
)
def test_letters_of_every_script_have_their_case_by_unicode_alone(text: str, name: str):
    assert title_case(text) == name


@pytest.mark.parametrize("text", ["  MARIA\u00a0 ANNA\t", "\u2003maria  anna "])
def test_white_space_stays_as_it_is(text: str):
    titled = title_case(text)
    assert [char for char in titled if char.isspace()] == [char for char in text if char.isspace()]
    assert titled.split() == ["Maria", "Anna"]


NAMES = st.lists(
    st.sampled_from(
        [
            *(
                "maria",
                "VAN",
                "de",
                "la",
                "d'",
                "o'",
                "MC",
                "donald",
                "ii",
                "'t",
                "-",
                ".",
                " ",
                "  ",
                "ß",
                "é",
                "Ø",
                "Σ",
            ),
            *("щ", "bin", "und", "’", "A"),
        ]
    )
).map("".join)


@PROPERTY
@given(st.one_of(NAMES, NAMES.map(str.upper), st.text()))
def test_a_second_time_changes_nothing(text: str):
    assert title_case(title_case(text)) == title_case(text)


@PROPERTY
@given(st.one_of(NAMES, NAMES.map(str.upper), NAMES.map(str.lower)))
def test_only_the_case_of_letters_changes(text: str):
    assert title_case(text).casefold() == text.casefold()
