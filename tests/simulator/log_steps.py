"""The steps inside a provisioning log record.

Source: Graph reference and on-demand provisioning page (names of steps, keys of their details).
Guess: open question 8, every description.
"""

from typing import Any

from tests.simulator.attributes import as_text

SYSTEM = "Microsoft Entra ID"
EXPORTS = {"create": "EntryExportAdd", "update": "EntryExportUpdate", "disable": "EntryExportUpdate"}
Step = dict[str, Any]


def import_step(user: dict[str, Any]) -> Step:
    """The user as received."""
    details: dict[str, Any] = {key: as_text(user[key]) for key in ("externalId", "userName", "active") if key in user}
    text = f"Received User '{user['externalId']}' change of type (Add) from API"
    return _step("EntryImportAdd", "import", "success", text, details)


def scoping_step() -> Step:
    """Always in scope: the simulator has no scoping filters."""
    text = "Determine if User in scope by evaluating against each scoping filter"
    details = {"IsActive": "True", "ScopeEvaluationResult": "{}"}
    return _step("EntrySynchronizationScoping", "scoping", "success", text, details)


def matching_step(user: dict[str, Any], *, created: bool) -> Step:
    """Whether an account was found."""
    if created:
        text = f"User '{user['externalId']}' will be created in {SYSTEM} (no matching User was found)"
        return _step("EntrySynchronizationAdd", "matching", "success", text, {})
    text = f"User '{user['externalId']}' was matched in {SYSTEM}"
    return _step("EntryImport", "matching", "success", text, {})


def skip_step(skip_reason: str, text: str) -> Step:
    """Nothing to do, or a manager that cannot be resolved."""
    if skip_reason == "RedundantExport":
        details = {"SkipReason": skip_reason}
        return _step("EntrySynchronizationSkip", "processing", "skipped", text, details)
    details = {"PropertyName": "manager", "SkipReason": skip_reason}
    return _step("EntrySynchronizationSkip", "referenceResolution", "skipped", text, details)


def export_step(user: dict[str, Any], action: str, status: str) -> Step:
    """The write to the directory."""
    done = f"failed to {action}" if status == "failure" else f"{action}d"
    text = f"User '{user['externalId']}': {done} in {SYSTEM}"
    return _step(EXPORTS[action], "export", status, text, {"ReportableIdentifier": user["externalId"]})


def _step(name: str, kind: str, status: str, description: str, details: dict[str, Any]) -> Step:
    return {
        "name": name,
        "provisioningStepType": kind,
        "status": status,
        "description": description,
        "details": details,
    }
