"""The tenant's accounts, and what one uploaded user does to them."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.attributes import container_is_sent, mapped_attributes
from tests.simulator.clock import iso
from tests.simulator.identifiers import new_guid
from tests.simulator.settings import Settings

FALLBACK_DOMAIN = "example.com"
Modified = tuple[str, Any, Any]  # target attribute, value before, value after
LOCAL_PART = re.compile(r"[A-Za-z0-9'._!#^~-]+")


@dataclass(kw_only=True)
class Account:
    """One user account; matched by employeeId, which the default mapping fills from externalId."""

    external_id: str
    user_name: str
    enabled: bool
    created: float
    updated: float
    manager: str | None = None  # the manager's externalId
    attributes: dict[str, Any] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)
    object_id: str = field(default_factory=new_guid)

    def as_json(self) -> dict[str, Any]:
        """One element of GET /control/accounts."""
        return {
            "externalId": self.external_id,
            "userName": self.user_name,
            "accountEnabled": self.enabled,
            "manager": self.manager,
            "attributes": self.attributes,
            "created": iso(self.created),
            "updated": iso(self.updated),
            "objectId": self.object_id,
        }


@dataclass(kw_only=True)
class Outcome:
    """What happened to one user: an action and the properties it changed, or why it failed."""

    action: str  # create, update, disable, other
    modified: list[Modified] = field(default_factory=list)
    error_code: str | None = None
    reason: str | None = None


class Refusal(Exception):  # noqa: N818 - an outcome of the simulated service
    """The directory does not take the user."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Directory:
    """Accounts by externalId; user principal names are unique, whatever their case."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self._owners: dict[str, str] = {}  # lower-case user principal name -> externalId

    def apply(self, user: dict[str, Any], *, job_id: str, now: float, settings: Settings) -> Outcome:
        """Create, update or disable the account that matches, or leave it as it is when nothing differs."""
        account = self.accounts.get(user["externalId"])
        action = "update" if account else "create"
        try:
            if account is None:
                return self._create(user, job_id=job_id, now=now, settings=settings)
            return self._update(account, user, job_id=job_id, now=now, settings=settings)
        except Refusal as refusal:
            return Outcome(action=action, error_code=refusal.code, reason=refusal.reason)

    def _create(self, user: dict[str, Any], *, job_id: str, now: float, settings: Settings) -> Outcome:
        external_id = user["externalId"]
        if not user.get("userName"):
            # Guess: the code; that a create needs userName follows from the mapping of userPrincipalName.
            raise Refusal("MandatoryFieldsMissing", "A value is missing for the required attribute userPrincipalName.")
        name = self._claim(user["userName"], external_id, settings.verified_domains)
        sent = {target: value for target, value in mapped_attributes(user).items() if value not in (None, "")}
        # Guess: open question 10; an account made without `active` is enabled.
        enabled = user.get("active") is not False
        self.accounts[external_id] = Account(
            external_id=external_id,
            user_name=name,
            enabled=enabled,
            created=now,
            updated=now,
            attributes=sent,
            jobs={job_id},
        )
        first = {"employeeId": external_id, "userPrincipalName": name, "accountEnabled": enabled}
        modified = [(target, None, value) for target, value in {**first, **sent}.items()]
        return Outcome(action="create", modified=modified)

    def _update(
        self, account: Account, user: dict[str, Any], *, job_id: str, now: float, settings: Settings
    ) -> Outcome:
        account.jobs.add(job_id)
        name = account.user_name
        if user.get("userName"):
            name = self._claim(user["userName"], account.external_id, settings.verified_domains)
        modified: list[Modified] = []
        if name != account.user_name:
            modified.append(("userPrincipalName", account.user_name, name))
        account.user_name = name
        action = "update"
        # Guess: open question 10; without `active` the account stays as it is.
        if isinstance(user.get("active"), bool) and user["active"] != account.enabled:
            action = "disable" if account.enabled else "update"
            modified.append(("accountEnabled", account.enabled, user["active"]))
            account.enabled = user["active"]
        modified += _change_attributes(account.attributes, user, flow_null_values=settings.flow_null_values)
        if not modified:
            return Outcome(action="other")
        account.updated = now
        return Outcome(action=action, modified=modified)

    def _claim(self, user_name: str, external_id: str, domains: list[str] | None) -> str:
        """The user principal name for that userName, checked and held for that person.

        Source: "issues" page (AzureActiveDirectoryInvalidUserPrincipalName; "domain does not exist"); FAQ (the
        service does not check that the name is free: a clash fails the record).
        """
        name, at, domain = user_name.partition("@")
        if not at:
            # Guess: a bare name gets the default domain, as a 2026 workshop's payload suggests.
            domain = domains[0] if domains else FALLBACK_DOMAIN
        if not LOCAL_PART.fullmatch(name) or "@" in domain or not domain or " " in domain:
            raise Refusal("AzureActiveDirectoryInvalidUserPrincipalName", "The user principal name is not valid.")
        if domains is not None and domain.lower() not in [known.lower() for known in domains]:
            # Guess: the code; the page gives only these words of the message.
            raise Refusal("InvalidDomain", "The user principal name's domain does not exist in this directory.")
        full = f"{name}@{domain}"
        if self._owners.get(full.lower(), external_id) != external_id:
            raise Refusal("Conflict", "Another object already has the same value for userPrincipalName.")
        if account := self.accounts.get(external_id):
            self._owners.pop(account.user_name.lower(), None)
        self._owners[full.lower()] = external_id
        return full


def _change_attributes(held: dict[str, Any], user: dict[str, Any], *, flow_null_values: bool) -> list[Modified]:
    """Write what differs into `held`; null, "" and omission clear only with "Flow null values".

    Source: "clear attribute values" page, 2026-08-20; that an omission otherwise changes nothing is inferred.
    """
    modified: list[Modified] = []
    sent = mapped_attributes(user)
    for target, value in sent.items():
        if value not in (None, "") and held.get(target) != value:
            modified.append((target, held.get(target), value))
            held[target] = value
    if flow_null_values:
        for target in [t for t in held if sent.get(t) in (None, "") and container_is_sent(t, user)]:
            modified.append((target, held.pop(target), None))
    return modified
