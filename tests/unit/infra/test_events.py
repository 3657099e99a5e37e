"""The way from a finished file in hr-drop to upload_hr_file, and the alert when something is wrong on it."""

import re

from tests.unit.infra.bicep import ROOT, module, only, resources

FUNCTIONS = {"upload_hr_file", "resume_uploads", "report_provisioning"}


def subscription():
    found = resources(module("event-subscription"), "Microsoft.EventGrid/systemTopics/eventSubscriptions")
    return only(found)["properties"]


def alert_query():
    return module("alerts")["variables"]["problems"]["value"]


def test_events_go_to_upload_hr_file_by_its_registered_name():
    url = subscription()["destination"]["properties"]["endpointUrl"]
    assert url.startswith("https://${app.properties.defaultHostName}/runtime/webhooks/blobs?")
    assert re.search(r"[?&]functionName=([^&]*)", url)[1] == "Host.Functions.upload_hr_file"
    assert url.endswith("&code=${webhookKey}")


def test_only_new_blobs_in_hr_drop_are_told():
    event_filter = subscription()["filter"]
    assert event_filter["includedEventTypes"] == ["Microsoft.Storage.BlobCreated"]
    assert event_filter["subjectBeginsWith"] == "/blobServices/default/containers/hr-drop/"


def test_the_filter_ends_with_a_slash_so_that_no_other_container_matches():
    assert subscription()["filter"]["subjectBeginsWith"].endswith("/")


def test_only_finished_writes_are_told():
    by_api = only(subscription()["filter"]["advancedFilters"])
    assert (by_api["operatorType"], by_api["key"]) == ("StringIn", "data.api")
    assert set(by_api["values"]) == {"CopyBlob", "PutBlob", "PutBlockList", "FlushWithClose", "SftpCommit"}


def test_an_event_that_cannot_be_delivered_is_kept():
    containers = module("hr-storage")["variables"]["containerNames"]["value"]
    dead_letter = subscription()["deadLetterWithResourceIdentity"]
    destination = dead_letter["deadLetterDestination"]
    assert dead_letter["identity"] == {"type": "SystemAssigned"}
    assert destination["endpointType"] == "StorageBlob"
    assert destination["properties"]["blobContainerName"] in containers


def test_the_topic_may_write_to_the_container_of_undeliverable_events_and_to_no_other():
    grid = module("event-grid")
    topic = only(resources(grid, "Microsoft.EventGrid/systemTopics"))
    container = subscription()["deadLetterWithResourceIdentity"]["deadLetterDestination"]["properties"]
    assert topic["identity"] == {"type": "SystemAssigned"}
    assert only(resources(grid, "Microsoft.Authorization/roleAssignments"))["scope"] == "deadLetters"
    assert grid["resources"]["deadLetters"]["config"]["name"] == container["blobContainerName"]


def test_delivery_is_tried_for_a_day():
    assert subscription()["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}


def test_the_alert_knows_every_function_of_the_app():
    code = (ROOT / "function_app.py").read_text(encoding="utf-8")
    named = re.search(r"operation_Name in \(([^)]*)\) and success == false", alert_query())[1]
    assert set(re.findall(r'"(\w+)"', named)) == FUNCTIONS
    assert set(re.findall(r"^def (\w+)\(", code, re.MULTILINE)) >= FUNCTIONS


def test_the_alert_sees_events_of_level_error():
    assert "parse_json(message)" in alert_query()
    assert '(event.level) == "error"' in alert_query()


def test_the_alert_sends_names_of_events_and_functions_and_nothing_else():
    """What the query returns goes out by e-mail."""
    projections = re.findall(r"\| project ([^\n]*?)\)?(?:,|)\n", alert_query())
    assert projections == [
        "timestamp, problem = tostring(event.event)",
        'timestamp, problem = strcat(operation_Name, " failed")',
    ]


def test_the_alert_fires_on_one_problem_and_tells_a_person():
    rule = only(resources(module("alerts"), "Microsoft.Insights/scheduledQueryRules"))["properties"]
    criterion = only(rule["criteria"]["allOf"])
    group = only(resources(module("alerts"), "Microsoft.Insights/actionGroups"))["properties"]
    assert rule["enabled"] is True
    assert (criterion["query"], criterion["operator"], criterion["threshold"]) == ("problems", "GreaterThan", 0)
    assert only(criterion["dimensions"])["name"] == "problem"
    assert len(rule["actions"]["actionGroups"]) == 1
    assert group["enabled"] is True
    assert len(group["groupShortName"]) <= 12
    assert only(group["emailReceivers"])["emailAddress"] == "email"
