"""The real storage and the real Graph for a person at a terminal: their own login, or the function's identity.

`DefaultAzureCredential` finds the managed identity inside Azure and `az login` on a laptop. No token is ever shown:
of its claims only who it belongs to and what it permits.
"""

from __future__ import annotations

import base64
import getpass
import json
import logging
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ExponentialRetry
from pydantic import ValidationError

from shared.adapters.blob_storage import AzureBlobStore
from shared.adapters.graph import GraphClient
from shared.bootstrap import connect
from shared.errors import ConfigurationError
from shared.settings import Settings
from shared.workflows.run_store import RunStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.credentials import TokenCredential

    from shared.workflows.outside import Outside

_STORAGE_URI = "HR_STORAGE__blobServiceUri"
_STORAGE_SCOPE = "https://storage.azure.com/.default"
_NAMES_OF_PEOPLE = ("upn", "unique_name", "preferred_username", "appid", "azp")
_PUBLIC_CLOUD = "https://{}.blob.core.windows.net"


@dataclass(frozen=True)
class Connection:
    """Everything that a command may touch."""

    settings: Settings
    outside: Outside
    service: BlobServiceClient
    graph: GraphClient
    credential: TokenCredential
    storage: str
    """The blob endpoint, without any key or signature."""
    quota_is_set: bool = True
    """Whether the environment says what the tenant's daily quota is; if not, the default stands for it."""

    @property
    def runs(self) -> RunStore:
        """The runs in that account."""
        return RunStore(self.outside.store, self.outside.clock)

    def graph_claims(self) -> dict[str, Any]:
        """What the token for Graph says of itself; empty where there is none or it can't be read."""
        return self._claims(f"{self.settings.graph_endpoint}/.default")

    def storage_claims(self) -> dict[str, Any]:
        """The same for storage; empty where an account key opens it."""
        return {} if self.settings.hr_storage else self._claims(_STORAGE_SCOPE)

    def user(self) -> str:
        """Who acts: as the token names them, else the name that this machine knows them by."""
        return name_in(self.graph_claims()) or local_user()

    def _claims(self, scope: str) -> dict[str, Any]:
        try:
            return claims_of(self.credential.get_token(scope).token)
        except (AzureError, ValueError):
            return {}


def open_connection(storage: str | None, graph_endpoint: str | None, environ: Mapping[str, str]) -> Connection:
    """Build the clients; nothing is contacted yet.

    Args:
        storage: an account's name or its blob endpoint; None for what the settings say.
        graph_endpoint: None for what the settings say.
        environ: the app settings.

    Raises:
        ConfigurationError: naming what is missing or malformed.
    """
    for name in ("azure", "httpx", "msal"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    settings = _settings(storage, graph_endpoint, environ)
    credential = DefaultAzureCredential()
    service = _service(settings, credential)
    outside = connect(settings, make_credential=lambda: credential)
    return Connection(
        settings=settings,
        outside=replace(outside, store=AzureBlobStore(service), events=_Unheard()),
        service=service,
        graph=GraphClient(settings.graph_endpoint, lambda: credential),
        credential=credential,
        storage=f"{service.scheme}://{urlsplit(service.url).netloc}{urlsplit(service.url).path}".rstrip("/"),
        quota_is_set=bool(environ.get("BULK_REQUESTS_PER_DAY")),
    )


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, unchecked: who checks them is the server. Empty for a token of another kind."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def name_in(claims: Mapping[str, Any]) -> str | None:
    """A person's name in the directory, or an application's id."""
    return next((str(claims[name]) for name in _NAMES_OF_PEOPLE if claims.get(name)), None)


def local_user() -> str:
    """The name by which this machine knows the person."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def process_environment() -> Mapping[str, str]:
    """The app settings of this process."""
    return os.environ


def _settings(storage: str | None, graph_endpoint: str | None, environ: Mapping[str, str]) -> Settings:
    """Only what a terminal needs: the function's own check asks for more, such as its queue."""
    names = [field.alias for field in Settings.model_fields.values() if field.alias]
    wanted = [name for name in names if name == _STORAGE_URI or not name.startswith("HR_STORAGE__")]
    given = {name: environ[name] for name in wanted if environ.get(name)}
    if storage:
        given.pop("HR_STORAGE", None)
        given[_STORAGE_URI] = storage if "://" in storage else _PUBLIC_CLOUD.format(storage)
    if graph_endpoint:
        given["GRAPH_ENDPOINT"] = graph_endpoint
    if "HR_STORAGE" not in given and _STORAGE_URI not in given:
        raise ConfigurationError(
            [
                f"Say which storage account holds the HR data: --storage ACCOUNT, or set {_STORAGE_URI}, or HR_STORAGE "
                "to a connection string (while `make local` runs: . local/env.sh)."
            ]
        )
    given.setdefault("AZURE_CLIENT_ID", "none")
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [f"{e['loc'][0]} {e['msg'].removeprefix('Value error, ')}." for e in error.errors()]
        raise ConfigurationError(problems) from None


def _service(settings: Settings, credential: TokenCredential) -> BlobServiceClient:
    """A person waits for the answer, so it gives up sooner than the function does."""
    options: dict[str, Any] = {
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=1),
        "connection_timeout": 10,
        "read_timeout": 30,
    }
    if settings.hr_storage:
        try:
            return BlobServiceClient.from_connection_string(settings.hr_storage, **options)
        except ValueError:
            raise ConfigurationError(["HR_STORAGE is not the connection string of a storage account."]) from None
    return BlobServiceClient(str(settings.hr_storage_blob_service_uri), credential=credential, **options)


class _Unheard:
    """Events are the function's; a command tells the person at the terminal instead."""

    def info(self, event: str, **fields: str | int | None) -> None:
        """Nothing."""

    def warning(self, event: str, **fields: str | int | None) -> None:
        """Nothing."""

    def error(self, event: str, **fields: str | int | None) -> None:
        """Nothing."""
