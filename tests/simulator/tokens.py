"""Access tokens: issued, remembered, looked up."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Literal

from tests.simulator.clock import iso
from tests.simulator.identifiers import new_guid

Issuer = Literal["managedIdentity", "clientCredentials"]


@dataclass(frozen=True, kw_only=True)
class Token:
    """One issued token; the roles are those granted when it was issued."""

    value: str
    issuer: Issuer
    client_id: str
    audience: str
    roles: tuple[str, ...]
    issued: float
    expires: float

    def as_json(self) -> dict[str, Any]:
        """What the control interface shows of it; not the token itself."""
        return {
            "issuer": self.issuer,
            "clientId": self.client_id,
            "aud": self.audience,
            "roles": list(self.roles),
            "issued": iso(self.issued),
            "expires": iso(self.expires),
        }


class Tokens:
    """Every token issued. A token is valid when it is found here: it is unsigned, so its text proves nothing."""

    def __init__(self) -> None:
        self.issued: list[Token] = []
        self._valid: dict[str, Token] = {}

    def issue(
        self, *, issuer: Issuer, client_id: str, audience: str, roles: list[str], now: float, lifetime: float
    ) -> Token:
        """Make a token in the look of a JWT without a signature."""
        expires = int(now + lifetime)
        claims = {"aud": audience, "exp": expires, "iat": int(now), "appid": client_id, "roles": roles}
        claims |= {"uti": new_guid(), "idtyp": "app"}
        token = Token(
            value=f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}.",
            issuer=issuer,
            client_id=client_id,
            audience=audience,
            roles=tuple(roles),
            issued=now,
            expires=expires,
        )
        self.issued.append(token)
        self._valid[token.value] = token
        return token

    def find(self, value: str) -> Token | None:
        """The token of that text, if we issued it and it was not revoked."""
        return self._valid.get(value)

    def latest(self, *, issuer: Issuer, audience: str) -> Token | None:
        """The newest valid token of that issuer for that audience."""
        matches = (t for t in reversed(self.issued) if t.issuer == issuer and t.audience == audience)
        return next((token for token in matches if token.value in self._valid), None)

    def revoke_all(self) -> None:
        """Make every token issued so far invalid."""
        self._valid.clear()

    def forget_record(self) -> None:
        """Empty the record; tokens in clients' caches stay valid."""
        self.issued.clear()


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
