"""The AI clients of this computer as the faces see them: what their files say, and who has come to the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from desktop.errors import GatewayError, UsageError
from desktop.gateway.local_client import usual_url
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.host import ClientsChanged
from desktop.services import Services

if TYPE_CHECKING:
    from desktop.clients.description import Client
    from desktop.clients.roster import Connected, Plan, Removed, Roster, Wish
    from desktop.clients.status import ClientStatus
    from desktop.clients.view import ClientView

__all__ = ["ConnectedClients"]

_NEWS: Final = 0.1
_PAUSE: Final = 5.0
_AGAIN: Final = 60.0
log = logging.getLogger(__name__)


class ConnectedClients:
    """What is known of clients; nothing is before the first `refresh`.

    Args:
        services: Whose clients they are.
        endpoint: Where they reach us.
    """

    def __init__(self, services: Services, endpoint: LocalEndpoint) -> None:
        self._services = services
        self._endpoint = endpoint
        self._statuses: tuple[ClientStatus, ...] = ()
        self._refreshing = asyncio.Lock()
        self._looks_soon = False
        services.gateway.changed.subscribe(lambda _: self._somebody_came())

    def views(self) -> tuple[ClientView, ...]:
        """Every client, by name."""
        from desktop.clients.view import view_of

        seen = self._services.gateway.sightings.all()
        found = (view_of(status, seen) for status in self._statuses)
        return tuple(sorted(found, key=lambda view: view.name.casefold()))

    async def refresh(self) -> None:
        """Read all files again."""
        async with self._refreshing:
            statuses = await asyncio.to_thread(self._read)
        is_new = statuses != self._statuses
        self._statuses = statuses
        if is_new:
            self._services.events.publish(ClientsChanged())

    async def plan_connect(self, id: str, wish: Wish | None = None) -> Plan:
        """What connecting would write."""
        roster, client = self.roster(), _client(id)
        return await asyncio.to_thread(lambda: roster.plan_connect(client, None, wish or roster.wish_in_force(client)))

    async def connect(self, id: str, wish: Wish | None = None) -> Connected:
        """Connect a client, or bring its entry up to date."""
        roster, client = self.roster(), _client(id)
        done = await asyncio.to_thread(lambda: roster.connect(client, None, wish or roster.wish_in_force(client)))
        await self.refresh()
        return done

    async def disconnect(self, id: str) -> tuple[Removed, ...]:
        """Disconnect a client; its sessions end at once."""
        removed = await asyncio.to_thread(lambda: self.roster().disconnect(_client(id)))
        await self._endpoint.end_revoked()
        await self.refresh()
        return removed

    def roster(self) -> Roster:
        """The clients, as their files are read and written; for worker threads."""
        from desktop.clients.roster import Roster

        return Roster(self._services.paths, self._endpoint.url or usual_url())

    async def follow(self) -> None:
        """Read the files again whenever an entry of ours has come, changed or gone, and all now and then; for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_now_and_then())
            tasks.create_task(self._watch_entries())

    async def _read_now_and_then(self) -> None:
        while True:
            try:
                await self.refresh()
            except GatewayError as error:
                log.warning("files of clients can't be read for now: %s", error)
            await asyncio.sleep(_AGAIN)

    async def _watch_entries(self) -> None:
        from desktop.clients.guardian import Guardian
        from desktop.clients.receipts import Receipts

        guardian = Guardian(Receipts(self._services.paths.client_receipts))
        while True:
            try:
                async with contextlib.aclosing(guardian.sightings()) as sightings:
                    async for _ in sightings:
                        await self.refresh()
            except GatewayError as error:
                log.info("files of clients are looked at less often: %s", error)
            await asyncio.sleep(_PAUSE)

    def _read(self) -> tuple[ClientStatus, ...]:
        return self.roster().statuses()

    def _somebody_came(self) -> None:
        """Sessions begin and end by the hundred; who they are of is looked at a few times a second."""
        if not self._looks_soon:
            self._looks_soon = True
            asyncio.get_running_loop().call_later(_NEWS, self._look)

    def _look(self) -> None:
        self._looks_soon = False
        if self._services.gateway.sightings.look():
            self._services.events.publish(ClientsChanged())


def _client(id: str) -> Client:
    from desktop.clients.known import find_client

    client = find_client(id)
    if client is None:
        raise UsageError(f"There is no client {id}")
    return client
