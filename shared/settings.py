"""App settings, read once; every problem is reported together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from shared.errors import ConfigurationError

GRAPH_HOSTS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
"""The clouds that Microsoft's own sample client allows."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NCRONTAB = re.compile(r"\S+( \S+){5}")


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        port = -1
    whole = f"{parts.scheme}://{parts.netloc}"
    if parts.username or not parts.hostname or port == -1 or value.rstrip("/") != whole:
        raise ValueError("must be a host with its scheme, such as https://graph.microsoft.com")
    if parts.hostname in _LOOPBACK and parts.scheme in ("http", "https"):
        return whole
    if parts.scheme != "https" or port not in (None, 443):
        raise ValueError("must begin with https:// and have no other port")
    if parts.hostname not in GRAPH_HOSTS:
        raise ValueError(f"must be one of {', '.join(GRAPH_HOSTS)}")
    return whole


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

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

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
    bulk_requests_reserved_per_day: NonNegativeInt = Field(0, alias="BULK_REQUESTS_RESERVED_PER_DAY")
    bucket_full_seconds: PositiveFloat = Field(300, alias="BUCKET_FULL_SECONDS", le=3600)
    check_job_health: bool = Field(True, alias="CHECK_JOB_HEALTH")
    time_budget_minutes: PositiveFloat = Field(20, alias="TIME_BUDGET_MINUTES", le=600)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an empty value counts as none.

        Raises:
            ConfigurationError: naming every setting that is missing or malformed, never its value.
        """
        names = [field.alias for field in cls.model_fields.values() if field.alias]
        given = {name: environ[name] for name in names if environ.get(name)}
        problems = _storage_problems(given)
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems += [_sentence(e["loc"], e["type"], e["msg"]) for e in error.errors()]
        else:
            if settings.bulk_requests_reserved_per_day >= settings.bulk_requests_per_day:
                problems.append("BULK_REQUESTS_RESERVED_PER_DAY must be less than BULK_REQUESTS_PER_DAY.")
        if problems:
            raise ConfigurationError(problems)
        return settings


def _storage_problems(given: Mapping[str, str]) -> list[str]:
    """There is one way to the storage: a connection string on a laptop, an identity in Azure."""
    identity = [f"HR_STORAGE__{part}" for part in ("blobServiceUri", "queueServiceUri", "credential", "clientId")]
    both = [name for name in identity if name in given]
    missing = [name for name in identity if name not in given]
    if "HR_STORAGE" in given:
        return [f"HR_STORAGE and {both[0]} exclude each other; keep HR_STORAGE on a laptop only."] if both else []
    return [f"{', '.join(missing)} must be set (or HR_STORAGE, on a laptop)."] if missing else []


def _sentence(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    words = {"missing": "must be set", "string_pattern_mismatch": "must be managedidentity"}.get(kind)
    text = words or message.removeprefix("Value error, ")
    return f"{loc[0]} {text}." if loc else text
