"""The stdio endpoint: one client of either era on our own standard input and output (MCP, basic/transports)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from typing import BinaryIO, Final

from desktop import jsonrpc
from desktop.gateway.batch import has_batches, is_batch, take_batch
from desktop.gateway.envelope import has_envelope
from desktop.gateway.gateway import Gateway
from desktop.gateway.modern import ModernConnection
from desktop.gateway.session import SessionReply
from desktop.jsonrpc import MalformedMessageError

__all__ = ["serve_stdio"]

_PIECE: Final = 1 << 20
_LAST_ANSWERS: Final = 10.0
log = logging.getLogger(__name__)


async def serve_stdio(gateway: Gateway, reader: BinaryIO | None = None, writer: BinaryIO | None = None) -> None:
    """Serve one client until its end of input.

    Reading and writing happen on threads of their own, so that a slow or vanished client never holds the loop; this also
    works where the standard streams are not pipes (files, consoles, Windows).

    Args:
        gateway: Takes the messages.
        reader: Standard input unless given.
        writer: Standard output unless given.
    """
    loop = asyncio.get_running_loop()
    source = reader if reader is not None else sys.stdin.buffer
    channel = _Writer(writer if writer is not None else sys.stdout.buffer)
    session = gateway.open_session("stdio")
    session.attach(channel)
    reply = SessionReply(session)
    ended = asyncio.Event()

    modern: ModernConnection | None = None
    begun = False

    def take(line: bytes) -> None:
        nonlocal begun, modern
        try:
            message = jsonrpc.parse(line)
        except MalformedMessageError:
            if has_batches(session) and is_batch(line):
                with contextlib.suppress(MalformedMessageError):
                    take_batch(gateway, session, line, reply)
                    return
            channel.send(jsonrpc.response_error(None, jsonrpc.PARSE_ERROR, "Parse error"))
            return
        if not begun and jsonrpc.is_request(message):  # the first request tells the era
            begun = True
            if has_envelope(message):
                modern = ModernConnection(gateway, session)
        if modern is not None:
            modern.take(message, channel)
        else:
            gateway.take(session, message, reply)

    def read() -> None:
        rest = bytearray()
        with contextlib.suppress(RuntimeError):  # the loop was closed while the client was still there
            try:
                while piece := os.read(source.fileno(), _PIECE):
                    start = len(rest)
                    rest += piece
                    end = rest.rfind(b"\n", start)
                    if end >= 0:
                        lines = bytes(rest[:end]).split(b"\n")
                        del rest[: end + 1]
                        for line in lines:
                            if line.strip():
                                loop.call_soon_threadsafe(take, line)
            except OSError as error:
                log.info("standard input can't be read any more: %s", error)
            finally:
                loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    try:
        await ended.wait()
        await (session if modern is None else modern).quiet(_LAST_ANSWERS)
    finally:
        if modern is not None:
            await modern.end()
        await gateway.end_session(session)
        await asyncio.to_thread(channel.close)


class _Writer:
    """Writes messages from a thread, in order."""

    def __init__(self, stream: BinaryIO) -> None:
        self._fd = stream.fileno()
        self._condition = threading.Condition()
        self._messages: list[bytes] = []
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="stdout", daemon=True)
        self._thread.start()

    def send(self, message: bytes) -> None:
        """Queue one message."""
        if b"\n" in message or b"\r" in message:
            message = message.replace(b"\n", b" ").replace(b"\r", b" ")
        with self._condition:
            self._messages.append(message)
            self._condition.notify()

    def finish(self, message: bytes) -> None:
        """Queue an answer."""
        self.send(message)

    def abandon(self) -> None:
        """Nothing more is sent here; what is queued is written by `close`."""

    def close(self) -> None:
        """Write what is queued, then end."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(5)

    def _write(self) -> None:
        while True:
            with self._condition:
                while not self._messages and not self._closed:
                    self._condition.wait()
                messages, self._messages = self._messages, []
                if not messages:
                    return
            data = memoryview(b"\n".join(messages) + b"\n")
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                return  # the client has gone; end of input follows
