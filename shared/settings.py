"""App settings, read once; every problem is reported together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from shared.errors import ConfigurationError

GRAPH_HOSTS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
"""The clouds that Microsoft's own sample client allows."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NCRONTAB = re.compile(r"\S+( \S+){5}")


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.path.strip("/") or parts.query or parts.username or not parts.hostname:
        raise ValueError("must be a host with its scheme, such as https://graph.microsoft.com")
    if parts.hostname in _LOOPBACK:
        return value.rstrip("/")
    if parts.scheme != "https":
        raise ValueError("must begin with https://")
    if parts.hostname not in GRAPH_HOSTS:
        raise ValueError(f"must be one of {', '.join(GRAPH_HOSTS)}")
    return value.rstrip("/")


def _service_uri(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError("must begin with https://")
    return value


def _schedule(value: str) -> str:
    if not _NCRONTAB.fullmatch(value):
        raise ValueError("must have six fields: second minute hour day month day-of-week")
    return value


ServiceUri = Annotated[str, AfterValidator(_service_uri)]
Schedule = Annotated[str, AfterValidator(_schedule)]


class Settings(BaseModel):
    """One attribute for each app setting; the alias is its name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hr_storage: str | None = Field(None, alias="HR_STORAGE", repr=False)
    hr_storage_blob_service_uri: ServiceUri | None = Field(None, alias="HR_STORAGE__blobServiceUri")
    hr_storage_queue_service_uri: ServiceUri | None = Field(None, alias="HR_STORAGE__queueServiceUri")
    hr_storage_credential: str | None = Field(None, alias="HR_STORAGE__credential", pattern=r"^managedidentity$")
    hr_storage_client_id: str | None = Field(None, alias="HR_STORAGE__clientId")
    azure_client_id: str = Field(alias="AZURE_CLIENT_ID", min_length=1)
    graph_endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(
        "https://graph.microsoft.com", alias="GRAPH_ENDPOINT"
    )
    report_schedule: Schedule = Field("0 */15 * * * *", alias="REPORT_SCHEDULE")
    resume_schedule: Schedule = Field("0 * * * * *", alias="RESUME_SCHEDULE")
    bulk_requests_per_5_seconds: PositiveInt = Field(40, alias="BULK_REQUESTS_PER_5_SECONDS")
    bulk_requests_per_day: PositiveInt = Field(2000, alias="BULK_REQUESTS_PER_DAY")

    @model_validator(mode="after")
    def _one_way_to_the_storage(self) -> Self:
        identity = {
            "HR_STORAGE__blobServiceUri": self.hr_storage_blob_service_uri,
            "HR_STORAGE__queueServiceUri": self.hr_storage_queue_service_uri,
            "HR_STORAGE__credential": self.hr_storage_credential,
            "HR_STORAGE__clientId": self.hr_storage_client_id,
        }
        given = [name for name, value in identity.items() if value]
        if self.hr_storage and given:
            raise ValueError(f"HR_STORAGE and {given[0]} exclude each other; keep HR_STORAGE on a laptop only.")
        missing = [name for name, value in identity.items() if not value]
        if not self.hr_storage and missing:
            raise ValueError(f"{', '.join(missing)} must be set (or HR_STORAGE, on a laptop).")
        return self

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an empty value counts as none.

        Raises:
            ConfigurationError: naming every setting that is missing or malformed, never its value.
        """
        names = [field.alias for field in cls.model_fields.values() if field.alias]
        try:
            return cls.model_validate({name: environ[name] for name in names if environ.get(name)})
        except ValidationError as error:
            raise ConfigurationError([_sentence(e["loc"], e["type"], e["msg"]) for e in error.errors()]) from None


def _sentence(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    words = {"missing": "must be set", "string_pattern_mismatch": "must be managedidentity"}.get(kind)
    text = words or message.removeprefix("Value error, ")
    return f"{loc[0]} {text}." if loc else text
