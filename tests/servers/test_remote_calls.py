"""Calls to a remote server once the handshake is done: what makes them leave the short way, and that nothing is lost then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from desktop.errors import ServerGoneError
from desktop.servers.remote import RemoteTransport
from desktop.servers.upstream import Upstream
from tests.helpers.ports import free_port
from tests.servers.test_remote_redirects import INITIALIZED, Quiet


class Server:
    """Answers calls as ``answering`` says; keeps path and cookies of every call."""

    def __init__(self) -> None:
        self.port = free_port()
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.sets_cookie = False
        self.moves = False
        self.status = 200
        self.session = "s"
        self.greeted = 0
        self.forgets = False
        self.refuses = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        if message["method"] != "initialize" and (
            self.forgets or request.headers.get("Mcp-Session-Id") != self.session
        ):
            return web.Response(status=404)
        if "id" not in message:
            return web.Response(status=202)
        if message["method"] == "initialize":
            self.greeted += 1
            if self.refuses:
                return web.Response(status=500)
            return self.reply(message, INITIALIZED, headers={"Mcp-Session-Id": self.session})
        self.calls.append((request.path, dict(request.cookies)))
        if self.moves and request.path == "/mcp":
            return web.Response(status=307, headers={"Location": "/new"})
        if self.status != 200:
            return web.Response(status=self.status)
        answer = self.reply(message, {"path": request.path})
        if self.sets_cookie:
            answer.set_cookie("sticky", "node-1")
        return answer

    def reply(self, message: Any, result: Any, **more: Any) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result}, **more)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/mcp", made.answer)
    app.router.add_route("*", "/new", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


@pytest.fixture
def listener() -> Quiet:
    return Quiet()


@pytest.fixture
async def upstream(server: Server, listener: Quiet) -> AsyncIterator[Upstream]:
    transport = RemoteTransport("far", f"http://localhost:{server.port}/mcp", {}, "streamable-http")
    made = Upstream("far", transport, listener)
    await made.open(time_limit=5)
    yield made
    await made.close()


async def ask(upstream: Upstream) -> str:
    return bytes(await upstream.request("tools/call", b'{"name":"t"}', time_limit=5)).decode()


async def test_calls_follow_each_other(upstream: Upstream, server: Server) -> None:
    for _ in range(5):
        assert "/mcp" in await ask(upstream)
    assert len(server.calls) == 5


async def test_a_cookie_set_by_an_answer_is_sent_with_the_next_calls(upstream: Upstream, server: Server) -> None:
    server.sets_cookie = True
    for _ in range(4):
        await ask(upstream)
    assert [cookies for _, cookies in server.calls][-2:] == [{"sticky": "node-1"}] * 2


async def test_a_server_that_moves_between_two_calls_is_followed(upstream: Upstream, server: Server) -> None:
    await ask(upstream)
    await ask(upstream)
    server.moves = True
    assert "/new" in await ask(upstream)
    assert "/new" in await ask(upstream)


@pytest.mark.parametrize("status", [500, 503])
async def test_an_error_of_http_ends_the_call_with_its_number(upstream: Upstream, server: Server, status: int) -> None:
    await ask(upstream)
    server.status = status
    with pytest.raises(ServerGoneError, match=f"far answered with HTTP {status}"):
        await ask(upstream)
    server.status = 200
    assert "/mcp" in await ask(upstream)


# A session the server has forgotten.


async def test_a_call_that_finds_its_session_gone_is_repeated_in_a_new_one(upstream: Upstream, server: Server) -> None:
    await ask(upstream)
    server.session = "another"
    answers = await asyncio.gather(*(ask(upstream) for _ in range(5)))
    assert all("/mcp" in answer for answer in answers)
    assert "/mcp" in await ask(upstream)
    assert server.greeted == 2
    assert upstream.alive


async def test_what_the_server_was_told_before_is_told_again_in_the_new_session(
    upstream: Upstream, server: Server, listener: Quiet
) -> None:
    upstream.level = "debug"
    server.session = "another"
    await ask(upstream)
    assert upstream.level == ""
    assert listener.renewed == 1


async def test_a_call_is_repeated_once_only(upstream: Upstream, server: Server) -> None:
    await ask(upstream)
    server.forgets = True
    with pytest.raises(ServerGoneError, match="far has ended the session"):
        await ask(upstream)
    assert not upstream.alive
    assert server.greeted == 2


async def test_a_server_that_gives_no_new_session_has_ended_the_connection(upstream: Upstream, server: Server) -> None:
    await ask(upstream)
    server.session, server.refuses = "another", True
    with pytest.raises(ServerGoneError, match="far has ended the session"):
        await ask(upstream)
    assert not upstream.alive
