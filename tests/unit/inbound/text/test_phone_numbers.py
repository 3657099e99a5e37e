"""Phone numbers in E.164, and what is turned away because it is not plainly one number."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.text.phone_numbers import e164, is_possible, is_region, split_extension
from tests.unit.builders import PROPERTY


@pytest.mark.parametrize(
    "text",
    [
        *("030 123456", "(030) 123456", "030/123456", "030 / 12 34 56", "030-123456", "030.123456", " 030123456 "),
        *("030\u00a0123456", "030\u3000123456", "030\u2013123456", "٠٣٠ ١٢٣٤٥٦", "０３０（１２３４５６）"),
        *("+49 30 123456", "+49 (0)30 123456", "0049 30 123456", "＋４９ ３０ １２３４５６"),
    ],
)
def test_one_number_has_one_spelling(text: str):
    assert e164(text, "DE") == "+4930123456"


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("(425) 555-0109", "US", "+14255550109"),
        ("011 49 30 123456", "US", "+4930123456"),
        ("+1 425 555 0109", "DE", "+14255550109"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("06 698 12345", "IT", "+390669812345"),
        ("030 123456-78", "DE", "+493012345678"),
    ],
)
def test_a_number_without_country_code_belongs_to_the_region(text: str, region: str, number: str):
    assert e164(text, region) == number


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *(
            (text, "is no phone number")
            for text in ("", "+", "n/a", "1-800-FLOWERS", "Tel. 030 123456", "tel:+4930123456")
        ),
        *(
            (text, "is no phone number")
            for text in ("030 123456 privat", "030 123456¹", "030+123456", "030 1234\n030 567")
        ),
        *(
            (text, "is no phone number")
            for text in ("030 123456; 030 123457", "030 123456, 030 123457", "++4930123456", "030 1/+49 40 999")
        ),
        *(
            (text, "extension")
            for text in ("030 123456 ext. 12", "030 123456x12", "030 123456 #12", "+4930123456;ext=12")
        ),
        *((text, "extension") for text in ("030 123456 Durchwahl 12", "030 123456, DW 12", "030 123456 Extension: 12")),
        *((text, "more than one") for text in ("030 12345 / 040 999", "030 12345/040999", "030 123456/57")),
        *((text, "digits") for text in ("0" * 300, "+999 1234", "9" * 16, "+49 1")),
        *((text, "numbering plan") for text in ("110", "030 1", "+1 555 555 0109")),
    ],
)
def test_what_is_not_plainly_one_valid_number_is_refused(text: str, problem: str):
    with pytest.raises(ValueError, match=problem) as refusal:
        e164(text, "DE")
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize("region", ["", "de", "XX", "DEU", "49", "ZZ", "001"])
def test_a_region_without_numbering_plan_is_refused_also_for_international_numbers(region: str):
    assert not is_region(region)
    with pytest.raises(ValueError, match="region"):
        e164("+49 30 123456", region)


def test_a_country_is_a_region():
    assert all(map(is_region, ("DE", "AT", "CH", "US", "GB", "JP")))


@pytest.mark.parametrize("text", ["+49 30 123456", "+4930123456", " +1 (425) 555-0109 ", "+49 30 123456 ext 12"])
def test_a_number_with_plus_and_enough_digits_is_possible(text: str):
    assert is_possible(text)


@pytest.mark.parametrize(
    "text", ["", "+", "030 123456", "+49", "+49 1", "+999 123456", "+49" + "1" * 20, "+49 30 CALL ME"]
)
def test_a_number_that_nobody_can_dial_is_not_possible(text: str):
    assert not is_possible(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("030 123456", ("030 123456", None)),
        ("030 123456 x 12", ("030 123456", "12")),
        ("030 123456, ext. 12", ("030 123456", "12")),
        ("(030)", ("(030)", None)),
        ("030 123456 ext", None),
        ("030 123456 or 12", None),
        ("030\t123456", None),
    ],
)
def test_an_extension_is_told_from_the_number(text: str, parts: tuple[str, str | None] | None):
    assert split_extension(text) == parts


@pytest.mark.parametrize("text", ["1 " * 20_000 + "!", "1" + " " * 40_000 + "!", "(" * 40_000, "1x" * 20_000])
def test_a_long_cell_takes_no_long_time(text: str):
    start = time.process_time()
    assert split_extension(text) is None
    assert time.process_time() - start < 1


NUMBERS = st.text("0123456789 +()-./x#,٣３＋\u00a0\u2013", max_size=30)


@PROPERTY
@given(st.one_of(NUMBERS, NUMBERS.map("+49{}".format), st.text()), st.sampled_from(["DE", "US", "IT", ""]))
def test_any_text_is_a_number_or_is_refused_with_words(text: str, region: str):
    try:
        number = e164(text, region)
    except ValueError as refusal:
        words = str(refusal)
    else:
        words = "The ."
        assert re.fullmatch(r"\+[0-9]{5,15}", number)
        assert is_possible(number)
        assert e164(number, region) == number
    assert words.startswith("The ")
    assert words.endswith(".")
