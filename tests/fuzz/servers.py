"""Servers that answer with anything, over real connections: lines on TCP, and HTTP with JSON and event streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desktop.catalog.configuration import Configuration
from desktop.catalog.model import CatalogServer, RemoteEndpoint
from desktop.gateway.gateway import Gateway
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import Timing
from desktop.servers.remote import RemoteTransport
from desktop.servers.static import StaticTransport
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import Transport
from tests.fuzz.material import Json, Material
from tests.fuzz.router import mark_of, marks_in
from tests.fuzz.watching import Watch
from tests.helpers.fake_mcp import FakeLauncher, fleet_of, tool
from tests.helpers.gateway_client import EVERYTHING, Asked, GatewayClient

__all__ = ["Servers"]

_PATIENCE = 0.3
_LIMIT = 20.0
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class _Garbler:
    """One server; how often it misbehaves follows from the seed.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, material: Material) -> None:
        self.material = material
        self.evil = material.random.choice((0.0, 0.1, 0.4, 0.8))
        self.polite_until_listed = material.chance(0.8)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):
                await self.talk(reader, writer)
        except asyncio.CancelledError:
            pass  # the end of the episode
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    def misbehaves(self, message: Json) -> bool:
        """Whether the answer to this message is to be wrong."""
        first = message.get("method") in ("initialize", "tools/list", "server/discover", "notifications/initialized")
        return not (first and self.polite_until_listed) and self.material.chance(self.evil)

    def good(self, message: Json) -> Json:
        """The right answer."""
        method, params = message.get("method"), message.get("params") or {}
        result: Json = {}
        if method == "initialize":
            capabilities = {"tools": {"listChanged": True}, "logging": {}}
            result = {
                "protocolVersion": "2025-11-25",
                "capabilities": capabilities,
                "serverInfo": {"name": "x", "version": "1"},
            }
        elif method == "server/discover":
            return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "Method not found"}}
        elif method == "tools/list":
            result = {"tools": [tool("t"), tool("u")]}
        elif method == "tools/call":
            result = {"content": [{"type": "text", "text": json.dumps(params.get("arguments"))}]}
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}

    def odd(self, message: Json) -> bytes:
        """A message that is not the right answer."""
        material = self.material
        kind = material.random.randrange(9)
        if kind == 0:
            return material.damaged(material.wire(self.good(message)))
        if kind == 1:
            return material.wire(material.changed(self.good(message), 0.5))
        if kind == 2:
            return material.wire(
                {**self.good(message), "id": material.random.choice((str(message["id"]), None, 10**9, [], 1.5))}
            )
        if kind == 3:
            return material.wire({"jsonrpc": "2.0", "id": message["id"], "error": material.value()})
        if kind == 4:
            return b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message["id"], material.deep())
        if kind == 5:
            return material.wire(
                {"jsonrpc": "2.0", "id": material.id(), "method": material.method(), "params": material.value()}
            )
        if kind == 6:
            return material.wire({"jsonrpc": "2.0", "method": material.method(), "params": material.value()})
        if kind == 7:
            return material.wire(material.value())
        return material.random.choice(
            (b"", b"\0", b"\xff\xfe{}", b"[]", b"{}", b"Traceback (most recent call last):", b"{" * 5000)
        )


