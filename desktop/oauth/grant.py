"""What a sign-in leaves behind: the token, and how this program is registered at the provider."""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["Registration", "Source", "Token"]

_EARLY: Final = 0.8
_MARGIN: Final = 10.0
_SET_BACK: Final = 60.0

Source = str
DYNAMIC: Final[Source] = "dynamic"
DOCUMENT: Final[Source] = "document"
CONFIGURED: Final[Source] = "configured"


class Token(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An access token and what renews it. Times are wall-clock seconds, so that they hold over sleep and restart.

    Attributes:
        access: The access token.
        refresh: The refresh token; empty when there is none.
        scope: What it was granted for, with spaces between.
        obtained_at: When it came.
        expires_at: When it ends by this machine's clock; None when the provider did not say.
    """

    access: str
    refresh: str = ""
    scope: str = ""
    obtained_at: float
    expires_at: float | None = None

    def __repr__(self) -> str:
        return f"Token(scope={self.scope!r}, expires_at={self.expires_at!r})"

    def expired(self, now: float) -> bool:
        """Whether it is over, or will be before a request that is sent now has arrived."""
        if self.expires_at is None:
            return False
        margin = min(_MARGIN, (self.expires_at - self.obtained_at) * 0.05)
        return now >= self.expires_at - margin

    def due(self, now: float) -> bool:
        """Whether it should be renewed: four fifths of its life are over, or the clock was set back since it came."""
        return self.expires_at is not None and (now >= self.due_at or now < self.obtained_at - _SET_BACK)

    @property
    def due_at(self) -> float:
        """When to renew it."""
        if self.expires_at is None:
            return float("inf")
        return self.obtained_at + (self.expires_at - self.obtained_at) * _EARLY


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """This program as the provider knows it; kept when a token ends, so that signing in again is the same client.

    Attributes:
        client_id: Its id.
        client_secret: Its secret; empty for a public client.
        auth_method: How it proves itself at the token endpoint (RFC 7591 ``token_endpoint_auth_method``).
        source: ``dynamic`` (RFC 7591), ``document`` (a client ID metadata document), or ``configured`` by the person.
        redirect_uri: Where the browser is sent back to.
        issuer: The provider (RFC 8414); the registration is for it alone.
        token_endpoint, revocation_endpoint: Where tokens are renewed and revoked; empty when there is no such place.
        resource: What tokens are asked for (RFC 8707); empty when the provider is not told.
        scope: What was granted last.
        wanted: What the server has asked for beyond that (RFC 6750 ``insufficient_scope``).
        client: All that the provider has answered to the registration.
    """

    client_id: str
    client_secret: str = ""
    auth_method: str = "none"
    source: Source = DYNAMIC
    redirect_uri: str = ""
    issuer: str = ""
    token_endpoint: str = ""
    revocation_endpoint: str = ""
    resource: str = ""
    scope: str = ""
    wanted: str = ""
    client: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Registration(issuer={self.issuer!r}, source={self.source!r})"
