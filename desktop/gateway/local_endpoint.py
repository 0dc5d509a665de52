"""Where clients reach this gateway: the TCP port people configure, and a local way for our own shim and command line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from desktop.errors import EndpointError
from desktop.gateway.access import Access
from desktop.gateway.gateway import Gateway
from desktop.state.atomic_file import write_text
from desktop.state.paths import Paths

if TYPE_CHECKING:
    from desktop.gateway.listener import HttpListener

__all__ = ["LocalEndpoint"]

_LONGEST_SOCKET_PATH: Final = 100
_EVERY_INTERFACE: Final = ("", "0.0.0.0", "::")


class LocalEndpoint:
    """All listeners of one gateway.

    Args:
        gateway: Takes the messages.
        paths: Where the endpoint file and the socket are.
        ready: Whether the first load is done.

    Attributes:
        url: Streamable HTTP's URL; empty while not listening.
        reason: Why it isn't listening, for people; empty otherwise.
    """

    def __init__(self, gateway: Gateway, paths: Paths, *, ready: Callable[[], bool]) -> None:
        self.url = ""
        self.reason = ""
        self._gateway = gateway
        self._paths = paths
        self._ready = ready
        self._listeners: list[HttpListener] = []
        self._published = ""

    async def listen(self, host: str, port: int, *, token: str | None) -> str:
        """Serve HTTP on a TCP port; returns the URL of ``/mcp``. Raises `EndpointError`, which is kept in ``reason``."""
        from desktop.gateway.listener import bind_tcp

        try:
            bound = bind_tcp(host, port)
        except EndpointError as error:
            self.reason = str(error)
            raise
        hosts = ("*",) if host in _EVERY_INTERFACE else (host,)
        await self._serve(bound, Access(token, hosts))
        number = bound.getsockname()[1]
        name = "127.0.0.1" if host in _EVERY_INTERFACE else host
        shown = f"[{name}]" if ":" in name else name
        self.url, self.reason = f"http://{shown}:{number}/mcp", ""
        return self.url

    async def publish(self) -> None:
        """Open the local way and write where it is; the newest gateway of a user is the one that is found."""
        from desktop.gateway.listener import bind_tcp, bind_unix

        path = self._paths.socket
        if hasattr(socket, "AF_UNIX") and os.name != "nt" and len(str(path)) <= _LONGEST_SOCKET_PATH:
            await self._serve(bind_unix(path), Access(None, trusted=True))
            text = f"unix:{path}\n"
        else:
            token = secrets.token_urlsafe(32)
            bound = bind_tcp("127.0.0.1", 0)
            await self._serve(bound, Access(token))
            text = f"127.0.0.1:{bound.getsockname()[1]}\n{token}\n"
        self._published = text
        await asyncio.to_thread(write_text, self._paths.endpoint_file, text, mode=0o600)

    async def close(self) -> None:
        """Stop listening; the endpoint file is removed unless another gateway has taken it over."""
        if self._published:
            with contextlib.suppress(OSError):
                file = self._paths.endpoint_file
                if file.read_text(encoding="utf-8") == self._published:
                    file.unlink()
        await asyncio.gather(*(listener.close() for listener in self._listeners))
        self._listeners.clear()
        self.url = ""

    async def _serve(self, bound: socket.socket, access: Access) -> None:
        from desktop.gateway.http_endpoint import HttpEndpoint
        from desktop.gateway.listener import HttpListener

        listener = HttpListener(HttpEndpoint(self._gateway, access, self._ready), bound)
        await listener.start()
        self._listeners.append(listener)
