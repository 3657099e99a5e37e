"""docs/feed-files.md is run: every example does what the page says, and nothing of the language is left out.

An example is what stands together, with nothing but blank lines between: a rule or a feed file (```yaml), an HR file
(```csv or ```json), or both; then a table with what becomes of it, or a line `> Refused: …`.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
import shlex
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import orjson
import pytest
from pydantic import BaseModel

from shared.adapters.workbook_reader import read_workbook
from shared.cli.commands import _parser
from shared.errors import FeedFileError, HrFileError
from shared.inbound.feeds.condition import _DATE_CODES
from shared.inbound.feeds.feed_file import Feed, Rows, Safety, parse_feed
from shared.inbound.feeds.feed_yaml import MAX_FEED_FILE_BYTES, load_document
from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.mapping.attribute_mapping import AttributeMapping
from shared.inbound.mapping.compiled_rule import CHECK_CODES
from shared.inbound.planning.conversion import convert, open_working_set
from shared.inbound.planning.set_aside import set_aside_csv
from shared.inbound.reading.header_search import MAX_COLUMNS
from shared.inbound.reading.json_values import MAX_OBJECT_BYTES
from shared.inbound.reading.own_set_aside import OWN_COLUMNS
from shared.inbound.reading.row_batch import RowBatch
from shared.inbound.reading.text_lines import MAX_LINE_BYTES, MAX_RECORD_LINES
from shared.inbound.reading.workbook_cells import MAX_ROW_CHARACTERS, WorkbookLimits
from shared.inbound.text.text_encoding import ENCODINGS
from shared.inbound.text.text_transforms import TRANSFORMS
from shared.inbound.text.value_checks import default_check, max_length
from shared.scim.attribute_path import parse_attribute_path
from shared.scim.user import ENTERPRISE_USER, User
from tests.platform.workbooks import Error, Formula, workbook

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "feed-files.md").read_text(encoding="utf-8")
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
"""The day that the page names; feeds of rules have no time zone."""
_ITEM = re.compile(
    r"^```(?P<language>\w*)\n(?P<code>(?s:.*?))^```$|(?P<table>(?:^\|.*\n)+)"
    r"|^> Refused: (?P<refused>.*)$|^(?P<prose>.+)$",
    re.MULTILINE,
)
PROSE = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
_SECTIONS = set(Feed.model_fields)
_NAME = re.compile(r"`([^`]+)`")


@dataclass
class Example:
    """Codes by language, then what the page says of them."""

    line: int
    code: dict[str, str] = field(default_factory=dict)
    table: list[list[str]] = field(default_factory=list)
    refused: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        return plain(load_document(self.code["yaml"].encode())) if "yaml" in self.code else {}

    @property
    def is_rule(self) -> bool:
        return bool(self.document) and not set(self.document) & _SECTIONS


def plain(document: Any) -> Any:
    """Without YAML's own types; a date becomes its text, as it would have been in quotes."""
    return json.loads(json.dumps(document, default=str))


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def examples() -> list[Example]:
    found: list[Example] = []
    is_open = False
    for item in _ITEM.finditer(PAGE):
        line = PAGE.count("\n", 0, item.start()) + 1
        if item["language"] in ("yaml", "csv", "json"):
            if not is_open or item["language"] == "yaml":
                found.append(Example(line))
            assert item["language"] not in found[-1].code, f"line {line}: a second {item['language']} in one example"
            found[-1].code[item["language"]] = item["code"]
            is_open = True
        elif is_open and (item["table"] or item["refused"]):
            found[-1].table = [cells_of(row) for row in (item["table"] or "").splitlines()]
            found[-1].refused = item["refused"]
            is_open = False
        else:
            is_open = False
    return found


EXAMPLES = examples()
FIRST = EXAMPLES[0].document


