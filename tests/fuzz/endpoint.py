"""Raw bytes to the HTTP endpoint: good requests cut and joined in every way, and everything a client should not send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from desktop.gateway.access import Access
from desktop.gateway.gateway import Gateway
from desktop.gateway.http_endpoint import HttpEndpoint
from desktop.gateway.listener import HttpListener, bind_tcp
from desktop.servers.listing import ListingCache
from tests.fuzz.material import Json, Material
from tests.fuzz.router import mark_of, marks_in
from tests.fuzz.watching import Watch
from tests.helpers.fake_mcp import FakeLauncher, FakeServer, FakeTransport, fleet_of

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
        requests = [self.request(self.call(number, mark, progress=progress[number]), session) for number in numbers]
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
            data = material.random.choice(self.kinds())(session, mark)
            if material.chance(0.4):
                data = material.damaged(data)
            with contextlib.suppress(OSError):
                await connection.send(data, material)
        if material.chance(0.7):
            self.foreign(await connection.rest(material.random.choice((0.005, 0.02, 0.1))), mark)
        await connection.close(material)

    def kinds(self) -> list[Callable[[bytes, str], bytes]]:
        """Ways to write a request that is not as it should be."""
        material = self.material
        chunked = b"Transfer-Encoding: chunked"

        def odd_lengths(session: bytes, mark: str) -> bytes:
            body = self.call(1, mark)
            length = material.random.choice(
                (b"-1", b"0", b"5", b"+7", b"0x10", b"1e3", b"", b"99999999999999999999", b"70000000", b"12, 12")
            )
            return self.request(body, session).replace(b"Content-Length: %d" % len(body), b"Content-Length: " + length)

        def two_lengths(session: bytes, mark: str) -> bytes:
            body = self.call(1, mark)
            return self.request(
                body, session, b"POST", b"/mcp", b"Content-Length: %d" % material.random.choice((len(body), 3))
            )

        def in_chunks(session: bytes, mark: str) -> bytes:
            pieces = material.pieces(self.call(1, mark))
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
            lines = self.request(b"", session, b"POST", b"/mcp", chunked).replace(
                b"Content-Length: 0\r\n", b"", material.chance(0.7)
            )
            return lines + chunks

        def odd_target(session: bytes, mark: str) -> bytes:
            method = material.random.choice(
                (
                    b"GET",
                    b"PUT",
                    b"DELETE",
                    b"HEAD",
                    b"OPTIONS",
                    b"PATCH",
                    b"TRACE",
                    b"CONNECT",
                    b"get",
                    b"\xffX",
                    b"POST",
                )
            )
            path = material.random.choice(
                (
                    b"/",
                    b"/sse",
                    b"/message",
                    b"/message?sessionId=" + session,
                    b"/mcp?x=%00",
                    b"*",
                    b"/health",
                    b"/mcp/../mcp",
                    b"http://evil/mcp",
                    b"/%ff",
                )
            )
            return self.request(
                self.call(1, mark) if material.chance(0.5) else b"",
                session if material.chance(0.7) else b"",
                method,
                path,
            )

        def odd_head(session: bytes, mark: str) -> bytes:
            line = material.random.choice((
                b"Expect: 100-continue", b"Connection: close", b"Connection: upgrade\r\nUpgrade: websocket", b"Upgrade: h2c", b"Host: evil.example",
                b"Origin: https://evil.example", b"Origin: null", b"MCP-Protocol-Version: 2026-07-28", b"MCP-Protocol-Version: 1900-01-01",
                b"Mcp-Method: tools/call", b"X: " + b"y" * material.random.choice((10, 9000, 70_000)), b": nothing", b"a b: c", b"X: \xff\xfe", chunked,
                b"\r\n".join(b"H%d: x" % number for number in range(300)), b"Mcp-Session-Id: other", b"Last-Event-ID: 5", b"Accept: text/plain",
            ))  # fmt: skip
            return self.request(self.call(1, mark), session, b"POST", b"/mcp", line)

        def odd_body(session: bytes, mark: str) -> bytes:
            body = material.random.choice(
                (
                    material.wire(material.message()),
                    material.deep(),
                    b"",
                    b"[]",
                    b"\xff\xfe",
                    material.damaged(self.call(1, mark)),
                )
            )
            return self.request(body, session)

        def modern(session: bytes, mark: str) -> bytes:
            meta = {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            meta["io.modelcontextprotocol/clientInfo"] = {"name": mark, "version": "1"}
            params = {"name": "t", "arguments": {"mark": mark}, "_meta": meta}
            body = material.wire(
                material.changed(
                    {
                        "jsonrpc": "2.0",
                        "id": 1,
                        "method": material.random.choice(("tools/call", "subscriptions/listen", "server/discover")),
                        "params": params,
                    },
                    0.1,
                )
            )
            return self.request(
                body,
                b"",
                b"POST",
                b"/mcp",
                b"MCP-Protocol-Version: 2026-07-28",
                b"Mcp-Method: tools/call",
                b"Mcp-Name: t",
            )

        def no_http(session: bytes, mark: str) -> bytes:
            return material.random.choice(
                (
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                    b"\x16\x03\x01\x02\x00\x01\x00",
                    b"\r\n" * 50,
                    b"GET /\r\n\r\n",
                    bytes(range(256)),
                    b"GET / HTTP/1.0\r\n\r\n",
                    b"\0" * 3000,
                )
            )

        def good(session: bytes, mark: str) -> bytes:
            return self.request(self.call(1, mark, progress=material.chance(0.3)), session)

        def ending(session: bytes, mark: str) -> bytes:
            if material.chance(0.9):
                return self.request(b"", session, b"GET", b"/mcp")
            return self.request(b"", session, b"GET", b"/sse")

        return [
            odd_lengths,
            two_lengths,
            in_chunks,
            odd_target,
            odd_head,
            odd_head,
            odd_body,
            odd_body,
            modern,
            no_http,
            good,
            good,
            ending,
        ]


class Endpoint:
    """Episodes of raw HTTP.

    Args:
        watch: Told what is found.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    async def episode(self, seed: int) -> None:
        """One endpoint from its start to its end; what is sent follows from the seed."""
        self.watch.seed = f"endpoint {seed}"
        self.watch.done["episodes"] += 1
        material = Material(seed)
        server = _Server()
        fleet = fleet_of(FakeLauncher(server), ListingCache(Path(self._folder.name) / str(seed)))
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
