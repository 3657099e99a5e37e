"""The documents and the code say the same."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from shared.inbound.feeds.feed_file import feed_schema, parse_feed
from shared.run.record import RunRecord
from shared.run.row_state import RowState
from shared.run.run_state import RunState
from shared.settings import Settings
from tests.demo.company import company

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = {field.alias for field in Settings.model_fields.values()}


def table_below(heading: str) -> list[str]:
    """The first cells of the table in the section with that heading."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return [name for cell in cells[2:] for name in re.findall(r"`([^`]+)`", cell)]


def test_the_settings_table_and_the_code_have_the_same_names():
    assert set(table_below("Settings")) == NAMES


def test_the_example_of_local_settings_names_only_what_there_is():
    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    known = NAMES | {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
    assert set(values) <= known
    assert {"HR_STORAGE", "AZURE_CLIENT_ID", "GRAPH_ENDPOINT", "REPORT_SCHEDULE", "RESUME_SCHEDULE"} <= set(values)


def test_every_row_state_and_every_run_state_is_explained():
    assert set(table_below("What became of a row")) == {state.value for state in RowState}
    assert set(table_below("What a run is")) == {state.value for state in RunState}


def test_the_feed_file_in_the_readme_is_one_that_the_connector_takes():
    (feed,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert parse_feed(feed.encode()).job.jobId.startswith("API2AAD.")


@pytest.mark.parametrize("document", ["README.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_every_link_to_a_file_leads_somewhere(document):
    path = ROOT / document
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_published_schema_is_that_of_run_json():
    published = json.loads((ROOT / "docs" / "run.schema.json").read_text())
    assert published == RunRecord.model_json_schema(by_alias=True, mode="serialization")


def test_the_published_schema_is_that_of_feed_files_and_takes_the_sample():
    published = json.loads((ROOT / "docs" / "feed.schema.json").read_text(encoding="utf-8"))
    assert published == feed_schema()
    validator = Draft202012Validator(published)
    sample = YAML(typ="safe", pure=True).load((ROOT / "tests" / "samples" / "contoso.yaml").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(sample)) == []
    wrong = {**sample, "file": {"format": "xml"}, "mapping": {**sample["mapping"], "title": {"colum": "JobTitle"}}}
    assert len(list(validator.iter_errors(wrong))) == 2


def test_every_key_of_a_feed_file_is_described_for_editors():
    definitions = feed_schema()["$defs"]
    bare = [
        f"{name}.{key}"
        for name, model in definitions.items()
        for key, field in model.get("properties", {}).items()
        if "description" not in field
    ]
    assert bare == []


def test_nothing_but_the_connector_is_deployed():
    ignored = {line.rstrip("/") for line in (ROOT / ".funcignore").read_text().split()}
    left = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")} - ignored
    assert left == {"function_app.py", "host.json", "requirements.txt", "shared"}


def test_every_direct_dependency_is_pinned():
    for name in ("requirements.txt", "tests/requirements.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("-r")]
        assert lines
        assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][^ ]*", line)] == []


def test_every_code_and_every_event_is_explained():
    """Codes and events are the literals given to what makes reasons, problems, notices and events."""
    makers = {"Reason", "HrFileError", "CellProblem", "RowProblem", "Notice", "info", "error", "apart"}
    found = set()
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] in makers:
                given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
                texts = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                found |= {text for text in texts if re.fullmatch(r"[a-z]+(\.?[A-Z]?[a-z0-9]+)+", text)}
    documents = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("feed-files.md", "reasons.md"))
    assert len(found) > 30
    assert {code for code in found if f"`{code}`" not in documents} == set()


def test_every_event_that_alerts_has_a_first_command():
    """Names that are put together of two parts are those of run and row states."""
    found = {"run.refused", "run.held", "run.blocked", "rows.failed", "rows.unaccounted"}
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_told = isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("events.error", "apart"))
            if is_told and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    text = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    table = text.split("## An alert came: the first command", 1)[1].split("## Log events", 1)[0]
    assert len(found) > 12
    assert {name for name in found if f"\n| `{name}` | `" not in table} == set()


def test_the_numbers_of_the_demo_are_those_that_its_files_give():
    made = company(2000)
    failed = made.bad["login in a domain that is not the tenant's"]
    aside = sum(made.bad.values()) - failed
    table = (line.split() for line in README.splitlines() if re.match(r"(rows|setAside|failed) +\d", line))
    assert {name: int(numbers[1]) for name, *numbers in table} == {
        "rows": len(made.rows),
        "setAside": aside,
        "failed": failed,
    }
