"""What a value must look like so that Entra can take it: checks that a mapping rule names, and documented lengths.

Sources, all Microsoft's:

- lengths: the Graph reference of the `user` resource; for the work phone, whose Graph property has none, the Active
  Directory schema (`telephoneNumber`, rangeUpper)
- user names: "Password policies and account restrictions in Microsoft Entra ID", section on user names
- e-mail: the Graph reference, by which `mail` has no accents
- which SCIM attribute is which property: the FAQ on API-driven provisioning (externalId is employeeId unless the
  job's mapping was changed) and the schema page of Entra's SCIM API
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from shared.inbound.text.countries import is_alpha2
from shared.inbound.text.phone_numbers import is_plainly_possible, is_possible, split_extension
from shared.scim.user import ENTERPRISE_USER

if TYPE_CHECKING:
    from shared.scim.attribute_path import AttributePath

Check = Callable[[str], str | None]
"""None: the value is fine. Otherwise a sentence about what is wrong, without the value. Never raises."""
CheckName = Literal["upn", "email", "phone", "language", "time_zone", "country", "none"]

_UPN_NAME = re.compile(r"[A-Za-z0-9'.\-_!#^~]+")
_EMAIL_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]+")
_FINE_NAME = re.compile(r"[A-Za-z0-9'_!#^~-]+(?:\.[A-Za-z0-9'_!#^~-]+)*")
"""The name of most addresses, in one look: fine for a user name and for an e-mail address."""
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_FEWEST_DIGITS = 3


def _upn(value: str) -> str | None:
    return _address(value, "user name", _UPN_NAME, "A-Z a-z 0-9 ' . - _ ! # ^ ~", longest_domain=48)


def _email(value: str) -> str | None:
    return _address(value, "e-mail address", _EMAIL_NAME, "those of RFC 5322, without accents", longest_domain=255)


def _address(value: str, what: str, name_shape: re.Pattern[str], allowed: str, *, longest_domain: int) -> str | None:
    """Both kinds have 64 characters before the @; with 48 behind it, that makes the 113 of a user name."""
    name, at, domain = value.partition("@")
    if len(name) <= 64 and _FINE_NAME.fullmatch(name) and len(domain) <= longest_domain and _is_domain(domain):
        return None
    if any(char.isspace() for char in value):
        return f"The {what} has white space in it: trim cuts off what is around it, regex: {{replace: ' '}} the rest."
    if not at or "@" in domain:
        return f"The {what} must have just one @, between a name and a domain."
    if not name or len(name) > 64:
        return f"The {what} must have 1 to 64 characters before the @."
    if len(domain) > longest_domain:
        return f"The {what} has more than {longest_domain} characters behind the @."
    if not name_shape.fullmatch(name):
        return f"The {what} has characters before the @ other than {allowed}."
    if name.startswith(".") or name.endswith(".") or ".." in name:
        return f"The {what} has a dot at the beginning, before the @, or next to another."
    if not _is_domain(domain):
        return f"The {what} has no domain behind the @, such as example.com, in ASCII letters, digits and hyphens."
    return None


@lru_cache(maxsize=1024)
def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) >= 2 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _phone(value: str) -> str | None:
    if is_plainly_possible(value):
        return None
    written = split_extension(value.strip())
    if written is None:
        return (
            "The phone number has something other than digits, blanks, ( ) - . / and a + at the beginning, "
            "or an extension at the end."
        )
    number, _ = written
    if sum(map(str.isdigit, number)) < _FEWEST_DIGITS:
        return f"The phone number has fewer than {_FEWEST_DIGITS} digits."
    if number.startswith("+") and not is_possible(number):
        return "The phone number begins with + but has an unknown country code, or too few or too many digits."
    return None


def _language(value: str) -> str | None:
    if "_" in value:
        return "The language has an underscore; BCP 47 writes a hyphen, as in de-AT."
    if not _LANGUAGE.fullmatch(value) or not _is_registered(value):
        return "The language is no tag of BCP 47, such as en, de-AT or zh-Hant-TW."
    return None


def _is_registered(tag: str) -> bool:
    """As it is written: `normalize` would take eng and en-UK for en and en-GB, which Entra does not."""
    import langcodes

    try:
        language = langcodes.Language.get(tag, normalize=False)
        return language.is_valid() and not language.extlangs
    except ValueError:
        return False


def _time_zone(value: str) -> str | None:
    if value not in _time_zones():
        return "The time zone is no IANA name, such as Europe/Berlin; Windows names are none."
    return None


@cache
def _time_zones() -> frozenset[str]:
    """From the package, not from the machine, whose own files hold names of no zone, such as localtime."""
    from importlib import resources

    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {"Factory"}


def _country(value: str) -> str | None:
    if not is_alpha2(value):
        return "The country is no alpha-2 code of ISO 3166-1 in capitals, such as DE; the transform country makes one."
    return None


def _none(_value: str) -> str | None:
    return None


CHECKS: dict[str, Check] = {
    "upn": _upn,
    "email": _email,
    "phone": _phone,
    "language": _language,
    "time_zone": _time_zone,
    "country": _country,
    "none": _none,
}

_DEFAULT_CHECKS: dict[tuple[str | None, str], CheckName] = {
    (None, "userName"): "upn",
    ("emails", "value"): "email",
    ("phoneNumbers", "value"): "phone",
    (None, "preferredLanguage"): "language",
    (None, "locale"): "language",
    (None, "timezone"): "time_zone",
    ("addresses", "country"): "country",
}
_GRAPH_LENGTHS: dict[tuple[str | None, str], tuple[int, str]] = {
    (None, "externalId"): (16, "employeeId"),
    (None, "userName"): (113, "userPrincipalName"),
    (None, "displayName"): (256, "displayName"),
    (None, "title"): (128, "jobTitle"),
    ("name", "givenName"): (64, "givenName"),
    ("name", "familyName"): (64, "surname"),
    ("addresses", "streetAddress"): (1024, "streetAddress"),
    ("addresses", "locality"): (128, "city"),
    ("addresses", "region"): (128, "state"),
    ("addresses", "postalCode"): (40, "postalCode"),
    ("addresses", "country"): (128, "country"),
    (ENTERPRISE_USER, "department"): (64, "department"),
    (ENTERPRISE_USER, "organization"): (64, "companyName"),
}
_MAX_LENGTHS = {
    **{key: (limit, f"Microsoft Graph, {name}") for key, (limit, name) in _GRAPH_LENGTHS.items()},
    ("phoneNumbers", "value"): (64, "Active Directory, telephoneNumber"),
}


def default_check(path: AttributePath) -> CheckName:
    """The check of an attribute for which the feed file names none."""
    return _DEFAULT_CHECKS.get((path.container, path.attribute), "none")


def max_length(path: AttributePath) -> tuple[int, str] | None:
    """How many characters the directory takes, and whose limit that is: `(128, "Microsoft Graph, jobTitle")`.

    It holds for the property to which the job maps the attribute as a rule. None where Microsoft documents no limit.
    """
    return _MAX_LENGTHS.get((path.container, path.attribute))
