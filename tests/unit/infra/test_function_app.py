"""The function app: its settings, and what Flex Consumption must not be given."""

import re

import pytest

from shared.settings import Settings
from tests.unit.infra.bicep import INFRA, MAIN, ROOT, TEMPLATES, leaves, module, only, parse, resources, settings

# Deprecated or ignored on Flex Consumption; some of them break the app.
FORBIDDEN_ON_FLEX = {
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED",
    "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTOVERVNET",
    "WEBSITE_SKIP_CONTENTSHARE_VALIDATION",
    "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
    "WEBSITE_VNET_ROUTE_ALL",
    "WEBSITE_DNS_SERVER",
    "WEBSITE_MOUNT_ENABLED",
    "WEBSITE_NODE_DEFAULT_VERSION",
    "WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED",
    "WEBSITE_TIME_ZONE",
    "TZ",
    "linuxFxVersion",
    "alwaysOn",
}

EXPECTED_SETTINGS = {
    "AzureWebJobsStorage__accountName": "hostStorageAccountName",
    "AzureWebJobsStorage__blobServiceUri": "https://${hostStorageAccountName}.blob.${storageSuffix}",
    "AzureWebJobsStorage__queueServiceUri": "https://${hostStorageAccountName}.queue.${storageSuffix}",
    "AzureWebJobsStorage__tableServiceUri": "https://${hostStorageAccountName}.table.${storageSuffix}",
    "AzureWebJobsStorage__credential": "managedidentity",
    "AzureWebJobsStorage__clientId": "identityClientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "applicationInsightsConnectionString",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "ClientId=${identityClientId};Authorization=AAD",
    "HR_STORAGE__blobServiceUri": "https://${hrStorageAccountName}.blob.${storageSuffix}",
    "HR_STORAGE__queueServiceUri": "https://${hrStorageAccountName}.queue.${storageSuffix}",
    "HR_STORAGE__credential": "managedidentity",
    "HR_STORAGE__clientId": "identityClientId",
    "AZURE_CLIENT_ID": "identityClientId",
    "GRAPH_ENDPOINT": "https://graph.microsoft.com",
    "RESUME_SCHEDULE": "resumeSchedule",
    "REPORT_SCHEDULE": "reportSchedule",
    "BULK_REQUESTS_PER_5_SECONDS": "40",
    "BUCKET_FULL_SECONDS": "300",
    "CHECK_JOB_HEALTH": "true",
    "TIME_BUDGET_MINUTES": "20",
}
FROM_A_PARAMETER = {
    "BULK_REQUESTS_PER_DAY": "bulkRequestsPerDay",
    "BULK_REQUESTS_RESERVED_PER_DAY": "bulkRequestsReservedPerDay",
}
ON_A_LAPTOP_ONLY = {"HR_STORAGE"}


def site():
    return only(resources(module("function-app"), "Microsoft.Web/sites"))


def test_the_app_has_every_setting_of_the_design_and_the_host():
    given = settings()
    for name, parameter in FROM_A_PARAMETER.items():
        call = given.pop(name)["function"]
        assert (call["type"], parameter in leaves(call)) == ("string", True)
    assert given == EXPECTED_SETTINGS


def test_the_template_sets_every_app_setting_that_the_connector_reads():
    read = {field.alias for field in Settings.model_fields.values()}
    assert read - ON_A_LAPTOP_ONLY <= set(settings())


def test_what_the_template_sets_is_the_connectors_own_default():
    parameters = parse(MAIN)["parameters"]
    given = {**settings(), **{name: parameters[p]["default"] for name, p in FROM_A_PARAMETER.items()}}
    numbers = [f for f in Settings.model_fields.values() if isinstance(f.default, (int, float, bool))]
    assert len(numbers) == 6
    for field in numbers:
        assert str(given[field.alias]) == str(field.default).lower(), field.alias


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_that_flex_consumption_refuses_is_set(path):
    assert not FORBIDDEN_ON_FLEX & {leaf for leaf in leaves(parse(path)) if isinstance(leaf, str)}


def test_no_plain_connection_stands_beside_the_identity_based_ones():
    """Such a setting wins over the identity, and on Flex it breaks the host."""
    assert not {"AzureWebJobsStorage", "HR_STORAGE"} & set(settings())


@pytest.mark.parametrize(
    ("parameter", "schedule"), [("resumeSchedule", "0 * * * * *"), ("reportSchedule", "0 */15 * * * *")]
)
def test_a_schedule_has_six_fields(parameter, schedule):
    assert module("function-app")["parameters"][parameter]["default"] == schedule
    assert len(schedule.split()) == 6


def test_what_function_app_reads_by_name_is_a_setting():
    """A missing schedule would keep the host from loading that function, a missing connection from any."""
    code = (ROOT / "function_app.py").read_text(encoding="utf-8")
    schedules = set(re.findall(r"%(\w+)%", code))
    connections = set(re.findall(r'connection="(\w+)"', code))
    assert schedules
    assert connections
    assert schedules <= set(settings())
    assert {f"{c}__{service}ServiceUri" for c in connections for service in ("blob", "queue")} <= set(settings())


def test_the_app_runs_python_3_12_on_flex_consumption():
    plan = only(resources(module("function-app"), "Microsoft.Web/serverfarms"))
    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert site()["properties"]["functionAppConfig"]["runtime"] == {"name": "python", "version": "3.12"}


def test_one_instance_is_kept_warm_for_the_blob_trigger_by_default():
    text = (INFRA / "modules" / "function-app.bicep").read_text(encoding="utf-8")
    assert parse(MAIN)["parameters"]["alwaysReadyBlobInstances"]["default"] == 1
    assert re.search(r"alwaysReady: .*\[\s*\{\s*name: 'blob'\s*instanceCount: alwaysReadyBlobInstances\s*\}", text)


def test_the_app_is_reached_over_https_and_published_to_by_identity_only():
    properties = site()["properties"]
    policy = only(resources(module("function-app"), "Microsoft.Web/sites/basicPublishingCredentialsPolicies"))
    assert properties["httpsOnly"] is True
    assert properties["siteConfig"]["minTlsVersion"] == "1.2"
    assert properties["siteConfig"]["ftpsState"] == "Disabled"
    assert properties["functionAppConfig"]["deployment"]["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert policy["properties"] == {"allow": False}


def test_the_app_is_made_after_its_identity_may_use_the_storage():
    assert set(parse(MAIN)["modules"]["functionApp"]["config"]["dependsOn"]) == {"hostStorageAccess", "hrStorageAccess"}


def test_telemetry_is_taken_by_identity_only():
    component = only(resources(module("monitoring"), "Microsoft.Insights/components"))
    workspace = only(resources(module("monitoring"), "Microsoft.OperationalInsights/workspaces"))
    assert component["properties"]["DisableLocalAuth"] is True
    assert workspace["properties"]["features"]["disableLocalAuth"] is True
