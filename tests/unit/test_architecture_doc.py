"""docs/architecture.md and docs/decisions/ say what the code does: diagram, states, ledger, modules, numbers."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from shared.inbound.sending.ledger import Ledger
from shared.inbound.sending.ledger_entry import Entry, Verdict, ledger_line, read_ledger
from shared.ports import CONTAINERS
from shared.run.row_state import OPEN, OUTCOMES, RowState
from shared.run.run_state import FIRST_STATES, TRANSITIONS, RunState
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
REASONS = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("feed-files.md", "reasons.md"))
SIZES = (50, 50, 2)
"""The plan of the page's example."""
_NAME = re.compile(r"`([^`]+)`")
_MAPPED = ("run", "workflows", "inbound/sending", "adapters")
"""Every module of these packages has its place in the page's table."""


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def names(text: str) -> set[str]:
    """What stands in backticks, outside fenced blocks."""
    return set(_NAME.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def table(text: str) -> list[list[str]]:
    """The cells of a section's only table, without its header."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def arrows() -> list[tuple[str, str, str]]:
    """From, to, label, as the diagram draws them; `[*]` is its beginning and its end."""
    (diagram,) = blocks(section("The state of a run"), "mermaid")
    first, *lines = diagram.splitlines()
    assert first == "stateDiagram-v2"
    matches = [re.fullmatch(r"    (\S+) --> (\S+?)(?:: (.+))?", line) for line in lines]
    assert None not in matches
    return [(match[1], match[2], match[3] or "") for match in matches if match]


def test_every_arrow_of_the_diagram_is_a_way_that_a_run_can_go_and_every_way_is_drawn():
    drawn = [(before, after, why) for before, after, why in arrows() if "[*]" not in (before, after)]
    assert sorted(drawn) == sorted((before.value, after.value, why) for (before, after), why in TRANSITIONS.items())


def test_the_diagram_begins_where_a_run_can_begin():
    drawn = [(after, why) for before, after, why in arrows() if before == "[*]"]
    assert sorted(drawn) == sorted((state.value, why) for state, why in FIRST_STATES.items())


def test_the_diagram_ends_where_no_way_leads_on():
    ends = sorted(before for before, after, _ in arrows() if after == "[*]")
    assert ends == sorted({state.value for state in RunState} - {before.value for before, _ in TRANSITIONS})


def test_every_state_of_a_row_is_explained_once_with_whether_it_is_final():
    rows = [(name, cells) for cells in table(section("The state of a row")) for name in _NAME.findall(cells[0])]
    assert sorted(name for name, _ in rows) == sorted(state.value for state in RowState)
    for name, cells in rows:
        assert (cells[-1] == "no") == (RowState(name) in OPEN)
        assert (cells[1] == "`accepted`") == (RowState(name) in OUTCOMES)


EXAMPLE = blocks(section("The ledger, by example"), "ndjson")[0].encode()


def test_the_lines_of_the_example_are_ledger_entries_as_a_sender_writes_them():
    assert b"".join(map(ledger_line, read_ledger(EXAMPLE))) == EXAMPLE


def test_the_example_has_every_kind_of_line_and_every_verdict():
    entries = list(read_ledger(EXAMPLE))
    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(Entry)[0])}
    assert {entry.kind for entry in entries} == kinds
    assert {entry.verdict for entry in entries if entry.kind == "answer"} == set(Verdict)


def test_after_each_line_of_the_example_that_is_left_to_send_which_the_page_says():
    rows = table(section("The ledger, by example"))
    ledger, found = Ledger(SIZES), []
    for entry in read_ledger(EXAMPLE):
        ledger.add(entry)
        parts = [f"`[{part.request},{part.start},{part.stop})`" for part in ledger.left()]
        found.append(" ".join(parts) or "nothing")
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(found) + 1)]
    assert [row[2] for row in rows] == found


def test_the_example_ends_with_the_counts_that_the_page_says():
    ledger = Ledger(SIZES, read_ledger(EXAMPLE))
    said = re.search(r"^In the end: .*$", PAGE, re.MULTILINE)
    assert said is not None
    assert dict(re.findall(r"`(\w+)` (\d+)", said[0].split(". ")[0])) == {
        "accepted": str(ledger.accepted_operations),
        "rejected": str(ledger.rejected_operations),
        "superseded": str(ledger.superseded_operations),
        "throttled": str(ledger.throttled),
        "repeated": str(ledger.repeated),
    }
    assert f"({sum(SIZES)} operations in all)" in said[0]


def test_the_layers_are_those_of_the_import_contracts():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    written = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    shown = blocks(section("Modules and who imports whom"), "text")
    assert [[re.split(r"\s{2,}", line)[0] for line in block.splitlines()] for block in shown] == written


def test_what_imports_no_outside_world_is_what_the_contract_says():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (core,) = (contract for contract in contracts if contract["name"] == "The core does no I/O")
    (sentence,) = re.findall(r"^(`scim`.*?) import no (.*?):", PAGE, re.MULTILINE | re.DOTALL)
    assert {f"shared.{name}" for name in _NAME.findall(sentence[0])} == set(core["source_modules"])
    assert set(re.split(r",\s+|\s+or\s+", sentence[1])) == set(core["forbidden_modules"]) - {"azurefunctions"}


PAGES = [ROOT / "docs" / "architecture.md", *DECISIONS]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_module_that_a_page_names_is_there(path: Path):
    modules = {name for name in names(path.read_text(encoding="utf-8")) if re.fullmatch(r"[\w/]+\.py", name)}
    assert {name for name in modules if not any((ROOT / top / name).exists() for top in ("", "shared"))} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_of_a_page_leads_somewhere(path: Path):
    links = re.findall(r"\]\((?!https?:)([^)]+)", path.read_text(encoding="utf-8"))
    for file, _, place in (link.partition("#") for link in links):
        target = path.parent / file if file else path
        assert target.exists(), file
        assert not place or place in places(target), f"{file} has no {place}"


def places(page: Path) -> set[str]:
    """What a link to a heading of the page calls it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_module_that_plans_sends_or_stores_has_its_place_in_the_table():
    named = names(section("Modules and who imports whom"))
    there = {f"{package}/{path.name}" for package in _MAPPED for path in (ROOT / "shared" / package).glob("*.py")}
    assert {module for module in there if not module.endswith("__init__.py")} - named == set()


def test_every_container_is_in_the_table_of_blobs():
    rows = table(section("Blobs: who writes what, under which guard"))
    assert [*dict.fromkeys(row[0].strip("`") for row in rows)] == list(CONTAINERS)


def test_what_an_engineer_sees_is_explained_among_the_reasons():
    known = {*RunState, *RowState, "requests.repeated"}
    seen = {name for row in table(section("What if")) for name in _NAME.findall(row[2])}
    assert len(seen) > 20
    assert {name for name in seen - known if f"`{name}`" not in REASONS} == set()


def test_every_setting_that_the_page_names_is_one():
    settings = {name for name in names(PAGE) if re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)+", name)}
    assert len(settings) > 3
    assert settings - {field.alias for field in Settings.model_fields.values()} == set()


@pytest.mark.parametrize("row", table(section("Numbers")), ids=lambda row: row[2])
def test_a_number_of_the_page_is_that_of_the_code(row: list[str]):
    module, _, name = row[2].strip("`").rpartition(".")
    value = getattr(import_module(f"shared.{module}"), name)
    assert float(row[1]) == (value.total_seconds() if isinstance(value, timedelta) else value)


def test_the_index_names_every_decision():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == {path.name for path in DECISIONS} - {"README.md"}


@pytest.mark.parametrize("path", [p for p in DECISIONS if p.name != "README.md"], ids=lambda path: path.name)
def test_a_decision_says_what_was_asked_looked_at_and_chosen_and_what_it_costs(path: Path):
    headings = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Question", "What we looked at", "Choice", "What it costs", "What would make us change"]
