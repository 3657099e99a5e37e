"""Everything about the simulated tenant that a test may set, under the camelCase names of the control interface."""

import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

JobStatus = Literal["Active", "Paused", "Quarantine", "NotRun"]


def _default_permissions() -> list[str]:
    return ["SynchronizationData-User.Upload", "ProvisioningLog.Read.All", "Synchronization.Read.All"]


@dataclass
class Settings:
    """The tenant as configured; null always means "no limit" or "any"."""

    # identity
    permissions: list[str] = field(default_factory=_default_permissions)
    token_lifetime_seconds: float = 4500  # documented average of 60 to 90 minutes
    cache_managed_identity_tokens: bool = False  # true: the same token again until it is nearly over

    # bulkUpload
    latency_ms: float = 0
    calls_per_5_seconds: int | None = 40
    calls_per_5_seconds_counted_per: Literal["tenant", "job"] = "tenant"  # Guess: open question 2
    calls_per_day: int | None = 2000
    daily_quota_retry_after: bool = True  # Guess: open question 2
    queue_capacity: int | None = None  # operations staged and not yet processed, per job
    require_data_schemas: bool = True  # Guess: documented as required, seen unenforced in a workshop
    reject_external_ids: list[str] = field(default_factory=list)

    # processing
    job_status: JobStatus = "Active"
    quarantine_reason: str = "EncounteredEscrowProportionThreshold"
    cycle_seconds: float = 0
    verified_domains: list[str] | None = field(default_factory=lambda: ["example.com", "contoso.com"])
    flow_null_values: bool = False
    manager_as_second_record: bool = True  # Guess: open question 8
    redundant_records: bool = True  # Guess: open question 8

    # provisioning logs
    log_delay_seconds: float = 0
    log_retention_days: float = 30
    log_requests_per_10_seconds: int | None = 5
    lose_logs_of_external_ids: list[str] = field(default_factory=list)
    default_top: int = 100  # Guess: open question 7
    max_top: int = 1000  # Guess: open question 7
    top_above_max: Literal["cap", "refuse"] = "cap"
    next_link_host: str | None = None  # "host:port" for nextLink, to see that a client refuses it

    def change(self, values: Mapping[str, Any]) -> None:
        """Set values by their camelCase names, all or none.

        Raises:
            ValueError: an unknown name, or a value of the wrong type; says which.
        """
        hints = get_type_hints(Settings)
        names = {camel_case(f.name): f.name for f in fields(Settings)}
        for name, value in values.items():
            if name not in names:
                raise ValueError(f"unknown setting: {name}")
            if not _fits(value, hints[names[name]]):
                raise ValueError(f"{name}: not an acceptable value")
        for name, value in values.items():
            setattr(self, names[name], value)

    def as_json(self) -> dict[str, Any]:
        """Every setting under its camelCase name."""
        return {camel_case(name): value for name, value in asdict(self).items()}


def camel_case(name: str) -> str:
    """calls_per_5_seconds -> callsPer5Seconds."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, get_args(hint)[0]) for item in value)
    if hint in (int, float):
        numbers = (int,) if hint is int else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool) and value >= 0
    return isinstance(value, hint)
