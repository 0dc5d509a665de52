"""What servers take of this machine: their images, and what their containers use."""

from __future__ import annotations

import asyncio
import contextlib
import time

from desktop.configuration_in_force import ConfigurationInForce
from desktop.errors import EngineError
from desktop.facets.server import ServerImage, ServerUse
from desktop.host import HostPart
from desktop.services import Services

__all__ = ["ServerResourcesView"]


class ServerResourcesView(HostPart):
    """Implements `desktop.facets.server.ServerResources`. Nothing is asked of the engine unless a face asks.

    Args:
        services: Who knows the engine.
        configuration: What is in force.
    """

    def __init__(self, services: Services, configuration: ConfigurationInForce) -> None:
        self._services = services
        self._configuration = configuration
        self._before: dict[str, tuple[float, float]] = {}

    async def use(self, name: str) -> ServerUse | None:
        """What a server's containers use now."""
        if self._services.monitor.info is None:
            return None
        try:
            engine = await self._services.monitor.available()
            own = self._services.lock.instance
            running = [
                container.id
                for container in await engine.owned_containers()
                if container.running and container.server == name and container.instance == own
            ]
            readings = await asyncio.gather(*map(engine.stats, running))
        except EngineError:
            return None
        now = time.monotonic()
        found = {id: stats for id, stats in zip(running, readings, strict=True) if stats is not None}
        if not found:
            return None
        shares = [
            (stats.cpu_seconds - before[1]) / (now - before[0])
            for id, stats in found.items()
            if (before := self._before.get(id)) is not None and now > before[0]
        ]
        self._before = {id: (now, stats.cpu_seconds) for id, stats in found.items()}
        return ServerUse(
            containers=len(found),
            memory=sum(stats.memory for stats in found.values()),
            processors=sum(shares) if shares else None,
        )

    async def image(self, name: str) -> ServerImage | None:
        """A server's image."""
        server = self._configuration.current.servers.get(name)
        if server is None or not server.image:
            return None
        reference, _, digest = server.image.partition("@")
        local: str | None = None
        if self._services.monitor.info is not None:
            with contextlib.suppress(EngineError):
                local = await (await self._services.monitor.available()).image_id(server.image)
        return ServerImage(name=reference, digest=digest, id=local or "")
