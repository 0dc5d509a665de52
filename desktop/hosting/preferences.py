"""The person's choices for the program itself, applied as they are made."""

from __future__ import annotations

import asyncio
from typing import Any

from desktop.activity.retention import Retention
from desktop.errors import EndpointError, UsageError
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.host import HostPart, StatusChanged
from desktop.secrets.token import gateway_token
from desktop.services import Services
from desktop.state.app_settings import AppSettings, AppSettingsFile

__all__ = ["PreferencesDesk", "retention_of"]


class PreferencesDesk(HostPart):
    """Implements `desktop.host.Preferences`.

    Args:
        services: What follows the choices.
        endpoint: Where clients reach the gateway.
    """

    def __init__(self, services: Services, endpoint: LocalEndpoint) -> None:
        self._services = services
        self._endpoint = endpoint
        paths = services.paths
        self._file = AppSettingsFile(paths.app_settings, paths.lock_for(paths.app_settings))
        self._current = AppSettings()
        self._changing = asyncio.Lock()

    @property
    def current(self) -> AppSettings:
        """The choices in force."""
        return self._current

    async def load(self) -> None:
        """Read the choices and apply them, but for the port, on which whoever starts the gateway listens."""
        self._current = await asyncio.to_thread(self._file.read_or_usual)
        self._apply(self._current)

    async def change(self, **changes: Any) -> AppSettings:
        """Choose anew, and apply it."""
        async with self._changing:
            if "port" in changes and changes["port"] != self._current.port:
                await self._move(changes["port"])
            try:
                self._current = await asyncio.to_thread(lambda: self._file.change(**changes))
            except ValueError as error:
                raise UsageError(f"This can't be chosen: {error}") from error
            self._apply(self._current)
            self._services.events.publish(StatusChanged())
            return self._current

    def _apply(self, chosen: AppSettings) -> None:
        self._services.activity.retention = retention_of(chosen)
        self._services.screen_calls(chosen.block_secrets)
        self._services.fleet.run_at_most(chosen.most_running)

    async def _move(self, port: Any) -> None:
        """Listen on another port; where that can't be had, the old one stays."""
        if type(port) is not int:
            raise UsageError(f"{port!r} is not a port", "Use a number from 1 to 65535")
        try:
            await self._endpoint.move(port, token=await asyncio.to_thread(gateway_token, self._services.paths))
        except EndpointError as error:
            raise UsageError(f"Port {port} can't be used: {error.message}", "Choose another one") from error


def retention_of(chosen: AppSettings) -> Retention:
    """How much of the calls is kept."""
    return Retention(on=chosen.keep_calls, details=chosen.keep_details, days=chosen.keep_days)
