"""What a value must look like so that Entra can take it."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.text.value_checks import CHECKS, CheckName, default_check, max_length
from shared.scim.attribute_path import parse_attribute_path
from tests.unit.builders import CONTOSO, EMAIL, ENTERPRISE, PROPERTY

DOMAIN_48 = "a" * 36 + ".example.com"


def test_every_name_has_a_check_and_every_check_a_name():
    assert list(CHECKS) == list(get_args(CheckName))


@pytest.mark.parametrize(
    ("check", "value"),
    [
        *(("upn", value) for value in ("bjensen@example.com", "O'Brien.B-1_x!#^~@sub.example-1.com", "1@a.b")),
        *(("upn", value) for value in ("a" * 64 + "@" + DOMAIN_48, "guest_example.com#EXT#@contoso.onmicrosoft.com")),
        *(("email", value) for value in ("bjensen@example.com", "b+tag/x=y&z@example.com", "a@xn--mller-kva.example")),
        *(("email", value) for value in ("a" * 64 + "@" + ".".join(["b" * 63] * 3) + ".example",)),
        *(("phone", value) for value in ("+49 30 123456", "030/123456", "(425) 555-0109", "112", "030 123456 ext. 12")),
        *(("phone", value) for value in ("+1 4251234567X12345", " 030.12-34 ", "030\u00a0123456")),
        *(("language", value) for value in ("en", "de-AT", "en-us", "zh-Hant-TW", "es-419", "gsw", "de-CH-1996")),
        *(("time_zone", value) for value in ("Europe/Berlin", "America/Argentina/Ushuaia", "UTC", "US/Pacific")),
        *(("country", value) for value in ("DE", "US", "GB")),
        *(("none", value) for value in ("", "anything", "\ud800")),
    ],
)
def test_a_value_as_it_should_be_is_fine(check: str, value: str):
    assert CHECKS[check](value) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        *((value, "just one @") for value in ("", "bjensen", "a@b@example.com", "bjensen(at)example.com")),
        *((value, "white space") for value in ("b jensen@example.com", "bjensen@example.com ", "b\u00a0j@example.com")),
        *((value, "before the @") for value in ("@example.com", "a" * 65 + "@example.com", "jörg@example.com")),
        *((value, "before the @") for value in ("a\u200b@example.com", "a\x00@example.com", 'a"b@example.com')),
        *((value, "a dot") for value in (".a@example.com", "a.@example.com", "a..b@example.com")),
        *(
            (value, "no domain")
            for value in ("a@", "a@localhost", "a@.com", "a@example.", "a@example..com", "a@1.2.3.4")
        ),
        *((value, "no domain") for value in ("a@-b.com", "a@b-.com", "a@müller.de", "a@b_c.com", "a@[1.2.3.4]")),
        *((value, "no domain") for value in ("a@example.com\u200b", "a@example,com", "a@example.\u0664")),
    ],
)
@pytest.mark.parametrize("check", ["upn", "email"])
def test_a_user_name_and_an_email_address_have_a_name_and_a_domain(check: str, value: str, problem: str):
    assert problem in (CHECKS[check](value) or "fine")


@pytest.mark.parametrize("char", list('\\%&*+/=?{}|<>();:,[]"`$'))
def test_a_user_name_has_only_the_characters_that_microsoft_lists(char: str):
    assert "other than A-Z" in (CHECKS["upn"](f"a{char}b@example.com") or "fine")


@pytest.mark.parametrize("check", ["upn", "email"])
def test_a_label_of_a_domain_has_at_most_63_characters(check: str):
    assert CHECKS[check]("a@" + "b" * 64 + ".com") is not None


def test_behind_the_at_a_user_name_has_48_characters_and_an_email_address_255():
    longer = "a@a" + DOMAIN_48
    longest = "a@" + ".".join(["b" * 63] * 3 + ["c" * 63])
    assert "48 characters" in (CHECKS["upn"](longer) or "fine")
    assert CHECKS["email"](longer) is None
    assert CHECKS["email"](longest) is None
    assert "255 characters" in (CHECKS["email"](longest + "c") or "fine")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        *((value, "other than digits") for value in ("", "n/a", "call me", "030 123456 a.m.", "0800 FLOWERS", "+")),
        *((value, "other than digits") for value in ("030+123456", "030\n123456", "٠٣٠١٢٣")),
        *((value, "fewer than 3 digits") for value in ("1", "-1-2", "+49", "12 ext. 345")),
        *((value, "begins with +") for value in ("+999 123456", "+49 1", "+49 " + "1" * 20, "+1 23 ext. 456789")),
    ],
)
def test_a_phone_number_that_nobody_could_dial_is_not_fine(value: str, problem: str):
    assert problem in (CHECKS["phone"](value) or "fine")


@pytest.mark.parametrize("value", ["en_US", "de_DE.UTF-8", "_"])
def test_an_underscore_in_a_language_gets_its_own_advice(value: str):
    assert "underscore" in (CHECKS["language"](value) or "fine")


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "english",
            "Deutsch",
            "xx",
            "zz-ZZ",
            "eng",
            "deu",
            "en-UK",
            "en-EN",
            "en-",
            "-en",
            "en--US",
            "a",
            "en US",
        ),
        *("fr-FRA", "en-US,de;q=0.8", "1033", "x-klingon", "i-klingon", "zh-cmn", "ａｂ", "en-US ", "en\n"),
    ],
)
def test_a_language_is_a_registered_tag_as_it_is_written(value: str):
    assert "BCP 47" in (CHECKS["language"](value) or "fine")


@pytest.mark.parametrize(
    "value",
    [
        *("", "CEST", "Berlin", "europe/berlin", "Europe/Berlin ", "W. Europe Standard Time", "UTC+1", "+01:00"),
        *("localtime", "posixrules", "Factory", "../UTC", "Europe", "/etc/passwd"),
    ],
)
def test_a_time_zone_is_an_iana_name_letter_by_letter(value: str):
    assert "IANA" in (CHECKS["time_zone"](value) or "fine")


@pytest.mark.parametrize("value", ["", "de", "DEU", "276", "Germany", "UK", "XK", "DE "])
def test_a_country_is_an_assigned_code_in_capitals(value: str):
    assert "alpha-2" in (CHECKS["country"](value) or "fine")


@pytest.mark.parametrize("check", sorted(set(CHECKS) - {"none"}))
def test_a_problem_is_one_sentence_about_the_value_and_without_it(check: str):
    problem = CHECKS[check]("Zyxwv") or ""
    assert problem.startswith("The ")
    assert problem.endswith(".")
    assert "Zyxwv" not in problem


TRICKY = st.lists(
    st.sampled_from(
        [*("a", "@", ".", "-", "+", "49", "en", "_", "US", "x", "(", " ", "é", "\ud800", "\x00", "/", "u"), "1" * 70]
    )
).map("".join)


@PROPERTY
@given(st.sampled_from(sorted(CHECKS)), st.one_of(TRICKY, st.text(alphabet=st.characters())))
def test_no_text_makes_a_check_fail(check: str, value: str):
    problem = CHECKS[check](value)
    assert problem is None or (problem.startswith("The ") and problem.endswith("."))


@PROPERTY
@given(TRICKY)
def test_a_user_name_that_is_fine_is_short_and_ascii(value: str):
    if CHECKS["upn"](value) is None:
        assert value.isascii()
        assert len(value) <= 113


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("userName", "upn"),
        (EMAIL, "email"),
        ('phoneNumbers[type eq "work"].value', "phone"),
        ("preferredLanguage", "language"),
        ("locale", "language"),
        ("timezone", "time_zone"),
        ('addresses[type eq "work"].country', "country"),
        ("externalId", "none"),
        ("displayName", "none"),
        ('emails[type eq "work"].display', "none"),
        ('addresses[type eq "work"].region', "none"),
        (f"{ENTERPRISE}:manager.value", "none"),
        (f"{CONTOSO}:userName", "none"),
        (f"{CONTOSO}:value", "none"),
    ],
)
def test_an_attribute_has_the_check_of_its_kind(path: str, check: str):
    assert default_check(parse_attribute_path(path)) == check


@pytest.mark.parametrize(
    ("path", "limit", "source"),
    [
        ("externalId", 16, "Microsoft Graph, employeeId"),
        ("userName", 113, "Microsoft Graph, userPrincipalName"),
        ("displayName", 256, "Microsoft Graph, displayName"),
        ("title", 128, "Microsoft Graph, jobTitle"),
        ("name.givenName", 64, "Microsoft Graph, givenName"),
        ("name.familyName", 64, "Microsoft Graph, surname"),
        ('addresses[type eq "work"].streetAddress', 1024, "Microsoft Graph, streetAddress"),
        ('addresses[type eq "work"].locality', 128, "Microsoft Graph, city"),
        ('addresses[type eq "work"].region', 128, "Microsoft Graph, state"),
        ('addresses[type eq "work"].postalCode', 40, "Microsoft Graph, postalCode"),
        ('addresses[type eq "work"].country', 128, "Microsoft Graph, country"),
        ('phoneNumbers[type eq "work"].value', 64, "Active Directory, telephoneNumber"),
        (f"{ENTERPRISE}:department", 64, "Microsoft Graph, department"),
        (f"{ENTERPRISE}:organization", 64, "Microsoft Graph, companyName"),
    ],
)
def test_a_documented_length_comes_with_its_source(path: str, limit: int, source: str):
    assert max_length(parse_attribute_path(path)) == (limit, source)


@pytest.mark.parametrize(
    "path",
    [EMAIL, "userType", "nickName", f"{ENTERPRISE}:costCenter", f"{ENTERPRISE}:manager", f"{CONTOSO}:displayName"],
)
def test_without_a_documented_length_there_is_none(path: str):
    assert max_length(parse_attribute_path(path)) is None
