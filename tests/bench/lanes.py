"""The callers of the load generator: one question again and again, and a close look at every answer.

Each caller has an id and a text of its own. What its first answer says is read as JSON; every later one has to be the same to the
byte, so that none that is lost, cut, or another caller's is counted as an answer.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["INITIALIZE", "INITIALIZED", "MODERN", "Ask", "HttpLane", "Lane", "StreamLane", "echo_of", "tool_list"]

PIECE = 1 << 16
MODERN = "2026-07-28"
INITIALIZE = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    b'"clientInfo":{"name":"bench","version":"1"}}}'
)
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
_ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What one caller asks.

    Attributes:
        id: The request's.
        message: The request.
        shown: What has to be in its answer.
        head: Header lines it has over HTTP beside the usual ones.
    """

    id: int
    message: bytes
    shown: bytes
    head: str = ""

    def check(self, answer: bytes) -> None:
        """Look at an answer for the first time; raises `RuntimeError`."""
        found = json.loads(answer)
        if found.get("id") != self.id or "result" not in found or self.shown not in answer:
            raise RuntimeError(f"that is not the answer to {self.message[:200]!r}: {answer[:200]!r}")


def echo_of(tool: str, number: int, era: str = "") -> Ask:
    """A call of the echo tool by the caller of this number, 150 bytes or so before the envelope of the modern era."""
    text = f"caller {number} says the quick brown fox jumps over the lazy dog"
    params: dict[str, Any] = {"name": tool, "arguments": {"text": text}}
    head = ""
    if era == MODERN:
        params["_meta"] = _ENVELOPE
        head = f"Mcp-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
    message = json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()
    return Ask(id=number, message=message, shown=text.encode(), head=head)


def tool_list(number: int) -> Ask:
    """The question for the list of tools."""
    return Ask(id=number, message=b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}' % number, shown=b'"tools"')


class Lane(Protocol):
    """One connection and the calls under way on it.

    Attributes:
        paced: Whether the next call waits for `begin` instead of following an answer.
        idle: Whether no call is under way.
    """

    latencies: list[float]
    paced: bool
    idle: bool

    def fileno(self) -> int:
        """What to wait for."""

    def begin(self) -> None:
        """Send the first calls."""

    def receive(self) -> None:
        """Take what has come; each answer is followed by the next call."""


class HttpLane:
    """One session over streamable HTTP on one kept connection; a modern client has none. It has asked once when it is made."""

    def __init__(self, host: str, port: int, token: str, ask: Ask) -> None:
        self.latencies: list[float] = []
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = (
            f"POST /mcp HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            "Accept: application/json, text/event-stream\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        ).encode()
        if ask.head:
            self._head += ask.head.encode()
        else:
            self._shake_hands()
        self._ask = ask
        self._request = self._whole(ask.message)
        self._expected = self.ask(ask.message)[1]
        self._buffer = bytearray()
        self._sent = 0.0
        self.paced = False
        self.idle = True

    def _shake_hands(self) -> None:
        head = self.ask(INITIALIZE)[0]
        session = next(
            line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line[:15].lower() == b"mcp-session-id:"
        )
        self._head += b"Mcp-Session-Id: %b\r\nMcp-Protocol-Version: 2025-11-25\r\n" % session
        self.ask(INITIALIZED)

    def fileno(self) -> int:
        return self._socket.fileno()

    def ask(self, body: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer; waits for it."""
        self._socket.sendall(self._whole(body))
        data = bytearray()
        while b"\r\n\r\n" not in data:
            data += self._piece()
        end = data.find(b"\r\n\r\n") + 4
        length = _LENGTH.search(data, 0, end)
        while length and len(data) - end < int(length[1]):
            data += self._piece()
        if data[9:11] != b"20":
            raise RuntimeError(f"the server answered {bytes(data[:300])!r}")
        return bytes(data[:end]), bytes(data[end:])

    def check(self) -> None:
        """Look at the answer all others are compared to; raises `RuntimeError`."""
        self._ask.check(self._expected)

    def begin(self) -> None:
        self.idle = False
        self._sent = time.perf_counter()
        self._socket.sendall(self._request)

    def receive(self) -> None:
        data: bytes | bytearray = self._piece()
        if self._buffer:
            self._buffer += data
            data = self._buffer
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 or len(data) - end < len(self._expected):
            length = _LENGTH.search(data, 0, end) if end >= 4 else None
            if length is None or len(data) - end < int(length[1]):
                self._buffer = data if isinstance(data, bytearray) else bytearray(data)
                return
        now = time.perf_counter()
        if data[9:12] != b"200" or data[end:] != self._expected:
            raise RuntimeError(f"a call failed: {data[:400]!r}")
        self._buffer = bytearray()
        self.latencies.append(now - self._sent)
        if self.paced:
            self.idle = True
            return
        self._sent = now
        self._socket.sendall(self._request)

    def close(self) -> None:
        """End the session."""
        self._socket.close()

    def _whole(self, body: bytes) -> bytes:
        return self._head + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def _piece(self) -> bytes:
        piece = self._socket.recv(PIECE)
        if not piece:
            raise RuntimeError("the server closed a connection")
        return piece


class StreamLane:
    """Calls of many callers on one stream of lines.

    Args:
        read: File descriptor of the server's output.
        write: Sends to its input.
        asks: What each caller asks.
        framed: Whether the output is the engine's, with a header before each piece.
        greets: Whether the client shakes hands first.
    """

    def __init__(
        self,
        read: int,
        write: Callable[[bytes], Any],
        asks: Sequence[Ask],
        *,
        framed: bool = False,
        greets: bool = True,
    ) -> None:
        self.latencies: list[float] = []
        self.paced = self.idle = False
        self._read = read
        self._write = write
        self._framed = framed
        self._raw = b""
        self._rest = b""
        self._calls = [ask.message + b"\n" for ask in asks]
        self._sent = [0.0] * len(asks)
        if greets:
            write(INITIALIZE + b"\n")
            self._answer(1)
            write(INITIALIZED + b"\n")
        self._caller: dict[bytes, int] = {}
        for place, ask in enumerate(asks):
            write(self._calls[place])
            answer = self._answer(ask.id)
            ask.check(answer)
            self._caller[answer] = place

    def fileno(self) -> int:
        return self._read

    def begin(self) -> None:
        for place in range(len(self._calls)):
            self._next(place)

    def receive(self) -> None:
        now = 0.0
        for line in self._lines():
            now = now or time.perf_counter()
            place = self._caller.get(line)
            if place is not None:
                self.latencies.append(now - self._sent[place])
                self._next(place)
            elif b'"method"' not in line:
                raise RuntimeError(f"that is nobody's answer: {line[:400]!r}")

    def _next(self, place: int) -> None:
        self._sent[place] = time.perf_counter()
        self._write(self._calls[place])

    def _answer(self, id: int) -> bytes:
        while True:
            for line in self._lines():
                if json.loads(line).get("id") == id:
                    return line

    def _lines(self) -> list[bytes]:
        data = os.read(self._read, PIECE)
        if not data:
            raise RuntimeError("the server ended")
        lines = (self._rest + (self._unframed(data) if self._framed else data)).split(b"\n")
        self._rest = lines.pop()
        return lines

    def _unframed(self, data: bytes) -> bytes:
        data = self._raw + data
        at, pieces = 0, []
        while len(data) >= at + 8:
            end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
            if len(data) < end:
                break
            pieces.append(data[at + 8 : end])
            at = end
        self._raw = data[at:]
        return b"".join(pieces)
