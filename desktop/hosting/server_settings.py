"""What a server wants to be told before it can run: its settings with their schema, and its secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from desktop.catalog.config_schema import complaints
from desktop.catalog.model import CatalogServer
from desktop.configuration_in_force import ConfigurationInForce
from desktop.errors import ServerNotFoundError, UsageError
from desktop.host import HostPart, SecretNeed, ServerSettings
from desktop.state.config_file import ConfigFile
from desktop.state.paths import Paths

__all__ = ["ServerSettingsDesk"]


class ServerSettingsDesk(HostPart):
    """Implements `desktop.host.SettingsDesk`.

    Args:
        configuration: What is in force.
        paths: Where config.yaml is.
        secrets_of: The secrets a server declares.
        set_secret: Stores one.
    """

    def __init__(
        self,
        configuration: ConfigurationInForce,
        paths: Paths,
        secrets_of: Callable[[str], Awaitable[tuple[SecretNeed, ...]]],
        set_secret: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._configuration = configuration
        self._file = ConfigFile(paths.config, paths.lock_for(paths.config))
        self._secrets_of = secrets_of
        self._set_secret = set_secret

    async def read(self, name: str) -> ServerSettings:
        """The settings of a server."""
        server = self._server(name)
        return ServerSettings(
            name=name,
            title=server.title or name,
            schemas=tuple(server.config),
            values=dict(self._configuration.current.values_of(server)),
            secrets=await self._secrets_of(name),
        )

    async def write(self, name: str, values: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Keep settings and secrets, and let the server follow them."""
        server = self._server(name)
        wrong = await asyncio.to_thread(complaints, server, values)
        if wrong:
            raise UsageError(f"{server.title or name} can't be set like this: {'; '.join(wrong)}")
        if values != self._configuration.current.values_of(server):
            await asyncio.to_thread(self._write_values, server, dict(values))
        for secret, value in secrets.items():
            await self._set_secret(secret, value)
        await self._configuration.reload()

    def _write_values(self, server: CatalogServer, values: dict[str, Any]) -> None:
        known = self._file.values()
        name = next((name for name in (server.name, server.canonical_name) if name in known), server.canonical_name)
        self._file.set_values(name, values)

    def _server(self, name: str) -> CatalogServer:
        server = self._configuration.current.servers.get(name)
        if server is None:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        return server
