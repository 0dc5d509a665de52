"""Remote servers of the modern era on the wire: the headers, what is not sent, and how the era is found out over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from desktop.catalog.model import CatalogServer, RemoteEndpoint
from desktop.servers import subscriptions
from desktop.servers.connecting import Eras
from desktop.servers.fleet import Fleet
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import ManagedServer, Timing
from desktop.servers.remote import RemoteTransport, transport_type
from desktop.servers.status import ServerState
from tests.helpers.fake_mcp import eventually
from tests.servers.conftest import Listener, client
from tests.servers.test_upstream import Sink, call

Json = dict[str, Any]
Handler = Callable[[web.Request, Json], Awaitable[web.StreamResponse]]
DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "ttlMs": 0,
    "cacheScope": "public",
}
TOOL = {
    "name": "t",
    "inputSchema": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}},
}
INITIALIZED = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "r", "version": "1"},
}


class Server:
    """An HTTP server whose answers a test writes.

    Attributes:
        seen: Method and headers of every request, with the decoded message of a POST.
        on: JSON-RPC method -> its answer; anything else gets an empty result.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any, Json]] = []
        self.on: dict[str, Handler] = {}
        self.closed: list[str] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        message: Json = await request.json() if request.method == "POST" else {}
        self.seen.append((request.method, request.headers, message))
        if request.method != "POST":
            return web.Response(status=405)
        handler = self.on.get(message["method"])
        if handler is not None:
            return await handler(request, message)
        if "id" not in message:
            return web.Response(status=202)
        return answer(message, {"tools/list": {"tools": [TOOL]}}.get(message["method"], {}))

    def posts(self, method: str) -> list[tuple[Any, Json]]:
        return [(headers, message) for verb, headers, message in self.seen if message.get("method") == method]


def answer(message: Json, result: Json, **more: Any) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result}, **more)


def refusal(message: Json, code: int, status: int) -> web.Response:
    error = {"code": code, "message": "no"}
    return web.json_response({"jsonrpc": "2.0", "id": message["id"], "error": error}, status=status)


def giving(result: Json, **more: Any) -> Handler:
    async def handler(request: web.Request, message: Json) -> web.StreamResponse:
        return answer(message, result, **more)

    return handler


def refusing(status: int, code: int | None = None) -> Handler:
    async def handler(request: web.Request, message: Json) -> web.StreamResponse:
        return web.Response(status=status, text="no") if code is None else refusal(message, code, status)

    return handler


class Launcher:
    def __init__(self) -> None:
        self.headers = {"Authorization": "Bearer secret"}

    async def transport(self, server: CatalogServer, values: Any, log: Any) -> RemoteTransport:
        assert server.remote is not None
        return RemoteTransport(
            server.name, server.remote.url, self.headers, transport_type(server.remote.transport_type)
        )

    def reveals_secrets(self, server: CatalogServer) -> bool:
        return False

    def image_id(self, server: CatalogServer) -> str:
        return ""


class Rig:
    """One managed remote server."""

    def __init__(self, server: Server, folder: Any) -> None:
        self._folder = folder
        self.server = server
        self.listener = Listener()
        self.fleets: list[Fleet] = []

    def managed(self, kind: str = "", probe: float = 5.0, url: str = "") -> ManagedServer:
        self.fleet = Fleet(
            launcher=Launcher(), cache=ListingCache(self._folder), timing=Timing(probe=probe, start=5.0), clean=str
        )
        self.fleets.append(self.fleet)
        self.listener.fleet = self.fleet
        self.fleet.attach(self.listener)
        entry = CatalogServer(
            name="r", type="remote", remote=RemoteEndpoint(url=url or self.server.url, transport_type=kind)
        )
        return self.fleet._manage(entry, {})


