"""The stdio endpoint: one client of either era on our own standard input and output (MCP, basic/transports)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import stat
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, Final

from desktop import jsonrpc
from desktop.gateway.batch import has_batches, is_batch, take_batch
from desktop.gateway.envelope import has_envelope
from desktop.gateway.gateway import Gateway
from desktop.gateway.modern import ModernConnection
from desktop.gateway.session import SessionReply
from desktop.jsonrpc import MalformedMessageError

__all__ = ["serve_stdio"]

_PIECE: Final = 1 << 16  # a buffer of 128 KiB or more is mapped anew for each read, which costs ten times the read
_ATOMIC: Final = 4096  # what a pipe with room takes whole (POSIX, PIPE_BUF)
_LAST_ANSWERS: Final = 10.0
log = logging.getLogger(__name__)


async def serve_stdio(gateway: Gateway, reader: BinaryIO | None = None, writer: BinaryIO | None = None) -> None:
    """Serve one client until its end of input.

    A slow or vanished client never holds the loop: what its pipe has no room for is written on a thread. Where the standard
    streams are not pipes (files, Windows), they are read on one as well.

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

    stop_reading = _read_lines(loop, source.fileno(), take, ended.set)
    try:
        await ended.wait()
        stop_reading()
        await (session if modern is None else modern).quiet(_LAST_ANSWERS)
    finally:
        if modern is not None:
            await modern.end()
        await gateway.end_session(session)
        await asyncio.to_thread(channel.close)


def _read_lines(
    loop: asyncio.AbstractEventLoop, fd: int, take: Callable[[bytes], None], end: Callable[[], None]
) -> Callable[[], object]:
    """Read lines, on the event loop where it can watch ``fd``, else on a thread; returns what stops it."""
    lines = _Lines()

    def readable() -> None:
        try:
            piece = os.read(fd, _PIECE)
        except OSError as error:
            log.info("standard input can't be read any more: %s", error)
            piece = b""
        for line in lines.feed(piece):
            take(line)
        if not piece:
            loop.remove_reader(fd)
            end()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed while the client was still there
            try:
                while piece := os.read(fd, _PIECE):
                    for line in lines.feed(piece):
                        loop.call_soon_threadsafe(take, line)
            except OSError as error:
                log.info("standard input can't be read any more: %s", error)
            finally:
                loop.call_soon_threadsafe(end)

    try:
        loop.add_reader(fd, readable)
    except (NotImplementedError, OSError, ValueError):  # Windows; a file
        threading.Thread(target=read, name="stdin", daemon=True).start()
        return lambda: None
    return lambda: loop.remove_reader(fd)


class _Lines:
    """Cuts what was read into lines; blank ones are passed over."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines a piece completes."""
        start = len(self._rest)
        self._rest += piece
        end = self._rest.rfind(b"\n", start)
        if end < 0:
            return []
        lines = bytes(self._rest[:end]).split(b"\n")
        del self._rest[: end + 1]
        return [line for line in lines if line.strip()]


class _Writer:
    """Writes messages in order: a small one at once where the pipe has room, else from a thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._fd = stream.fileno()
        self._condition = threading.Condition()
        self._messages: list[bytes] = []
        self._closed = False
        self._writing = False
        self._room = _room_in(self._fd)
        self._thread = threading.Thread(target=self._write, name="stdout", daemon=True)
        self._thread.start()

    def send(self, message: bytes) -> None:
        """Queue one message."""
        if b"\n" in message or b"\r" in message:
            message = message.replace(b"\n", b" ").replace(b"\r", b" ")
        with self._condition:
            if len(message) < _ATOMIC and not self._messages and not self._writing and self._room():
                with contextlib.suppress(OSError):  # the client has gone; end of input follows
                    os.write(self._fd, message + b"\n")
                return
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
                self._writing = bool(messages)
                if not messages:
                    return
            data = memoryview(b"\n".join(messages) + b"\n")
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                return  # the client has gone; end of input follows
            with self._condition:
                self._writing = False


def _room_in(fd: int) -> Callable[[], bool]:
    """Whether a small message can be written to a pipe without waiting; never, where that can't be told."""
    if not hasattr(select, "poll") or not stat.S_ISFIFO(os.fstat(fd).st_mode):
        return lambda: False
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return lambda: any(event & select.POLLOUT for _, event in poll.poll(0))
