"""A catalog entry as the rest of the program sees it (reference format: catalog YAML versions 2 and 3)."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "CatalogServer",
    "DynamicParts",
    "EnvVariable",
    "OAuthProvider",
    "OAuthSettings",
    "RemoteEndpoint",
    "SecretReference",
    "ServerMetadata",
    "ToolContainer",
    "ToolEntry",
]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base: unknown keys are ignored, as the reference does."""


class SecretReference(_Entry, frozen=True):
    """A secret the server needs: key in the secret store, and the environment variable that carries it."""

    name: str
    env: str = ""
    example: Any = None
    description: str = ""
    required: bool | None = None


class EnvVariable(_Entry, frozen=True):
    """A plain environment variable; ``value`` is a template (spec 1.8) and may be written as any YAML scalar."""

    name: str
    value: Any = ""
    example: Any = None


class RemoteEndpoint(_Entry, frozen=True):
    """A remote MCP endpoint."""

    url: str = ""
    transport_type: str = ""
    headers: dict[str, str] = {}


class OAuthProvider(_Entry, frozen=True):
    """An OAuth app whose token stands in for a secret."""

    provider: str = ""
    secret: str = ""
    env: str = ""


class OAuthSettings(_Entry, frozen=True):
    """OAuth providers and default scopes."""

    providers: list[OAuthProvider] = []
    scopes: list[str] = []


class ToolContainer(_Entry, frozen=True):
    """For `poci` tools: the container that one call runs."""

    image: str = ""
    command: list[Any] = []
    volumes: list[Any] = []
    user: Any = ""


class ToolEntry(_Entry, frozen=True):
    """What the catalog says of a tool (display only, except for `poci` servers)."""

    name: str
    description: str = ""
    arguments: list[dict[str, Any]] = []
    annotations: dict[str, Any] = {}
    container: ToolContainer | None = None
    parameters: dict[str, Any] = {}


class ServerMetadata(_Entry, frozen=True):
    """Display data."""

    pulls: int = 0
    stars: int = 0
    githubStars: int = 0
    category: str = ""
    tags: list[str] = []
    license: str = ""
    owner: str = ""
    registryUrl: str = ""


class DynamicParts(_Entry, frozen=True):
    """What depends on the server's settings, so that nothing outside of it can tell."""

    tools: bool = False


class CatalogServer(_Entry, frozen=True):
    """One server of a catalog (spec 1.7.1). Field names are the file format's own; ``name`` is always filled in."""

    name: str = ""
    type: str = ""
    image: str = ""
    title: str = ""
    description: str = ""
    icon: str = ""
    readme: str = ""
    toolsUrl: str = ""
    source: str = ""
    upstream: str = ""
    dateAdded: Any = None
    longLived: bool = False
    remote: RemoteEndpoint | None = None
    sseEndpoint: str = ""
    oauth: OAuthSettings | None = None
    secrets: list[SecretReference] = []
    env: list[EnvVariable] = []
    command: list[Any] = []
    volumes: list[Any] = []
    user: Any = ""
    disableNetwork: bool = False
    allowHosts: list[str] = []
    extraHosts: list[str] = []
    tools: list[ToolEntry] = []
    dynamic: DynamicParts | None = None
    config: list[dict[str, Any]] = []
    prefix: str = ""
    metadata: ServerMetadata = ServerMetadata()

    @property
    def canonical_name(self) -> str:
        """The name with dots as underscores, used as key in config.yaml and as template root."""
        return self.name.replace(".", "_")