@pytest.fixture
async def rig(tmp_path: Any) -> AsyncIterator[Rig]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/mcp", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    server.url = f"http://127.0.0.1:{port}/mcp"
    rig = Rig(server, tmp_path)
    managed: list[ManagedServer] = []
    make = rig.managed
    rig.managed = lambda *given, **more: managed.append(make(*given, **more)) or managed[-1]  # type: ignore[method-assign]
    yield rig
    for item in managed:
        await item.stop()
    await runner.cleanup()


async def test_every_request_carries_its_headers_and_no_session(rig: Rig) -> None:
    rig.server.on["server/discover"] = giving(DISCOVERED, headers={"Mcp-Session-Id": "unwanted"})
    found = rig.managed()
    await found.ensure_listed()
    upstream = await found.acquire(None)
    sink = Sink(client())
    upstream.forward(call(params={"name": "t", "arguments": {"region": "eu west", "x": 1}}), sink)
    await eventually(lambda: sink.finished)
    for headers, message in [(headers, message) for _, headers, message in rig.server.seen]:
        assert headers["MCP-Protocol-Version"] == "2026-07-28"
        assert headers["Mcp-Method"] == message["method"]
        assert headers["Authorization"] == "Bearer secret"
        assert "Mcp-Session-Id" not in headers
    ((headers, message),) = rig.server.posts("tools/call")
    assert (headers["Mcp-Name"], headers["Mcp-Param-Region"]) == ("t", "eu west")
    assert message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] == {}
    await found.stop()
    assert {verb for verb, _, _ in rig.server.seen} == {"POST"}


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, None), (404, None), (405, None), (200, -32601), (400, -32600), (404, -32601), (400, -32022)],
)
async def test_a_server_that_refuses_discover_is_greeted_with_initialize(
    rig: Rig, status: int, code: int | None
) -> None:
    rig.server.on["server/discover"] = refusing(status, code)
    rig.server.on["initialize"] = giving(INITIALIZED)
    found = rig.managed()
    await found.ensure_listed()
    assert found.failure is None
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True, modern=False)
    await found.acquire(client())
    assert len(rig.server.posts("server/discover")) == 1


async def test_an_answer_that_is_no_answer_to_discover_means_initialize(rig: Rig) -> None:
    rig.server.on["server/discover"] = giving({"supportedVersions": ["2025-11-25"]})
    rig.server.on["initialize"] = giving(INITIALIZED)
    found = rig.managed()
    await found.ensure_listed()
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True, modern=False)


async def test_a_server_that_keeps_silent_over_discover_is_greeted_with_initialize(rig: Rig) -> None:
    async def silent(request: web.Request, message: Json) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    rig.server.on["server/discover"] = silent
    rig.server.on["initialize"] = giving(INITIALIZED)
    found = rig.managed(probe=0.1)
    await found.ensure_listed()
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True, modern=False)


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_sessions_of_a_server_that_fails_over_discover_have_handshake_connections_of_their_own(
    rig: Rig, status: int
) -> None:
    rig.server.on["server/discover"] = refusing(status)
    rig.server.on["initialize"] = giving(INITIALIZED)
    found = rig.managed()
    sessions = [client(), client()]
    for session in sessions:
        session.modern = True
    upstreams = await asyncio.gather(*map(found.acquire, sessions))
    assert [upstream.owner for upstream in upstreams] == sessions
    assert [upstream.modern for upstream in upstreams] == [False, False]
    assert len(rig.server.posts("server/discover")) == 1


async def test_a_server_that_wants_a_sign_in_is_not_asked_in_the_other_era(rig: Rig) -> None:
    rig.server.on["server/discover"] = refusing(401)
    found = rig.managed()
    await found.ensure_listed()
    assert found.status.state is ServerState.NEEDS_SIGN_IN
    assert rig.server.posts("initialize") == []


async def test_a_server_that_is_not_there_is_named_once(rig: Rig) -> None:
    found = rig.managed("http", url="http://127.0.0.1:9/mcp")
    await found.ensure_listed()
    assert found.failure is not None
    assert found.failure.message.startswith("r can't be reached at 127.0.0.1:9: ")
    assert found._offering.eras == Eras()


