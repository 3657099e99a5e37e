"""Both storage accounts: no keys, roles by table, and nothing kept too long or too short."""

import re

import pytest

from tests.unit.infra.bicep import MAIN, MODULES, description, module, only, parse, resources

ACCOUNT = "Microsoft.Storage/storageAccounts"
CONTAINER = "Microsoft.Storage/storageAccounts/blobServices/containers"
POLICY = "Microsoft.Storage/storageAccounts/managementPolicies"

ROLE_IDS = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"

each_account = pytest.mark.parametrize("name", ["host-storage", "hr-storage"])


def lifecycle_rules():
    policy = only(resources(module("hr-storage"), POLICY))["properties"]["policy"]
    return {only(rule["definition"]["filters"]["prefixMatch"]): rule for rule in policy["rules"]}


def value_of(node, names):
    """The number that an expression of the lifecycle policy stands for."""
    if isinstance(node, str):
        return names[node]
    if isinstance(node, dict) and "function" in node:
        assert node["function"]["type"] == "max"
        return max(value_of(argument, names) for argument in node["function"]["parameters"].values())
    if isinstance(node, dict):
        assert node["operator"]["type"] == "add"
        return sum(value_of(operand, names) for operand in node["operator"]["operands"].values())
    return node


def days_kept(prefix, *, drops, runs):
    names = {"hrDropRetentionDays": drops, "runsRetentionDays": runs}
    for name, variable in module("hr-storage")["variables"].items():
        if name.endswith("Days"):
            names[name] = value_of(variable["value"], names)
    return names[
        lifecycle_rules()[prefix]["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
    ]


@each_account
def test_an_account_takes_no_key_and_no_anonymous_reader(name):
    properties = only(resources(module(name), ACCOUNT))["properties"]
    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["defaultToOAuthAuthentication"] is True


@each_account
def test_an_account_takes_only_https_with_tls_1_2(name):
    properties = only(resources(module(name), ACCOUNT))["properties"]
    assert properties["minimumTlsVersion"] == "TLS1_2"
    assert properties["supportsHttpsTrafficOnly"] is True


@each_account
def test_no_container_is_public(name):
    assert [c["properties"]["publicAccess"] for c in resources(module(name), CONTAINER)] == ["None"]


def test_no_other_module_makes_a_storage_account():
    makers = {path.stem for path in MODULES if resources(parse(path), ACCOUNT)}
    assert makers == {"host-storage", "hr-storage"}


def test_the_hr_account_has_the_containers_of_the_design():
    expected = {"hr-drop", "feeds", "runs", "state", "summaries", "eventgrid-deadletter"}
    assert set(module("hr-storage")["variables"]["containerNames"]["value"]) == expected


def test_only_drops_and_runs_expire():
    assert set(lifecycle_rules()) == {"hr-drop/", "runs/"}
    assert all(rule["enabled"] is True for rule in lifecycle_rules().values())


def test_every_kind_of_blob_in_a_run_expires():
    """The ledger is an append blob."""
    assert set(lifecycle_rules()["runs/"]["definition"]["filters"]["blobTypes"]) == {"blockBlob", "appendBlob"}


def test_by_default_drops_are_kept_14_days_and_runs_90():
    parameters = parse(MAIN)["parameters"]
    defaults = {name: parameters[name]["default"] for name in ("hrDropRetentionDays", "runsRetentionDays")}
    assert defaults == {"hrDropRetentionDays": 14, "runsRetentionDays": 90}


@pytest.mark.parametrize(("drops", "runs"), [(14, 90), (14, 14), (90, 14), (1, 8), (365, 90)])
def test_runs_are_kept_at_least_a_week_longer_than_drops_whatever_the_parameters(drops, runs):
    kept = days_kept("runs/", drops=drops, runs=runs)
    assert days_kept("hr-drop/", drops=drops, runs=runs) == drops
    assert kept >= drops + 7
    assert kept >= runs


def test_the_parameter_for_runs_says_that_they_must_outlive_drops():
    assert "Runs must be kept longer than drops" in description(parse(MAIN)["parameters"]["runsRetentionDays"])


def test_every_role_id_is_from_the_known_table():
    for path in MODULES:
        found = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", path.read_text(encoding="utf-8")))
        assert found <= {*ROLE_IDS.values(), MICROSOFT_GRAPH}, path.name


def test_every_role_id_stands_behind_its_own_name():
    table = module("storage-access")["variables"]["roleIds"]["value"]
    assert table.items() <= ROLE_IDS.items()
    assert (
        module("monitoring")["variables"]["monitoringMetricsPublisher"]["value"]
        == (ROLE_IDS["Monitoring Metrics Publisher"])
    )
    assert (
        module("event-grid")["variables"]["storageBlobDataContributor"]["value"]
        == (ROLE_IDS["Storage Blob Data Contributor"])
    )


@pytest.mark.parametrize(
    ("part", "roles"),
    [
        (
            "hostStorageAccess",
            {"Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor"},
        ),
        ("hrStorageAccess", {"Storage Blob Data Owner", "Storage Queue Data Contributor"}),
    ],
)
def test_the_identity_has_the_roles_that_the_host_and_the_trigger_need(part, roles):
    assert set(parse(MAIN)["modules"][part]["config"]["params"]["roles"]) == roles
    assert roles <= set(module("storage-access")["variables"]["roleIds"]["value"])


def test_a_role_assignment_has_a_name_that_its_inputs_decide():
    """guid() of scope, identity and role: a second deployment changes nothing."""
    for path in MODULES:
        for assignment in resources(parse(path), "Microsoft.Authorization/roleAssignments"):
            assert assignment["name"]["function"]["type"] == "guid", path.name
            assert len(assignment["name"]["function"]["parameters"]) == 3, path.name
            assert assignment["properties"]["principalType"] == "ServicePrincipal", path.name
