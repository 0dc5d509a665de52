"""One client on pipes: every line is answered, the last answers are written, and broken input ends nothing too early."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from desktop.gateway.stdio_endpoint import serve_stdio
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import LIMIT, FakeServer, eventually, tool

Json = dict[str, Any]


class Pipes:
    """The client's side of the two pipes."""

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target
        self._rest = b""

    async def write(self, data: bytes) -> None:
        await asyncio.to_thread(os.write, self._target, data)

    async def say(self, *messages: Json) -> None:
        await self.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    async def line(self) -> bytes:
        async with asyncio.timeout(LIMIT):
            while b"\n" not in self._rest:
                piece = await asyncio.to_thread(os.read, self._source, 1 << 20)
                if not piece:
                    return b""
                self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    async def message(self) -> Json:
        return json.loads(await self.line())

    def end_input(self) -> None:
        if self._target >= 0:
            os.close(self._target)
            self._target = -1

    def stop_reading(self) -> None:
        if self._source >= 0:
            os.close(self._source)
            self._source = -1


@contextlib.asynccontextmanager
async def served(rig: Rig) -> AsyncIterator[tuple[Pipes, asyncio.Task[None]]]:
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    pipes = Pipes(out_read, in_write)
    with os.fdopen(in_read, "rb", 0) as reader, os.fdopen(out_write, "wb", 0) as writer:
        task = asyncio.create_task(serve_stdio(rig.gateway, reader, writer))
        try:
            yield pipes, task
        finally:
            pipes.end_input()
            async with asyncio.timeout(LIMIT):
                await asyncio.wait([task])
            pipes.stop_reading()
    assert rig.gateway.sessions == {}


HELLO = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
}


def call(id: Any, **arguments: Any) -> Json:
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "t", "arguments": arguments}}


async def test_messages_in_any_pieces_are_answered_one_a_line(rig: Rig) -> None:
    await rig.start(FakeServer("s", "t"))
    async with served(rig) as (pipes, _):
        data = b"".join(json.dumps(message).encode() + b"\r\n\n" for message in (HELLO, call(1), call(2)))
        for at in range(0, len(data), 7):
            await pipes.write(data[at : at + 7])
        assert [(await pipes.message())["id"] for _ in range(3)] == ["hello", 1, 2]


async def test_a_message_of_megabytes_passes_both_ways(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.handlers["tools/call"] = lambda _, message: {"echo": message["params"]["arguments"]["text"]}
    await rig.start(server)
    async with served(rig) as (pipes, _):
        text = "é" * 2_000_000
        writing = asyncio.create_task(pipes.say(call(1, text=text)))
        assert (await pipes.message())["result"] == {"echo": text}
        await writing


async def test_what_is_no_message_is_answered_with_a_parse_error_and_nothing_else_is_lost(rig: Rig) -> None:
    await rig.start(FakeServer("s", "t"))
    async with served(rig) as (pipes, _):
        await pipes.write(b"garbage\n[1]\n" + b"[" * 50_000 + b"\n")
        for _ in range(3):
            answer = await pipes.message()
            assert (answer["id"], answer["error"]["code"]) == (None, -32700)
        await pipes.say({"jsonrpc": "2.0", "id": 1, "method": "ping"})
        assert (await pipes.message())["result"] == {}


async def test_answers_that_are_spread_over_lines_are_written_on_one(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    await rig.start(server)
    async with served(rig) as (pipes, _):
        await pipes.say(call(1))
        number = (await server.last.wait_for("tools/call"))["id"]
        server.last.say(b'{"jsonrpc":"2.0","id":%d,"result":{\n"a":\r\n1}}' % number)
        assert (await pipes.message())["result"] == {"a": 1}


async def test_what_belongs_to_no_call_comes_too(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server)
    async with served(rig) as (pipes, _):
        await pipes.say(HELLO)
        await pipes.message()
        server.tools.append(tool("new"))
        server.last.tell("notifications/tools/list_changed")
        assert (await pipes.message())["method"] == "notifications/tools/list_changed"


async def test_calls_under_way_at_the_end_of_input_are_still_answered(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    await rig.start(server)
    async with served(rig) as (pipes, task):
        await pipes.say(call(1))
        sent = await server.last.wait_for("tools/call")
        pipes.end_input()
        await eventually(lambda: any(session._on_quiet for session in rig.gateway.sessions.values()))
        assert not task.done()
        server.last.reply(sent["id"], {"late": True})
        assert (await pipes.message())["result"] == {"late": True}
        await asyncio.wait_for(task, LIMIT)


async def test_a_client_that_stops_reading_holds_nobody_up(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.handlers["tools/call"] = lambda *_: {"text": "x" * 300_000}
    await rig.start(server)
    async with served(rig) as (pipes, task):
        for number in range(20):
            await pipes.say(call(number))
        other = await rig.client()
        await eventually(lambda: len(server.last.requests("tools/call")) == 20)
        assert await other.call("t").result()
        await other.leave()
        pipes.stop_reading()
        pipes.end_input()
        await asyncio.wait_for(task, LIMIT)


async def test_input_that_can_not_be_read_any_more_is_its_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.start(FakeServer("s", "t"))
    real = os.read
    broken: set[int] = set()

    def read(fd: int, size: int) -> bytes:
        data = real(fd, size)
        if fd in broken:
            raise OSError(5, "Input/output error")
        return data

    monkeypatch.setattr("desktop.gateway.stdio_endpoint.os.read", read)
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    broken.add(in_read)
    with os.fdopen(in_read, "rb", 0) as reader, os.fdopen(out_write, "wb", 0) as writer:
        task = asyncio.create_task(serve_stdio(rig.gateway, reader, writer))
        os.write(in_write, b"x")
        await asyncio.wait_for(task, LIMIT)
    os.close(in_write)
    os.close(out_read)
    assert rig.gateway.sessions == {}
