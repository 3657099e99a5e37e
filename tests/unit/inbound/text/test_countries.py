"""Which country a text names: exactly, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.text.countries import alpha2, is_alpha2
from tests.unit.builders import PROPERTY

REFUSAL = "The text is no country of ISO 3166-1: neither a code nor a name in English or German."


@pytest.mark.parametrize(
    "text", ["DE", "de", "DEU", "deu", "276", "Germany", "Deutschland", "Federal Republic of Germany"]
)
def test_a_country_is_known_by_its_codes_and_names(text: str):
    assert alpha2(text) == "DE"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("040", "AT"),
        ("Österreich", "AT"),
        ("OSTERREICH", "AT"),
        ("O\u0308sterreich", "AT"),
        ("Schweiz", "CH"),
        ("Vereinigtes Königreich", "GB"),
        ("Südkorea", "KR"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Republic of Korea", "KR"),
        ("Bolivarische Republik Venezuela", "VE"),
        ("Côte d'Ivoire", "CI"),
        ("cote d’ivoire", "CI"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("The  Netherlands", "NL"),
        ("Bosnia & Herzegovina", "BA"),
        ("ＤＥ", "DE"),
        ("\tFrance\u00a0", "FR"),
        ("the Democratic Republic of the Congo", "CD"),
    ],
)
def test_case_diacritics_punctuation_and_word_order_do_not_count(text: str, code: str):
    assert alpha2(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("UK", "GB"), ("Great Britain", "GB"), ("Großbritannien", "GB"), ("GROSSBRITANNIEN", "GB")),
        *(("Russia", "RU"), ("Russland", "RU"), ("Turkey", "TR"), ("Türkei", "TR"), ("Ivory Coast", "CI")),
        *(("Holland", "NL"), ("Laos", "LA"), ("Syrien", "SY"), ("Vatikan", "VA"), ("Moldawien", "MD")),
    ],
)
def test_everyday_names_are_known_too(text: str, code: str):
    assert alpha2(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "the",
        "Atlantis",
        "Germny",
        "Germany1",
        "North Germany",
        "XX",
        "XK",
        "England",
        "Korea",
        "40",
        "0276",
        ".",
    ],
)
def test_what_is_only_like_a_country_is_none(text: str):
    with pytest.raises(ValueError, match=r"^The text is no country"):
        alpha2(text)


@pytest.mark.parametrize("text", ["Congo", "Kongo", "congo"])
def test_a_name_that_two_countries_go_by_is_none(text: str):
    with pytest.raises(ValueError, match=r"^The text is no country"):
        alpha2(text)


def test_every_code_of_the_standard_is_found_and_kept():
    import pycountry

    for country in pycountry.countries:
        known = {alpha2(text) for text in (country.alpha_2, country.alpha_3, country.numeric, country.alpha_2.lower())}
        assert known == {country.alpha_2}
        assert is_alpha2(country.alpha_2)


def test_every_name_of_the_standard_is_its_own_countrys():
    import pycountry

    for country in pycountry.countries:
        if country.alpha_2 != "CG":
            assert alpha2(country.name) == country.alpha_2


@pytest.mark.parametrize("text", ["de", "De", "DEU", "UK", "XX", "XK", "EU", "276", "", "DE ", "Germany", "ＤＥ"])
def test_only_an_assigned_code_in_capitals_is_alpha_2(text: str):
    assert not is_alpha2(text)


@PROPERTY
@given(st.text(alphabet=st.characters()))
def test_any_text_is_a_country_or_refused_without_being_repeated(text: str):
    code, words = "DE", REFUSAL
    try:
        code = alpha2(text)
    except ValueError as refusal:
        words = str(refusal)
    assert is_alpha2(code)
    assert words == REFUSAL