def feed_of(example: Example) -> Feed:
    """The example's feed, with the job and the rules of the first one unless it has its own."""
    document = example.document
    if example.is_rule:
        document = {"mapping": document}
    if document.get("file", {}).get("format") == "scim":
        mapping = document.get("mapping", {})
    else:
        mapping = {**FIRST["mapping"], **document.get("mapping", {})}
    return parse_feed(json.dumps({"job": FIRST["job"], **document, "mapping": mapping}).encode())


def text_of(cell: str) -> str:
    """A cell of an HR file, as the page writes it."""
    if cell == "(blank)":
        return ""
    quoted = re.fullmatch(r"`([^`]+)`", cell)
    assert quoted, f"neither (blank) nor text in backticks: {cell}"
    return quoted[1].replace("␣", " ")


def expected_value(cell: str) -> Any:
    """What an attribute is to be, as the page writes it; `...` where it is left out."""
    return {"*left out*": ..., "*null*": None}[cell] if cell.startswith("*") else json_or_text(cell)


def json_or_text(cell: str) -> Any:
    return text_of(cell) if cell.startswith("`") else json.loads(cell)


def expected_codes(cell: str) -> set[str]:
    codes = re.fullmatch(r"set aside: ((?:`\w+`(?:, )?)+)", cell)
    assert codes, f"no expectation: {cell}"
    return set(_NAME.findall(codes[1]))


def value_at(user: dict[str, Any], path: str) -> Any:
    """The value of an attribute; `...` where the user does not have it."""
    parsed = parse_attribute_path(path)
    node: Any = user
    if parsed.container:
        node = node.get(parsed.container, {})
    if parsed.multi_valued:
        node = node[0] if node else {}
    node = node.get(parsed.attribute, ...)
    return node.get(parsed.sub_attribute, ...) if parsed.sub_attribute and node is not ... else node


RULE_ROWS = [
    pytest.param(example, row, id=f"line {example.line + len(example.code['yaml'].splitlines()) + 3 + number + 2}")
    for example in EXAMPLES
    if example.is_rule
    for number, row in enumerate(example.table[2:])
]
FILES = [pytest.param(example, id=f"line {example.line}") for example in EXAMPLES if not example.is_rule]
REFUSED_RULES = [
    pytest.param(example, id=f"line {example.line}") for example in EXAMPLES if example.is_rule and example.refused
]


@pytest.mark.parametrize(("example", "row"), RULE_ROWS)
def test_a_cell_becomes_what_the_page_says(example: Example, row: list[str]):
    ((path, _),) = example.document.items()
    header = example.table[0]
    assert header[-1] == "becomes"
    usual = {"ID": "1001", "Login": "ana@example.com", "Status": "Active"}
    cells = {**usual, **dict(zip(header[:-1], map(text_of, row[:-1]), strict=True))}
    mapping = AttributeMapping(feed_of(example), list(cells), NOON.date())
    mapped = mapping.map(RowBatch([2], [list(cells.values())]))
    if row[-1].startswith("set aside"):
        assert {problem.code for problem in mapped.problems} == expected_codes(row[-1])
        assert mapped.users == [b""]
    else:
        assert mapped.problems == []
        value = value_at(orjson.loads(mapped.users[0]), path)
        assert (type(value), value) == (type(expected_value(row[-1])), expected_value(row[-1]))


def becomes(example: Example) -> dict[int, Any]:
    """What becomes of each line of the example's file: the user, or the codes of what is wrong, or excluded."""
    feed = feed_of(example)
    (content,) = (code for language, code in example.code.items() if language != "yaml")
    encoding = "utf-8" if feed.file.encoding == "auto" else feed.file.encoding
    with open_working_set(feed) as rows:
        convert([content.encode(encoding)], feed, rows, NOON)
        found: dict[int, Any] = {line: orjson.loads(user) for _, line, _, user in rows.planned()}
        found |= {row.problems[0].line: {p.code for p in row.problems} for row in rows.set_aside()}
        return found | {row.problems[0].line: "excluded" for row in rows.excluded()}


