"""A load generator in a process of its own: callers that ask one thing again and again and measure how long each answer takes.

Reads a `Load` as JSON from its first argument, prints a `Figures` as JSON. Raw sockets and `poll`, requests made beforehand:
about 15 us of its own a call, so that it is not what is measured. Not a test.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tests.bench.measuring import Figures, cpu_seconds, summary

__all__ = ["INITIALIZE", "INITIALIZED", "Load", "measure"]

PIECE = 1 << 20
WARM_UP = 0.3
INITIALIZE = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    b'"clientInfo":{"name":"bench","version":"1"}}}'
)
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to do.

    Attributes:
        way: ``http`` (every caller a session), ``pipes`` or ``attach`` (all callers share one stream, as they share one
            container behind the gateway).
        target: For http host and port, for pipes the command, for attach the image.
        environment: For pipes the command's environment; empty for ours.
        token: Bearer token, or empty.
        tool: The echo tool's name.
        asks: Over http: the method, ``tools/call`` or ``tools/list``.
        callers: How many ask at the same time.
        seconds: How long is measured, after a warm-up.
        rate: Calls a second all callers make together; 0 for as many as they can.
        pid: Process whose CPU time is measured as well, or 0.
    """

    way: str
    target: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    token: str = ""
    tool: str = "echo"
    asks: str = "tools/call"
    callers: int = 1
    seconds: float = 1.5
    rate: float = 0.0
    pid: int = 0


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


def call_of(tool: str) -> bytes:
    """A call of the echo tool, 150 bytes or so."""
    text = "the quick brown fox jumps over the lazy dog"
    params = {"name": tool, "arguments": {"text": text}}
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).encode()


