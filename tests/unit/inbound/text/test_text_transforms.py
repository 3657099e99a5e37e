"""The transforms of a mapping rule, each by its name."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.text.text_transforms import TRANSFORMS, Transform
from tests.unit.builders import PROPERTY


def test_every_name_has_a_transform_and_every_transform_a_name():
    assert list(TRANSFORMS) == list(get_args(Transform))


def test_a_cold_start_pays_for_no_library_that_it_does_not_use():
    libraries = "{'anyascii', 'langcodes', 'phonenumbers', 'pycountry', 'tzdata'}"
    modules = "sys, shared.inbound.text.text_transforms, shared.inbound.text.value_checks"
    program = f"import {modules}; print({libraries} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("name", "text", "result"),
    [
        ("trim", " \u00a0Anna  Lena\r\n", "Anna  Lena"),
        ("collapse_spaces", "\u2003Anna\u00a0 \t\n Lena ", "Anna Lena"),
        ("collapse_spaces", "   ", ""),
        ("lower", "ÄNNE", "änne"),
        ("upper", "änne", "ÄNNE"),
        ("title", "MARIA O'BRIEN", "Maria O'Brien"),
        ("country", "Deutschland", "DE"),
    ],
)
def test_a_transform_does_what_its_name_says(name: str, text: str, result: str):
    assert TRANSFORMS[name](text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        *(
            ("José Núñez", "Jose Nunez"),
            ("Łukasz", "Lukasz"),
            ("Søren Ødegård", "Soren Odegard"),
            ("Đỗ Nguyễn", "Do Nguyen"),
        ),
        *(("Ħ ŧ ı İ", "H t i I"), ("e\u0301", "e"), ("e\u030a\u0323x", "ex"), ("ǽ", "æ"), ("Müller", "Muller")),
    ],
)
def test_latin_letters_lose_their_diacritics(text: str, result: str):
    assert TRANSFORMS["strip_diacritics"](text) == result


@pytest.mark.parametrize(
    "text", ["ß Æ Þ Ð œ", "Андрей Ё", "Γιώργος", "हिन्दी", "王", "", "plain ASCII", "\u0301", "\ud800"]
)
def test_letters_without_a_latin_base_stay(text: str):
    assert TRANSFORMS["strip_diacritics"](text) == text


@pytest.mark.parametrize(
    ("text", "result"),
    [
        *(("Jörg Müller-Weiß", "Joerg Mueller-Weiss"), ("Ärger", "Aerger"), ("ÄRGER", "AERGER"), ("STRAUß", "STRAUSS")),
        *(("Åsa Øst", "Aasa Oest"), ("Ægir Þór Guðmundsson", "Aegir Thor Gudmundsson"), ("Łódź", "Lodz")),
        *(("Ju\u0308rgen", "Juergen"), ("Щукин", "Shchukin"), ("ЩУКИН", "SHCHUKIN"), ("O’Brien", "O'Brien")),
        *(("王小明", "WangXiaoMing"), ("Anna\u00a0Lena", "Anna Lena"), ("plain", "plain"), ("", "")),
    ],
)
def test_a_login_name_is_spelt_in_ascii(text: str, result: str):
    assert TRANSFORMS["transliterate"](text) == result


def test_diacritics_can_go_before_the_passport_spelling():
    assert TRANSFORMS["transliterate"](TRANSFORMS["strip_diacritics"]("Jörg Weiß")) == "Jorg Weiss"


@pytest.mark.parametrize("text", ["Anna😀", "Anna\u200bLena", "Anna\ue000", "€", "\ud800", "Anna\x85é", "\u0301", "ــ"])
def test_what_no_letters_can_stand_for_is_refused(text: str):
    with pytest.raises(ValueError, match="ASCII letters"):
        TRANSFORMS["transliterate"](text)


@pytest.mark.parametrize(
    ("text", "digits"), [("W-00 17", "0017"), ("٠١٢", "012"), ("１２３", "123"), ("x² 3", "3"), ("", ""), ("  ", "")]
)
def test_digits_of_any_script_are_kept_as_ascii(text: str, digits: str):
    assert TRANSFORMS["keep_digits"](text) == digits


@pytest.mark.parametrize("text", ["none", "²", "-"])
def test_a_text_without_digits_does_not_become_a_blank_one(text: str):
    with pytest.raises(ValueError, match=r"^The text has no digits\.$"):
        TRANSFORMS["keep_digits"](text)


def test_a_country_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"^The text is no country"):
        TRANSFORMS["country"]("Atlantis")


@PROPERTY
@given(st.sampled_from(get_args(Transform)), st.text(alphabet=st.characters()))
def test_any_text_is_transformed_or_refused_with_words(name: str, text: str):
    try:
        result = TRANSFORMS[name](text)
    except ValueError as refusal:
        words = str(refusal)
    else:
        words = "The text ."
        assert name not in ("transliterate", "keep_digits", "country") or result.isascii()
        assert result.strip() or not text.strip()
    assert words.startswith("The text ")
    assert words.endswith(".")


@PROPERTY
@given(
    st.sampled_from(sorted(set(get_args(Transform)) - {"transliterate", "lower", "upper"})),
    st.text("aÉßøŁ щ王.'-\u0301\u00a012"),
)
def test_a_second_time_changes_nothing(name: str, text: str):
    try:
        once = TRANSFORMS[name](text)
    except ValueError:
        return
    assert TRANSFORMS[name](once) == once
