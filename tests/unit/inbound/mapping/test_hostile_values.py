"""What is sent is what the cells say, character by character, whichever way a column takes through the mapping."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inbound.feeds.feed_file import Feed
from shared.inbound.mapping.user_json import UserEncoder
from shared.inbound.planning.bulk_request import bulk_requests
from shared.inbound.planning.conversion import convert, open_working_set
from shared.inbound.reading.row_batch import BATCH_ROWS
from shared.scim.attribute_path import parse_attribute_path
from shared.scim.bulk import BulkRequest
from tests.unit.builders import CONTOSO, EMAIL, ENTERPRISE, NOON, feed, pieces

PROPERTY = settings(max_examples=25, deadline=None, database=None, derandomize=True)
FEW = settings(PROPERTY, max_examples=12)

NASTY = [
    "",
    " ",
    "\u00a0",
    '"',
    '""',
    "\\",
    "\\\\",
    'a\\"',
    "ends with \\",
    ",",
    '","',
    '",',
    ',"',
    '\\","',
    "]",
    '"]',
    '["',
]
NASTY += ["%", "%s", "%b", "{}", "\n", "a\nb", "a\rb", "\r\n", "\t", "a\tb", "\x01", "\x1f", "\x7f", "\x85", "a\x85b"]
NASTY += ["\u2028", "a\u2028b\u2029", "a\ufeffb", "\ufeff", "\u200b", "a\u200db", "\u202eabc\u202c", "\u2067a\u2069"]
NASTY += [
    "é",
    "e\u0301",
    "ﬁ",
    "ß",
    "İ",
    "ǆ",
    "שלום",
    "مرحبا",
    "नमस्ते",
    "山田太郎",
    "👩‍👩‍👧",
    "🇵🇹",
    "👍🏽",
    "\U00020000",
    "\U000e0041",
]
NASTY += [
    "\ue000",
    "\U0010ffff",
    "\uffff",
    "\ufffd",
    "null",
    "true",
    "1",
    "1e5",
    "0",
    "=1+1",
    "'=1",
    "+",
    "-",
    "@",
    "\x00".strip("\x00"),
]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
CELL = (st.sampled_from(NASTY) | ANY_TEXT | st.text(st.sampled_from('",\\\n\r \ufeff\u2028a'), max_size=8)).filter(
    lambda text: "\ufffd" not in text
)  # letters that were lost on the way set the row aside

HEADER = ["id", "login", "status", "A", "B"]
RULES: dict[str, Any] = {
    "externalId": "id",
    "userName": "login",
    "active": {"column": "status", "true_when": ["1"], "false_when": ["0"]},
    "title": {"column": "A", "check": "none"},
    f"{CONTOSO}:plain": "A",
    f"{CONTOSO}:other": "B",
    f"{ENTERPRISE}:costCenter": {"column": "B", "check": "none"},
    "nickName": {"template": "{A}|{B}", "check": "none"},
}


def feed_of(rules: dict[str, Any], **sections: Any) -> Feed:
    return feed({**dict.fromkeys(feed().mapping), **rules}, **sections)


def row_of(number: int, a: str, b: str) -> list[str]:
    return [f"W{number}", f"u{number}@example.com", "1", a, b]


def said(cell: str) -> str | None:
    """What an attribute says that is just this cell."""
    return cell if cell.strip() else None


def values_of(user: dict[str, Any]) -> list[Any]:
    custom = user.get(CONTOSO, {})
    return [user.get("title"), custom.get("plain"), custom.get("other"), user.get(ENTERPRISE, {}).get("costCenter")]


def text_of(rows: list[list[str]], line_end: str = "\n") -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    return made.getvalue().encode()


def planned_users(content: bytes, used: Feed, size: int = 1 << 16) -> list[dict[str, Any]]:
    """Every user that is planned, from requests that are what they should be."""
    with open_working_set(used) as working_set:
        convert(pieces(content, size), used, working_set, NOON)
        bodies = list(bulk_requests(working_set.planned(), "run"))
        assert working_set.set_aside_count() == 0
    for body in bodies:
        BulkRequest.model_validate_json(body)
    return [operation["data"] for body in bodies for operation in orjson.loads(body)["Operations"]]


@PROPERTY
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=20), st.integers(1, 50), st.sampled_from(["\n", "\r\n"]))
def test_every_character_of_a_cell_is_sent(pairs: list[tuple[str, str]], size: int, line_end: str):
    rows = [row_of(n, a, b) for n, (a, b) in enumerate(pairs)]
    users = planned_users(text_of(rows, line_end), feed_of(RULES), size)
    assert [values_of(user) for user in users] == [[said(a), said(a), said(b), said(b)] for a, b in pairs]
    for user, (a, b) in zip(users, pairs, strict=True):
        if a.strip() and b.strip():
            assert user["nickName"] == f"{a.strip()}|{b.strip()}"


def test_every_plane_of_unicode_is_sent():
    """Each character below U+3000, and then every thirteenth."""
    codes = [*range(1, 0x3000), *range(0x3000, 0xD800, 13), *range(0xE000, 0x110000, 13)]
    all_of_them = list(map(chr, codes))
    cells = ["x" + "".join(all_of_them[at : at + 64]) + "x" for at in range(0, len(all_of_them), 64)]
    rows = [row_of(n, cell, "") for n, cell in enumerate(cells)]
    users = planned_users(text_of(rows), feed_of(RULES))
    assert [user["title"] for user in users] == cells
    assert [user[CONTOSO]["plain"] for user in users] == cells


@pytest.mark.parametrize("cell", NASTY, ids=ascii)
def test_every_nasty_cell_is_sent_from_a_column_of_many(cell: str):
    """More than 4096 different cells: nothing is remembered any more, and one call encodes a whole column."""
    encoder = UserEncoder([parse_attribute_path(path) for path in ("title", f"{CONTOSO}:a")])
    for start in range(0, 6144, BATCH_ROWS):
        column = [f"{n}" for n in range(start, start + BATCH_ROWS)]
        column[0] = column[-1] = column[512] = column[513] = cell
        users = [orjson.loads(user) for user in encoder.encode([column, column], BATCH_ROWS)]
        assert [user.get("title", "") for user in users] == column
        assert [user.get(CONTOSO, {}).get("a", "") for user in users] == column


@FEW
@given(st.lists(CELL, min_size=1, max_size=40), st.integers(0, 40), st.booleans())
def test_the_json_of_many_values_is_that_of_each(texts: list[str], plain: int, has_quotes: bool):
    """Against the JSON that a library writes of the whole user."""
    paths = ["externalId", "title", "nickName", "name.givenName", EMAIL, f"{ENTERPRISE}:department", f"{CONTOSO}:a"]
    encoder = UserEncoder([parse_attribute_path(path) for path in paths])
    texts = texts if has_quotes else [text.replace('"', "").replace("\\", "") for text in texts]
    for start in range(0, 5120, BATCH_ROWS):
        column = [
            texts[n % len(texts)] if n % 41 >= plain else f"{n},{start}" for n in range(start, start + BATCH_ROWS)
        ]
        keys = [f"W{n}" for n in range(start, start + BATCH_ROWS)]
        users = encoder.encode([keys, column, column[::-1], column, column, column[::-1], column], BATCH_ROWS)
        for user, key, text, other in zip(users, keys, column, column[::-1], strict=True):
            assert user == orjson.dumps(expected(key, text, other)), (key, text, other)


def expected(key: str, text: str, other: str) -> dict[str, Any]:
    schemas = ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE, CONTOSO]
    user: dict[str, Any] = {"schemas": schemas, "externalId": key}
    user |= {"title": text} if text else {}
    user |= {"nickName": other} if other else {}
    user |= {"name": {"givenName": text}, "emails": [{"type": "work", "value": text}]} if text else {}
    user |= {ENTERPRISE: {"department": other}} if other else {}
    return user | ({CONTOSO: {"a": text}} if text else {})
