"""The stdio shim: joins a client's standard streams to the running gateway. Imports next to nothing, starts in ~10 ms.

Each line on standard input is one JSON-RPC message and becomes one HTTP request on the gateway's local socket; answers, JSON
or event stream, become lines on standard output. Runs with the standard library's lowest layer only (`_socket`, `_thread`),
so that a client that starts it waits for Python itself and hardly more.
"""

from __future__ import annotations

import _socket
import _thread
import os
import sys

TYPE_CHECKING = False  # importing typing would cost as much as all the rest
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Shim", "connect", "read_endpoint"]

_PIECE = 65536  # a buffer of 128 KiB or more is mapped anew for each read, which costs ten times the read
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
_MODERN = b'"io.modelcontextprotocol/protocolVersion"'  # in every request since 2026-07-28, which know no initialize


def read_endpoint(file: str) -> tuple[str, str] | None:
    """Address and token a running gateway has written, or None."""
    try:
        with open(file, encoding="utf-8") as stream:
            lines = stream.read().split("\n")
    except OSError:
        return None
    return (lines[0], lines[1] if len(lines) > 1 else "") if lines[0] else None


def connect(address: str) -> _socket.socket | None:
    """A connected socket, or None when nobody answers there."""
    try:
        if address.startswith("unix:"):
            connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            target: str | tuple[str, int] = address[5:]
        else:
            host, _, port = address.rpartition(":")
            target = (host, int(port))
            connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
            connection.setsockopt(_socket.IPPROTO_TCP, 1, 1)
    except (OSError, ValueError):
        return None
    try:
        connection.connect(target)
    except (OSError, OverflowError):
        connection.close()
        return None
    return connection


class Closed(Exception):
    """The gateway closed a connection."""


class Connection:
    """One HTTP/1.1 connection to the gateway, reading with a buffer.

    Attributes:
        line: The message whose answer is awaited; empty when none is.
        read: Whether a thread reads what comes.
        over: Whether that thread has found it closed.
    """

    def __init__(self, connection: _socket.socket) -> None:
        self.socket = connection
        self.buffer = bytearray()
        self.line = b""
        self.read = False
        self.over = False

    def _fill(self) -> None:
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise Closed
        self.buffer += piece

    def head(self) -> tuple[int, dict[bytes, bytes]]:
        """Status and headers of the next response."""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self._fill()
        lines = bytes(self.buffer[:end]).split(b"\r\n")
        del self.buffer[: end + 4]
        headers: dict[bytes, bytes] = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        return int(lines[0].split()[1]), headers

    def body(self, headers: dict[bytes, bytes]) -> Iterator[bytes]:
        """The pieces of the response's body."""
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            while True:
                while (end := self.buffer.find(b"\r\n")) < 0:
                    self._fill()
                size = int(self.buffer[:end].split(b";")[0], 16)
                del self.buffer[: end + 2]
                while len(self.buffer) < size + 2:
                    self._fill()
                piece = bytes(self.buffer[:size])
                del self.buffer[: size + 2]
                if not size:
                    return
                yield piece
        else:
            left = int(headers.get(b"content-length", b"0"))
            while left:
                if not self.buffer:
                    self._fill()
                piece = bytes(self.buffer[:left])
                del self.buffer[: len(piece)]
                left -= len(piece)
                yield piece


