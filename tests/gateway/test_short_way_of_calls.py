"""The short way of calls on a real connection: a head sent before is known again, and nothing else changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from desktop.gateway.access import Access
from desktop.gateway.http_endpoint import HttpEndpoint
from desktop.gateway.listener import HttpListener, bind_tcp
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import LIMIT, FakeServer, FakeTransport
from tests.helpers.gateway_client import EVERYTHING
from tests.helpers.modern_client import enveloped

TOKEN = "token-of-the-test"


class Wire:
    """One connection, written to and read from as bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rig: Rig, endpoint: Watched) -> None:
        self.reader = reader
        self.writer = writer
        self.rig = rig
        self.endpoint = endpoint
        self.session = ""

    def request(self, message: Any, *extra: str, method: str = "POST", path: str = "/mcp") -> bytes:
        body = json.dumps(message).encode() if message is not None else b""
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {TOKEN}",
            "Accept: application/json, text/event-stream",
            *([f"Mcp-Session-Id: {self.session}"] if self.session else []),
            *extra,
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def call(self, id: Any, text: str = "", *extra: str) -> bytes:
        params = {"name": "t", "arguments": {"text": text}}
        return self.request({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}, *extra)

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(LIMIT):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            if headers.get("transfer-encoding") == "chunked":
                body = b""
                while size := int(await self.reader.readline(), 16):
                    body += await self.reader.readexactly(size)
                    await self.reader.readline()
                await self.reader.readline()
            else:
                body = await self.reader.readexactly(int(headers["content-length"]))
            return int(status.split(" ")[1]), headers, body

    async def answer(self) -> Any:
        status, _, body = await self.response()
        assert status == 200, body
        return json.loads(body)

    async def open(self, **capabilities: Any) -> None:
        params = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {}}
        self.writer.write(self.request({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
        _, headers, _ = await self.response()
        self.session = headers["mcp-session-id"]

    async def shim(self) -> asyncio.StreamWriter:
        """From now on be the shim of a modern client; returns what is written to."""
        self.session = ""
        self.writer.write(self.request(None, "Mcp-Stdio: 2026-07-28", method="PUT"))
        _, headers, _ = await self.response()
        self.session = headers["mcp-session-id"]
        return self.writer

    async def known(self) -> None:
        """Make the head of calls known to the connection."""
        self.writer.write(self.call("first"))
        assert (await self.answer())["id"] == "first"


@pytest.fixture
async def server(rig: Rig) -> FakeServer:
    server = FakeServer("s", "t")
    await rig.start(server)
    return server


class Watched(HttpEndpoint):
    """Counts what does not take the short way."""

    served = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.served += 1
        await super().__call__(scope, receive, send)


@pytest.fixture
async def wire(rig: Rig, server: FakeServer) -> AsyncIterator[Wire]:
    bound = bind_tcp("127.0.0.1", 0)
    endpoint = Watched(rig.gateway, Access(TOKEN), lambda: True)
    listener = HttpListener(endpoint, bound)
    await listener.start()
    wire = Wire(*await asyncio.open_connection("127.0.0.1", bound.getsockname()[1]), rig, endpoint)
    await wire.open(**EVERYTHING)
    yield wire
    wire.writer.close()
    await rig.gateway.close()
    async with asyncio.timeout(LIMIT):
        await listener.close()


async def test_a_call_takes_the_short_way_whoever_makes_it(wire: Wire) -> None:
    before = wire.endpoint.served
    await wire.known()
    wire.writer.write(wire.call(1))
    await wire.answer()
    shim = await wire.shim()
    shim.write(wire.request(enveloped("tools/call", {"name": "t"}, id=2)))
    shim.write(wire.request(enveloped("tools/call", {"name": "t"}, id=3)))
    assert [(await wire.answer())["id"] for _ in range(2)] == [2, 3]
    assert wire.endpoint.served == before + 1  # the shim's coming


async def test_a_modern_client_of_the_shim_that_has_gone_is_not_found(wire: Wire) -> None:
    shim = await wire.shim()
    shim.write(wire.request(enveloped("tools/call", {"name": "t"}, id=1)))
    assert (await wire.answer())["result"]["resultType"] == "complete"
    shim.write(wire.request(None, method="DELETE"))
    assert (await wire.response())[0] == 200
    shim.write(wire.request(enveloped("tools/call", {"name": "t"}, id=2)))
    assert (await wire.response())[0] == 404


async def test_what_is_told_before_the_answer_reaches_a_modern_client_of_the_shim(
    wire: Wire, server: FakeServer
) -> None:
    def chatty(transport: FakeTransport, message: Any) -> Any:
        transport.tell("notifications/message", {"level": "info", "data": "working"})
        return {"content": []}

    server.handlers["tools/call"] = chatty
    shim = await wire.shim()
    for number in range(2):
        shim.write(wire.request(enveloped("tools/call", {"name": "t"}, id=number, logLevel="info")))
        _, headers, body = await wire.response()
        assert headers["content-type"] == "text/event-stream"
        assert (body.count(b"data: "), body.count(b"id: ")) == (2, 0)  # nothing can be continued in this era
        assert b"working" in body


async def test_a_shim_that_goes_while_a_modern_call_waits_cancels_it(wire: Wire, server: FakeServer) -> None:
    shim = await wire.shim()
    server.held.add("tools/call")
    shim.write(wire.request(enveloped("tools/call", {"name": "t"}, id="lost")))
    await server.working.wait_for("tools/call")
    shim.close()
    await shim.wait_closed()
    await server.working.wait_for("notifications/cancelled")


async def test_calls_with_the_same_head_and_other_bodies_get_their_own_answers(wire: Wire) -> None:
    await wire.known()
    for number in range(20):
        wire.writer.write(wire.call(number, "x" * number * 50))
        assert (await wire.answer())["id"] == number


async def test_a_call_may_come_in_pieces_cut_anywhere(wire: Wire) -> None:
    await wire.known()
    whole = wire.call("pieces", "some text that has a length")
    for cut in (1, 20, whole.index(b"\r\n\r\n") + 2, whole.index(b"\r\n\r\n") + 4, len(whole) - 1):
        wire.writer.write(whole[:cut])
        await wire.writer.drain()
        await asyncio.sleep(0.02)
        wire.writer.write(whole[cut:])
        assert (await wire.answer())["id"] == "pieces"


async def test_pipelined_calls_are_answered_in_the_order_they_came(wire: Wire) -> None:
    await wire.known()
    wire.writer.write(b"".join(wire.call(number) for number in range(30)))
    assert [(await wire.answer())["id"] for _ in range(30)] == list(range(30))


async def test_pipelined_requests_of_every_kind_keep_their_order(wire: Wire) -> None:
    await wire.known()
    health = wire.request(None, method="GET", path="/health")
    notification = wire.request({"jsonrpc": "2.0", "method": "notifications/initialized"})
    wire.writer.write(wire.call(1) + health + wire.call(2, "", "X-Other: head") + notification + wire.call(3))
    found = [await wire.response() for _ in range(5)]
    assert [status for status, _, _ in found] == [200, 200, 200, 202, 200]
    assert [json.loads(found[number][2])["id"] for number in (0, 2, 4)] == [1, 2, 3]


async def test_another_token_under_the_same_session_is_refused(wire: Wire) -> None:
    await wire.known()
    wire.writer.write(wire.call(1).replace(TOKEN.encode(), b"x" * len(TOKEN)))
    assert (await wire.response())[0] == 401
    wire.writer.write(wire.call(2))
    assert (await wire.answer())["id"] == 2


async def test_a_known_head_of_a_session_that_has_ended_is_not_found(wire: Wire) -> None:
    await wire.known()
    (session,) = wire.rig.gateway.sessions.values()
    await wire.rig.gateway.end_session(session)
    wire.writer.write(wire.call(1))
    assert (await wire.response())[0] == 404


async def test_messages_before_the_answer_make_a_stream_of_it_and_the_connection_goes_on(
    wire: Wire, server: FakeServer
) -> None:
    await wire.known()

    def chatty(transport: FakeTransport, message: Any) -> Any:
        transport.tell("notifications/message", {"level": "info", "data": "working"})
        return {"done": True}

    server.handlers["tools/call"] = chatty
    for number in range(3):
        wire.writer.write(wire.call(number))
        _, headers, body = await wire.response()
        assert headers["content-type"] == "text/event-stream"
        assert b"working" in body
        assert b'"id":%d,' % number in body


async def test_a_body_without_sense_behind_a_known_head_is_told_as_ever(wire: Wire) -> None:
    await wire.known()
    good = wire.call(1)
    head, _, body = good.partition(b"\r\n\r\n")
    wire.writer.write(head + b"\r\n\r\n" + b"?" * len(body))
    assert (await wire.response())[0] == 400
    wire.writer.write(good)
    assert (await wire.answer())["id"] == 1


async def test_a_client_that_goes_while_its_call_waits_does_no_harm(wire: Wire, server: FakeServer) -> None:
    await wire.known()
    server.held.add("tools/call")
    wire.writer.write(wire.call("lost"))
    sent = await server.last.wait_for("tools/call", 2)
    wire.writer.close()
    await wire.writer.wait_closed()
    server.last.reply(sent["id"], {"done": True})
    client = await wire.rig.client()
    assert await client.tools()
