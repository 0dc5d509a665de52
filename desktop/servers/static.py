"""A server somebody else has started: MCP over TCP to ``mcp-<server>:4444`` (``--static``, spec 3.2)."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from desktop.errors import ServerStartError
from desktop.servers.stderr_log import StderrLog
from desktop.servers.stdout_garbage import StdoutGarbage
from desktop.servers.transport import MessageReceiver

__all__ = ["StaticTransport"]

PORT: Final = 4444
_CONNECT_LIMIT: Final = 15.0


class StaticTransport(asyncio.Protocol):
    """Lines of JSON over one TCP connection, as a bridge in the server's container passes its stdin and stdout on.

    Args:
        server: Catalog name.
        log: Receives text that is no message.
        host: Where it listens; by default what its container is called in the gateway's network.
        port: Its port.
    """

    def __init__(self, server: str, log: StderrLog, *, host: str = "", port: int = PORT) -> None:
        self._server = server
        self._log = log
        self._since = log.mark
        self._host = host or f"mcp-{server}"
        self._port = port
        self._garbage = StdoutGarbage(log)
        self._buffer = bytearray()
        self._receiver: MessageReceiver | None = None
        self._connection: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    async def start(self, receiver: MessageReceiver) -> None:
        """Connect; raises `ServerStartError` when nobody listens there."""
        self._receiver = receiver
        where = f"{self._host}:{self._port}"
        hint = f"Start its container as {self._host}, with a bridge on port {self._port}, in the gateway's network"
        try:
            async with asyncio.timeout(_CONNECT_LIMIT):
                await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)
        except TimeoutError:
            raise ServerStartError(f"{self._server} does not answer at {where}", hint) from None
        except OSError as error:
            raise ServerStartError(
                f"{self._server} can't be reached at {where}: {error.strerror or error}", hint
            ) from error

    def negotiated(self, protocol_version: str) -> None:
        """Nothing to do on stdio."""

    def send(self, message: bytes, call: int | None) -> None:
        """Write one line."""
        if self._connection is not None and not self._connection.is_closing():
            if b"\n" in message or b"\r" in message:
                message = message.replace(b"\n", b" ").replace(b"\r", b" ")
            self._connection.write(message + b"\n")

    async def drain(self) -> None:
        """Wait for room in the connection."""
        await self._writable.wait()

    async def close(self) -> None:
        """Hang up; the server itself is somebody else's."""
        self._receiver = None
        if self._connection is not None:
            self._connection.abort()
            await self._lost.wait()

    def last_words(self) -> str:
        """The newest line that was no message."""
        return self._log.last(self._since)

    # What asyncio reports (Protocol).

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The way is there."""
        self._connection = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Split into lines; only the new part is searched."""
        start = len(self._buffer)
        self._buffer += data
        end = self._buffer.rfind(b"\n", start)
        if end < 0:
            return
        chunk = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        for line in chunk.split(b"\n"):
            if self._garbage.is_message(line) and self._receiver is not None:
                self._receiver.message(line, None)

    def pause_writing(self) -> None:
        """The other side reads slower than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side has hung up."""
        self._writable.set()
        self._lost.set()
        if self._receiver is not None:
            words = self.last_words()
            ended = f"{self._server} has closed the connection"
            self._receiver.closed(f"{ended}: {words[:300]}" if words else ended)
