"""Apps: what a person can sign in to, and the providers whose addresses are fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PROVIDERS", "App", "Provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where to sign in for an app that is no MCP server (RFC 8414 names).

    Attributes:
        title: For people.
        issuer: The provider; where no endpoints are given, they are read from what it publishes.
        authorization_endpoint, token_endpoint, device_authorization_endpoint, revocation_endpoint: Its addresses.
        client_page: Where one registers a client by hand.
    """

    title: str = ""
    issuer: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    device_authorization_endpoint: str = ""
    revocation_endpoint: str = ""
    client_page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One thing to sign in to: a remote MCP server, or a service whose token servers get as a secret.

    Attributes:
        name: As in `oauth ls`; the server's name, or the provider's in the catalog.
        title: For people.
        url: The MCP endpoint; empty for a service.
        provider: The provider's name in the catalog, may be empty.
        scopes: What the catalog asks for.
        servers: Names of the servers that use it.
        declared: Whether the catalog says that one signs in to it.
        tools: Names of their tools, as far as the catalog tells.
    """

    name: str
    title: str = ""
    url: str = ""
    provider: str = ""
    scopes: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    declared: bool = False
    tools: tuple[str, ...] = ()


PROVIDERS: Final = {
    "github": Provider(
        title="GitHub",
        issuer="https://github.com/login/oauth",
        authorization_endpoint="https://github.com/login/oauth/authorize",
        token_endpoint="https://github.com/login/oauth/access_token",
        device_authorization_endpoint="https://github.com/login/device/code",
        client_page="https://github.com/settings/applications/new",
    ),
    "gitlab": Provider(
        title="GitLab",
        issuer="https://gitlab.com",
        authorization_endpoint="https://gitlab.com/oauth/authorize",
        token_endpoint="https://gitlab.com/oauth/token",
        device_authorization_endpoint="https://gitlab.com/oauth/authorize_device",
        revocation_endpoint="https://gitlab.com/oauth/revoke",
        client_page="https://gitlab.com/-/user_settings/applications",
    ),
    "google": Provider(
        title="Google",
        issuer="https://accounts.google.com",
        authorization_endpoint="https://accounts.google.com/o/oauth2/v2/auth",
        token_endpoint="https://oauth2.googleapis.com/token",
        device_authorization_endpoint="https://oauth2.googleapis.com/device/code",
        revocation_endpoint="https://oauth2.googleapis.com/revoke",
        client_page="https://console.cloud.google.com/apis/credentials",
    ),
}
