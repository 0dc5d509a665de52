"""Servers that clients have, moved into our configuration and back, as the window asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from desktop.configuration_in_force import ConfigurationInForce
from desktop.connected_clients import ConnectedClients
from desktop.errors import GatewayError
from desktop.host import HostPart
from desktop.hosting.off_loop import SecretsFromAfar, off_loop
from desktop.servers.mount_consent import agree_to_added
from desktop.services import Services

if TYPE_CHECKING:
    from desktop.clients.candidates import Candidate, MovePlan
    from desktop.clients.moving import Move, Mover
    from desktop.clients.secret_signs import PlainKeys
    from desktop.clients.survey import FoundServer

__all__ = ["ImportDesk"]


class ImportDesk(HostPart):
    """Implements `desktop.host.Importing`.

    Args:
        services: Whose servers they become.
        configuration: What is in force.
        clients: The clients.
    """

    def __init__(self, services: Services, configuration: ConfigurationInForce, clients: ConnectedClients) -> None:
        self._services = services
        self._configuration = configuration
        self._clients = clients
        self._shown: dict[str, FoundServer] = {}

    async def candidates(self) -> tuple[Candidate, ...]:
        """What clients have, by name; `plan` and `move` are about what this has shown."""
        from desktop.clients.candidates import candidate

        def look() -> tuple[Candidate, ...]:
            self._shown = {found.name: found for found in self._survey()}
            return tuple(candidate(found, self._keys) for found in self._shown.values())

        return await asyncio.to_thread(look)

    async def plan(self, names: Sequence[str]) -> MovePlan:
        """What moving servers would do."""
        from desktop.clients.candidates import plan_move

        def planned() -> MovePlan:
            return plan_move(self._clients.roster(), self._chosen(names), self._shown.values(), self._keys)

        return await asyncio.to_thread(planned)

    async def move(self, names: Sequence[str]) -> Move:
        """Move servers."""

        async def work(secrets: SecretsFromAfar) -> Move:
            chosen = self._chosen(names)
            moved = await self._mover(secrets).move(chosen)
            # The clients have given them their folders so far.
            written = {found.name: found.converted.entry for found in chosen if found.converted is not None}
            agree_to_added(self._services.consent, written)
            return moved

        return await self._done(await off_loop(self._services.secrets, work))

    async def last(self) -> Move | None:
        """The last import that was not undone."""

        async def work(secrets: SecretsFromAfar) -> Move | None:
            return self._mover(secrets).last()

        return await off_loop(self._services.secrets, work)

    async def undo(self) -> Move:
        """Take the last import back."""

        async def work(secrets: SecretsFromAfar) -> Move:
            return await self._mover(secrets).undo()

        try:
            return await self._done(await off_loop(self._services.secrets, work))
        except GatewayError:
            await self._configuration.reload()  # what could be taken back was
            await self._clients.refresh()
            raise

    @cached_property
    def _keys(self) -> PlainKeys:
        from desktop.clients.secret_signs import PlainKeys

        return PlainKeys()

    def _survey(self) -> tuple[FoundServer, ...]:
        from desktop.clients.survey import survey

        return survey(self._clients.roster().statuses(), frozenset(self._configuration.current.servers))

    def _chosen(self, names: Sequence[str]) -> list[FoundServer]:
        """The servers of these names, as long as clients have them as they were shown."""
        now = {found.name: found for found in self._survey()}
        for name in names:
            if name not in self._shown or now.get(name) != self._shown[name]:
                raise GatewayError(f"A client has changed {name} meanwhile", "Look again, then choose")
        return [now[name] for name in names]

    def _mover(self, secrets: SecretsFromAfar) -> Mover:
        from desktop.clients.moving import Mover

        return Mover(self._services.paths, self._clients.roster(), secrets)

    async def _done(self, move: Move) -> Move:
        """Servers, secrets and clients follow."""
        await self._configuration.reload()
        if move.secrets:
            await self._configuration.secrets_changed()
        await self._clients.refresh()
        return move
