"""The feed file: what can be used, and every reason why something can't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import FeedFileError
from shared.inbound.feeds.feed_file import parse_feed
from shared.inbound.feeds.feed_yaml import MAX_FEED_FILE_BYTES
from shared.scim.attribute_path import AttributePath
from tests.unit.builders import CONTOSO, ENTERPRISE, FEED_LINES, PROPERTY, feed_file


def problems(content: bytes) -> tuple[str, ...]:
    with pytest.raises(FeedFileError) as refusal:
        parse_feed(content)
    return refusal.value.problems


def only_problem(content: bytes) -> str:
    (sentence,) = problems(content)
    return sentence


ACTIVE_LINE = 7


def test_the_designs_feed_file_can_be_used():
    feed = parse_feed(
        b"""
job: {servicePrincipalId: 4f7c2d58-2f3e-4d84-9a2c-3a0c5b1e7d11, jobId: API2AAD.8c3f}
file: {format: auto, contains: everyone}
mapping:
  externalId: WorkerID
  userName: {column: UserID, transforms: [trim, lower]}
  active: {column: WorkerStatus, true_when: [Active, On Leave], false_when: [Terminated]}   # any other word: set aside
  name.givenName: FirstName
  displayName: {template: "{FirstName} {LastName}"}
  emails[type eq "work"].value: Email
  urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value: ManagerID
  urn:ietf:params:scim:schemas:extension:contoso:1.0:User:hireDate: {column: HireDate, date: "%d/%m/%Y"}
