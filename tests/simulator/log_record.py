"""Provisioning log records: provisioningObjectSummary of Microsoft Graph.

A record keeps what happened and takes its JSON shape only when read, because most are never read.

Source: Graph metadata of 2026-08-20 (members and enums), reference page (examples).
Guess: open question 8 for sourceSystem.displayName, identityType, every description and the durations.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.simulator.attributes import ENTERPRISE, as_text
from tests.simulator.clock import iso
from tests.simulator.directory import Account, Modified, Outcome
from tests.simulator.identifiers import new_guid
from tests.simulator.job import Job
from tests.simulator.log_steps import export_step, import_step, matching_step, scoping_step, skip_step

SOURCE_SYSTEM = {"id": "d1e090e1-f2f4-4678-be44-6442ffff0621", "displayName": "API", "details": {}}
TARGET_SYSTEM = {"id": "e69d4bd2-2da2-483e-bc49-aad4080b91b3", "displayName": "Microsoft Entra ID", "details": {}}
INITIATOR = {"id": "", "displayName": "Azure AD Provisioning Service", "initiatorType": "system"}
SERVICE_PRINCIPAL_NAME = "HR to Entra ID"
UNRESOLVED = "UnableToResolveReferenceAttributeValue"


@dataclass(slots=True)
class Change:
    """One operation within one cycle; its records share the changeId.

    Source: Microsoft's sample script groups records by changeId. Guess: that the manager's record shares it.
    """

    user: dict[str, Any]
    job: Job
    cycle_id: str
    due: float
    tenant_id: str
    account: Account | None
    id: str = field(default_factory=new_guid)

    @property
    def external_id(self) -> str:
        """The person's key in the source."""
        return str(self.user["externalId"])

    @property
    def display_name(self) -> str:
        """As sent."""
        return as_text(self.user.get("displayName")) or ""


@dataclass(slots=True)
class LogRecord:
    """One log event; `skip_reason` says why a step was skipped, `error` holds code and reason."""

    change: Change
    action: str
    status: str
    modified: list[Modified]
    error: tuple[str, str] | None = None
    skip_reason: str | None = None
    of_manager: bool = False
    id: str = field(default_factory=new_guid)

    @property
    def duration(self) -> int:
        """In milliseconds."""
        return 100 + 50 * len(self.modified)

    @property
    def target_name(self) -> str:
        """Display name of the target identity; empty while there is no account."""
        return self.change.display_name if self.change.account else ""

    def as_json(self) -> dict[str, Any]:
        """The record as v1.0 gives it."""
        change = self.change
        source = {"id": change.external_id, "displayName": change.display_name, "identityType": ENTERPRISE}
        object_id = change.account.object_id if change.account else ""
        target = {"id": object_id, "displayName": self.target_name, "identityType": "User"}
        return {
            "id": self.id,
            "activityDateTime": iso(change.due),
            "tenantId": change.tenant_id,
            "jobId": change.job.id,
            "cycleId": change.cycle_id,
            "changeId": change.id,
            "provisioningAction": self.action,
            "durationInMilliseconds": self.duration,
            "servicePrincipal": {"id": change.job.service_principal_id, "displayName": SERVICE_PRINCIPAL_NAME},
            "sourceSystem": SOURCE_SYSTEM,
            "targetSystem": TARGET_SYSTEM,
            "initiatedBy": INITIATOR,
            "sourceIdentity": {**source, "details": {}},
            "targetIdentity": {**target, "details": {}},
            "provisioningStatusInfo": {"status": self.status, "errorInformation": self._error_information()},
            "provisioningSteps": self._steps(),
            "modifiedProperties": [
                {"displayName": target, "oldValue": as_text(old), "newValue": as_text(new)}
                for target, old, new in self.modified
            ],
        }

    def as_beta_json(self) -> dict[str, Any]:
        """The same with `action` and `statusInfo`. Source: Graph metadata, type mappings of beta."""
        status: dict[str, Any] = {"status": self.status}
        if self.status == "failure":
            status = {"@odata.type": "#microsoft.graph.statusDetails", **status, **(self._error_information() or {})}
        return {**self.as_json(), "action": self.action.capitalize(), "statusInfo": status}

    def _error_information(self) -> dict[str, Any] | None:
        if self.error is None:
            return None
        code, reason = self.error
        redundant = self.skip_reason == "RedundantExport"
        return {
            "errorCode": code,
            "reason": reason,
            "additionalDetails": None,
            "errorCategory": "success" if redundant else "nonServiceFailure",
            "recommendedAction": None,
        }

    def _steps(self) -> list[dict[str, Any]]:
        user = self.change.user
        if self.of_manager:
            steps = [import_step(user)]
        else:
            steps = [import_step(user), scoping_step(), matching_step(user, created=self.action == "create")]
        if self.skip_reason:
            steps.append(skip_step(self.skip_reason, self.error[1] if self.error else ""))
        else:
            steps.append(export_step(user, self.action, self.status))
        return steps


def user_record(change: Change, outcome: Outcome) -> LogRecord:
    """The record of creating, updating, disabling, failing, or finding nothing to do."""
    if outcome.action == "other":
        # Guess: whether errorInformation is set when nothing was to be done; code and SkipReason are documented.
        error = ("EntrySynchronizationSkipped", "The entry is the same in both systems.")
        return LogRecord(change, "other", "skipped", [], error, "RedundantExport")
    if outcome.error_code:
        error = (outcome.error_code, f"Message: {outcome.reason}")
        return LogRecord(change, outcome.action, "failure", outcome.modified, error)
    return LogRecord(change, outcome.action, "success", outcome.modified)


def manager_record(change: Change, *, wanted: str | None, modified: Modified | None) -> LogRecord:
    """The record of the second step: the manager set (`modified`), or not found among what the job has seen.

    Source: Q&A 5830481, 2026-03-20 (PropertyName, SkipReason, wording of the failure).
    """
    if modified is not None:
        return LogRecord(change, "update", "success", [modified], of_manager=True)
    reason = f"We were unable to assign {wanted} as the manager of {change.external_id}."
    # Guess: errorCode repeats the SkipReason, and the action is update.
    return LogRecord(change, "update", "skipped", [], (UNRESOLVED, reason), UNRESOLVED, of_manager=True)
