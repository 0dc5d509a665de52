"""Which configuration is in force: reads the files, follows their changes, and lets servers and clients know."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from desktop.catalog.configuration import Configuration
from desktop.errors import GatewayError
from desktop.events import EventStream
from desktop.host import ProblemsChanged, SecretsChanged, ServersChanged
from desktop.policy.rules import Policy
from desktop.servers.sign_in_apps import apps_of
from desktop.services import Services
from desktop.state.watching import watch

__all__ = ["ConfigurationInForce"]

_PAUSE: Final = 5.0
log = logging.getLogger(__name__)


class ConfigurationInForce:
    """The last good state of the files.

    Args:
        services: Who is told of a new one.

    Attributes:
        current: The configuration.
        loaded: Whether the first one was read.
        changed: An event for each new one, when the servers follow it already.
    """

    def __init__(self, services: Services) -> None:
        self.current = Configuration()
        self.loaded = False
        self.changed: EventStream[Configuration] = EventStream()
        self._services = services
        self._reloading = asyncio.Lock()
        self._renewing = asyncio.Lock()

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about files that are broken."""
        broken = self._services.policy.current.broken
        refused = f"{broken}; until it is mended no secret is given away and no tool can be called"
        lost = self._services.secrets.set_aside
        return (
            *self.current.problems,
            *([refused] if broken and self.loaded else []),
            *([f"The former secrets can't be opened any more; they are kept in {lost}"] if lost is not None else []),
        )

    async def reload(self) -> None:
        """Read the files again and follow what changed; a broken file is named, its last good state stays in force."""
        services = self._services
        async with self._reloading:
            policy, problems = services.policy.current, self.problems
            new = await asyncio.to_thread(services.source.load)
            if await asyncio.to_thread(services.policy.load) is policy and new is self.current and self.loaded:
                return
            self.current = new
            services.apps = apps_of(new.servers)
            await services.fleet.apply(new)
            if self.loaded and services.policy.current is not policy:
                await self._take_secrets_back(policy)
            services.gateway.configuration_changed()
            services.fleet.retry_missing()
            self.loaded = True
        self.changed.publish(new)
        services.events.publish(ServersChanged())
        if problems != self.problems:
            services.events.publish(ProblemsChanged())

    async def _take_secrets_back(self, before: Policy) -> None:
        """Stop the servers that run with a secret they may no longer have."""
        now = self._services.policy.current
        for name in self.current.enabled:
            server = self.current.servers.get(name)
            if server is not None and any(
                before.may_have(secret.name, name, server.image) and not now.may_have(secret.name, name, server.image)
                for secret in server.secrets
            ):
                await self._services.fleet.restart(name)

    async def secrets_changed(self) -> None:
        """Try the servers that wait for a secret, and start those anew that run with one the person has changed."""
        self._services.fleet.retry_missing()
        self._services.events.publish(SecretsChanged())
        async with self._renewing:
            await self._renew_secrets()

    async def _renew_secrets(self) -> None:
        for name in self.current.enabled:
            server = self.current.servers.get(name)
            if server is not None and await self._services.launcher.has_other_secrets(server):
                log.info("%s is started anew, since a secret of it was changed", name)
                await self._services.fleet.restart(name)

    async def follow_files(self) -> None:
        """Read the files again whenever one has changed; for ever."""
        source, secrets = self._services.source, self._services.paths.secrets.parent
        while True:
            try:
                async with contextlib.aclosing(watch((*source.watched_directories(), secrets))) as batches:
                    async for _ in batches:
                        await self.reload()
                        await self._services.look_at_sign_ins()  # another process may have signed in or out
                        await self.secrets_changed()  # one may stand in one of the files now
            except GatewayError as error:
                log.warning("changes of the files are not noticed for now: %s", error)
            await asyncio.sleep(_PAUSE)
