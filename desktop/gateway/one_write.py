"""uvicorn's HTTP protocol, but head and body of a plain answer leave in one write; imported only where HTTP is served.

uvicorn writes them apart, which costs a system call here and wakes the client twice.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

__all__ = ["OneWriteProtocol"]


class OneWriteProtocol(HttpToolsProtocol):
    """Serves one connection."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["method"] == "POST":  # an answer to HEAD has no body to wait for
            cycle.transport = cast("asyncio.Transport", _JoinedWrites(cycle.transport))
        super()._start_asgi_task(cycle, app)


class _JoinedWrites:
    """What one request's answer is written to: keeps its head back until the body comes.

    An event stream's head goes out at once, since its first event may take long.
    """

    __slots__ = ("_head", "_head_written", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._head_written = False

    def write(self, data: bytes) -> None:
        """Write, or keep for the next write."""
        if self._head_written or data.startswith(b"HTTP/1.1 100 "):
            self._transport.write(data)
        elif self._head or b"text/event-stream" in data:
            self._head_written = True
            self._transport.write(self._head + data)
        else:
            self._head = data

    def close(self) -> None:
        """Write what was kept, and close."""
        if not self._head_written:
            self._transport.write(self._head)
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._transport.is_closing()
