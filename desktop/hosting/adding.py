"""Servers added by hand, as the window asks for it: what was pasted understood, and added."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from desktop.catalog.registry_conversion import server_name
from desktop.configuration_in_force import ConfigurationInForce
from desktop.errors import CatalogError
from desktop.host import HostPart
from desktop.hosting.off_loop import SecretsFromAfar, off_loop
from desktop.servers.mount_consent import agree_to_added
from desktop.services import Services

if TYPE_CHECKING:
    from desktop.clients.draft import Draft
    from desktop.clients.pasted import Understanding
    from desktop.clients.secret_signs import PlainKeys

__all__ = ["AddingDesk"]


class AddingDesk(HostPart):
    """Implements `desktop.host.Adding`.

    Args:
        services: Whose servers they become.
        configuration: What is in force.
    """

    def __init__(self, services: Services, configuration: ConfigurationInForce) -> None:
        self._services = services
        self._configuration = configuration

    async def understand(self, text: str) -> Understanding:
        """What a pasted text means."""
        understood = await asyncio.to_thread(self._understand, text)
        if understood.registry:
            return await self._described(understood.registry)
        return self._looked_up(understood) if understood.wanted else understood

    async def look_at(self, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
        """What follows from what the person has changed."""
        from desktop.clients.draft import look_at

        return await asyncio.to_thread(lambda: tuple(look_at(draft, self._keys) for draft in drafts))

    async def add(self, drafts: Sequence[Draft]) -> None:
        """Add servers and turn them on."""
        from desktop.clients.adding import Adder
        from desktop.clients.draft import entry_of

        current = self._configuration.current

        async def work(secrets: SecretsFromAfar) -> tuple[str, ...]:
            adder = Adder(self._services.paths, secrets, self._keys)
            stored = await adder.add(drafts, {*current.servers, *current.enabled})
            # What a registry says of a server the person has not written.
            written = {draft.name: entry_of(draft, self._keys).entry for draft in drafts if draft.document is None}
            agree_to_added(self._services.consent, written)
            return stored

        stored = await off_loop(self._services.secrets, work)
        await self._configuration.reload()
        if stored:
            await self._configuration.secrets_changed()

    async def added(self) -> frozenset[str]:
        """Names of the servers that were added by hand."""
        from desktop.clients.adding import HandmadeServers

        return await asyncio.to_thread(lambda: HandmadeServers(self._services.paths).added())

    async def forget(self, name: str) -> None:
        """Take a server out again that was added by hand."""
        from desktop.clients.adding import HandmadeServers

        await asyncio.to_thread(lambda: HandmadeServers(self._services.paths).forget(name))
        await self._configuration.reload()

    @cached_property
    def _keys(self) -> PlainKeys:
        from desktop.clients.secret_signs import PlainKeys

        return PlainKeys()

    def _understand(self, text: str) -> Understanding:
        from desktop.clients.pasted import understand

        current = self._configuration.current
        return understand(text, {*current.servers, *current.enabled}, self._keys)

    async def _described(self, address: str) -> Understanding:
        """The server that a registry describes at an address."""
        from desktop.clients.adding import draft_from_registry
        from desktop.clients.pasted import Understanding

        current = self._configuration.current
        try:
            draft = await draft_from_registry(address, {*current.servers, *current.enabled}, self._keys)
        except CatalogError as error:
            return Understanding(problem=error.message)
        return Understanding(drafts=(draft,))

    def _looked_up(self, understood: Understanding) -> Understanding:
        """The server of the catalogs that is meant by a name."""
        wanted, servers = understood.wanted, self._configuration.current.servers
        for name in (wanted, wanted.lower(), server_name(wanted)):
            if name in servers:
                return replace(understood, wanted=name)
        index = self._services.search.ready(servers)
        close = next(iter(index.search(wanted)), None) if index is not None else None
        told = f'No catalog has a server called "{wanted}"'
        if close is None:
            return replace(understood, wanted="", problem=told)
        return replace(understood, wanted=close.name, problem=f"{told}; {close.title or close.name} comes nearest")
