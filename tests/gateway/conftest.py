"""A gateway over servers in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from desktop.gateway.access import Access
from desktop.gateway.gateway import Gateway
from desktop.gateway.http_endpoint import HttpEndpoint
from desktop.gateway.listener import HttpListener, bind_tcp
from desktop.servers.fleet import Fleet
from desktop.servers.listing import ListingCache
from tests.helpers.fake_mcp import LIMIT, FakeLauncher, FakeServer, fleet_of
from tests.helpers.gateway_client import GatewayClient


class Rig:
    """A gateway, its fleet and its fake servers.

    Attributes:
        servers: The fake servers by name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clients: list[GatewayClient] = []
        self.gateway: Gateway
        self.fleet: Fleet
        self.launcher: FakeLauncher

    async def start(
        self,
        *servers: FakeServer,
        on: tuple[str, ...] = (),
        settle: bool = True,
        gateway: dict[str, Any] | None = None,
        **fleet: Any,
    ) -> Gateway:
        """Begin with these servers, all of them enabled or those named in ``on``."""
        self.launcher = FakeLauncher(*servers)
        self.fleet = fleet_of(self.launcher, ListingCache(self._folder), **fleet)
        self.gateway = Gateway(self.fleet, **(gateway or {}))
        await self.fleet.apply(self.launcher.configuration(*on))
        if settle:
            assert await self.gateway.settled(5)
        return self.gateway

    async def client(self, **capabilities: Any) -> GatewayClient:
        """A client that has shaken hands."""
        client = GatewayClient(self.gateway, capabilities)
        await client.initialize()
        return client

    async def enable(self, *names: str, **more: Any) -> None:
        """Another set of enabled servers, or other settings."""
        everything = self.launcher.configuration()
        configuration = type(everything)(enabled=names, servers=everything.servers, **more)
        await self.fleet.apply(configuration)
        self.gateway.configuration_changed()

    async def close(self) -> None:
        """Take it down."""
        if hasattr(self, "gateway"):
            await self.gateway.close()
            await self.fleet.close()
            for server in self.launcher.servers.values():
                assert server.live == []


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    before = asyncio.all_tasks()
    rig = Rig(tmp_path)
    yield rig
    await rig.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()


@contextlib.asynccontextmanager
async def listening(rig: Rig, *, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an HTTP endpoint in front of a rig that has started."""
    bound = bind_tcp("127.0.0.1", 0)
    listener = HttpListener(HttpEndpoint(rig.gateway, Access(token), lambda: True), bound)
    await listener.start()
    base = f"http://127.0.0.1:{bound.getsockname()[1]}"
    headers = {"Accept": "application/json, text/event-stream"}
    try:
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=LIMIT, trust_env=False) as http:
            yield http
    finally:
        async with asyncio.timeout(LIMIT):
            await listener.close()