async def test_a_handshake_session_finds_out_that_a_server_is_modern_only(rig: Rig) -> None:
    rig.server.on["server/discover"] = giving(DISCOVERED)
    rig.server.on["initialize"] = refusing(400, -32022)
    found = rig.managed()
    await found.ensure_listed()
    session = client()
    assert (await found.acquire(session)).modern
    assert found._offering.eras == Eras(handshake=False, modern=True)
    assert found.ready(client()) is found.ready(session)
    assert len(rig.server.posts("initialize")) == 1


async def test_http_with_sse_is_never_asked_for_the_modern_era(rig: Rig) -> None:
    found = rig.managed("sse")
    await found.ensure_listed()
    assert found.failure is not None
    assert rig.server.posts("server/discover") == []


async def test_cancelling_closes_the_answer_and_posts_nothing(rig: Rig) -> None:
    held = asyncio.Event()
    ended = asyncio.Event()

    async def long(request: web.Request, message: Json) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": begun\r\n\r\n")
        held.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return response

    rig.server.on["server/discover"] = giving(DISCOVERED)
    rig.server.on["tools/call"] = long
    found = rig.managed()
    await found.ensure_listed()
    upstream = await found.acquire(None)
    sink = Sink(client())
    number = upstream.forward(call(), sink)
    async with asyncio.timeout(5):
        await held.wait()
        upstream.cancel(number, {})
        await ended.wait()
    assert sink.finished == []
    assert rig.server.posts("notifications/cancelled") == []
    assert (upstream.alive, upstream.calls) == (True, 0)


async def test_calls_take_the_short_way_with_headers_of_their_own(rig: Rig) -> None:
    ports: list[int] = []

    async def handler(request: web.Request, message: Json) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return answer(message, {"content": []})

    rig.server.on["server/discover"] = giving(DISCOVERED)
    rig.server.on["tools/call"] = handler
    found = rig.managed()
    await found.ensure_listed()
    upstream = await found.acquire(None)
    for region in ("eu", "zuri\u0304ch"):
        sink = Sink(client())
        upstream.forward(call(params={"name": "t", "arguments": {"region": region}}), sink)
        await eventually(lambda sink=sink: sink.finished)
    sent = [headers for headers, _ in rig.server.posts("tools/call")]
    assert [headers["Mcp-Param-Region"] for headers in sent] == ["eu", "=?base64?enVyacyEY2g=?="]
    assert all("User-Agent" not in headers for headers in sent)  # aiohttp adds one
    assert len(set(ports)) == 1


async def test_a_cookie_or_a_new_address_between_two_calls_is_heeded(rig: Rig) -> None:
    cookies: list[dict[str, str]] = []

    async def handler(request: web.Request, message: Json) -> web.StreamResponse:
        cookies.append(dict(request.cookies))
        if len(cookies) == 2 and not request.query_string:
            return web.Response(status=307, headers={"Location": f"{request.path}?new"})
        said = answer(message, {"content": []})
        said.set_cookie("sticky", f"node-{len(cookies)}")
        return said

    rig.server.on["server/discover"] = giving(DISCOVERED)
    rig.server.on["tools/call"] = handler
    found = rig.managed(url=rig.server.url.replace("127.0.0.1", "localhost"))  # an address of digits keeps no cookies
    await found.ensure_listed()
    upstream = await found.acquire(None)
    for _ in range(3):
        sink = Sink(client())
        upstream.forward(call(), sink)
        await eventually(lambda sink=sink: sink.finished)
        assert "result" in sink.finished[0]
    assert cookies == [{}, {"sticky": "node-1"}, {"sticky": "node-1"}, {"sticky": "node-3"}]


