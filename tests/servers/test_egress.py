"""The proxy of a fenced server lets through what its entry allows, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from desktop.errors import ServerStartError
from desktop.servers import egress
from desktop.servers.egress import AllowedHost, EgressProxy, TcpRelay, parse_allowed_hosts
from tests.helpers.fake_mcp import eventually

Seen = tuple[str, int, bool]


class Origin:
    """A server that keeps what it was sent, and answers once the head of a request is there.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        got: What each connection has sent so far.
    """

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.port = 0
        self.tasks: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.current_task())
        self.got.append(b"")
        try:
            while data := await reader.read(65536):
                self.got[-1] += data
                if self.got[-1].endswith(b"\r\n\r\n") or b"ping" in data:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
                    if data.startswith(b"GET"):
                        break
        finally:
            await closed(writer)


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0)
    origin.port = server.sockets[0].getsockname()[1]
    yield origin
    server.close()
    for task in origin.tasks:
        assert task is not None
        task.cancel()
    await asyncio.gather(*filter(None, origin.tasks), return_exceptions=True)
    await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def proxied(*allowed: AllowedHost) -> AsyncIterator[tuple[int, list[Seen]]]:
    seen: list[Seen] = []
    proxy = EgressProxy(allowed, lambda host, port, fine: seen.append((host, port, fine)))
    port = await proxy.listen("127.0.0.1", 0)
    yield port, seen
    await proxy.close()


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def exchange(port: int, data: bytes, *, until: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = b""
    async with asyncio.timeout(5):
        while chunk := await reader.read(65536):
            answer += chunk
            if until and until in answer:
                break
    await closed(writer)
    return answer


def here(port: int) -> AllowedHost:
    return AllowedHost(host="127.0.0.1", ports=(port,))


async def test_a_tunnel_to_an_allowed_host_carries_bytes_both_ways(origin: Origin) -> None:
    async with proxied(here(origin.port)) as (port, seen):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"\x00\x01ping" + b"x" * 300_000)
        assert (await asyncio.wait_for(reader.readuntil(b"hello"), 5)).endswith(b"hello")
        await eventually(lambda: len(origin.got[0]) == 300_006)
        await closed(writer)
    assert seen == [("127.0.0.1", origin.port, True)]


async def test_a_plain_request_reaches_its_origin_in_origin_form_under_the_allowed_name(origin: Origin) -> None:
    async with proxied(here(origin.port)) as (port, _):
        head = (
            f"GET http://127.0.0.1:{origin.port}/a/b?c=d HTTP/1.1\r\nHost: other.example\r\nX-Kept: 1\r\n"
            "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic abc\r\nConnection: keep-alive\r\n\r\n"
        )
        assert (await exchange(port, head.encode())).endswith(b"hello")
    (got,) = origin.got
    assert got.startswith(b"GET /a/b?c=d HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{origin.port}\r\n".encode() in got
    assert b"other.example" not in got
    assert b"Proxy-" not in got
    assert b"X-Kept: 1\r\n" in got
    assert b"Connection: close\r\n" in got


@pytest.mark.parametrize(
    "request_line",
    [
        "CONNECT evil.example:443 HTTP/1.1",
        "CONNECT 127.0.0.1:1 HTTP/1.1",
        "CONNECT 127.0.0.1 HTTP/1.1",
        "GET http://evil.example/ HTTP/1.1",
        "GET https://127.0.0.1:{port}/ HTTP/1.1",
        "GET /only/a/path HTTP/1.1",
        "GET http://127.0.0.1:{port}@evil.example/ HTTP/1.1",
        "GET ftp://127.0.0.1:{port}/ HTTP/1.1",
    ],
)
async def test_what_is_not_allowed_is_refused_with_a_reason_and_told(origin: Origin, request_line: str) -> None:
    async with proxied(here(origin.port)) as (port, seen):
        answer = await exchange(port, request_line.format(port=origin.port).encode() + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b"is not among the allowed hosts" in answer
        assert [fine for _, _, fine in seen] == [False]
    assert origin.got == []


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"GET http://[::1 HTTP/1.1\r\n\r\n", b"x" * 200_000, b""])
async def test_nonsense_ends_the_connection_and_nothing_else(origin: Origin, data: bytes) -> None:
    async with proxied(here(origin.port)) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        await closed(writer)
        tunnel = f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\n\r\n".encode()
        assert b" 200 " in await exchange(port, tunnel, until=b"\r\n\r\n")


async def test_an_allowed_name_that_leads_to_this_machine_is_not_followed(origin: Origin) -> None:
    async with proxied(AllowedHost(host="localhost", ports=(origin.port,))) as (port, _):
        answer = await exchange(port, f"CONNECT localhost:{origin.port} HTTP/1.1\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 502 ")
    assert origin.got == []


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name lead to these addresses."""

    async def found(host: str, port: int, **more: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "::", "0.0.0.0", "fe80::1%eth0"])
