"""The short way of calls to a remote server: kept connections, one POST at a time on each, no task a call.

aiohttp does everything else (handshake, streams, redirects, cookies); it costs about 200 us a call, this about 40. See
docs/decisions/0007.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from desktop.servers.event_stream import EventParser, ServerSentEvent

__all__ = ["LaneAnswer", "LaneOwner", "PostLane"]

_MOST: Final = 128
_IDLE: Final = 15.0
_CONNECT: Final = 15.0
_HEADS: Final = 64
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})", re.IGNORECASE)
_KEEP_ALIVE: Final = re.compile(rb"timeout=(\d{1,5})")


class LaneAnswer:
    """What a server answered to one POST.

    Attributes:
        call: The request's id, None for a notification or an answer.
        message: What was posted.
        bearer: The access token it was posted with.
        status: HTTP status.
        headers: Header lines by lower-case name.
        body: The whole body; empty for an event stream.
        last: The id of the last event of an event stream, None when no event had one.
        retry: Milliseconds after which the stream may be continued.
    """

    __slots__ = ("bearer", "body", "call", "headers", "last", "message", "retry", "status")

    def __init__(self, message: bytes, call: int | None) -> None:
        self.message = message
        self.call = call
        self.bearer = ""
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.last: str | None = None
        self.retry = 1000

    @property
    def is_stream(self) -> bool:
        """Whether it is an event stream."""
        return self.headers.get(b"content-type", b"").startswith(b"text/event-stream")


class LaneOwner(Protocol):
    """Takes what comes back."""

    def lane_event(self, event: ServerSentEvent, call: int | None) -> None:
        """One event of a response that is a stream."""

    def lane_answered(self, answer: LaneAnswer) -> None:
        """A response has ended."""

    def lane_failed(self, call: int | None, error: BaseException) -> None:
        """There is no response: no connection, or it broke off."""


class PostLane:
    """Kept connections to one address.

    Args:
        url: Where to post; http or https.
        headers: Sent with every request.
        owner: Takes what comes back.
        tls: For https.

    Attributes:
        heads: Heads of plain answers that connections have seen, without their length, with what they say; not parsed again.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], owner: LaneOwner, tls: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = tls if parts.scheme == "https" else None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.rpartition("@")[2]
        self._opening_lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity"]
        self._head = b""
        self._bearer = ""
        self.use_headers(headers)
        self.owner = owner
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._waiting: deque[tuple[LaneAnswer, bytes]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False
        self.heads: dict[bytes, dict[bytes, bytes]] = {}

    def use_headers(self, headers: Mapping[str, str], bearer: str = "") -> None:
        """From now on send these; ``bearer`` is the access token among them. Raises `ValueError` for a line break in one."""
        lines = self._opening_lines + [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header has a line break in it")
        self._head = "\r\n".join(lines).encode("latin-1") + b"\r\n"
        self._bearer = bearer

    def post(self, message: bytes, call: int | None, extra: bytes = b"") -> None:
        """Send one message; ``extra`` are header lines of its own, each with its line end."""
        request = b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, extra, len(message), message)
        answer = LaneAnswer(message, call)
        answer.bearer = self._bearer
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                connection.begin(answer, request)
                return
            connection.close()
        self._waiting.append((answer, request))
        if len(self._all) + len(self._opening) < _MOST:
            task = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def drop(self, call: int) -> None:
        """Nobody wants the answer to a call any more: close its connection, or don't send it at all."""
        for item in self._waiting:
            if item[0].call == call:
                self._waiting.remove(item)
                return
        for connection in self._all:
            if connection.carries(call):
                connection.close()
                return

    def close(self) -> None:
        """Drop every connection; nothing is reported any more."""
        self._closed = True
        for task in self._opening:
            task.cancel()
        for connection in tuple(self._all):
            connection.close()
        self._waiting.clear()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        name = self._host if self._tls is not None else None
        try:
            async with asyncio.timeout(_CONNECT):
                _, made = await loop.create_connection(
                    lambda: _Connection(self), self._host, self._port, ssl=self._tls, server_hostname=name
                )
        except (OSError, TimeoutError) as error:
            if self._waiting:
                self.owner.lane_failed(self._waiting.popleft()[0].call, error)
        else:
            self._free(made)

    def _free(self, connection: _Connection) -> None:
        if self._closed:
            connection.close()
        elif self._waiting:
            connection.begin(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    # What connections report.

    def added(self, connection: _Connection) -> None:
        """A connection is up."""
        self._all.add(connection)

    def event(self, event: ServerSentEvent, answer: LaneAnswer) -> None:
        """An event has come."""
        if event.id is not None:
            answer.last = event.id
        if event.retry is not None:
            answer.retry = event.retry
        if event.data and not self._closed:
            self.owner.lane_event(event, answer.call)

    def ended(self, connection: _Connection, answer: LaneAnswer, *, keep: bool) -> None:
        """A response is complete."""
        if keep:
            self._free(connection)
        else:
            connection.close()
        if not self._closed:
            self.owner.lane_answered(answer)

    def gone(self, connection: _Connection, answer: LaneAnswer | None, error: BaseException) -> None:
        """A connection has ended; ``answer`` is the one it still had to bring."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._closed:
            return
        if answer is not None:
            if answer.status and answer.is_stream:
                self.owner.lane_answered(answer)  # it may be continued
            else:
                self.owner.lane_failed(answer.call, error)
        if self._waiting and not self._opening:
            task = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)


class _Connection(asyncio.Protocol):
    """One kept connection; `httptools` calls the ``on_`` methods."""

    def __init__(self, lane: PostLane) -> None:
        import httptools

        self._lane = lane
        self._parser: Any = httptools.HttpResponseParser(self)
        self._error_type: type[Exception] = httptools.HttpParserError
        self._transport: asyncio.Transport | None = None
        self._answer: LaneAnswer | None = None
        self._events: EventParser | None = None
        self._parts: list[bytes] = []
        self._dropped = False
        self._between = True
        self._kept = False
        self._idle_limit = _IDLE
        self._used = 0.0
        self._loop = asyncio.get_running_loop()

    @property
    def usable(self) -> bool:
        """Whether a request may be sent: up, and not idle for so long that the server may be closing it."""
        transport = self._transport
        return (
            transport is not None and not transport.is_closing() and self._loop.time() - self._used < self._idle_limit
        )

    def carries(self, call: int) -> bool:
        """Whether the response to a call is awaited here."""
        return self._answer is not None and self._answer.call == call

    def begin(self, answer: LaneAnswer, request: bytes) -> None:
        """Send a request."""
        assert self._transport is not None
        self._answer = answer
        self._transport.write(request)

    def close(self) -> None:
        """Drop the connection; what it still had to bring isn't reported."""
        self._dropped = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._used = self._loop.time()
        self._lane.added(self)

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # it speaks without being asked
            return
        if self._between and self._take_known(self._answer, data):
            return
        answer = self._answer if self._between else None
        self._between = False
        try:
            self._parser.feed_data(data)
        except self._error_type:
            self._broken(ConnectionError("what it answered is not HTTP"))
            return
        if answer is not None and self._between:
            self._remember(answer, data)

    def _take_known(self, answer: LaneAnswer, data: bytes) -> bool:
        """Take a whole answer whose head is known; within a second the heads of a server's answers differ in their length."""
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end) if end > 0 else None
        if length is None or len(data) != end + 4 + int(length[1]):
            return False
        headers = self._lane.heads.get(data[: length.start(1)] + data[length.end(1) : end])
        if headers is None:
            return False
        answer.status, answer.headers, answer.body = 200, headers, data[end + 4 :]
        self._answer = None
        self._used = self._loop.time()
        self._heed_keep_alive(headers)
        self._lane.ended(self, answer, keep=True)
        return True

    def _heed_keep_alive(self, headers: Mapping[bytes, bytes]) -> None:
        text = headers.get(b"keep-alive")
        if text is not None and (told := _KEEP_ALIVE.search(text)):
            self._idle_limit = min(max(int(told[1]) - 1.0, 0.0), _IDLE)

    def _remember(self, answer: LaneAnswer, data: bytes) -> None:
        """Keep the head of a plain answer that came whole."""
        end = data.find(b"\r\n\r\n")
        lengths = list(_LENGTH.finditer(data, 0, end)) if end > 0 else []
        if len(lengths) != 1 or len(data) != end + 4 + int(lengths[0][1]) or not self._is_plain(answer):
            return
        heads = self._lane.heads
        if len(heads) >= _HEADS:
            heads.clear()
        heads[data[: lengths[0].start(1)] + data[lengths[0].end(1) : end]] = answer.headers

    def _is_plain(self, answer: LaneAnswer) -> bool:
        special = answer.is_stream or b"transfer-encoding" in answer.headers or b"set-cookie" in answer.headers
        return answer.status == 200 and self._kept and not special

    def connection_lost(self, exc: Exception | None) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and answer.status and not self._dropped and exc is None and self._reads_to_end(answer):
            answer.body = b"".join(self._parts)
            self._lane.ended(self, answer, keep=False)
            answer = None
        reason = exc or ConnectionResetError("it closed the connection")
        self._lane.gone(self, None if self._dropped else answer, reason)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._answer is not None:
            self._answer.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._answer is not None:
            self._answer.status = self._parser.get_status_code()
            self._events = EventParser() if self._answer.is_stream and self._answer.status == 200 else None

    def on_body(self, body: bytes) -> None:
        if self._answer is None:
            return
        if self._events is None:
            self._parts.append(body)
            return
        for event in self._events.feed(body):
            self._lane.event(event, self._answer)

    def on_message_complete(self) -> None:
        answer = self._answer
        if answer is None:
            return
        if answer.status < 200:  # only a preliminary word
            answer.headers.clear()
            return
        self._answer = None
        self._used = self._loop.time()
        self._heed_keep_alive(answer.headers)
        answer.body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        self._events = None
        self._between = True
        self._kept = self._parser.should_keep_alive()
        self._lane.ended(self, answer, keep=self._kept)

    def _broken(self, error: Exception) -> None:
        answer, self._answer = self._answer, None
        self._dropped = True
        if self._transport is not None:
            self._transport.abort()
        self._lane.gone(self, answer, error)

    def _reads_to_end(self, answer: LaneAnswer) -> bool:
        """Whether the end of the connection is the end of the body (RFC 9112, section 6.3)."""
        return b"content-length" not in answer.headers and b"transfer-encoding" not in answer.headers
