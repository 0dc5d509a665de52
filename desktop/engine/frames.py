"""The bytes of an attach stream: 8-byte frame headers taken off, payloads cut into lines. No input or output here."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from typing import Final, Protocol

from desktop.engine.ports import ContainerOutput

__all__ = ["STDERR", "STDOUT", "Capture", "FrameReader", "LineOutput", "StreamSink"]

STDOUT: Final = 1
STDERR: Final = 2
HEADER: Final = 8
STDERR_PIECE: Final = 64 * 1024
LONGEST_LINE: Final = 256 * 1024**2

_head: Final = struct.Struct(">BxxxI").unpack_from
log = logging.getLogger(__name__)


class StreamSink(Protocol):
    """Takes the payloads of an attach stream in order; `end` comes once, after the last of them."""

    def feed(self, stream: int, payload: bytes) -> None:
        """Take a piece of `STDOUT` or `STDERR`; pieces end anywhere."""

    def end(self) -> None:
        """The stream is over."""


class FrameReader:
    """Takes the engine's multiplexed stream apart (header: stream number, three zeros, big-endian length).

    Payloads are handed on as they come, a frame need not be complete, so nothing but a header is ever held back.

    Args:
        sink: Called with the stream number and a piece of its payload.
    """

    def __init__(self, sink: Callable[[int, bytes], None]) -> None:
        self._sink = sink
        self._header = bytearray()
        self._stream = STDOUT
        self._left = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes off the wire, cut anywhere."""
        position, end = 0, len(data)
        while position < end:
            if not self._left and not self._header and end - position >= HEADER:
                stream, length = _head(data, position)
                position += HEADER
                if length <= end - position:  # a whole frame, as nearly all are
                    self._sink(stream, data[position : position + length])
                    position += length
                else:
                    self._stream, self._left = stream, length
                continue
            if self._left:
                piece = data[position : position + self._left]
                position += len(piece)
                self._left -= len(piece)
                self._sink(self._stream, piece)
                continue
            wanted = data[position : position + HEADER - len(self._header)]
            position += len(wanted)
            self._header += wanted
            if len(self._header) == HEADER:
                self._stream = self._header[0]
                self._left = int.from_bytes(self._header[4:], "big")
                self._header.clear()


class LineOutput(StreamSink):
    """Cuts both streams into lines for a `ContainerOutput`; each byte is looked at once, however long a line grows.

    What a receiver raises is logged and does not disturb the stream. A line of standard output above `LONGEST_LINE`
    bytes is dropped, with a warning, rather than kept in memory for ever.

    Args:
        output: The receiver.
        longest: Bytes a line of standard output may have.
    """

    def __init__(self, output: ContainerOutput, longest: int = LONGEST_LINE) -> None:
        self._output = output
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0
        self._stderr = bytearray()
        self._stderr_cut = False
        self._ended = False

    def feed(self, stream: int, payload: bytes) -> None:
        """Cut a piece of either stream into lines."""
        if self._ended:
            return
        if stream != STDERR and not self._size and payload.find(b"\n") == len(payload) - 1 < self._longest:
            self._deliver(self._output.stdout_line, payload[:-1])  # one line and nothing else, as nearly all are
            return
        first, *rest = payload.split(b"\n")
        keep, finish = (self._keep_stderr, self._finish_stderr) if stream == STDERR else (self._keep, self._finish)
        keep(first)
        for part in rest:
            finish()
            keep(part)

    def end(self) -> None:
        """Deliver what was left without a newline, then tell the receiver that it's over (once)."""
        if self._ended:
            return
        if self._size:
            self._finish()
        if self._stderr:
            self._finish_stderr()
        self._ended = True
        try:
            self._output.closed()
        except Exception:
            log.exception("A receiver of container output failed")

    def _keep(self, part: bytes) -> None:
        if not part:
            return
        self._size += len(part)
        if self._size > self._longest:
            self._parts.clear()
        else:
            self._parts.append(part)

    def _finish(self) -> None:
        line, size = b"".join(self._parts), self._size
        self._parts.clear()
        self._size = 0
        if size > self._longest:
            log.warning("A line of %d bytes from a container was dropped: more than %d bytes", size, self._longest)
            return
        self._deliver(self._output.stdout_line, line)

    def _keep_stderr(self, part: bytes) -> None:
        self._stderr += part
        while len(self._stderr) >= STDERR_PIECE:
            self._stderr_cut = True
            piece = bytes(self._stderr[:STDERR_PIECE])
            del self._stderr[:STDERR_PIECE]
            self._deliver(self._output.stderr_line, piece)

    def _finish_stderr(self) -> None:
        line, cut = bytes(self._stderr), self._stderr_cut
        self._stderr.clear()
        self._stderr_cut = False
        if line or not cut:
            self._deliver(self._output.stderr_line, line)

    def _deliver(self, receiver: Callable[[bytes], None], line: bytes) -> None:
        try:
            receiver(line.removesuffix(b"\r"))
        except Exception:
            log.exception("A receiver of container output failed")


class Capture(StreamSink):
    """Keeps both streams whole, up to a limit each; what is beyond it is dropped.

    Args:
        limit: Bytes kept of each stream.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray()}

    def feed(self, stream: int, payload: bytes) -> None:
        """Append a piece as far as there's room."""
        kept = self._kept.setdefault(stream, bytearray())
        kept += payload[: max(0, self._limit - len(kept))]

    def end(self) -> None:
        """Nothing more to keep."""

    def content(self, stream: int) -> bytes:
        """What came over `STDOUT` or `STDERR` so far."""
        return bytes(self._kept[stream])
