"""Requests behind each other on one connection: none is lost, none overtakes another, and the end of the client is noticed."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest

from desktop.gateway.access import Access
from desktop.gateway.http_endpoint import HttpEndpoint
from desktop.gateway.listener import HttpListener, bind_tcp
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import LIMIT, eventually, holding


class Raw:
    """A client that writes bytes, and the endpoint it writes to."""

    def __init__(self, rig: Rig, endpoint: HttpEndpoint, port: int) -> None:
        self.rig = rig
        self.endpoint = endpoint
        self.port = port
        self.session = ""

    def request(self, message: object = None, method: str = "POST") -> bytes:
        body = b"" if message is None else json.dumps(message).encode()
        session = f"Mcp-Session-Id: {self.session}\r\n" if self.session else ""
        head = f"{method} /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{session}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def call(self, id: int, filler: str = "") -> bytes:
        params = {"name": "t", "arguments": {"n": id, "filler": filler}}
        return self.request({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})

    async def open(self) -> None:
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self.request({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.session = head.lower().partition("mcp-session-id: ")[2].partition("\r\n")[0]
        self.session = next(id for id in self.rig.gateway.sessions if id.lower() == self.session)
        writer.close()
        await writer.wait_closed()


async def answers(reader: asyncio.StreamReader, count: int) -> list[int]:
    """The ids of the next answers."""
    found = []
    async with asyncio.timeout(LIMIT):
        for _ in range(count):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200 "), head
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            found.append(json.loads(await reader.readexactly(length))["id"])
    return found


@pytest.fixture
async def raw(rig: Rig) -> AsyncIterator[Raw]:
    await rig.start(holding("s", "t"))
    bound = bind_tcp("127.0.0.1", 0)
    endpoint = HttpEndpoint(rig.gateway, Access(None), lambda: True)
    listener = HttpListener(endpoint, bound)
    await listener.start()
    raw = Raw(rig, endpoint, bound.getsockname()[1])
    await raw.open()
    yield raw
    await rig.gateway.close()
    async with asyncio.timeout(LIMIT):
        await listener.close()


async def test_the_end_of_a_request_that_comes_with_an_answer_stays_behind_its_beginning(raw: Raw) -> None:
    transport = raw.rig.launcher.servers["s"].last
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.port)
    writer.write(raw.call(1))
    first = (await transport.wait_for("tools/call"))["id"]
    large = raw.call(2, "x" * 30_000)
    writer.write(large[:10_000])
    await asyncio.sleep(0.02)
    # In one turn of the loop: first the server's answer, then the rest of the next request.
    here, there = socket.socketpair()
    loop = asyncio.get_running_loop()

    def step() -> None:
        loop.remove_reader(here)
        transport.reply(first)

    loop.add_reader(here, step)
    there.send(b"x")
    with writer.get_extra_info("socket").dup() as sending:
        sending.send(large[10_000:])
    second = await transport.wait_for("tools/call", 2)
    assert second["params"]["arguments"]["n"] == 2
    transport.reply(second["id"])
    assert await answers(reader, 2) == [1, 2]
    for end in (here, there):
        end.close()
    writer.close()
    await writer.wait_closed()


async def test_many_requests_in_one_piece_are_answered_in_their_order(raw: Raw) -> None:
    server = raw.rig.launcher.servers["s"]
    server.held.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.port)
    sent = b"".join(raw.call(id, "x" * (id % 3) * 30_000) for id in range(1, 13))
    writer.write(sent)
    assert await answers(reader, 12) == list(range(1, 13))
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("polite", [True, False])
async def test_the_end_of_a_client_is_noticed_behind_its_stream_and_a_request_in_line(raw: Raw, polite: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.port)
    writer.write(raw.request(method="GET") + raw.call(1))
    await reader.readuntil(b"\r\n\r\n")
    session = raw.rig.gateway.sessions[raw.session]
    await eventually(lambda: session.listening)
    await asyncio.sleep(0.02)
    if polite:
        writer.close()
    else:
        writer.transport.abort()
    await eventually(lambda: not session.listening and not raw.endpoint.streams)
