"""Every file of the template reads, and the parts fit together."""

import json
import re

import pytest

from tests.unit.infra.bicep import (
    INFRA,
    MAIN,
    MODULES,
    SECOND_STEPS,
    TEMPLATES,
    declared_names,
    description,
    expressions,
    parse,
    used_names,
)

each_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)


def modules_of_main():
    return parse(MAIN)["modules"]


@each_template
def test_a_template_can_be_parsed(path):
    assert parse(path)["globals"]["scope"]["value"] == "resourceGroup"


@each_template
def test_every_parameter_says_what_it_is_and_whether_it_is_required(path):
    for name, parameter in parse(path)["parameters"].items():
        word = "Required. " if parameter["default"] is None else "Optional. "
        assert description(parameter).startswith(word), f"{path.name}: {name}"


@each_template
def test_every_output_says_what_it_is(path):
    for name, output in parse(path).get("outputs", {}).items():
        assert description(output), f"{path.name}: {name}"


@each_template
def test_every_name_that_is_used_is_declared(path):
    code = expressions(path.read_text(encoding="utf-8"))
    assert used_names(code) <= declared_names(code)


@each_template
def test_every_parameter_and_variable_is_used(path):
    template = parse(path)
    code = expressions(path.read_text(encoding="utf-8"))
    assert {*template["parameters"], *template.get("variables", {})} <= used_names(code)


def test_every_module_of_main_is_a_file():
    for name, module in modules_of_main().items():
        assert (INFRA / module["detail"]["path"]).is_file(), name


def test_every_module_file_is_part_of_main_or_a_known_second_step():
    parts = {(INFRA / module["detail"]["path"]).name for module in modules_of_main().values()}
    assert {path.name for path in MODULES} == parts | SECOND_STEPS
    assert not parts & SECOND_STEPS


def test_main_gives_each_module_what_it_requires_and_nothing_it_does_not_know():
    for name, module in modules_of_main().items():
        declared = parse(INFRA / module["detail"]["path"])["parameters"]
        given = set(module["config"]["params"])
        assert given <= set(declared), name
        assert given >= {key for key, parameter in declared.items() if parameter["default"] is None}, name


def test_main_reads_only_outputs_that_the_module_has():
    modules = modules_of_main()
    reads = set(re.findall(r"\b(\w+)\.outputs\.(\w+)", MAIN.read_text(encoding="utf-8")))
    assert reads
    for name, output in reads:
        assert output in parse(INFRA / modules[name]["detail"]["path"])["outputs"], f"{name}.outputs.{output}"


def test_the_resource_names_of_main_stay_within_24_characters_for_storage_accounts():
    longest = next(d["argument"] for d in parse(MAIN)["parameters"]["name"]["decorators"] if d["type"] == "max_length")
    suffix = parse(MAIN)["variables"]["suffix"]["value"]["function"]["parameters"]["number_to_take"]
    for module in ("hostStorage", "hrStorage"):
        literal = re.sub(r"\$\{\w+\}", "", modules_of_main()[module]["config"]["params"]["name"])
        assert len(literal) + longest + suffix <= 24
        assert re.fullmatch("[a-z0-9]+", literal)


def test_the_parameter_file_sets_what_main_requires_and_nothing_it_does_not_know():
    """By simple means: pycep reads no .bicepparam."""
    text = (INFRA / "main.bicepparam").read_text(encoding="utf-8")
    given = set(re.findall(r"^param (\w+) = \S", text, re.MULTILINE))
    declared = parse(MAIN)["parameters"]
    assert text.startswith("using './main.bicep'\n")
    assert given <= set(declared)
    assert given >= {name for name, parameter in declared.items() if parameter["default"] is None}


def test_the_extension_of_the_graph_step_is_configured():
    extensions = json.loads((INFRA / "bicepconfig.json").read_text(encoding="utf-8"))["extensions"]
    assert set(parse(INFRA / "modules" / "graph-permissions.bicep")["extensions"]) == set(extensions)