class Shim:
    """Bridges one client.

    Args:
        address: ``unix:PATH`` or ``HOST:PORT``.
        token: Bearer token, may be empty.
        first: A connection that is open already.
        profile: The profile the client is to see in place of the enabled servers, or empty.
        source, target: File descriptors of the client's side.
    """

    def __init__(
        self, address: str, token: str, first: _socket.socket, profile: str = "", source: int = 0, target: int = 1
    ) -> None:
        self.path = b"/mcp/" + profile.encode() if profile else b"/mcp"
        self.address = address
        self.token = token
        self.source = source
        self.target = target
        self.session = b""
        self.idle = [Connection(first)]
        self.busy = 0
        self.ending = False
        self.lock = _thread.allocate_lock()
        self.output = _thread.allocate_lock()

    def has_profile(self) -> bool:
        """Whether the gateway has the profile: it misses the session id then, and nothing else."""
        connection = self.idle[0]
        try:
            connection.socket.sendall(self._request(b"GET", b""))
            status, headers = connection.head()
            for _ in connection.body(headers):
                pass
        except (Closed, OSError):
            return False
        return status == 400

    def run(self) -> int:
        """Bridge until the client's end of input; returns the exit code."""
        rest = bytearray()
        while True:
            piece = os.read(self.source, _PIECE)
            if not piece:
                break
            start = len(rest)
            rest += piece
            end = rest.rfind(b"\n", start)
            if end < 0:
                continue
            lines = bytes(rest[:end]).split(b"\n")
            del rest[: end + 1]
            for line in lines:
                if line.strip():
                    self._take(line)
        self._wait_for_answers(10)
        self.ending = True
        if self.session:
            self._ask(b"DELETE", b"", fresh=True)  # a thread reads from each of the others
        return 0

    def _take(self, line: bytes) -> None:
        """Send a message now, in the order it came; its answer is taken by the thread that reads from its connection."""
        if not self.session and _MODERN in line and b'"method":"initialize"' not in line.replace(b" ", b""):
            self._ask(b"PUT", b"")  # its first request may take as long as it likes
        if not self.session:
            self._ask(b"POST", line)  # initialize: nothing may overtake it
            return
        with self.lock:
            self.busy += 1
        for fresh in (False, True):
            connection = self._connection(fresh)
            if connection is None:
                break
            with self.lock:
                if connection.over:
                    continue
                connection.line = line
            if not connection.read:
                connection.read = True
                _thread.start_new_thread(self._read, (connection,))
            try:
                connection.socket.sendall(self._request(b"POST", line))
            except OSError:
                if self._taken_from(connection):
                    continue
            return
        self._lost(line)
        self._answered()

    def _read(self, connection: Connection) -> None:
        """Take what comes on a connection, until it is closed."""
        while True:
            try:
                status, headers = connection.head()
            except (Closed, OSError):
                with self.lock:
                    connection.over = True
                    if connection in self.idle:
                        self.idle.remove(connection)
                line = self._taken_from(connection)
                if line:  # it may have been closed before the request reached the gateway
                    self._ask(b"POST", line, fresh=True)
                    self._answered()
                return
            line = connection.line
            try:
                self._answer(connection, status, headers, line)
            except (Closed, OSError):
                self._lost(line)
                self._answered()
                return
            with self.lock:
                connection.line = b""
                self.busy -= 1
                self.idle.append(connection)

    def _taken_from(self, connection: Connection) -> bytes:
        """The message of a connection that was closed, for the first who asks: its reader or the sender, who then sees to it."""
        with self.lock:
            line, connection.line = connection.line, b""
        return line

    def _answered(self) -> None:
        with self.lock:
            self.busy -= 1

    def _ask(self, method: bytes, body: bytes, *, fresh: bool = False) -> None:
        """Send a request on a connection nobody reads from, and wait for its answer; tell the client when there is none."""
        for new in (True,) if fresh else (False, True):
            connection = self._connection(new)
            if connection is None:
                break
            try:
                connection.socket.sendall(self._request(method, body))
                status, headers = connection.head()
            except (Closed, OSError):
                continue  # a kept connection may have been closed before
            try:
                self._answer(connection, status, headers, body)
            except (Closed, OSError):
                break
            with self.lock:
                self.idle.append(connection)
            return
        self._lost(body)

    def _connection(self, fresh: bool) -> Connection | None:
        with self.lock:
            if self.idle and not fresh:
                return self.idle.pop()
        opened = connect(self.address)
        return None if opened is None else Connection(opened)

    def _request(self, method: bytes, body: bytes) -> bytes:
        head = b"%b %b HTTP/1.1\r\nHost: localhost\r\n" % (method, self.path)
        head += b"Accept: application/json, text/event-stream\r\n"
        if self.session:
            head += b"Mcp-Session-Id: %b\r\n" % self.session
        if self.token:
            head += b"Authorization: Bearer %b\r\n" % self.token.encode()
        if method == b"PUT":
            head += b"Mcp-Stdio: 2026-07-28\r\n"
        if method == b"POST":
            head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        return head + b"\r\n" + body

    def _answer(self, connection: Connection, status: int, headers: dict[bytes, bytes], line: bytes) -> None:
        if b"mcp-session-id" in headers and not self.session:
            self.session = headers[b"mcp-session-id"]
            _thread.start_new_thread(self._listen, ())
        if headers.get(b"content-type", b"").startswith(b"text/event-stream"):
            self._events(connection.body(headers))
        else:
            text = b"".join(connection.body(headers))
            if text and headers.get(b"content-type", b"").startswith(b"application/json"):
                if status >= 400 and b'"id":null' in text:
                    self._note(text)
                    self._lost(line, text)
                else:
                    self._emit(text.replace(b"\n", b" ").replace(b"\r", b" "))

    def _events(self, pieces: Iterator[bytes]) -> None:
        rest = bytearray()
        for piece in pieces:
            start = max(len(rest) - 3, 0)
            rest += piece
            while (end := rest.find(b"\n\n", start)) >= 0:
                for line in bytes(rest[:end]).split(b"\n"):
                    if line.startswith(b"data: ") and len(line) > 6:  # one without data only tells an id
                        self._emit(line[6:])
                del rest[: end + 2]
                start = 0

    def _listen(self) -> None:
        """The stream of messages that belong to no request; when it ends, so does the gateway, and so do we."""
        connection = self._connection(True)
        try:
            if connection is not None:
                connection.socket.sendall(self._request(b"GET", b""))
                status, headers = connection.head()
                if status == 200:
                    self._events(connection.body(headers))
        except (Closed, OSError):
            pass  # told below
        if self.ending:
            return
        self._wait_for_answers(2)  # calls under way are told by their own threads
        self._note(b"the gateway has ended")
        os._exit(0)

    def _lost(self, line: bytes, refusal: bytes = b"") -> None:
        """Tell the client that a request got no answer, or that the gateway refused the message as such."""
        import json  # something went wrong; time does not matter any more

        try:
            message = json.loads(line)
            number = message.get("id")
            asked = "method" in message and number is not None
        except (ValueError, AttributeError):
            number, asked = None, bool(refusal)
        error = {"code": -32000, "message": "The MCP gateway has gone"}
        if refusal:
            error = json.loads(refusal)["error"]
        if asked:
            self._emit(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode())

    def _emit(self, line: bytes) -> None:
        with self.output:
            view = memoryview(line + b"\n")
            while view:
                view = view[os.write(self.target, view) :]

    def _note(self, text: bytes) -> None:
        os.write(2, b"docker-mcp: " + text + b"\n")

    def _wait_for_answers(self, seconds: float) -> None:
        import time  # one side has ended

        deadline = time.monotonic() + seconds
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.02)


def main(file: str, profile: str = "") -> int | None:
    """Run as shim if a gateway answers.

    Args:
        file: Where a running gateway says how it is reached.
        profile: The profile the client is to see, or empty; ``default`` means the enabled servers where there is none.

    Returns:
        The exit code, or None when no gateway runs, or none that has the profile.
    """
    if profile.strip(_PLAIN):
        return None  # not a word for a path
    endpoint = read_endpoint(file)
    first = connect(endpoint[0]) if endpoint is not None else None
    if endpoint is None or first is None:
        return None
    shim = Shim(endpoint[0], endpoint[1], first, profile)
    if profile and not shim.has_profile():
        if profile != "default":
            return None
        shim.path = b"/mcp"
    return shim.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]) or 0)
