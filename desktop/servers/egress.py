"""What a fenced server may reach: the hosts its catalog entry allows, through a proxy of ours, and nothing else (spec 3.15)."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from desktop.errors import ServerStartError

__all__ = ["AllowedHost", "EgressProxy", "TcpRelay", "parse_allowed_hosts"]

_WEB_PORTS: Final = (80, 443)
_LARGEST_HEAD: Final = 64 * 1024
_HEAD_LIMIT: Final = 30.0
_CONNECT_LIMIT: Final = 20.0
_CHUNK: Final = 64 * 1024
_MOST_AT_ONCE: Final = 256
_LONGEST_NAME: Final = 255
_HIGHEST_PORT: Final = 65535
_OF_THE_CONNECTION: Final = (b"proxy-connection:", b"proxy-authorization:", b"connection:", b"host:", b"keep-alive:")
log = logging.getLogger(__name__)

Seen = Callable[[str, int, bool], None]
"""Told each destination a server asked for: host, port, and whether it was allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHost:
    """One entry of ``allowHosts``.

    Attributes:
        host: Lower-case host name or address.
        ports: The ports; 80 and 443 when the entry names none.
        tcp: Whether any protocol may be spoken (``/tcp``), not only what goes through an HTTP proxy.
    """

    host: str
    ports: tuple[int, ...]
    tcp: bool = False


def parse_allowed_hosts(server: str, entries: Iterable[str]) -> tuple[AllowedHost, ...]:
    """Understand ``host[:port][/http|https|tcp]``.

    Args:
        server: Whose entries these are, for the error.
        entries: As the catalog has them.

    Raises:
        ServerStartError: An entry can't be understood; a fence with a hole nobody meant is worse than none.
    """
    found = []
    for entry in entries:
        place, _, protocol = entry.strip().partition("/")
        host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
        if not colon:
            host, port = place, ""
        host = host.strip("[]").lower().rstrip(".")
        tcp = protocol.lower() == "tcp"
        numbered = port.isascii() and port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT
        known = protocol.lower() in ("", "http", "https", "tcp")
        if not host or not known or not (numbered or (not port and not tcp)) or "*" in host or " " in host:
            raise ServerStartError(
                f"{server}: '{entry}' in allowHosts can't be understood",
                "Write it as host:port, or host:port/tcp for anything but HTTP",
            )
        found.append(AllowedHost(host=host, ports=(int(port),) if numbered else _WEB_PORTS, tcp=tcp))
    return tuple(dict.fromkeys(found))  # two relays could not listen at one port


class _Listener(ABC):
    """A TCP server on this machine's end of a fenced network."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, address: str, port: int) -> int:
        """Begin; returns the port. Raises OSError when the address isn't ours or the port is taken."""
        self._server = await asyncio.start_server(self._accepted, address, port, limit=_LARGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End, and all connections."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) >= _MOST_AT_ONCE:  # this process has other use for its file descriptors
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self.serve(reader, writer)
        except asyncio.CancelledError:
            log.debug(
                "a connection through the fence was ended"
            )  # by `close`; asyncio would log a task that is cancelled
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            log.debug("a connection through the fence ended: %s", type(error).__name__)
        finally:
            await _closed(writer)
            self._tasks.discard(task)

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""


class EgressProxy(_Listener):
    """An HTTP proxy (RFC 9110, sections 7.1 and 9.3.6) that lets through what is allowed.

    Args:
        allowed: The hosts; those for TCP may be asked for as well.
        seen: Told each destination.
    """

    def __init__(self, allowed: Iterable[AllowedHost], seen: Seen) -> None:
        super().__init__()
        self._allowed = frozenset((entry.host, port) for entry in allowed for port in entry.ports)
        self._seen = seen

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one tunnel, or one plain request."""
        async with asyncio.timeout(_HEAD_LIMIT):
            head = await reader.readuntil(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        method, target, version = line.decode("latin-1").split(" ")
        tunnel = method.upper() == "CONNECT"
        where = urlsplit(f"//{target}" if tunnel else target)
        host, port = (where.hostname or "").rstrip("."), where.port or (0 if tunnel else 80)
        fine = (host, port) in self._allowed and (tunnel or where.scheme.lower() == "http")
        named = _plain(host or target)
        self._seen(named, port, fine)
        if not fine:
            await _refuse(
                writer, 403, f"{named or 'this address'}:{port} is not among the allowed hosts of this server"
            )
            return
        try:
            onwards = await _connect(host, port)
        except (OSError, TimeoutError) as error:
            await _refuse(writer, 502, f"{host}:{port} can't be reached ({type(error).__name__})")
            return
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            onwards[1].write(_rewritten(method, where.path or "/", where.query, version, host, port, fields))
        await _relay((reader, writer), onwards)


class TcpRelay(_Listener):
    """Carries whatever comes to one host and port.

    Args:
        host, port: Where to.
        seen: Told each connection.
    """

    def __init__(self, host: str, port: int, seen: Seen) -> None:
        super().__init__()
        self._host = host
        self._port = port
        self._seen = seen

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._seen(self._host, self._port, True)
        await _relay((reader, writer), await _connect(self._host, self._port))


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(host: str, port: int) -> _Streams:
    """Connect to an allowed host; a name that leads to this machine's inside is refused, an address written out is not."""
    async with asyncio.timeout(_CONNECT_LIMIT):
        if _is_address(host):
            return await asyncio.open_connection(host, port)
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
        failure = OSError(f"{host} leads to this machine")
        for address in addresses:
            if not _is_inside(address):
                try:
                    return await asyncio.open_connection(address, port)
                except OSError as error:
                    failure = error
        raise failure


def _plain(text: str) -> str:
    """What a server has sent, as it may stand in a log."""
    return "".join(character for character in text[:_LONGEST_NAME] if character.isprintable())


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return False


def _is_inside(address: str) -> bool:
    place = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped is not None:
        place = place.ipv4_mapped
    return place.is_loopback or place.is_link_local or place.is_unspecified or place.is_multicast


def _rewritten(method: str, path: str, query: str, version: str, host: str, port: int, fields: bytes) -> bytes:
    """A proxied request as its origin wants it, good for this one exchange."""
    target = f"{path}?{query}" if query else path
    authority = (f"[{host}]" if ":" in host else host) + ("" if port == 80 else f":{port}")
    kept = [line for line in fields.split(b"\r\n") if line and not line.lower().lstrip().startswith(_OF_THE_CONNECTION)]
    first = f"{method} {target} {version}\r\nHost: {authority}\r\nConnection: close\r\n".encode("latin-1")
    return first + b"".join(line + b"\r\n" for line in kept) + b"\r\n"


async def _refuse(writer: asyncio.StreamWriter, status: int, reason: str) -> None:
    words = {403: "Forbidden", 502: "Bad Gateway"}
    body = f"MCP Gateway: {reason}\n".encode()
    head = f"HTTP/1.1 {status} {words[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode("ascii") + body)
    await writer.drain()


async def _relay(near: _Streams, far: _Streams) -> None:
    """Carry bytes both ways until both sides have ended."""
    ways = [asyncio.ensure_future(_pump(near[0], far[1])), asyncio.ensure_future(_pump(far[0], near[1]))]
    try:
        await asyncio.gather(*ways)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await _closed(far[1])


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
