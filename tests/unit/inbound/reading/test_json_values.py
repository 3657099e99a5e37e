"""JSON files as HR systems write them: every object with its line, exact, or the whole file refused with the reason."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import HrFileError
from shared.inbound.reading import json_decoding, json_text
from shared.inbound.reading.json_values import MAX_OBJECT_BYTES, JsonNumber, json_objects
from tests.unit.builders import PROPERTY, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKS = (1, 2, 3, 7, 1 << 16)
SECRET = "Jensen"
UPSERT = '{"method": "POST", "path": "/Users", "bulkId": "b", "data": {"externalId": "%s"}}'


def read(content: str | bytes, chunk: int = 1 << 16) -> list[tuple[int, dict[str, Any]]]:
    """Read in such chunks, and with no more read ahead, so that every place is once the end of what is there."""
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "PIECE", chunk)
        patch.setattr(json_decoding, "PIECE", chunk)
        return [tuple(found) for found in json_objects(pieces(data, chunk))]


def outcome(content: str | bytes, chunk: int = 1 << 16) -> object:
    """The objects, or the code and the message of the refusal."""
    try:
        return read(content, chunk)
    except HrFileError as refused:
        reason = refused.reason
    assert reason.advice
    assert SECRET not in reason.message + reason.advice
    return reason.code, reason.message


def refusal(content: str | bytes) -> tuple[str, str]:
    """The same refusal whatever the chunks are."""
    found = {repr(outcome(content, chunk)): outcome(content, chunk) for chunk in CHUNKS}
    assert len(found) == 1, found
    (only,) = found.values()
    assert isinstance(only, tuple), only
    return only


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('[{"a": "1"}, {"a": "2"}]', [1, 1]),
        ('\n [\n{"a": "1"}\n,\n\n{"a":\n"2"}]\n', [3, 6]),
        ('{"a": "1"}\n{"a": "2"}', [1, 2]),
        ('\n{"a":\n"1"}\n\n \t{"a": "2"}\n\n', [2, 5]),
        ('{"a": "1"}\r\n\r\n{"a": "2"}\r\n', [1, 3]),
        ('{"a": "1"}\r{"a": "2"}\r', [1, 2]),
        ('{"schemas": ["x"], "totalResults": 2, "Resources": [\n{"a": "1"},\n{"a": "2"}], "more": {"a": [1]}}', [2, 3]),
        ('{"@odata.context": "x", "value": [{"a": "1"},{"a": "2"}], "@odata.nextLink": "x"}', [1, 1]),
        ('{"d": {"__count": "2", "results": [{"a": "1"},\n{"a": "2"}], "__next": "x"}, "e": 1}', [1, 2]),
    ],
    ids=["array", "pretty array", "NDJSON", "spread", "CRLF", "CR", "ListResponse", "OData 4", "OData 2"],
)
def test_every_layout_gives_its_objects_with_their_lines(content: str, lines: list[int], chunk: int):
    assert read(content, chunk) == [(lines[0], {"a": "1"}), (lines[1], {"a": "2"})]


@pytest.mark.parametrize(
    "content",
    ['{"a": "1", "b": {"c": [1]}}', '{"value": "x"}', '{"Resources": {"a": 1}}', '{"d": {"a": 1}}', "{}"],
)
def test_an_object_that_wraps_no_array_is_a_row(content: str):
    for chunk in CHUNKS:
        value = json.loads(content, parse_int=str)
        assert read(content + "\n" + content, chunk) == [(1, value), (2, value)]


def test_a_bulk_request_gives_the_data_of_its_operations():
    content = f'{{"schemas": [], "Operations": [\n{UPSERT % 1},\n{UPSERT % 2}\n], "failOnErrors": null}}'
    for chunk in CHUNKS:
        assert read(content, chunk) == [(2, {"externalId": "1"}), (3, {"externalId": "2"})]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("POST", "PUT"),
        ("POST", "post"),
        ("POST", "DELETE"),
        ('"/Users"', '"/Users/2819c223"'),
        ('"/Users"', '"/Groups"'),
        ('{"externalId": "2"}', '"Jensen"'),
        ('"data"', '"value"'),
    ],
)
def test_a_bulk_operation_that_is_no_upsert_of_a_user_refuses_the_file(old: str, new: str):
    second = (UPSERT % 2).replace(old, new)
    code, message = refusal(f'{{"Operations": [\n{UPSERT % 1},\n{second}]}}')
    assert (code, "line 3 " in message) == ("notScimUpsert", True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str):
    content = '\ufeff[{"名": "Zoë 鈴木 😀"},\n{"a": "\\ud83d\\ude00\\u00e9"}]'.encode(encoding)
    for chunk in CHUNKS:
        assert read(content, chunk) == [(1, {"名": "Zoë 鈴木 😀"}), (2, {"a": "😀é"})]


@pytest.mark.parametrize(
    "number", ["0", "-0", "12345678901234567890123", "1.10", "1e3", "1E+3", "701984.0", "1" * 5000, "1e999999999999"]
)
def test_a_number_stays_as_it_is_written(number: str):
    for chunk in (1, 1 << 16):
        for content in (f'[{{"n": {number}}}]', f'{{"n": {number}}}', f'{{"n": {number} , "m": [{number}]}}'):
            value = read(content, chunk)[0][1]["n"]
            assert (value, type(value)) == (number, JsonNumber)


def test_text_that_looks_like_a_number_is_no_number():
    assert type(read('[{"n": "1.10"}]')[0][1]["n"]) is str


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("", "emptyFile", None),
        (" \n\t\r\n", "emptyFile", None),
        ("\ufeff", "emptyFile", None),
        ("[]", "emptyFile", None),
        ('{"value": []}', "emptyFile", None),
        ("WorkerID,Name\n1,Jensen\n", "notJson", 1),
        ("<xml/>", "notJson", 1),
        ('"Jensen"', "notJson", 1),
        ('[{"a": "1"},\n"Jensen"]', "notJson", 2),
        ('[{"a": "1"},\n]', "notJson", 2),
        ('[{"a": "1"}\n{"a": "2"}]', "notJson", 2),
        ('[\n[{"a": "1"}]]', "notJson", 2),
        ('[{"a": "1"}]\n[]', "notJson", 2),
        ('[{"a": "1"}]\n{"a": "Jensen"}', "notJson", 2),
        ('[{"a": "1"}]]', "notJson", 1),
        ("[] x", "notJson", 1),
        ('{"a": "1"},\n{"a": "2"}', "notJson", 1),
        ('{"a": "1"}{"a": "2"}', "notJson", 1),
        ('{"a": "1"}\nnull', "notJson", 2),
        ('{"Resources": [{"a": "1"}]}\n{"a": "2"}', "notJson", 2),
        ('{"Resources": [{"a": "1"}], }', "notJson", 1),
        ('{"a": "1", }', "notJson", 1),
        ("{'a': 'Jensen'}", "notJson", 1),
        ('{"a": "1"}\n{"a": Jensen}', "notJson", 2),
        ('{"a": "1"}\n{"a": 01}', "notJson", 2),
        ('{"a": "1"}\n{"a": "Jen\tsen"}', "notJson", 2),
        ('[{"a":\n\n"Jen\nsen"}]', "notJson", 3),
        ('{"a": "1"}\n{"a": NaN}', "notJson", 2),
        ('{"a": -Infinity}', "notJson", 1),
        ('[{"a": "1"},\n{"b": "Jensen", "b": "Jensen"}]', "repeatedKey", 2),
        ('[{"a": "1"},\n{"c": [{"b": 1, "d": 2, "b": 1}]}]', "repeatedKey", 2),
        ('{"b": "1",\n"b": "Jensen"}', "repeatedKey", 2),
        ('{"value": [{"a": "1"}],\n"value": 1}', "repeatedKey", 2),
        ('{"d": {"results": [{"a": "1"}],\n"results": 1}}', "repeatedKey", 2),
        ('{"a": "1"}\n{"a": "Jensen \\ud83d"}', "notUtf8", 2),
        ('{"a": "1"}\n{"\\uDE00": 1}', "notUtf8", 2),
        ('{"a": "1"}\n{"b": ["\\ude00\\ud83d"]}', "notUtf8", 2),
        ('{"a": "1"}\n{"a": "Zoë"}'.encode("windows-1252"), "notUtf8", 2),
        (b'{"a": "1"}\r\n{"a": "2"}\r\n\xc3', "notUtf8", 3),
        ('\ufeff{"a": "1"}\n'.encode("utf-16-le") + b"\x00\xd8{\x00", "notUtf8", 2),
        (b'{"a": "1"}\n,\n{"a": "Jensen\xff"}', "notJson", 2),
    ],
    ids=repr,
)
def test_what_is_no_json_is_refused_by_line_and_without_its_text(content: str | bytes, code: str, line: int | None):
    found, message = refusal(content)
    assert found == code
    assert line is None or f"line {line} " in message.replace("Line", "line").replace(".", " ")


@pytest.mark.parametrize(("name", "shown"), [("title", True), ("jensen@example.com", False), ("701984", False)])
def test_a_repeated_name_is_told_unless_it_may_be_somebodys(name: str, shown: bool):
    _, message = refusal(f'{{"{name}": 1, "{name}": 2}}')
    assert (name in message) == shown


WHOLE = [
    '[{"a": {"b": [-1.5e+7, "x\\u00e9\\\\"]}, "c": true},\n{"d": null}]',
    '{"s": [true, 1], "Resources": [{"a": {"b": 1.5}}, {"c": "x"}], "t": {"n": 1}}',
    '{"d": {"results": [{"a": "x"}]}}',
    f'{{"Operations": [{UPSERT % 1}]}}',
    '{"a": {"b": false}, "c": "\\ud83d\\ude00"}',
]


@pytest.mark.parametrize("content", WHOLE)
def test_a_file_that_was_cut_anywhere_is_refused_as_cut(content: str):
    for end in range(1, len(content)):
        assert refusal(content[:end])[0] == "fileCut", content[:end]


def test_a_row_of_ndjson_that_was_cut_is_told_by_line():
    assert refusal('{"a": "1"}\n{"a": "Jen') == ("fileCut", "The file ends in the middle of the object on line 2.")


@pytest.mark.parametrize("count", [3000, 200_000])
@pytest.mark.parametrize("nest", ['{"a":', "["])
def test_an_object_that_is_nested_without_end_is_refused(nest: str, count: int):
    assert outcome('[{"a":' + nest * count)[0] in ("notJson", "fileCut")
    closing = {'{"a":': "}", "[": "]"}[nest]
    whole = '[{"a":' + nest * 100_000 + "1" + closing * 100_000 + "}]"
    assert outcome(whole, 4096)[0] == "notJson"


def test_an_object_may_be_so_large_and_no_larger():
    frame = '{"k": ""}'
    largest = '{"k": "%s"}' % ("x" * (MAX_OBJECT_BYTES - len(frame)))
    for content in (f"[{largest}]", f"{largest}\n{largest}"):
        assert all(len(value["k"]) == MAX_OBJECT_BYTES - len(frame) for _, value in read(content, 65_536))
    too_large = largest.replace("x", "xx", 1)
    for content in (f'[{{"a": "1"}},\n{too_large}]', f'{{"a": "1"}}\n{too_large}', f'[\n{{"k": "{"é" * 600_000}"}}]'):
        code, message = outcome(content, 65_536)
        assert (code, "line 2 " in message) == ("objectTooLarge", True)


@pytest.mark.parametrize("where", ["before", "after"])
def test_what_stands_around_a_wrapped_array_is_bounded(where: str):
    around = ",".join(f'"m{number}": "{"x" * 300_000}"' for number in range(4))
    array = '"value": [{"a": "1"}]'
    content = f"{{{around}, {array}}}" if where == "before" else f"{{{array}, {around}}}"
    assert outcome(content, 65_536)[0] == "objectTooLarge"


def test_a_large_object_in_small_chunks_is_not_read_again_and_again(monkeypatch: pytest.MonkeyPatch):
    decoded = []

    class Counting:
        def raw_decode(self, text: str, at: int) -> tuple[Any, int]:
            decoded.append(len(text) - at)
            return decoder.raw_decode(text, at)

    decoder = json_decoding.DECODER
    monkeypatch.setattr(json_text, "DECODER", Counting())
    content = b'[{"k": "' + b"x" * 900_000 + b'"}]'
    for chunk in (1, 100, 4096):
        decoded.clear()
        (found,) = json_objects(pieces(content, chunk))
        assert len(found.value["k"]) == 900_000
        assert sum(decoded) < 4 * len(content)


@pytest.mark.parametrize("start", [b'[{"k": "', b'{"k": "', b'{"k": [', b'{"', b'{"value": [{"k": 1'])
def test_what_never_ends_is_refused_before_it_fills_the_memory(start: bytes):
    read_bytes = 0

    def endless() -> Iterator[bytes]:
        nonlocal read_bytes
        yield start
        while read_bytes < 1 << 24:
            read_bytes += 4096
            yield b"1" * 4096

    with pytest.raises(HrFileError) as refused:
        list(json_objects(endless()))
    assert (refused.value.reason.code, read_bytes < 4 * MAX_OBJECT_BYTES) == ("objectTooLarge", True)


def test_memory_stays_flat_whatever_the_file():
    def chunks(start: bytes) -> Iterator[bytes]:
        yield start
        for number in range(1500):
            yield (b'{"k": "%d", "t": "' % number) + b"x" * 20_000 + b'"},\n' + b" " * 1000
        yield b'{"k": "last"}]'
        yield b"}" * (start != b"[")

    for start in (b"[", b'{"Resources": ['):
        tracemalloc.start()
        assert sum(1 for _ in json_objects(chunks(start))) == 1501
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * MAX_OBJECT_BYTES


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(
    st.dictionaries(TEXT.filter(lambda name: name not in ("value", "d")), VALUES), min_size=1, max_size=5
)


def as_written(value: Any) -> Any:
    """What json_objects makes of it: numbers as their text."""
    if isinstance(value, dict):
        return {name: as_written(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_written(inner) for inner in value]
    return json.dumps(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@PROPERTY
@given(OBJECTS, st.integers(1, 40), st.booleans(), st.sampled_from([None, 1]), st.sampled_from([0, 1, 2, 3, 4]))
def test_whatever_json_can_hold_comes_back_exactly(
    objects: list[Any], chunk: int, escaped: bool, indent: int | None, layout: int
):
    def dump(value: Any) -> str:
        return json.dumps(value, ensure_ascii=escaped, indent=indent)

    content = [
        dump(objects),
        "\n".join(map(dump, objects)),
        dump({"schemas": ["x"], "totalResults": 5, "Resources": objects, "z": None}),
        dump({"value": objects}),
        dump({"d": {"results": objects}}),
    ][layout]
    assert [value for _, value in read(content, chunk)] == as_written(objects)
    assert [value for _, value in read(content.encode("utf-16"), chunk)] == as_written(objects)


JSON_LIKE = st.lists(
    st.sampled_from([*b'[]{},:"\\ \n\r019.-eEtrufalsnNI\xef\xbb\xbf\xff\xfe\xc3\xa9\x00', *b"dva"]), max_size=60
).map(bytes)
BROKEN = st.tuples(st.sampled_from([text.encode() for text in WHOLE]), st.integers(0, 90), st.binary(max_size=3)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + len(parts[2]) :]
)


@PROPERTY
@given(st.binary() | JSON_LIKE | BROKEN, st.integers(1, 9))
def test_any_bytes_give_objects_or_a_refusal_and_the_same_in_any_chunks(content: bytes, chunk: int):
    assert outcome(content, chunk) == outcome(content)
