"""What azd runs: the service, the hook after a deployment, and the names that pass between them."""

import os
import re

import pytest
from ruamel.yaml import YAML

from tests.unit.infra.bicep import INFRA, MAIN, ROOT, description, module, only, parse, resources

# Set by azd itself in every environment that deploys to a resource group.
AZD_OWN = {"AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP"}
SCRIPTS = INFRA / "scripts"
DEPLOY_PAGE = ROOT / "docs" / "deploy.md"

each_script = pytest.mark.parametrize("name", ["post-deploy.sh", "post-deploy.ps1"])


def azure_yaml():
    return YAML(typ="safe").load(ROOT / "azure.yaml")


def outputs():
    return set(parse(MAIN)["outputs"])


def test_azd_deploys_the_whole_folder_to_the_app_with_its_tag():
    site = only(resources(module("function-app"), "Microsoft.Web/sites"))
    service = azure_yaml()["services"][site["tags"]["azd-service-name"]]
    assert service == {"project": ".", "language": "python", "host": "function"}


def test_azd_runs_the_second_step_after_every_deployment():
    hook = azure_yaml()["hooks"]["postdeploy"]
    assert {system: (ROOT / hook[system]["run"]).is_file() for system in hook} == {"posix": True, "windows": True}
    assert (hook["posix"]["shell"], hook["windows"]["shell"]) == ("sh", "pwsh")
    assert not any(hook[system]["continueOnError"] for system in hook)


def test_the_posix_script_can_be_executed():
    assert os.access(SCRIPTS / "post-deploy.sh", os.X_OK)


@each_script
def test_a_script_reads_only_what_azd_has(name):
    text = (SCRIPTS / name).read_text(encoding="utf-8")
    read = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text))
    assert read > AZD_OWN
    assert read <= outputs() | AZD_OWN


@each_script
def test_a_script_gives_the_event_subscription_exactly_its_parameters(name):
    text = (SCRIPTS / name).read_text(encoding="utf-8")
    assert set(re.findall(r'"(\w+)=\$', text)) == set(module("event-subscription")["parameters"])
    assert "modules/event-subscription.bicep" in text


@each_script
def test_a_script_never_asks_for_the_key_itself(name):
    text = (SCRIPTS / name).read_text(encoding="utf-8")
    assert len(re.findall(r"blobs_extension", text)) == 1
    assert "length(systemKeys.blobs_extension)" in text


def test_the_deployment_page_names_only_outputs_that_exist():
    asked = set(re.findall(r"azd env get-value (\w+)", DEPLOY_PAGE.read_text(encoding="utf-8")))
    assert asked
    assert asked <= outputs() | AZD_OWN


def test_the_deployment_page_names_every_parameter_of_main():
    text = DEPLOY_PAGE.read_text(encoding="utf-8")
    for name, parameter in parse(MAIN)["parameters"].items():
        assert f"`{name}`" in text, name
        assert description(parameter), name


def test_the_graph_step_asks_for_two_permissions_a_third_that_can_be_left_out_and_no_more():
    text = (INFRA / "modules" / "graph-permissions.bicep").read_text(encoding="utf-8")
    assert set(re.findall(r"'([\w-]+\.\w+(?:\.All)?)'", text)) == {
        "SynchronizationData-User.Upload",
        "ProvisioningLog.Read.All",
        "Synchronization.Read.All",
    }
    assert set(module("graph-permissions")["parameters"]["permissions"]["default"]) == {
        "SynchronizationData-User.Upload",
        "ProvisioningLog.Read.All",
    }
