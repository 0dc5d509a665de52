"""Raw bytes to the HTTP endpoint: good requests cut and joined in every way, and everything a client should not send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path

from desktop.gateway.access import Access
from desktop.gateway.gateway import Gateway
from desktop.gateway.http_endpoint import HttpEndpoint
from desktop.gateway.listener import HttpListener, bind_tcp
from desktop.servers.listing import ListingCache
from tests.fuzz.material import Json, Material
from tests.fuzz.odd_requests import OddRequests
from tests.fuzz.router import mark_of, marks_in
from tests.fuzz.watching import Watch
from tests.helpers.fake_mcp import FakeLauncher, FakeServer, FakeTransport, fleet_of
from tests.helpers.modern_client import enveloped

__all__ = ["Endpoint"]

_TOKEN = "fuzz"
_LIMIT = 10.0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_SESSION = re.compile(rb"\r\nmcp-session-id: ([^\r]+)", re.IGNORECASE)


class _Server(FakeServer):
    """Echoes its arguments; where they say so, after progress or a question."""

    def __init__(self) -> None:
        super().__init__("s", "t", "slow")
        self.handlers["tools/call"] = self._called

    def _called(self, transport: FakeTransport, message: Json) -> Json:
        params = message["params"]
        token = (params.get("_meta") or {}).get("progressToken")
        if token is not None:
            transport.tell("notifications/progress", {"progressToken": token, "progress": 1})
        return {"content": [{"type": "text", "text": json.dumps(params.get("arguments"))}]}


class _Connection:
    """One TCP connection to the endpoint."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes, material: Material) -> None:
        """Write the bytes in pieces."""
        for piece in material.pieces(data):
            self.writer.write(piece)
            if material.chance(0.3):
                await self.writer.drain()
                await asyncio.sleep(0 if material.chance(0.8) else 0.003)

    async def answer(self) -> tuple[int, bytes, bytes]:
        """The next response: status, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = _STATUS.match(head)
        assert status is not None, head
        length = _LENGTH.search(head)
        if length is not None:
            return int(status[1]), head, await self.reader.readexactly(int(length[1]))
        assert b"transfer-encoding: chunked" in head.lower(), head
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readline()
        return int(status[1]), head, body

    async def rest(self, limit: float) -> bytes:
        """What comes until the other side hangs up or time is up."""
        found = b""
        with contextlib.suppress(OSError):
            try:
                async with asyncio.timeout(limit):
                    while data := await self.reader.read(65536):
                        found += data
            except TimeoutError:
                pass
        return found

    async def close(self, material: Material) -> None:
        """Hang up, politely or not."""
        if material.chance(0.4):
            self.writer.transport.abort()
        else:
            self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class _Visit:
    """What the connections of one episode share."""

    def __init__(self, port: int, material: Material, watch: Watch) -> None:
        self.port = port
        self.material = material
        self.watch = watch
        self.odd = OddRequests(material, self.request, self.call)
        self.sessions: list[tuple[bytes, str]] = []
        self.victims: list[tuple[bytes, str]] = []

    async def connect(self) -> _Connection:
        return _Connection(*await asyncio.open_connection("127.0.0.1", self.port))

    def request(
        self, body: bytes, session: bytes = b"", method: bytes = b"POST", path: bytes = b"/mcp", *more: bytes
    ) -> bytes:
        """A request as a good client writes it."""
        lines = [
            b"%b %b HTTP/1.1" % (method, path), b"Host: 127.0.0.1:%d" % self.port, b"Authorization: Bearer " + _TOKEN.encode(),
            b"Content-Type: application/json", b"Accept: application/json, text/event-stream", *more,
        ]  # fmt: skip
        if session:
            lines.append(b"Mcp-Session-Id: " + session)
        if body or method == b"POST":
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def call(self, number: int, mark: str, *, progress: bool = False) -> bytes:
        """A tool call."""
        params: Json = {"name": "t", "arguments": {"mark": mark, "n": number, "junk": self.material.value(2)}}
        if self.material.chance(0.05):
            params["arguments"]["large"] = "x" * self.material.random.choice((50_000, 59_900, 70_000, 300_000))
        if progress:
            params["_meta"] = {"progressToken": number}
        return self.material.wire({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})

    def modern_call(self, number: int, mark: str, *, progress: bool = False) -> bytes:
        """A request of 2026-07-28 that calls a tool; who sends it is told by its mark, there is no session."""
        message = enveloped(
            "tools/call",
            {"name": "t", "arguments": {"mark": mark, "n": number}},
            id=number,
            client={"name": mark, "version": "1"},
        )
        if progress:
            message["params"]["_meta"]["progressToken"] = number
        lines = (b"MCP-Protocol-Version: 2026-07-28", b"Mcp-Method: tools/call", b"Mcp-Name: t")
        return self.request(self.material.wire(message), b"", b"POST", b"/mcp", *lines)

    async def open(self) -> tuple[bytes, str]:
        """A new session and its mark."""
        mark = mark_of(f"c{len(self.sessions) + len(self.victims)}")
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": mark}}
        hello = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).encode()
        connection = await self.connect()
        await connection.send(self.request(hello), self.material)
        status, head, _ = await connection.answer()
        found = _SESSION.search(head)
        assert status == 200, head
        assert found is not None, head
        await connection.close(self.material)
        return found[1], mark

    # Good clients.

    async def good(self) -> None:
        """Requests on one connection, behind each other or one by one; each answer has to come, in order."""
        material = self.material
        session, mark = material.random.choice(self.sessions)
        connection = await self.connect()
        numbers = list(range(1, material.random.randrange(2, 9)))
        progress = {number: material.chance(0.15) for number in numbers}
        modern = material.random.choice((0.0, 0.0, 1.0, 0.5))
        requests = [
            self.modern_call(number, mark, progress=progress[number])
            if material.chance(modern)
            else self.request(self.call(number, mark, progress=progress[number]), session)
            for number in numbers
        ]
        pipelined = material.chance(0.5)
        if pipelined:
            sending = asyncio.create_task(connection.send(b"".join(requests), material))
        for number, request in zip(numbers, requests, strict=True):
            if not pipelined:
                await connection.send(request, material)
            status, _, body = await connection.answer()
            if status != 200 or b'\\"n\\": %d' % number not in body or mark not in marks_in(body):
                self.watch.found("a good request got no good answer", f"{status} {body[:500]!r} to {request[:600]!r}")
            self.foreign(body, mark)
        if pipelined:
            await sending
        await connection.close(material)

    def foreign(self, data: bytes, mark: str) -> None:
        """Nothing of another session may be in it."""
        if marks_in(data) - {mark}:
            self.watch.found("an answer holds what belongs to another session", f"{mark}: {data[:500]!r}")

    # Others.

    async def bad(self) -> None:
        """Requests with something wrong, and an end without a word."""
        material = self.material
        session, mark = material.random.choice(self.victims)
        connection = await self.connect()
        for _ in range(material.random.randrange(1, 5)):
            data = self.odd.any(session, mark)
            if material.chance(0.4):
                data = material.damaged(data)
            with contextlib.suppress(OSError):
                await connection.send(data, material)
        if material.chance(0.7):
            self.foreign(await connection.rest(material.random.choice((0.005, 0.02, 0.1))), mark)
        await connection.close(material)


class Endpoint:
    """Episodes of raw HTTP.

    Args:
        watch: Told what is found.
        folder: For what gateways keep on disk.
    """

    def __init__(self, watch: Watch, folder: Path) -> None:
        self.watch = watch
        self._folder = folder

    async def episode(self, seed: int) -> None:
        """One endpoint from its start to its end; what is sent follows from the seed."""
        self.watch.seed = f"endpoint {seed}"
        self.watch.done["episodes"] += 1
        material = Material(seed)
        server = _Server()
        fleet = fleet_of(FakeLauncher(server), ListingCache(self._folder / str(seed)))
        gateway = Gateway(fleet)
        await fleet.apply(FakeLauncher(server).configuration())
        await gateway.settled(2)
        bound = bind_tcp("127.0.0.1", 0)
        endpoint = HttpEndpoint(gateway, Access(_TOKEN), lambda: True)
        listener = HttpListener(endpoint, bound)
        await listener.start()
        visit = _Visit(bound.getsockname()[1], material, self.watch)
        try:
            await self._visit(visit, material)
            await self._quiet(endpoint)
        finally:
            await gateway.close()
            async with asyncio.timeout(_LIMIT):
                await listener.close()
            await fleet.close()

    async def _visit(self, visit: _Visit, material: Material) -> None:
        for _ in range(2):
            visit.sessions.append(await visit.open())
            visit.victims.append(await visit.open())
        for _ in range(material.random.randrange(2, 8)):
            rounds = [visit.bad if material.chance(0.6) else visit.good for _ in range(material.random.randrange(1, 8))]
            self.watch.done["connections"] += len(rounds)
            async with asyncio.timeout(_LIMIT):
                done = await asyncio.gather(*(each() for each in rounds), return_exceptions=True)
            for error in done:
                if isinstance(error, BaseException):
                    self.watch.caught("a client", error)
        async with asyncio.timeout(_LIMIT):
            await visit.good()

    async def _quiet(self, endpoint: HttpEndpoint) -> None:
        """Once all clients have gone, no stream may be kept for one; where nothing is read any more, a sign of life tells."""
        try:
            async with asyncio.timeout(3):
                while endpoint.streams:
                    for stream in tuple(endpoint.streams):
                        stream.beat()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            self.watch.found("streams are kept though their clients have gone", _waits(endpoint))


def _waits(endpoint: HttpEndpoint) -> str:
    """Where the tasks of an endpoint stand."""
    lines = [f"{stream!r} ended={stream.ended}" for stream in endpoint.streams]
    for task in asyncio.all_tasks():
        frames = task.get_stack()
        lines.append(
            f"{task.get_coro()!r}: " + " > ".join(f"{frame.f_code.co_name}:{frame.f_lineno}" for frame in frames)
        )
    return "\n".join(lines)
