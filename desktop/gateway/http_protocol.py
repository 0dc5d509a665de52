"""uvicorn's HTTP protocol with a short way for calls; imported only where HTTP is served.

A small POST is handed to the endpoint as soon as its last byte is here, and its answer leaves in one write when it comes: no
task, no turn of the event loop in between. Everything else goes uvicorn's way, as an ASGI application.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from desktop.gateway.http_endpoint import HttpEndpoint

__all__ = ["HttpProtocol"]

_SMALL: Final = 60_000  # below uvicorn's limit, above which a body has to be fetched while it comes
_JOINED: Final = 256 * 1024


class HttpProtocol(HttpToolsProtocol):
    """Serves one connection; the application has to be an `HttpEndpoint`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: tuple[RequestResponseCycle, Any] | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if not isinstance(app, HttpEndpoint) or not _is_small_post(cycle):
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._held = (cycle, app)
        else:
            self._hand_over(cycle, app)  # it has waited for an earlier request of the connection

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        held, self._held = self._held, None
        if held is not None:
            self._hand_over(*held)

    def _hand_over(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope: Any = cycle.scope
        answer, go_on = partial(_answer, cycle), partial(super()._start_asgi_task, cycle)
        if not app.take_call(scope, bytes(cycle.body), answer, go_on):
            super()._start_asgi_task(cycle, app)


def _is_small_post(cycle: RequestResponseCycle) -> bool:
    if cycle.scope["method"] != "POST" or cycle.waiting_for_100_continue:
        return False
    length = next((value for name, value in cycle.scope["headers"] if name == b"content-length"), b"")
    return length.isdigit() and int(length) <= _SMALL


def _answer(cycle: RequestResponseCycle, message: bytes) -> None:
    """Answer with JSON and let the connection go on, as uvicorn does after the last piece of a response."""
    if cycle.disconnected:
        return
    cycle.response_started = cycle.response_complete = True
    lines = [b"%b: %b\r\n" % pair for pair in cycle.default_headers]
    if not cycle.keep_alive:
        lines.append(b"connection: close\r\n")
    head = b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (
        b"".join(lines),
        len(message),
    )
    if len(message) <= _JOINED:
        cycle.transport.write(head + message)
    else:
        cycle.transport.write(head)
        cycle.transport.write(message)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
