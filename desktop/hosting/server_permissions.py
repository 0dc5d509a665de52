"""What a server may, what the person has agreed to for it, and taking that back."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Final

from desktop.catalog.model import CatalogServer
from desktop.configuration_in_force import ConfigurationInForce
from desktop.errors import ServerNotFoundError, UsageError
from desktop.facets.server import GivenConsent, ServerPermissions
from desktop.host import HostPart
from desktop.hosting.catalog import permissions_of
from desktop.hosting.server_tools import name_of
from desktop.policy.consent import Consent
from desktop.policy.rules import rules_about
from desktop.servers.launcher import RUN_WITHOUT_CONTAINER
from desktop.services import Services

__all__ = ["ServerPermissionsDesk"]

_HELD_WHILE_IT_RUNS: Final = (RUN_WITHOUT_CONTAINER, "mount")
"""Kinds of consent a running server has made use of, so that it has to start anew without them."""


class ServerPermissionsDesk(HostPart):
    """Implements `desktop.facets.server.PermissionsDesk`.

    Args:
        services: Who keeps consents, policy and choices.
        configuration: What is in force.
    """

    def __init__(self, services: Services, configuration: ConfigurationInForce) -> None:
        self._services = services
        self._configuration = configuration
        self._restarts: set[asyncio.Task[Any]] = set()

    async def read(self, name: str) -> ServerPermissions:
        """What a server may."""
        server = self._server(name)
        consents = await asyncio.to_thread(self._services.consent.all)
        broken = self._services.policy.current.broken
        return ServerPermissions(
            may=tuple(permissions_of(server)),
            consents=tuple(_given(consent, name) for consent in consents if _is_about(consent, name)),
            rules=() if broken else await asyncio.to_thread(self._rules, server),
            broken=broken,
            call_timeout=self._configuration.current.choice_of(name).call_timeout,
        )

    async def take_back(self, name: str, kind: str, subject: str) -> None:
        """Take a consent back."""
        if not _is_about(Consent(kind=kind, subject=subject), name):
            raise UsageError(f"This consent was not given for {name}")
        await asyncio.to_thread(self._services.consent.revoke, kind, subject)
        if kind in _HELD_WHILE_IT_RUNS and name in self._services.fleet.servers:
            # Not waited for: it may ask for the very consent again.
            task = asyncio.get_running_loop().create_task(self._services.fleet.restart(name))
            self._restarts.add(task)
            task.add_done_callback(self._restarts.discard)

    async def limit_calls(self, name: str, seconds: float | None) -> None:
        """Choose how long a call may take."""
        self._server(name)
        if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
            raise UsageError(f"{seconds:g} seconds is no time for a call", "Choose more than zero, or no limit")
        await asyncio.to_thread(self._services.choices.set_call_timeout, name, seconds)
        await self._configuration.reload()

    def _rules(self, server: CatalogServer) -> tuple[str, ...]:
        running = self._services.fleet.servers.get(server.name)
        listing = running.listing if running is not None else None
        tools = [tool.name for tool in server.tools] if listing is None else list(map(name_of, listing.tools))
        return rules_about(
            self._services.policy.text(),
            server=server.name,
            secrets=[secret.name for secret in server.secrets],
            tools=tools,
        )

    def _server(self, name: str) -> CatalogServer:
        server = self._configuration.current.servers.get(name)
        if server is None:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        return server


def _is_about(consent: Consent, server: str) -> bool:
    name, colon, _ = consent.subject.partition(": ")
    return bool(colon) and name == server


def _given(consent: Consent, server: str) -> GivenConsent:
    what = consent.subject.removeprefix(f"{server}: ")
    return GivenConsent(kind=consent.kind, subject=consent.subject, what=what, granted_at=consent.granted_at)
