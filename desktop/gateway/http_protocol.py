"""uvicorn's HTTP protocol with a short way for calls; imported only where HTTP is served.

A client's calls differ in their bodies, hardly ever in their heads. A head this connection has sent before needs no parsing: the
same bytes mean the same session, which has been let in already. So the body of such a request goes straight to the gateway,
and the answer leaves in one write when it comes: no ASGI cycle, no task, no turn of the event loop in between. Everything
else goes uvicorn's way (docs/decisions/0007).
"""

from __future__ import annotations

import re
import time
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from desktop.gateway.http_endpoint import HttpEndpoint
from desktop.gateway.message_stream import DirectStream, MessageStream
from desktop.gateway.modern_http import ModernHead, ShimClient
from desktop.gateway.session import Session

__all__ = ["HttpProtocol"]

_SMALL: Final = 60_000  # below uvicorn's limit, above which a body has to be fetched while it comes
_JOINED: Final = 256 * 1024
_HEADS: Final = 16
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,6})", re.IGNORECASE)
# What makes a request more than a head and a body of known length.
_SPECIAL: Final = re.compile(
    rb"\r\n(?:transfer-encoding|expect|upgrade|connection:[^\r]*(?:close|upgrade))", re.IGNORECASE
)
_STATUS: Final = {200: b"200 OK", 400: b"400 Bad Request", 404: b"404 Not Found"}
_JSON: Final = b"HTTP/1.1 %b\r\n%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_EVENTS: Final = (
    b"HTTP/1.1 200 OK\r\n%bcontent-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\n"
    b"x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n"
)
_NOTHING: Final = b"HTTP/1.1 202 Accepted\r\n%bcontent-length: 0\r\n\r\n"