async def test_no_spelling_of_an_address_inside_is_followed(
    monkeypatch: pytest.MonkeyPatch, origin: Origin, address: str
) -> None:
    async with proxied(AllowedHost(host="api.example", ports=(origin.port,))) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        resolving(monkeypatch, address)
        writer.write(f"CONNECT api.example:{origin.port} HTTP/1.1\r\n\r\n".encode())
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 502 ")
        await closed(writer)
    assert origin.got == []


async def test_another_address_of_a_host_is_tried_where_the_first_is_not_reached(
    monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    monkeypatch.setattr(egress, "_is_inside", lambda address: False)
    async with proxied(AllowedHost(host="api.example", ports=(origin.port,))) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        resolving(monkeypatch, "::1", "127.0.0.1")
        writer.write(f"CONNECT api.example:{origin.port} HTTP/1.1\r\n\r\n".encode())
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 200 ")
        await closed(writer)


async def test_a_server_can_not_open_connections_without_end(monkeypatch: pytest.MonkeyPatch, origin: Origin) -> None:
    monkeypatch.setattr(egress, "_MOST_AT_ONCE", 2)
    tunnel = f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1\r\n\r\n".encode()
    async with proxied(here(origin.port)) as (port, _):
        open_ones = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in open_ones:
            writer.write(tunnel)
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        with contextlib.suppress(ConnectionError):
            assert await exchange(port, tunnel) == b""
        for _, writer in open_ones:
            await closed(writer)
        await eventually(lambda: len(origin.got) == 2)

        async def is_served() -> bool:
            with contextlib.suppress(ConnectionError):
                return b" 200 " in await exchange(port, tunnel, until=b"\r\n\r\n")
            return False

        async with asyncio.timeout(5):
            while not await is_served():
                await asyncio.sleep(0.01)


async def test_what_a_server_asks_for_is_told_in_few_and_plain_characters(origin: Origin) -> None:
    async with proxied(here(origin.port)) as (port, seen):
        await exchange(port, b"CONNECT a\x1bM\x9b31m" + b"b" * 1000 + b":443 HTTP/1.1\r\n\r\n")
    ((host, _, fine),) = seen
    assert not fine
    assert host.isprintable()
    assert len(host) <= 255


async def test_a_host_that_cannot_be_reached_is_named() -> None:
    async with proxied(AllowedHost(host="127.0.0.1", ports=(1,))) as (port, _):
        answer = await exchange(port, b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert b"127.0.0.1:1 can't be reached" in answer


async def test_a_relay_carries_any_protocol_and_its_end(origin: Origin) -> None:
    seen: list[Seen] = []
    relay = TcpRelay("127.0.0.1", origin.port, lambda host, port, fine: seen.append((host, port, fine)))
    port = await relay.listen("127.0.0.1", 0)
    assert (await exchange(port, b"\x01ping", until=b"hello")).endswith(b"hello")
    await eventually(lambda: origin.got == [b"\x01ping"])
    await relay.close()
    assert seen == [("127.0.0.1", origin.port, True)]


async def test_closing_ends_connections_under_way(origin: Origin) -> None:
    relay = TcpRelay("127.0.0.1", origin.port, lambda *_: None)
    port = await relay.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await eventually(lambda: origin.got)
    await relay.close()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    await closed(writer)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("API.example.com:443", AllowedHost(host="api.example.com", ports=(443,))),
        ("api.example.com:443/https", AllowedHost(host="api.example.com", ports=(443,))),
        ("api.example.com.", AllowedHost(host="api.example.com", ports=(80, 443))),
        ("db.example:5432/tcp", AllowedHost(host="db.example", ports=(5432,), tcp=True)),
        ("[::1]:8443", AllowedHost(host="::1", ports=(8443,))),
        ("[::1]", AllowedHost(host="::1", ports=(80, 443))),
    ],
)
def test_entries_of_allow_hosts_are_understood(entry: str, expected: AllowedHost) -> None:
    assert parse_allowed_hosts("s", [entry]) == (expected,)


@pytest.mark.parametrize("entry", ["", ":443", "*.example:443", "a:0", "a:70000", "a:x", "a/tcp", "a:1/udp", "a b:1"])
def test_an_entry_that_cannot_be_understood_keeps_the_server_from_starting(entry: str) -> None:
    with pytest.raises(ServerStartError, match="in allowHosts can't be understood"):
        parse_allowed_hosts("s", [entry])


def test_an_entry_that_stands_there_twice_counts_once() -> None:
    database = AllowedHost(host="db.example", ports=(5432,), tcp=True)
    assert parse_allowed_hosts("s", ["db.example:5432/tcp", "DB.example.:5432/tcp"]) == (database,)
