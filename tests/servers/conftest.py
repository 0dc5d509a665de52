"""A fleet over servers in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from desktop.gateway.session import Session
from desktop.jsonrpc import Envelope
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.fleet import Fleet
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import ManagedServer, Timing
from desktop.servers.upstream import Upstream
from desktop.state.server_choices import ServerChoice
from tests.helpers.fake_mcp import FakeLauncher, FakeServer, fleet_of
from tests.servers.test_upstream import Sink, call


class Listener:
    """What the gateway would be told."""

    def __init__(self) -> None:
        self.fleet: Fleet | None = None
        self.asked: list[SessionPort | None] = []
        self.told: list[str] = []
        self.offers: list[str] = []
        self.following: tuple[str, ...] = ()
        self.ended: list[Upstream] = []

    def server_request(
        self, upstream: Upstream, message: Envelope, sink: CallSink | None, session: SessionPort | None
    ) -> None:
        self.asked.append(session)

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        self.told.append(message.method or "")

    def followed(self, upstream: Upstream) -> tuple[str, ...]:
        return self.following

    def connection_ended(self, upstream: Upstream) -> None:
        self.ended.append(upstream)

    def server_changed(self, name: str, *, offer: bool) -> None:
        assert self.fleet is not None
        if offer:
            self.offers.append(name)
        self.fleet.announce(name)


class Rig:
    """A fleet over fake servers in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.cache = ListingCache(folder)
        self.fleets: list[Fleet] = []
        self.listener = Listener()

    def fleet(self, *servers: FakeServer, timing: Timing | None = None, **more: Any) -> Fleet:
        self.launcher = FakeLauncher(*servers)
        fleet = fleet_of(self.launcher, self.cache, timing=timing, **more)
        self.listener = Listener()
        self.listener.fleet = fleet
        fleet.attach(self.listener)
        self.fleets.append(fleet)
        return fleet

    async def started(
        self, *servers: FakeServer, choices: Mapping[str, ServerChoice] | None = None, **more: Any
    ) -> Fleet:
        fleet = self.fleet(*servers, **more)
        await fleet.apply(self.launcher.configuration(choices=choices or {}))
        assert await fleet.settled(5)
        return fleet


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    before = asyncio.all_tasks()
    rig = Rig(tmp_path)
    yield rig
    for fleet in rig.fleets:
        await fleet.close()
    for server in rig.launcher.servers.values():
        assert server.live == []
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()


def client(**capabilities: Any) -> Session:
    session = Session("stdio")
    session.introduce({"capabilities": Raw(msgspec.json.encode(capabilities))})
    return session


async def used(server: ManagedServer, session: Session, sink: Sink | None = None) -> Upstream:
    upstream = await server.acquire(session)
    upstream.forward(call(), sink or Sink(session))
    return upstream