class HttpProtocol(HttpToolsProtocol):
    """Serves one connection; the application has to be an `HttpEndpoint`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._endpoint = cast("HttpEndpoint", self.app)
        self._between = True
        self._posted: RequestResponseCycle | None = None
        self._running: RequestResponseCycle | None = None
        self._heads: dict[bytes, Session | ModernHead | ShimClient] = {}
        self._newest: Session | ModernHead | ShimClient | None = None
        self._call: MessageStream | None = None
        self._caller: Session | ModernHead | ShimClient | None = None
        self._streams = False
        self._partial = b""
        self._waiting = b""
        self._going_on = False
        self._answered_at = 0.0
        self._dated: tuple[Any, bytes] = (None, b"")

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        if self._call is not None or self._waiting:
            self._waiting += data  # behind a call that isn't answered yet, or what had to wait for one
            if len(self._waiting) > _SMALL:
                self.flow.pause_reading()
            return
        if self._between and (not self.cycle or self.cycle.response_complete):
            if self._partial:
                data, self._partial = self._partial + data, b""
            if self._heads and self._take(data):
                return
            super().data_received(data)
            newest, self._newest = self._newest, None
            if newest is not None:
                self._remember(data, newest)
        else:
            super().data_received(data)

    def _take(self, data: bytes) -> bool:
        """Take a request whose head is known; False when it has to go uvicorn's way."""
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end) if end > 0 else None
        if length is None:
            return False
        head = data[: length.start(1)] + data[length.end(1) : end]
        session = self._heads.get(head)
        if session is None:
            return False
        if not self._endpoint.knows(session):
            del self._heads[head]
            return False
        whole = end + 4 + int(length[1])
        if whole > _SMALL:
            return False
        if len(data) < whole:
            self._partial = data
            return True
        stream = DirectStream(self._answer, self._begin_stream)
        self._call, self._caller = stream, session
        if not self._endpoint.take_call(session, data[end + 4 : whole], stream):
            self._call = None
            return False
        if len(data) > whole:
            self._after(data[whole:])
        return True

    def _after(self, rest: bytes) -> None:
        if self._call is not None:
            self._waiting = rest + self._waiting
        else:
            self.data_received(rest)

    def _remember(self, data: bytes, session: Session | ModernHead | ShimClient) -> None:
        """Keep the head of a request that was taken, when it was the only thing in ``data``."""
        end = data.find(b"\r\n\r\n")
        lengths = list(_LENGTH.finditer(data, 0, end)) if end > 0 else []
        if len(lengths) != 1 or end + 4 + int(lengths[0][1]) != len(data) or _SPECIAL.search(data, 0, end):
            return
        if len(self._heads) >= _HEADS:
            self._heads.clear()
        self._heads[data[: lengths[0].start(1)] + data[lengths[0].end(1) : end]] = session

    # What uvicorn's parser reports.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._between = False
        super().on_message_begin()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._call is not None:  # it came behind a call
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, app))
        elif app is not self.app or not _is_small_post(cycle):
            self._running = cycle
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._posted = cycle
        else:
            self._hand_over(cycle)  # it has waited for an earlier request of the connection

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self._between = True
        posted, self._posted = self._posted, None
        if posted is not None:
            self._hand_over(posted)

    def _hand_over(self, cycle: RequestResponseCycle) -> None:
        session = self._endpoint.session_of(cast("Any", cycle.scope))
        if session is not None:
            stream = DirectStream(self._answer, self._begin_stream)
            self._call, self._caller = stream, session
            cycle.response_started = cycle.response_complete = (
                True  # for uvicorn it is done; the answer is ours to give
            )
            if self._endpoint.take_call(session, bytes(cycle.body), stream):
                self._newest = session
                return
            self._call = None
            cycle.response_started = cycle.response_complete = False
        self._running = cycle
        super()._start_asgi_task(cycle, self.app)

    # Answers.

    def _dates(self) -> bytes:
        """uvicorn's own header lines, which it makes anew every second."""
        headers = self.server_state.default_headers
        if self._dated[0] is not headers:
            self._dated = (headers, b"".join(b"%b: %b\r\n" % pair for pair in headers))
        return self._dated[1]

    def _answer(self, message: bytes) -> None:
        if not self.transport.is_closing():
            status = 200 if self._call is None else self._call.status
            head = _JSON % (_STATUS[status], self._dates(), len(message))
            if len(message) <= _JOINED:
                self.transport.write(head + message)
            else:
                self.transport.write(head)
                self.transport.write(message)
        self._call_ended()

    def _begin_stream(self, stream: MessageStream) -> None:
        task = self.loop.create_task(self._send_events(stream))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _send_events(self, stream: MessageStream) -> None:
        """Plain JSON when the answer is the first thing to say after all, else an event stream."""
        try:
            message = await stream.next()
            if self.transport.is_closing():
                return
            if message is None:
                self.transport.write(_NOTHING % self._dates())  # the client cancelled and expects no answer
            elif stream.sole_answer:
                self.transport.write(_JSON % (_STATUS[stream.status], self._dates(), len(message)))
                self.transport.write(message)
            else:
                assert self._caller is not None
                kept = self._caller.resumption.begin(stream)
                self._streams = True
                self.transport.write(_EVENTS % self._dates())
                if self._caller.primes_streams:
                    self._chunk(kept.prime())
                while message is not None:
                    self._chunk(kept.event(message) if message else b": alive\n\n")
                    await self.flow.drain()
                    message = await stream.next()
                if not self.transport.is_closing():
                    self.transport.write(b"0\r\n\r\n")
        finally:
            self._call_ended()

    def _chunk(self, event: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _call_ended(self) -> None:
        if self._call is not None:
            self._endpoint.call_over(self._call)
            self._call = self._caller = None
            self._streams = False
        self._answered_at = time.monotonic()
        if self.timeout_keep_alive_task is None or self.pipeline:
            self.on_response_complete()
        self._go_on_soon()

    def on_response_complete(self) -> None:
        """uvicorn has answered a request, or we have."""
        super().on_response_complete()
        self._go_on_soon()

    def _go_on_soon(self) -> None:
        if self._waiting and not self._going_on:
            self._going_on = True
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Take what has waited, unless another request of the connection is under way again."""
        self._going_on = False
        if self._call is None and not self.pipeline and not self.transport.is_closing():
            waiting, self._waiting = self._waiting, b""
            self.flow.resume_reading()
            self.data_received(waiting)

    # The connection's life.

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection when it was quiet for long."""
        left = self._answered_at + self.timeout_keep_alive - time.monotonic()
        if self._call is None and left <= 0:
            super().timeout_keep_alive_handler()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(max(left, 1.0), self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        if self._call is not None and self._streams:
            self._call.detach()  # the client may come back for the rest
        elif self._call is not None:
            self._call.abandon()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True  # uvicorn has told the newest request, which may wait behind this one
            running.message_event.set()

    def shutdown(self) -> None:
        """Close the connection, after the answer that is under way."""
        if self._call is not None:
            self._call.abandon()
        super().shutdown()


def _is_small_post(cycle: RequestResponseCycle) -> bool:
    if cycle.scope["method"] != "POST" or cycle.waiting_for_100_continue or not cycle.keep_alive:
        return False
    length = next((value for name, value in cycle.scope["headers"] if name == b"content-length"), b"")
    return length.isdigit() and int(length) <= _SMALL
