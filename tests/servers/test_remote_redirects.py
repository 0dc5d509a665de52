"""A remote server that sends its clients elsewhere: followed on its own host, never with our headers to another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from desktop.errors import GatewayError
from desktop.servers.remote import RemoteTransport
from desktop.servers.upstream import Upstream
from tests.helpers.ports import free_port

INITIALIZED = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "moved", "version": "1"}}


class Quiet:
    """Takes what a server says and does nothing with it, but count its new sessions."""

    renewed = 0

    def server_request(self, *_: object) -> None: ...

    def server_notification(self, *_: object) -> None: ...

    def upstream_renewed(self, *_: object) -> None:
        self.renewed += 1

    def upstream_closed(self, *_: object) -> None: ...

    def upstream_ended(self, *_: object) -> None: ...


class Moving:
    """A server that answers at /new; whatever comes to /old is sent to ``target``."""

    def __init__(self) -> None:
        self.port = free_port()
        self.target = "/new"
        self.keys: list[str | None] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers.get("X-Key"))
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        if "id" not in message:
            return web.Response(status=202)
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": INITIALIZED})

    async def move(self, request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": self.target})


@pytest.fixture
async def servers() -> AsyncIterator[tuple[Moving, Moving]]:
    """Two servers on different ports, which makes them different origins."""
    pair = (Moving(), Moving())
    runners = []
    for server in pair:
        app = web.Application()
        app.router.add_route("*", "/old", server.move)
        app.router.add_route("*", "/new", server.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", server.port).start()
        runners.append(runner)
    yield pair
    await asyncio.gather(*(runner.cleanup() for runner in runners))


async def open_and_close(server: Moving) -> None:
    address = f"http://127.0.0.1:{server.port}/old"
    upstream = Upstream("moved", RemoteTransport("moved", address, {"X-Key": "secret"}, "streamable-http"), Quiet())
    try:
        await upstream.open(time_limit=5)
    finally:
        await upstream.close()


async def test_a_new_address_on_the_same_host_is_followed(servers: tuple[Moving, Moving]) -> None:
    await open_and_close(servers[0])
    assert servers[0].keys
    assert set(servers[0].keys) == {"secret"}


async def test_another_host_never_sees_our_headers(servers: tuple[Moving, Moving]) -> None:
    here, elsewhere = servers
    here.target = f"http://127.0.0.1:{elsewhere.port}/new"
    with pytest.raises(GatewayError, match=f"sends its clients on to 127.0.0.1:{elsewhere.port}"):
        await open_and_close(here)
    assert elsewhere.keys == []


async def test_going_round_in_circles_ends(servers: tuple[Moving, Moving]) -> None:
    servers[0].target = "/old"
    with pytest.raises(GatewayError, match="sends its clients on"):
        await open_and_close(servers[0])
