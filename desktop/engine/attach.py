"""A container's attached streams: the protocol on the hijacked connection, and the thread variant for named pipes."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from typing import Any, Final, Protocol, cast

from desktop.engine.frames import FrameReader, StreamSink
from desktop.errors import EngineError

__all__ = ["AttachStream", "PipeAttach", "SocketAttach"]

HEAD_LIMIT: Final = 64 * 1024
HIGH_WATER: Final = 256 * 1024
PIPE_READ: Final = 64 * 1024

log = logging.getLogger(__name__)


class AttachStream(Protocol):
    """The way to a container's stdin; its output goes to the `StreamSink` the stream was made with."""

    def write(self, data: bytes) -> None:
        """Queue bytes for stdin; dropped once the stream or stdin is closed."""

    async def drain(self) -> None:
        """Wait until less than the high-water mark is queued, or the stream is closed."""

    def close_stdin(self) -> bool:
        """Send end of file after what is queued; False where the transport can't (a signal must do then)."""

    def close(self) -> None:
        """Drop the connection; the sink gets its end."""

    async def wait_closed(self) -> None:
        """Wait until the stream has ended."""


class SocketAttach(asyncio.Protocol):
    """Attach over a Unix or TCP socket: an HTTP request that the engine upgrades to a raw two-way stream.

    Args:
        request: The HTTP request to send on connecting.
        sink: Gets the container's output.
    """

    def __init__(self, request: bytes, sink: StreamSink) -> None:
        self._request = request
        self._sink = sink
        self._frames = FrameReader(sink.feed)
        self._head: bytearray | None = bytearray()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._stdin_open = True
        self._unsent: list[bytes] = []
        self._is_later = False
        self._loop = asyncio.get_running_loop()
        self._closed = asyncio.Event()
        self._ready: asyncio.Future[None] = self._loop.create_future()

    async def attached(self) -> None:
        """Wait until the engine has switched to the raw stream.

        Raises:
            EngineError: The engine refused, or hung up.
        """
        await asyncio.shield(self._ready)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take the answer's head first, then the stream."""
        if self._head is None:
            self._frames.feed(data)
            return
        self._head += data
        head, separator, rest = bytes(self._head).partition(b"\r\n\r\n")
        if not separator:
            if len(head) > HEAD_LIMIT:
                self._refuse("the answer is not HTTP")
            return
        words = head.split(b"\r\n", 1)[0].split(b" ", 2)
        if len(words) < 2 or words[1] not in (b"101", b"200"):
            self._refuse(b" ".join(words[1:]).decode("ascii", "replace"))
            return
        self._head = None
        if not self._ready.done():
            self._ready.set_result(None)
        if rest:
            self._frames.feed(rest)

    def eof_received(self) -> bool:
        """The container has ended (or the engine): nothing more can be written, so drop what is queued."""
        self._finish()
        if self._transport is not None:
            self._transport.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._finish()

    def pause_writing(self) -> None:
        """The engine reads slower than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The engine has caught up."""
        self._writable.set()

    def write(self, data: bytes) -> None:
        """Queue bytes for stdin; dropped once the stream or stdin is closed.

        What is written in one turn of the event loop after the first leaves together: each send wakes the engine, and many
        small ones cost it, and the server, more than the messages in them.
        """
        if not self._stdin_open:
            return
        if self._is_later:
            self._unsent.append(data)
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._is_later = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_later = False
        unsent, self._unsent = self._unsent, []
        # uvloop raises on a closed transport where asyncio only warns.
        if unsent and self._transport is not None and not self._transport.is_closing():
            self._transport.write(unsent[0] if len(unsent) == 1 else b"".join(unsent))

    async def drain(self) -> None:
        """Wait until less than the high-water mark is queued, or the stream is closed."""
        self._flush()
        await self._writable.wait()

    def close_stdin(self) -> bool:
        """Half-close after what is queued; not possible over TLS."""
        if self._transport is None or self._transport.is_closing():
            return True
        if not self._transport.can_write_eof():
            return False
        if self._stdin_open:
            self._flush()
            self._stdin_open = False
            self._transport.write_eof()
        return True

    def close(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the stream has ended."""
        await self._closed.wait()

    def _refuse(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(EngineError(f"The container engine refused to attach to a container: {reason}"))
        self.close()

    def _finish(self) -> None:
        self._stdin_open = False
        self._writable.set()
        if self._closed.is_set():
            return
        self._closed.set()
        if not self._ready.done():
            self._ready.set_exception(EngineError("The container engine hung up while a container was being attached"))
        # Retrieved here, so that an attach nobody waits for any more leaves no complaint in the log.
        self._ready.exception()
        self._sink.end()


class PipeAttach:
    """Attach over docker-py's Windows named-pipe socket: one thread reads, one writes, the sink runs on the event loop.

    Never run on Windows: it was written from docker-py's `NpipeSocket` (`recv_into`, `sendall`, `close`, `settimeout`)
    and is tested with a socket pair in its place. Named pipes have no half-close, so stdin can't be ended; such a
    container is stopped by signal.

    Args:
        connection: The hijacked socket-like object; closed with the stream.
        sink: Gets the container's output.
    """

    def __init__(self, connection: Any, sink: StreamSink) -> None:
        self._connection = connection
        self._sink = sink
        self._frames = FrameReader(sink.feed)
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._queued = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = asyncio.Event()
        connection.settimeout(None)
        for work in (self._read, self._write):
            threading.Thread(target=work, name=f"attach{work.__name__}", daemon=True).start()

    def write(self, data: bytes) -> None:
        """Queue bytes for stdin; dropped once the stream is closed."""
        if self._closed.is_set():
            return
        self._queued += len(data)
        if self._queued > HIGH_WATER:
            self._writable.clear()
        self._queue.put(data)

    async def drain(self) -> None:
        """Wait until less than the high-water mark is queued, or the stream is closed."""
        await self._writable.wait()

    def close_stdin(self) -> bool:
        """Not possible on a named pipe."""
        return False

    def close(self) -> None:
        """Drop the connection."""
        self._finish()

    async def wait_closed(self) -> None:
        """Wait until the stream has ended."""
        await self._closed.wait()

    def _read(self) -> None:
        buffer = memoryview(bytearray(PIPE_READ))
        try:
            while count := self._connection.recv_into(buffer):
                self._on_loop(self._frames_feed, bytes(buffer[:count]))
        except Exception as error:
            # A broken pipe is how a named pipe ends (pywintypes.error, which is no OSError).
            log.debug("An attached pipe ended with %s", type(error).__name__)
        self._on_loop(self._finish)

    def _write(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._connection.sendall(data)
            except Exception:
                # As above; the reading thread reports the end.
                return
            self._on_loop(self._written, len(data))

    def _frames_feed(self, data: bytes) -> None:
        if not self._closed.is_set():
            self._frames.feed(data)

    def _written(self, count: int) -> None:
        self._queued -= count
        if self._queued <= HIGH_WATER // 4:
            self._writable.set()

    def _on_loop(self, callback: Any, *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            # The loop is closed: the program is ending, nobody listens any more.
            return

    def _finish(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._writable.set()
        self._queue.put(None)
        self._connection.close()
        self._sink.end()
