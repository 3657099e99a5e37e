"""App settings: read once, every problem at once, never a value in a message."""

from __future__ import annotations

import pytest

from shared.errors import ConfigurationError
from shared.settings import Settings

AZURE = {
    "HR_STORAGE__blobServiceUri": "https://hr.blob.core.windows.net",
    "HR_STORAGE__queueServiceUri": "https://hr.queue.core.windows.net",
    "HR_STORAGE__credential": "managedidentity",
    "HR_STORAGE__clientId": "11111111-1111-1111-1111-111111111111",
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
}


def problems(**changes: str | None) -> str:
    environ = {name: value for name, value in {**AZURE, **changes}.items() if value is not None}
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environ(environ)
    return str(raised.value)


def test_the_settings_of_azure_are_enough_and_the_rest_has_defaults():
    settings = Settings.from_environ(AZURE)
    assert settings.graph_endpoint == "https://graph.microsoft.com"
    assert (settings.bulk_requests_per_5_seconds, settings.bulk_requests_per_day) == (40, 2000)


def test_every_problem_is_reported_together():
    told = problems(AZURE_CLIENT_ID=None, GRAPH_ENDPOINT="http://graph.microsoft.com", BULK_REQUESTS_PER_DAY="many")
    assert all(name in told for name in ("AZURE_CLIENT_ID", "GRAPH_ENDPOINT", "BULK_REQUESTS_PER_DAY"))


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://graph.microsoft.com", "https"),
        ("https://graph.microsoft.com.evil.example", "must be one of"),
        ("https://evil.example", "must be one of"),
        ("https://user@graph.microsoft.com", "must be a host"),
        ("https://graph.microsoft.com/v1.0", "must be a host"),
        ("http://127.0.0.1.evil.example", "https"),
        ("graph.microsoft.com", "must be a host"),
    ],
)
def test_a_token_can_go_to_microsofts_hosts_only(endpoint, words):
    assert words in problems(GRAPH_ENDPOINT=endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn/",
        "http://127.0.0.1:8080",
        "http://localhost:1",
    ],
)
def test_national_clouds_and_loopback_are_allowed(endpoint):
    assert Settings.from_environ({**AZURE, "GRAPH_ENDPOINT": endpoint}).graph_endpoint == endpoint.rstrip("/")


def test_a_connection_string_and_an_identity_exclude_each_other():
    told = problems(HR_STORAGE="AccountKey=hunter2;")
    assert "exclude each other" in told
    assert "hunter2" not in told


def test_half_an_identity_names_the_other_half():
    assert "HR_STORAGE__queueServiceUri" in problems(HR_STORAGE__queueServiceUri=None)


@pytest.mark.parametrize("name", ["REPORT_SCHEDULE", "RESUME_SCHEDULE"])
def test_a_schedule_has_six_fields(name):
    assert "six fields" in problems(**{name: "*/15 * * * *"})


def test_an_empty_value_counts_as_none():
    assert "AZURE_CLIENT_ID must be set" in problems(AZURE_CLIENT_ID="")


def test_neither_a_value_nor_a_secret_is_in_the_representation():
    assert "hunter2" not in repr(Settings.from_environ({"HR_STORAGE": "AccountKey=hunter2;", "AZURE_CLIENT_ID": "x"}))