class HttpLane:
    """One session over streamable HTTP on one kept connection."""

    def __init__(self, host: str, port: int, token: str, call: bytes, expected: bytes = b"quick brown fox") -> None:
        self.latencies: list[float] = []
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = (
            f"POST /mcp HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            "Accept: application/json, text/event-stream\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        ).encode()
        head = self.ask(INITIALIZE)[0]
        session = next(
            line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line[:15].lower() == b"mcp-session-id:"
        )
        self._head += b"Mcp-Session-Id: %b\r\nMcp-Protocol-Version: 2025-11-25\r\n" % session
        self.ask(INITIALIZED)
        self._request = self._whole(call)
        answer = self.ask(call)[1]
        if expected not in answer:
            raise RuntimeError(f"that is not the answer: {answer[:200]!r}")
        self._buffer = b""
        self._length = -1
        self._body = 0
        self._sent = 0.0
        self.paced = False
        self.idle = True

    def fileno(self) -> int:
        return self._socket.fileno()

    def ask(self, body: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer; waits for it."""
        self._socket.sendall(self._whole(body))
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._piece()
        head, _, rest = data.partition(b"\r\n\r\n")
        while len(rest) < content_length(head):
            rest += self._piece()
        if head[9:11] != b"20":
            raise RuntimeError(f"the server answered {head[:60]!r} {rest[:200]!r}")
        return head, rest

    def begin(self) -> None:
        self.idle = False
        self._sent = time.perf_counter()
        self._socket.sendall(self._request)

    def receive(self) -> None:
        self._buffer += self._piece()
        if self._length < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._body = content_length(self._buffer[:end])
            self._length = end + 4 + self._body
        if len(self._buffer) >= self._length:
            now = time.perf_counter()
            self.latencies.append(now - self._sent)
            if self._buffer[9:12] != b"200" or b'"result"' not in self._buffer[self._length - self._body :]:
                raise RuntimeError(f"a call failed: {self._buffer[:400]!r}")
            self._buffer, self._length = b"", -1
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


def content_length(head: bytes) -> int:
    """The length a response's head tells."""
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class StreamLane:
    """Calls of many callers on one stream of lines, answered in order.

    Args:
        read: File descriptor of the server's output.
        write: Sends to its input.
        call: The call.
        callers: How many calls are under way.
    """

    def __init__(self, read: int, write: Callable[[bytes], Any], call: bytes, callers: int) -> None:
        self.latencies: list[float] = []
        self._read = read
        self._write = write
        self._call = call + b"\n"
        self._callers = callers
        self.paced = self.idle = False
        self._sent: deque[float] = deque()
        for message in (INITIALIZE, call):
            write(message + b"\n")
            answer = b""
            while b"}\n" not in answer:
                answer += os.read(read, PIECE)
        write(INITIALIZED + b"\n")

    def fileno(self) -> int:
        return self._read

    def begin(self) -> None:
        for _ in range(self._callers):
            self._next()

    def receive(self) -> None:
        # The brace tells an end of line from a newline within a frame's header.
        for _ in range(os.read(self._read, PIECE).count(b"}\n")):
            self.latencies.append(time.perf_counter() - self._sent.popleft())
            self._next()

    def _next(self) -> None:
        self._sent.append(time.perf_counter())
        self._write(self._call)


def drive(lanes: Sequence[Lane], load: Load) -> Figures:
    """Let all callers call."""
    poll = select.poll()
    by_number = {lane.fileno(): lane for lane in lanes}
    for number in by_number:
        poll.register(number, select.POLLIN)
    for lane in lanes:
        lane.paced = bool(load.rate)
        if not load.rate:
            lane.begin()
    turn = itertools.cycle(lanes)

    def run(limit: float) -> float:
        begun = now = time.perf_counter()
        due = begun
        while now - begun < limit:
            wait = 5000.0
            if load.rate:
                while due <= now:
                    due += 1 / load.rate
                    lane = next(turn)
                    if lane.idle:
                        lane.begin()
                wait = max((due - now) * 1000, 0)
            for number, _ in poll.poll(wait):
                by_number[number].receive()
            now = time.perf_counter()
        return now - begun

    run(WARM_UP)
    for lane in lanes:
        lane.latencies.clear()
    cpu = cpu_seconds(load.pid) if load.pid else 0.0
    elapsed = run(load.seconds)
    cpu = cpu_seconds(load.pid) - cpu if load.pid else 0.0
    return summary([latency for lane in lanes for latency in lane.latencies], elapsed, cpu)


def _attached(image: str, call: bytes, load: Load) -> Figures:
    import docker

    client = docker.from_env().api
    host = client.create_host_config(
        auto_remove=True, network_mode="none", init=True, log_config={"Type": "none", "Config": {}}
    )
    identity = client.create_container(image, stdin_open=True, host_config=host)["Id"]
    try:
        raw = client.attach_socket(identity, params={"stdin": 1, "stdout": 1, "stream": 1})
        client.start(identity)
        connection = raw._sock
        connection.settimeout(None)
        lane = StreamLane(connection.fileno(), connection.sendall, call, load.callers)
        return drive([lane], load)
    finally:
        client.remove_container(identity, force=True)


def measure(load: Load) -> Figures:
    """Do what is asked, in this process."""
    call = call_of(load.tool)
    if load.way == "http":
        host, port = load.target
        expected = b"quick brown fox"
        if load.asks == "tools/list":
            call, expected = b'{"jsonrpc":"2.0","id":7,"method":"tools/list"}', b'"tools"'
        lanes = [HttpLane(host, int(port), load.token, call, expected) for _ in range(load.callers)]
        figures = drive(lanes, load)
        for lane in lanes:
            lane.close()
        return figures
    if load.way == "attach":
        return _attached(load.target[0], call, load)
    with subprocess.Popen(
        load.target,
        env=load.environment or None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        lane = StreamLane(server.stdout.fileno(), server.stdin.write, call, load.callers)
        figures = drive([lane], load)
        server.stdin.close()
        return figures


if __name__ == "__main__":
    print(json.dumps(asdict(measure(Load(**json.loads(sys.argv[1]))))))
