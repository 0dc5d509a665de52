"""The AI clients of this computer as the faces see them: what their files say, and who has come to the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop.errors import GatewayError, UsageError
from desktop.gateway.local_client import usual_url
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.host import ClientsChanged
from desktop.services import Services
from desktop.state.watching import watch

if TYPE_CHECKING:
    from desktop.clients.description import Client
    from desktop.clients.roster import Connected, Plan, Removed, Roster, Wish
    from desktop.clients.status import ClientStatus
    from desktop.clients.view import ClientView

__all__ = ["ConnectedClients"]

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
        self._followed: frozenset[Path] = frozenset()
        self._patience: asyncio.Timeout | None = None
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
        patience = self._patience
        if patience is not None and not patience.expired() and self._files() != self._followed:
            patience.reschedule(asyncio.get_running_loop().time())
        if is_new:
            self._services.events.publish(ClientsChanged())

    async def plan_connect(self, id: str, wish: Wish | None = None) -> Plan:
        """What connecting would write."""
        return await asyncio.to_thread(lambda: self._roster().plan_connect(_client(id), None, wish))

    async def connect(self, id: str, wish: Wish | None = None) -> Connected:
        """Connect a client, or bring its entry up to date."""
        done = await asyncio.to_thread(lambda: self._roster().connect(_client(id), None, wish))
        await self.refresh()
        return done

    async def disconnect(self, id: str) -> tuple[Removed, ...]:
        """Disconnect a client; its sessions end at once."""
        removed = await asyncio.to_thread(lambda: self._roster().disconnect(_client(id)))
        await self._endpoint.end_revoked()
        await self.refresh()
        return removed

    async def follow(self) -> None:
        """Read the files again whenever one of a connected client has changed, and all now and then; for ever."""
        while True:
            await self.refresh()
            try:
                self._followed = self._files()
                await self._follow_these(self._followed)
            except GatewayError as error:
                log.info("files of clients are looked at less often: %s", error)
                await asyncio.sleep(_PAUSE)

    async def _follow_these(self, files: frozenset[Path]) -> None:
        """Until other files are to be followed, or all are to be looked at again."""
        tokens = self._services.paths.client_tokens.parent
        folders = await asyncio.to_thread(lambda: sorted({file.parent for file in files if file.parent.is_dir()}))
        async with contextlib.aclosing(watch((tokens, *folders))) as batches:
            try:
                async with asyncio.timeout(_AGAIN if self._files() == files else 0) as self._patience:
                    async for changed in batches:
                        # What our own processes do is noted down among the tokens.
                        if changed & files or any(path.parent == tokens for path in changed):
                            await self.refresh()
            except TimeoutError:
                pass  # or other files are to be followed
            finally:
                self._patience = None

    def _read(self) -> tuple[ClientStatus, ...]:
        return self._roster().statuses()

    def _roster(self) -> Roster:
        from desktop.clients.roster import Roster

        return Roster(self._services.paths, self._endpoint.url or usual_url())

    def _files(self) -> frozenset[Path]:
        """The files worth watching: those with an entry that others could take away."""
        return frozenset(
            status.file.path
            for status in self._statuses
            if status.file is not None and (status.ours is not None or status.dropped)
        )

    def _somebody_came(self) -> None:
        if self._services.gateway.sightings.look():
            self._services.events.publish(ClientsChanged())


def _client(id: str) -> Client:
    from desktop.clients.known import find_client

    client = find_client(id)
    if client is None:
        raise UsageError(f"There is no client {id}")
    return client