async def test_what_a_server_says_during_a_call_is_told_before_its_answer(rig: Rig) -> None:
    async def handler(request: web.Request, message: Json) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        token = message["params"]["_meta"]["progressToken"]
        told = {"method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}
        for said in (told, {"id": message["id"], "result": {}}):
            await response.write(f"data: {json.dumps({'jsonrpc': '2.0', **said})}\r\n\r\n".encode())
        return response

    rig.server.on["server/discover"] = giving(DISCOVERED)
    rig.server.on["tools/call"] = handler
    found = rig.managed()
    await found.ensure_listed()
    sink = Sink(client())
    (await found.acquire(None)).forward(call(params={"name": "t", "_meta": {"progressToken": "mine"}}), sink)
    await eventually(lambda: sink.finished)
    assert [said["params"]["progressToken"] for said in sink.sent] == ["mine"]
    assert sink.finished == [{"jsonrpc": "2.0", "id": 1, "result": {}}]


async def test_a_call_whose_answer_breaks_off_fails(rig: Rig) -> None:
    async def broken(request: web.Request, message: Json) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"id: 7\r\ndata: \r\n\r\n")
        assert request.transport is not None
        request.transport.close()
        return response

    rig.server.on["server/discover"] = giving(DISCOVERED)
    rig.server.on["tools/call"] = broken
    found = rig.managed()
    await found.ensure_listed()
    sink = Sink(client())
    (await found.acquire(None)).forward(call(), sink)
    await eventually(lambda: sink.finished)
    assert "error" in sink.finished[0]
    assert {verb for verb, _, _ in rig.server.seen} == {"POST"}


@pytest.mark.parametrize(("status", "code"), [(400, -32020), (400, -32021), (404, -32601), (200, -32602)])
async def test_errors_pass_with_their_code_whatever_the_http_status(rig: Rig, status: int, code: int) -> None:
    rig.server.on["server/discover"] = giving(DISCOVERED)
    rig.server.on["tools/call"] = refusing(status, code)
    found = rig.managed()
    await found.ensure_listed()
    sink = Sink(client())
    upstream = await found.acquire(None)
    upstream.forward(call(), sink)
    await eventually(lambda: sink.finished)
    assert sink.finished == [{"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "no"}}]
    assert upstream.alive


async def test_an_address_that_has_moved_on_the_same_host_is_followed(rig: Rig) -> None:
    moved = rig.server.url

    async def away(request: web.Request, message: Json) -> web.StreamResponse:
        if request.query_string:
            return answer(message, DISCOVERED)
        return web.Response(status=307, headers={"Location": f"{moved}?new"})

    rig.server.on["server/discover"] = away
    found = rig.managed()
    await found.ensure_listed()
    assert found.failure is None
    assert len(rig.server.posts("server/discover")) == 2


async def test_a_listen_stream_that_breaks_is_opened_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_FIRST_PAUSE", 0.01)
    count = 0

    async def listen(request: web.Request, message: Json) -> web.StreamResponse:
        nonlocal count
        count += 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        meta = {"io.modelcontextprotocol/subscriptionId": message["id"]}
        notes = [("subscriptions/acknowledged", {"notifications": message["params"]["notifications"], "_meta": meta})]
        if count == 2:
            notes.append(("tools/list_changed", {"_meta": meta}))
        for name, params in notes:
            said = json.dumps({"jsonrpc": "2.0", "method": f"notifications/{name}", "params": params})
            await response.write(f"data: {said}\r\n\r\n".encode())
        if count == 1:
            assert request.transport is not None
            request.transport.close()
        else:
            await asyncio.sleep(60)
        return response

    rig.server.on["server/discover"] = giving({**DISCOVERED, "capabilities": {"tools": {"listChanged": True}}})
    rig.server.on["subscriptions/listen"] = listen
    found = rig.managed()
    await found.ensure_listed()
    await eventually(lambda: len(rig.server.posts("tools/list")) >= 2)
    assert len(rig.server.posts("subscriptions/listen")) == 2
    assert found.failure is None
