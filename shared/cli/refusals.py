"""Why a command could not do its work, in one sentence with what to do; never a trace, a token or a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.errors import ConfigurationError, ConnectorError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOGIN = (
    "Nobody is logged in here: run `az login` (or, inside Azure, check that the managed identity named by "
    "AZURE_CLIENT_ID is attached)."
)
_ROLE = (
    "The storage account refuses access: this identity needs the role Storage Blob Data Contributor on it (a new role "
    "takes some minutes to work), and the account's firewall has to let this machine in. If HR_STORAGE is set, it "
    "has to be the account's connection string."
)
_KEY = "The storage account does not take the account key of HR_STORAGE: copy the connection string again."
_CODES: Mapping[str, str] = {
    "AuthorizationPermissionMismatch": _ROLE,
    "AuthorizationFailure": _ROLE,
    "InsufficientAccountPermissions": _ROLE,
    "PublicAccessNotPermitted": _ROLE,
    "KeyBasedAuthenticationNotPermitted": "The storage account takes no account keys: unset HR_STORAGE, use --storage.",
    "InvalidAuthenticationInfo": (
        "The storage account does not take this login's token: is the account in the tenant that `az account show` "
        "names?"
    ),
    "ContainerNotFound": "The storage account has no such container; infra/ creates it. Check the account's name.",
}


def in_words(error: Exception, storage: str = "") -> str:
    """One sentence or two; `storage` is the blob endpoint, where one was asked."""
    if isinstance(error, ConfigurationError):
        return " ".join(error.problems)
    if isinstance(error, ConnectorError):
        return f"{str(error).rstrip('.')}."
    if isinstance(error, HttpResponseError) and error.status_code:
        return _refused(error)
    if isinstance(error, ClientAuthenticationError):
        return _LOGIN
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return (
            f"{_account(storage)} can't be reached: check its name, this machine's network, and the account's firewall "
            "or private endpoint."
        )
    if isinstance(error, AzureError):
        return f"{_LOGIN} ({type(error).__name__})"
    return f"This failed with an error that nobody foresaw ({type(error).__name__})."


def _account(storage: str) -> str:
    return f"The storage account {storage}" if storage else "The storage account"


def _refused(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None)
    code = str(getattr(code, "value", code) or "")
    if code in _CODES:
        return _CODES[code]
    if code == "AuthenticationFailed":
        return _KEY
    if error.status_code in (401, 403):
        return _ROLE
    return f"The storage account answered with status {error.status_code} ({code or 'no code'}); try again in a minute."