@pytest.mark.parametrize("example", FILES)
def test_a_file_becomes_what_the_page_says(example: Example):
    if example.refused and len(example.code) == 1:
        with pytest.raises(FeedFileError) as refusal:
            feed_of(example)
        assert example.refused in [re.sub(r"^Line \d+: ", "", words) for words in refusal.value.problems]
        return
    if example.refused:
        with pytest.raises(HrFileError) as refused:
            becomes(example)
        assert f"`{refused.value.reason.code}`" == example.refused
        return
    found, (header, _, *rows) = becomes(example), example.table
    assert header[0] == "line"
    assert header[-1] == "becomes"
    assert {int(row[0]) for row in rows} == set(found)
    for row in rows:
        outcome = found[int(row[0])]
        if row[-1] == "sent":
            expected = {path: expected_value(cell) for path, cell in zip(header[1:-1], row[1:-1], strict=True)}
            assert {path: value_at(outcome, path) for path in expected} == expected
        else:
            assert outcome == ("excluded" if row[-1] == "excluded" else expected_codes(row[-1]))
            assert not any(row[1:-1]), "a row that is not sent has no attributes"


@pytest.mark.parametrize("example", REFUSED_RULES)
def test_what_the_page_says_is_refused_is_refused_in_these_words(example: Example):
    with pytest.raises(FeedFileError) as refusal:
        feed_of(example)
    assert example.refused in [re.sub(r"^Line \d+: ", "", words) for words in refusal.value.problems]


@pytest.mark.parametrize("example", [pytest.param(e, id=f"line {e.line}") for e in EXAMPLES])
def test_no_example_is_without_an_expectation(example: Example):
    assert example.refused or len(example.table) > 2
    assert not example.is_rule or set(example.code) == {"yaml"}
    assert example.refused or example.is_rule or len(set(example.code) - {"yaml"}) == 1


def test_no_table_of_outcomes_is_without_an_example():
    tables = [line for line in PAGE.splitlines() if line.startswith("|") and cells_of(line)[-1] == "becomes"]
    assert len(tables) == sum(bool(example.table) for example in EXAMPLES)


def test_the_first_example_stands_by_itself_and_the_page_has_many():
    assert parse_feed(EXAMPLES[0].code["yaml"].encode()).mapping.keys() == {"externalId", "userName", "active"}
    assert len(RULE_ROWS) >= 100
    assert len(FILES) >= 15
    assert "`# yaml-language-server: $schema=feed.schema.json`" in PAGE


def test_the_fifty_percent_of_the_page_would_be_held():
    (example,) = (e for e in EXAMPLES if "max_set_aside_percent" in e.code.get("yaml", ""))
    found = becomes(example)
    aside = sum(not isinstance(outcome, dict) for outcome in found.values())
    assert aside * 100 / len(found) == 50 > feed_of(example).safety.max_set_aside_percent


# --- nothing is left out


def models(node: Any) -> list[BaseModel]:
    """Every block of a feed, itself included."""
    if isinstance(node, BaseModel):
        return [node, *(m for name in node.model_fields_set for m in models(getattr(node, name)))]
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, tuple | list) else ()
    return [m for part in parts for m in models(part)]


def classes(of: Any = Feed) -> set[type[BaseModel]]:
    """Every kind of block that the language has."""
    found: set[type[BaseModel]] = set()
    waiting: list[Any] = [of]
    while waiting:
        annotation = waiting.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in found:
            found.add(annotation)
            waiting += [f.annotation for f in annotation.model_fields.values()]
        waiting += list(get_args(annotation)) if get_origin(annotation) is not Literal else []
    return found


def literals(annotation: Any) -> set[str]:
    """The words that a field can have."""
    if get_origin(annotation) is Literal:
        return {word for word in get_args(annotation) if isinstance(word, str)}
    return {word for part in get_args(annotation) for word in literals(part)}


