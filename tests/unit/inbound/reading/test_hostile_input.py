"""Anything at all is dropped as an HR file or a feed file: it is converted or refused in words, and nothing else."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import HrFileError
from shared.inbound.planning.bulk_request import bulk_requests
from shared.inbound.planning.conversion import convert, open_working_set
from shared.inbound.reading.hr_file import HrFile
from shared.inbound.reading.own_set_aside import OWN_COLUMNS
from shared.inbound.text.text_encoding import ENCODINGS
from shared.scim.bulk import BulkRequest
from tests.unit.builders import CELLS, COLUMNS, CONTOSO, NOON, csv_file, feed, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.inbound.feeds.feed_file import Feed

ANY = settings(max_examples=25, deadline=None, database=None, derandomize=True)
LAYOUTS: list[dict[str, Any]] = [
    {},
    {"format": "csv"},
    {"format": "json"},
    {"format": "scim", "ignore_attributes": ["a"]},
    {"comment": "#", "header_row": 1},
    {"trailer": {"first_cell": "T"}, "separator": "semicolon"},
    {"optional_columns": ["Email", "ManagerID", "HireDate"]},
]
every_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=str)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HEADER = ",".join(COLUMNS) + "\n"


def feed_of(layout: dict[str, Any]) -> Feed:
    return feed(dict.fromkeys(feed().mapping) if layout.get("format") == "scim" else None, file=layout)


def outcome(content: bytes, layout: dict[str, Any], size: int = 7) -> str:
    """What becomes of it in pieces of that size."""
    return outcome_in(feed_of(layout), pieces(content, size))


def outcome_in(used: Feed, chunks: Iterable[bytes]) -> str:
    """`converted`, or the code of the refusal; what is planned is a bulk request, and every row is counted once."""
    try:
        with open_working_set(used) as working_set:
            convert(chunks, used, working_set, NOON)
            planned = [BulkRequest.model_validate_json(body) for body in bulk_requests(working_set.planned(), "run")]
            sent = sum(len(request.operations) for request in planned)
            counted = sent + working_set.set_aside_count() + working_set.excluded_count()
            assert counted == working_set.row_count > 0
            return "converted"
    except HrFileError as error:
        return worded(error)


def worded(error: HrFileError) -> str:
    """The code of a refusal that a person can use."""
    reason = error.reason
    assert said(reason.code, reason.message, reason.advice)
    return reason.code


def said(*words: str) -> bool:
    """All of them are there, and can be written."""
    return all(words) and bool("".join(words).encode())


def read(content: bytes, **layout: Any) -> None:
    try:
        with HrFile([content], feed_of(layout).file, COLUMNS) as hr_file:
            assert list(hr_file.rows())
    except HrFileError as error:
        worded(error)


@ANY
@given(st.binary(max_size=300), st.integers(1, 300))
@every_layout
def test_any_bytes(layout: dict[str, Any], content: bytes, size: int):
    outcome(content, layout, size)


@ANY
@given(st.binary(max_size=200), st.integers(1, 300))
@every_layout
def test_any_bytes_below_a_header(layout: dict[str, Any], content: bytes, size: int):
    outcome(HEADER.encode() + content, layout, size)


@ANY
@given(TEXT, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]), st.booleans())
@every_layout
def test_any_text(layout: dict[str, Any], text: str, encoding: str, has_header: bool):
    outcome(((HEADER if has_header else "") + text).encode(encoding), layout)


@ANY
@given(st.binary(max_size=100), st.booleans())
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_bytes_in_any_encoding(encoding: str, content: bytes, has_header: bool):
    read((HEADER.encode() if has_header else b"") + content, encoding=encoding)


@ANY
@given(st.lists(st.lists(TEXT | st.sampled_from(list(CELLS.values())), max_size=11), max_size=5))
@every_layout
def test_any_cells(layout: dict[str, Any], rows: list[list[str]]):
    outcome(csv_file(*rows), layout)


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*CELLS.values()])
NAME = st.sampled_from([*COLUMNS, "externalId", "userName", "active", "name", "emails", "schemas", CONTOSO]) | st.text()
JSON = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=4))
ROW = st.fixed_dictionaries({}, optional=dict.fromkeys([*COLUMNS, "more"], JSON))
USER = st.fixed_dictionaries(
    {"externalId": st.text(min_size=1) | JSON, "userName": st.just("u@example.com") | JSON, "active": st.booleans()},
    optional={"name": JSON, "emails": JSON, "title": JSON, "a": JSON, "meta": JSON, CONTOSO: JSON},
)
WRAPPED = st.lists(ROW | USER | JSON, max_size=4) | st.fixed_dictionaries({"Resources": st.lists(USER, max_size=2)})


@ANY
@given(WRAPPED | JSON, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@every_layout
def test_any_json(layout: dict[str, Any], value: Any, is_ascii: bool, encoding: str):
    text = json.dumps(value, ensure_ascii=is_ascii)
    outcome(text.encode(encoding, errors="ignore"), layout)


@ANY
@given(USER | JSON)
def test_any_user_in_a_repaired_list(user: Any):
    row = [*["x"] * len(OWN_COLUMNS), json.dumps(user)]
    outcome(csv_file(row, header=[*OWN_COLUMNS, "user"]), {"format": "scim"})


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("workers.csv", content)
    return made.getvalue()


@ANY
@given(st.lists(st.tuples(st.integers(4, 400), st.integers(0, 255)), max_size=4), st.integers(0, 400))
@pytest.mark.parametrize("pack", [zipped, lambda content: gzip.compress(content, mtime=0)], ids=["zip", "gzip"])
def test_any_damage_to_an_archive(pack: Any, damage: list[tuple[int, int]], cut: int):
    packed = bytearray(pack(csv_file(list(CELLS.values()))))
    for place, value in damage:
        packed[place % len(packed)] = value
    outcome(bytes(packed[: len(packed) - cut % len(packed)]), {})


@pytest.mark.parametrize("depth", [300, 500, 900])
@pytest.mark.parametrize("layout", [{}, {"format": "scim"}], ids=["table", "SCIM"])
def test_json_that_is_nested_deep(layout: dict[str, Any], depth: int):
    user = b'[{"externalId":"1","userName":"u@example.com","active":true,"x":' + b"[" * depth + b"]" * depth + b"}]"
    outcome(user, layout, 1000)