class _Lines(_Garbler):
    """As behind a bridge: one message a line."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        material = self.material
        while line := await reader.readline():
            message = json.loads(line)
            if "id" not in message or "method" not in message:
                continue
            data = material.wire(self.good(message)) + b"\n"
            if self.misbehaves(message):
                kind = material.random.randrange(8)
                if kind == 0:
                    return
                if kind == 1:
                    continue
                data = self.odd(message) + b"\n"
                if kind == 2:
                    data += material.wire(self.good(message)) + b"\n"
                elif kind == 3:
                    data += data
                elif kind == 4:
                    data = b" " * 200_000 + data.replace(b"\n", b"\r\n")
            for piece in material.pieces(data):
                writer.write(piece)
                await asyncio.sleep(0)


class _Http(_Garbler):
    """Streamable HTTP, more or less."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length is not None else b""
            if not await self._respond(head, body, writer):
                return

    async def _respond(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False to hang up."""
        material = self.material
        message = json.loads(body) if body else {}
        data = self._good_response(head, message)
        if not message:
            message = {"id": 0, "method": "GET"}
        if self.misbehaves(message):
            kind = material.random.randrange(12)
            message.setdefault("id", 1)
            if kind == 0:
                return False
            if kind == 1:
                await asyncio.sleep(30)
            elif kind == 2:
                data = material.damaged(data)
            elif kind == 3:
                status = material.random.choice(
                    (
                        b"400 X",
                        b"401 X",
                        b"404 X",
                        b"500 X",
                        b"204 X",
                        b"302 X\r\nLocation: /mcp",
                        b"307 X\r\nLocation: //",
                        b"100 Continue",
                        b"101 X",
                        b"999 X",
                        b"999999 X",
                        b"-1 X",
                    )
                )
                data = b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status
            elif kind == 4:
                data = self._json(self.odd(message))
            elif kind == 5:
                data = self._events([self.odd(message), material.wire(self.good(message))])
            elif kind == 6:
                data = self._events([self.odd(message)])
            elif kind == 7:
                length = material.random.choice((b"-5", b"0", b"3", b"999", b"x", b"99999999999999999999", b""))
                data = re.sub(rb"Content-Length: \d+", b"Content-Length: " + length, data)
            elif kind == 8:
                data = (
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + material.random.choice(
                        (
                            b"zz\r\nabc\r\n",
                            b"5\r\n{}\r\n0\r\n\r\n",
                            b"-1\r\n\r\n",
                            b"ffffffffffffffff\r\n{",
                            b"2;x=y\r\n{}\r\n0\r\nT: 1\r\n\r\n",
                        )
                    )
                )
            elif kind == 9:
                extra = material.random.choice(
                    (
                        b"X: " + b"y" * 100_000,
                        b"Set-Cookie: a=b",
                        b"Content-Encoding: gzip",
                        b"Connection: close",
                        b"Mcp-Session-Id: \x01",
                        b"Content-Type: text/html",
                        b": x",
                        b"Keep-Alive: timeout=0",
                    )
                )
                data = data.replace(b"\r\n", b"\r\n" + extra + b"\r\n", 1)
            elif kind == 10:
                data += material.random.choice((data, b"garbage", b"\r\n"))
            else:
                data = data[: material.random.randrange(len(data))]
        for piece in material.pieces(data):
            writer.write(piece)
            await asyncio.sleep(0)
        return b"onnection: close" not in data and not material.chance(0.05)

    def _good_response(self, head: bytes, message: Json) -> bytes:
        if head.startswith(b"GET"):
            return b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"
        if "id" not in message or "method" not in message:
            return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        data = self.material.wire(self.good(message))
        return self._json(data) if self.material.chance(0.7) else self._events([data])

    def _json(self, data: bytes) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)

    def _events(self, messages: list[bytes]) -> bytes:
        lines = b"".join(
            b"event: message\r\nid: %d\r\ndata: %b\r\n\r\n" % (number, data) for number, data in enumerate(messages)
        )
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in self.material.pieces(lines) if piece)
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunks
            + b"0\r\n\r\n"
        )


class _Launcher(FakeLauncher):
    """Leads to the garblers."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        super().__init__()
        self.ports = ports

    async def transport(self, server: CatalogServer, values: Mapping[str, Any], log: StderrLog) -> Transport:  # type: ignore[override]
        port = self.ports[server.name]
        if server.name.startswith("lines"):
            return StaticTransport(server.name, log, host="127.0.0.1", port=port)
        kind = "" if server.name.endswith("any") else "streamable-http"
        return RemoteTransport(server.name, f"http://127.0.0.1:{port}/mcp", {}, kind)  # type: ignore[arg-type]


def _entry(name: str, port: int) -> CatalogServer:
    if name.startswith("lines"):
        return CatalogServer(name=name, type="server", image="x")
    return CatalogServer(name=name, type="remote", remote=RemoteEndpoint(url=f"http://127.0.0.1:{port}/mcp"))


class Servers:
    """Episodes with servers that can't be relied on.

    Args:
        watch: Told what is found.
        folder: For what gateways keep on disk.
    """

    def __init__(self, watch: Watch, folder: Path) -> None:
        self.watch = watch
        self._folder = folder

    async def episode(self, seed: int) -> None:
        """A gateway in front of such servers; how they behave follows from the seed."""
        self.watch.seed = f"servers {seed}"
        self.watch.done["episodes"] += 1
        material = Material(seed)
        name = material.random.choice(("lines", "http", "http-any"))
        garbler = _Lines(material) if name == "lines" else _Http(material)
        await garbler.start()
        timing = Timing(start=1.0, listing=0.5, longest_pause=0.1)
        fleet = fleet_of(_Launcher({name: garbler.port}), ListingCache(self._folder / str(seed)), timing=timing)
        gateway = Gateway(fleet)
        try:
            async with asyncio.timeout(_LIMIT):
                await fleet.apply(Configuration(enabled=(name,), servers={name: _entry(name, garbler.port)}))
                await gateway.settled(3)
                clients = [await self._client(gateway, material) for _ in range(2)]
                for _ in range(material.random.randrange(1, 6)):
                    await self._calls(clients, material)
                for client, _ in clients:
                    await client.leave()
        except TimeoutError as error:
            self.watch.caught("a gateway with such servers hangs", error)
        finally:
            await gateway.close()
            async with asyncio.timeout(_LIMIT):
                await fleet.close()
            await garbler.close()

    async def _client(self, gateway: Gateway, material: Material) -> tuple[GatewayClient, str]:
        client = GatewayClient(gateway, EVERYTHING if material.chance(0.5) else {})
        await client.initialize()
        return client, mark_of(f"c{material.random.randrange(10**6)}")

    async def _calls(self, clients: list[tuple[GatewayClient, str]], material: Material) -> None:
        """A few calls at once; whoever waits too long cancels."""
        asked: list[tuple[GatewayClient, str, Asked]] = []
        for client, mark in clients:
            for _ in range(material.random.randrange(1, 5)):
                self.watch.done["calls"] += 1
                asked.append((client, mark, client.call(material.random.choice("tu"), arguments={"mark": mark})))
        end = asyncio.get_running_loop().time() + _PATIENCE
        while not all(item.done for _, _, item in asked) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
        for client, mark, item in asked:
            if not item.done:
                client.tell("notifications/cancelled", {"requestId": item.id})
            if not item.done:
                self.watch.found("a cancelled call is not over")
            ends = "results" if b'"result":' in item.raw else "errors" if item.raw else "cancelled calls"
            self.watch.done[ends] += 1
            if marks_in(item.raw) - {mark}:
                self.watch.found("an answer reached another session", repr(item.raw[:500]))