def words(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    return {word for part in value for word in words(part)} if isinstance(value, tuple | list) else set()


USABLE = [feed_of(e) for e in EXAMPLES if not (e.refused and set(e.code) == {"yaml"})]
USED = [model for feed in USABLE for model in models(feed)]
FIELDS = sorted(
    ((kind, name) for kind in classes() for name in kind.model_fields), key=lambda pair: (pair[0].__name__, pair[1])
)
NAMED_IN_A_TABLE = {
    name for line in PAGE.splitlines() if line.startswith("|") for name in _NAME.findall(cells_of(line)[0])
}


def test_every_kind_of_block_is_found():
    names = {kind.__name__ for kind in classes()}
    assert names >= {"Feed", "Job", "FileLayout", "Trailer", "Rule", "Split", "RegexStep", "Pad", "NumberFormat"}
    assert names >= {"DateStep", "ActiveDay", "Test", "Rows", "NewestBy", "Safety"}


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda part: getattr(part, "__name__", part))
def test_every_key_has_an_example_or_a_line_in_a_table(kind: type[BaseModel], name: str):
    written = kind.model_fields[name].alias or name
    has_example = any(isinstance(model, kind) and name in model.model_fields_set for model in USED)
    assert has_example or (kind is FileLayout and written in NAMED_IN_A_TABLE)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda part: getattr(part, "__name__", part))
def test_every_word_that_a_key_can_have_has_an_example_or_is_mentioned(kind: type[BaseModel], name: str):
    shown = {word for model in USED if isinstance(model, kind) for word in words(getattr(model, name))}
    mentioned = {word for text in _NAME.findall(PROSE) for word in (text, *text.split(": "))}
    assert literals(kind.model_fields[name].annotation) - shown - mentioned == set()


def test_every_transform_every_check_and_every_test_has_an_example_that_is_run():
    rules = [model for model in USED if type(model).__name__ == "Rule"]
    assert {name for rule in rules for name in rule.transforms} == set(TRANSFORMS)
    assert {rule.check for rule in rules} >= {"none", "email", "time_zone"}
    tests = [model for model in USED if type(model).__name__ == "Test"]
    assert {name for test in tests for name in test.model_fields_set} == set(type(tests[0]).model_fields)