safety: {max_set_aside_percent: 10, leavers: ignore}
"""
    )
    assert feed.job.jobId == "API2AAD.8c3f"
    assert feed.mapping["active"].true_when == ("Active", "On Leave")
    assert list(feed.rules) == [
        AttributePath(None, "externalId"),
        AttributePath(None, "userName"),
        AttributePath(None, "active"),
        AttributePath("name", "givenName"),
        AttributePath(None, "displayName"),
        AttributePath("emails", "value", multi_valued=True),
        AttributePath(ENTERPRISE, "manager", "value"),
        AttributePath(CONTOSO, "hireDate"),
    ]


def test_the_short_form_of_a_rule_is_a_column():
    assert parse_feed(feed_file()).mapping["userName"].columns == ("UserID",)


def test_what_is_left_out_has_its_default():
    feed = parse_feed(feed_file())
    assert (feed.file.format, feed.file.contains) == ("auto", "everyone")
    assert (feed.safety.max_set_aside_percent, feed.safety.leavers) == (10, "ignore")


def test_a_template_reads_its_columns_in_their_order():
    feed = parse_feed(feed_file('  displayName: {template: "{Last}, {First} {{x}}"}'))
    assert feed.mapping["displayName"].columns == ("Last", "First")


@pytest.mark.parametrize("word", ["Yes", "No", "yes", "no", "On", "Off", "on", "off", "Y", "N", "y", "n"])
def test_yes_no_on_and_off_are_words(word: str):
    active = f"  active: {{column: Status, true_when: [{word}], false_when: [Terminated]}}"
    feed = parse_feed(feed_file(f"  title: {{constant: {word}}}", instead={ACTIVE_LINE: active}))
    assert feed.mapping["active"].true_when == (word,)
    assert feed.mapping["title"].constant == word


@pytest.mark.parametrize("word", ["true", "False", "1", "0", "1.5", "~", "2021-05-13", "0x10", "[a]"])
def test_a_status_that_yaml_does_not_take_for_text_must_be_in_quotes(word: str):
    for lists in (f"true_when: [{word}], false_when: [Gone]", f"true_when: [Here], false_when: [{word}]"):
        sentence = only_problem(feed_file(instead={ACTIVE_LINE: f"  active: {{column: Status, {lists}}}"}))
        assert sentence.startswith("Line 7: mapping.active.")
        assert "must be text; put it in quotes" in sentence


def test_a_file_that_asks_for_yaml_1_1_gets_no_booleans_out_of_words_either():
    active = "  active: {column: Status, true_when: [Yes], false_when: [No]}"
    content = b"%YAML 1.1\n---\n" + feed_file(instead={ACTIVE_LINE: active})
    assert all("must be text" in sentence for sentence in problems(content))


def test_a_byte_order_mark_and_crlf_do_no_harm():
    assert parse_feed(b"\xef\xbb\xbf" + feed_file().replace(b"\n", b"\r\n")) == parse_feed(feed_file())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("files: {}", "Line 8: files is not a known key."),
        ("safety: {max_percent: 5}", "Line 8: safety.max_percent is not a known key."),
        ("file: {format: xml}", "Line 8: file.format "),
        ("file: {format: csv, delimiter: ;}", "Line 8: file.delimiter is not a known key."),
        ("file: {contains: some}", "Line 8: file.contains "),
        ("file: [csv]", "Line 8: file must be a block of keys."),
        ("safety: {leavers: disable}", "Line 8: safety.leavers "),
        ("safety: {max_set_aside_percent: 101}", "Line 8: safety.max_set_aside_percent "),
        ("safety: {max_set_aside_percent: -1}", "Line 8: safety.max_set_aside_percent "),
        ("safety: {max_set_aside_percent: .nan}", "Line 8: safety.max_set_aside_percent "),
        ("safety: {max_set_aside_percent: many}", "Line 8: safety.max_set_aside_percent "),
        ("  title: {colum: Title}", "Line 8: mapping.title.colum is not a known key."),
        ("  title: {}", "Line 8: mapping.title needs exactly one of column, constant, template, first_of."),
        ("  title: {column: A, constant: B}", "needs exactly one of column, constant, template, first_of."),
        ("  title: {column: A, template: '{B}'}", "needs exactly one of column, constant, template, first_of."),
        ("  title:", "Line 8: mapping.title must be a block of keys."),
        ("  title: [A]", "Line 8: mapping.title must be a block of keys."),
        ("  title: ''", "Line 8: mapping.title.column "),
        ("  title: {column: 5}", "Line 8: mapping.title.column must be text; put it in quotes."),
        ("  title: {column: A, transforms: [shout]}", "Line 8: mapping.title.transforms.0 "),
        ("  title: {constant: B, transforms: [trim]}", "transforms and other steps do nothing to a constant."),
        ("  title: {constant: true}", "Line 8: mapping.title is text"),
        ("  title: {column: A, true_when: [x], false_when: [y]}", "Line 8: mapping.title is text"),
        ("  title: {column: A, true_when: [x]}", "true_when and false_when go together"),
        ("  title: {column: A, false_when: [x]}", "true_when and false_when go together"),
        ("  title: {template: '{A}', true_when: [x], false_when: [y]}", "true_when needs column."),
        ("  title: {constant: A, date: '%d/%m/%Y'}", "transforms and other steps do nothing to a constant."),
        ("  title: {constant: A, pattern: A}", "transforms and other steps do nothing to a constant."),
        (f"  {CONTOSO}:x: {{column: A, true_when: [a, b], false_when: [c, b]}}", "the same word stands in true_when"),
        (
            f"  {CONTOSO}:x: {{column: A, true_when: [a], false_when: [b], date: '%d/%m/%Y'}}",
            "true_when and date, number or phone exclude each other.",
        ),
        ("  title: {template: 'fixed'}", "Line 8: mapping.title.template names no {Column}"),
        ("  title: {template: '{A'}", "Line 8: mapping.title.template "),
        ("  title: {template: '{A} }'}", "Line 8: mapping.title.template "),
        ("  title: {template: '{}'}", "write a column as {Column}"),
        ("  title: {template: '{A!r}'}", "write a column as {Column}"),
        ("  title: {template: '{A:>9}'}", "write a column as {Column}"),
        *(
            (f"  title: {{column: A, date: '{layout}'}}", "must give day, month and year")
            for layout in ("%d/%m", "%Y", "%m/%Y", "dd/mm/yyyy", "%H:%M", "%d/%m/%Y %d", "%Y-%m-%d %Y")
        ),
        *(
            (
                f"  title: {{column: A, date: '{layout}'}}",
                f"mapping.title.date.formats has {code}, which leaves something open",
            )
            for layout, code in (
                *(("%d/%m/%y", "%y"), ("%d/%m/%Y %I:%M", "%I"), ("%Y-%m-%dT%H:%M:%S%z", "%z"), ("%c", "%c")),
                *(("%d/%m/%Y %Z", "%Z"), ("%d/%m/%Y %Q", "%Q"), ("%d/%m/%Y %", "%"), ("%G-%V-%u", "%G")),
            )
        ),
        ("  ttle: A", "Line 8: mapping.ttle names no attribute of the core user."),
        ("  Title: A", "Line 8: mapping.Title names no attribute of the core user; did you mean title"),
        ("  emails.value: A", 'must be emails[type eq "work"].value'),
        ("  password: A", "Line 8: mapping.password can't be mapped: passwords can't be provisioned."),
        (f"  {ENTERPRISE}:salary: A", "names no attribute of the enterprise user"),
        (f"  {ENTERPRISE}:manager: {{constant: Boss}}", "must come from one column"),
        (f"  {ENTERPRISE}:manager: {{column: A, blank: 'null'}}", "can't be null"),
        (f"  {ENTERPRISE}:manager: {{template: '{{A}}{{B}}'}}", "must come from one column"),
        (f"  {ENTERPRISE}:manager: {{column: A, date: '%d/%m/%Y'}}", "must come from one column"),
    ],
)
def test_a_line_that_can_not_be_used_is_reported_with_its_number_and_its_key(line: str, sentence: str):
    found = only_problem(feed_file(line))
    assert sentence in found
    assert found.startswith("Line 8: ")


@pytest.mark.parametrize(
    ("number", "line", "sentence"),
    [
        (2, "  servicePrincipalId: 701984", "Line 2: job.servicePrincipalId must be text"),
        (2, "  servicePrincipalId: not-an-id", "Line 2: job.servicePrincipalId does not have the form"),
        (3, "  jobId: 'API2AAD/../x'", "Line 3: job.jobId does not have the form"),
        (3, "  jobId: ''", "Line 3: job.jobId does not have the form"),
        (3, "  jobID: API2AAD.8c3f", "Line 3: job.jobID is not a known key"),
        (5, "  externalId: {template: '{A}{B}'}", "Line 5: mapping.externalId must come from one column"),
        (5, "  externalId: {constant: X}", "Line 5: mapping.externalId must come from one column"),
        (5, "  externalId: {column: A, date: '%d/%m/%Y'}", "Line 5: mapping.externalId must come from one column"),
        (7, "  active: WorkerStatus", "Line 7: mapping.active needs true_when and false_when"),
        (7, "  active: {constant: Yes}", "Line 7: mapping.active needs true_when and false_when"),
        (7, "  active: {template: '{A}'}", "Line 7: mapping.active needs true_when and false_when"),
        (5, "  title: X", "Line 4: mapping externalId must be mapped"),
        (6, "  title: X", "Line 4: mapping userName must be mapped"),
        (7, "  title: X", "Line 4: mapping active must be mapped"),
    ],
)
def test_what_every_feed_needs_is_asked_for(number: int, line: str, sentence: str):
    assert any(sentence in found for found in problems(feed_file(instead={number: line})))


@pytest.mark.parametrize("word", ["true", "false"])
def test_active_can_be_declared_the_same_for_everybody(word: str):
    feed = parse_feed(feed_file(instead={ACTIVE_LINE: f"  active: {{constant: {word}}}"}))
    assert feed.mapping["active"].constant is (word == "true")


@pytest.mark.parametrize("lists", ["true_when: [], false_when: [Gone]", "true_when: [Here], false_when: []"])
def test_a_status_of_which_only_one_side_has_words_is_a_status_all_the_same(lists: str):
    feed = parse_feed(feed_file(instead={ACTIVE_LINE: f"  active: {{column: Status, {lists}}}"}))
    assert feed.mapping["active"].is_boolean


@pytest.mark.parametrize("layout", ["%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y%m%d", "%d %b %Y", "%Y-%m-%dT%H:%M:%S"])
def test_any_whole_date_can_be_declared(layout: str):
    feed = parse_feed(feed_file(f"  {CONTOSO}:hireDate: {{column: HireDate, date: '{layout}'}}"))
    assert feed.mapping[f"{CONTOSO}:hireDate"].date.formats == (layout,)


def test_every_problem_is_reported_at_once_each_with_its_line():
    found = problems(
        feed_file(
            "  ttle: A",
            "  emails.value: A",
            "  title: {colum: B}",
            "file: {format: xml}",
            "safety: {max_set_aside_percent: 1000}",
            "more: 1",
            instead={3: "  jobId: '?'", 5: "  password: A"},
        )
    )
    numbers = [sentence.split(":")[0] for sentence in found]
    assert sorted(numbers) == sorted(
        ["Line 3", "Line 5", "Line 8", "Line 9", "Line 10", "Line 11", "Line 12", "Line 13", "Line 4"]
    )


def test_a_rule_that_does_not_fit_is_reported_beside_an_unknown_key():
    found = problems(feed_file("files: {}", instead={ACTIVE_LINE: "  active: WorkerStatus"}))
    assert len(found) == 2


def test_a_key_that_stands_twice_is_reported_with_its_second_line():
    sentence = only_problem(feed_file("  userName: Email"))
    assert sentence.startswith("Line 8: ")
    assert 'duplicate key "userName"' in sentence


@pytest.mark.parametrize("twin", ['emails[type EQ "work"].value: B', f"{ENTERPRISE}:manager.value: B"])
def test_two_keys_for_one_attribute_are_reported(twin: str):
    twins = ('  emails[type eq "work"].value: A', f"  {ENTERPRISE}:manager: A")
    found = problems(feed_file(*twins, f"  {twin}"))
    assert [s for s in found if s.startswith("Line 10: ") and "is the same attribute as" in s]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must hold the keys job, mapping"),
        (b"# only a comment\n", "must hold the keys job, mapping"),
        (b"- a\n- b\n", "must hold the keys job, mapping"),
        (b"just words", "must hold the keys job, mapping"),
        (b"WorkerID,UserID\n1,2\n", "must hold the keys job, mapping"),
        (b"job: {\n", "this is not YAML"),
        (b"job: a: b\n", "Line 1: this is not YAML"),
        (b"mapping:\n\ttitle: x\n", "Line 2: this is not YAML"),
        (b"a: *nobody\n", "Line 1: this is not YAML"),
        (b"a: 1\n---\nb: 2\n", "this is not YAML"),
        (b"PK\x03\x04\x00\x00", "not YAML"),
        (b"title: Zo\xeb\n", "not UTF-8"),
        ("title: x\n".encode("utf-16"), "not UTF-8"),
        (b"#" * (MAX_FEED_FILE_BYTES + 1), "more than 256 KiB"),
        (b"- " * 5_000, "not YAML"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else None,
)
def test_what_is_no_feed_file_is_refused_with_words(content: bytes, sentence: str):
    assert sentence in only_problem(content)


def test_a_feed_file_of_the_greatest_size_is_read():
    content = feed_file()
    assert parse_feed(content + b"#" * (MAX_FEED_FILE_BYTES - len(content))) == parse_feed(content)


@pytest.mark.parametrize(
    "lines",
    [
        ("  title: &rule {colum: A}", "  nickName: {<<: *rule}"),
        ("  <<: {title: {colum: A}}",),
    ],
)
def test_a_problem_in_a_merged_block_is_reported(lines: tuple[str, ...]):
    assert any("colum is not a known key" in sentence for sentence in problems(feed_file(*lines)))


def test_a_percentage_is_a_number():
    assert "safety.max_set_aside_percent" in only_problem(feed_file("safety: {max_set_aside_percent: true}"))


def test_a_constant_that_is_a_number_is_one_problem():
    assert "mapping.title" in only_problem(feed_file("  title: {constant: 5}"))


def test_the_words_of_a_status_are_trimmed_as_the_cells_are():
    active = "  active: {column: S, true_when: [' Active '], false_when: ['Gone ']}"
    feed = parse_feed(feed_file(instead={ACTIVE_LINE: active}))
    assert (feed.mapping["active"].true_when, feed.mapping["active"].false_when) == (("Active",), ("Gone",))


def test_words_that_differ_in_blanks_only_are_the_same_word():
    active = "  active: {column: S, true_when: ['Active '], false_when: [Active]}"
    assert "the same word stands in" in only_problem(feed_file(instead={ACTIVE_LINE: active}))


@pytest.mark.parametrize("lines", [("  !x title: A",), ("  ? !!str title", "  : A")])
def test_a_key_with_a_tag_is_reported(lines: tuple[str, ...]):
    assert any("title" in sentence for sentence in problems(feed_file(*lines)))


def test_a_word_that_no_status_can_ever_equal_is_reported():
    active = "  active: {column: S, transforms: [lower], true_when: [Active], false_when: [Terminated]}"
    assert any("can never be met" in sentence for sentence in problems(feed_file(instead={ACTIVE_LINE: active})))


LINES = st.sampled_from(
    [
        *FEED_LINES,
        "  title: {column: A, date: '%d/%m/%Y'}",
        f"  {CONTOSO}:x: {{column: A, true_when: [Yes], false_when: [No]}}",
        "  displayName: {template: '{A} {B}'}",
        "file: {format: csv}",
        "safety:",
        "  max_set_aside_percent: 5",
        "  - x",
        "  1: A",
        "  ? [a]",
        "  : b",
        "  title: !tag x",
        "  title: 2001-99-99",
        "  title: &a [*a]",
        "%YAML 1.1",
        "---",
        "mapping: 5",
        "mapping: &m {externalId: *m}",
    ]
)


@PROPERTY
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.lists(LINES).map(lambda lines: "\n".join(lines).encode()),
        st.lists(LINES, max_size=4).map(lambda lines: feed_file(*lines)),
    )
)
def test_any_bytes_are_a_feed_or_are_refused_with_words(content: bytes):
    try:
        words = list(parse_feed(content).mapping)
    except FeedFileError as refusal:
        words = list(refusal.problems)
    assert words
    assert all(words)