def section(heading: str) -> list[list[str]]:
    """The rows of the first table below that heading."""
    below = PAGE.split(f"\n{heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table
    return [cells_of(row) for row in table[0].splitlines()[2:]]


@pytest.mark.parametrize(
    ("heading", "kind"), [("## `file`", FileLayout), ("## `rows`", Rows), ("## `safety`", Safety)], ids=str
)
def test_the_page_has_every_key_with_its_default(heading: str, kind: type[BaseModel]):
    said = {name: default for key, default, _ in section(heading) for name in _NAME.findall(key)}
    defaults = {name: info.get_default() for name, info in kind.model_fields.items()}
    assert said == {name: "none" if default in (None, ()) else str(default) for name, default in defaults.items()}


@cache
def all_paths() -> set[str]:
    """Every path that a mapping can have, but for custom extensions."""
    found = set()
    for name, info in User.model_fields.items():
        path = info.alias or name
        if path == "schemas":
            continue
        if path == ENTERPRISE_USER:
            found |= {f"{path}:{f.alias}" + (".value" if f.alias == "manager" else "") for f in fields(info.annotation)}
        elif not classes(info.annotation):
            found.add(path)
        else:
            many = '[type eq "work"]' if "list" in str(info.annotation) else ""
            found |= {f"{path}{many}.{f.alias}" for f in fields(info.annotation) if f.alias != "type"}
    return found


def fields(annotation: Any) -> list[Any]:
    """The fields of the model that the annotation names itself."""
    while not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return list(annotation.model_fields.values())


def test_the_page_has_every_path_with_its_check_and_its_length():
    said = {path: (check, limit) for paths, check, limit in section("### Paths") for path in _NAME.findall(paths)}
    assert set(said) == all_paths()
    for path, (check, limit) in said.items():
        parsed = parse_attribute_path(path)
        names = {name for name in _NAME.findall(check) if name != "active"}
        assert (path, names or {"none"}) == (path, {default_check(parsed)})
        longest = max_length(parsed)
        assert (path, limit) == (path, str(longest[0]) if longest else "")


def test_the_page_names_every_encoding_and_every_code_of_a_date():
    ranges = [re.compile(r"windows-125\d"), re.compile(r"iso-8859-\d+")]
    assert {f"`{name}`" for name in ENCODINGS if not any(r.fullmatch(name) for r in ranges)} <= set(
        re.findall(r"`[^`]+`", PROSE)
    )
    assert "`windows-1250` to `windows-1258`, `iso-8859-1` to `iso-8859-16` (not 11 and 12)" in PAGE
    assert all(f"`%{code}`" in PAGE for code in _DATE_CODES)


def codes_of(maker: str, place: int) -> set[str]:
    """The codes that are given to it anywhere, as its argument at that place."""
    found = set()
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == maker:
                given = [argument for argument in node.args[place : place + 1] if not isinstance(argument, ast.Starred)]
                texts = [part for argument in given for part in ast.walk(argument) if isinstance(part, ast.Constant)]
                found |= {text.value for text in texts if isinstance(text.value, str)}
    return found


def scim_codes() -> set[str]:
    """The codes that have an advice where SCIM users are checked."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "shared" / "inbound").rglob("scim_*.py")]
    (table,) = {
        found for text in sources for found in re.findall(r"^_ADVICE = (\{.*?^\})", text, re.MULTILINE | re.DOTALL)
    }
    return set(ast.literal_eval(table))


def codes_in(heading: str) -> list[str]:
    return [code for row in section(heading) for code in _NAME.findall(row[0])]


def test_the_page_has_every_reason_that_sets_a_row_aside_and_no_other():
    given = codes_of("CellProblem", 0) | codes_of("RowProblem", 2) | set(CHECK_CODES.values()) | scim_codes()
    said = codes_in("## What sets a row aside")
    assert sorted(said) == sorted(given - {"excluded"})
    assert "`excluded`" in PAGE


def test_the_page_has_every_code_that_refuses_a_file_and_no_other():
    given = codes_of("HrFileError", 0) | {"invalidFeedFile", "dropTooOld", "dropGone"}
    assert {"invalidFeedFile", "dropTooOld", "dropGone"} <= codes_of("Reason", 0)
    assert sorted(codes_in("## What refuses a file")) == sorted(given)


def test_the_limits_are_those_of_the_code():
    limits = dict(section("## Limits"))
    assert limits["a feed file"] == f"{MAX_FEED_FILE_BYTES // 1024} KiB"
    assert limits["columns of a file"] == str(MAX_COLUMNS) == str(WorkbookLimits().max_columns)
    assert limits["a quoted cell"] == f"{MAX_RECORD_LINES} lines"
    assert limits["a cell"] == f"{WorkbookLimits().max_cell_characters} characters"
    assert {MAX_LINE_BYTES, MAX_OBJECT_BYTES, MAX_ROW_CHARACTERS} == {1024 * 1024}
    assert "header, which begins `" + ",".join(OWN_COLUMNS) + "`" in PAGE


@pytest.mark.parametrize("line", re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)[1].splitlines())
def test_the_commands_are_some_that_there_are(line: str):
    start, arguments = shlex.split(line)[:3], shlex.split(line)[3:]
    assert start == ["python", "-m", "shared"]
    assert callable(_parser().parse_args(arguments).run)


WORKBOOK_CELLS = {
    "the number 4711, shown as 004711": 4711,
    "the text 004711": "004711",
    "the number 7.50": 7.5,
    "the number 30000000000, shown as 3E+10": 30000000000,
    "TRUE": True,
    "the date 13 May 2021, shown in any way": dt.date(2021, 5, 13),
    "13 May 2021, 08:30": dt.datetime(2021, 5, 13, 8, 30),
    "30 hours, shown as 30:00:00": dt.timedelta(hours=30),
    "the formula =1+1": Formula("1+1", 2),
    "a formula whose value was never saved": Formula("1+1"),
    "#N/A": Error("#N/A"),
}


def test_cells_of_a_workbook_are_read_as_the_page_says():
    said = dict(section("## Excel's traps"))
    rows = [[f"W{i}", f"u{i}@example.com", "Active", WORKBOOK_CELLS[cell]] for i, cell in enumerate(said)]
    feed = parse_feed(json.dumps({**FIRST, "mapping": {**FIRST["mapping"], "title": "Cell"}}).encode())
    content = workbook("xlsx", {"Staff": [["ID", "Login", "Status", "Cell"], *rows]})
    with open_working_set(feed) as working_set:
        convert([content], feed, working_set, NOON, read_workbook=read_workbook)
        users = {line: orjson.loads(user)["title"] for _, line, _, user in working_set.planned()}
        aside = {row.problems[0].line: {p.code for p in row.problems} for row in working_set.set_aside()}
    expected = {
        line: expected_codes(text) if text.startswith("set aside") else text_of(text)
        for line, text in enumerate(said.values(), start=2)
    }
    assert {**users, **aside} == expected


# --- what the page promises of more than one file


def workbook_rows_of(feed: Feed, *rows: list[Any], columns: str) -> tuple[list[dict[str, Any]], bytes]:
    """What would be sent of a workbook, and its set_aside.csv."""
    content = workbook("xlsx", {"Staff": [columns.split(), *rows]})
    with open_working_set(feed) as working_set:
        converted = convert([content], feed, working_set, NOON, read_workbook=read_workbook)
        sent = [orjson.loads(user) for _, _, _, user in working_set.planned()]
        return sent, b"".join(set_aside_csv(working_set.set_aside(), converted.columns))


def feed_with(**sections: Any) -> Feed:
    mapping = {**FIRST["mapping"], **sections.pop("mapping", {})}
    return parse_feed(json.dumps({"job": FIRST["job"], "mapping": mapping, **sections}).encode())


def test_a_repaired_set_aside_of_a_workbook_is_read_with_the_dates_that_the_connector_wrote_into_it():
    hired = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:hireDate"
    feed = feed_with(mapping={hired: {"column": "Hired", "date": "%d/%m/%Y"}})
    row = ["1001", "ana@example.com", "Gone", dt.date(2021, 5, 13)]
    sent, aside = workbook_rows_of(feed, row, columns="ID Login Status Hired")
    assert sent == []
    with open_working_set(feed) as working_set:
        convert([aside.replace(b"Gone", b"Active")], feed, working_set, NOON)
        assert [orjson.loads(u)[hired[: -len(":hireDate")]] for *_, u in working_set.planned()] == [
            {"hireDate": "2021-05-13T00:00:00Z"}
        ]


def test_the_newest_row_of_a_workbook_is_told_by_its_date_cells():
    feed = feed_with(rows={"duplicates": {"newest_by": "Changed", "date": "%d/%m/%Y"}})
    rows = [["1001", "ana@example.com", word, dt.date(2026, 2, day)] for day, word in ((27, "Active"), (28, "Left"))]
    sent, _ = workbook_rows_of(feed, *rows, columns="ID Login Status Changed")
    assert [user["active"] for user in sent] == [False]


@pytest.mark.parametrize("test", ["in", "not_in"])
def test_a_test_with_an_empty_list_is_refused(test: str):
    with pytest.raises(FeedFileError):
        feed_with(mapping={"title": {"column": "Job", "when": {"Kind": {test: []}}}})


def test_a_constant_number_is_a_number_also_where_it_depends_on_a_condition():
    level = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:level"
    feed = feed_with(mapping={level: {"constant": 5, "when": {"Status": "Active"}}})
    mapping = AttributeMapping(feed, ["ID", "Login", "Status"], NOON.date())
    mapped = mapping.map(RowBatch([2], [["1001", "ana@example.com", "Active"]]))
    assert value_at(orjson.loads(mapped.users[0]), level) == 5
