"""Where clients reach this gateway: the TCP port people configure, and a local way for our own shim and command line."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from desktop.errors import EndpointError, GatewayError
from desktop.gateway.access import Access
from desktop.gateway.gateway import Gateway
from desktop.secrets.client_tokens import TokenCheck
from desktop.state.atomic_file import write_text
from desktop.state.paths import Paths
from desktop.state.watching import watch

if TYPE_CHECKING:
    from desktop.gateway.listener import HttpListener

__all__ = ["LocalEndpoint"]

_LONGEST_SOCKET_PATH: Final = 100
_EVERY_INTERFACE: Final = ("", "0.0.0.0", "::")
_LOOK_AGAIN: Final = 5.0
log = logging.getLogger(__name__)


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
        self._tcp: HttpListener | None = None
        self._tokens = TokenCheck(paths)
        self._moving = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None
        self._way = ""
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
        await asyncio.to_thread(self._tokens.refresh)
        self._tcp = await self._serve(bound, Access(token, hosts, clients=self._tokens))
        if self._following is None:
            self._following = asyncio.get_running_loop().create_task(self._follow_tokens())
        number = bound.getsockname()[1]
        name = "127.0.0.1" if host in _EVERY_INTERFACE else host
        shown = f"[{name}]" if ":" in name else name
        self.url, self.reason = f"http://{shown}:{number}/mcp", ""
        await self._write()
        return self.url

    async def move(self, port: int, *, token: str | None) -> str:
        """Serve HTTP on another port of 127.0.0.1, and no more on the one before; its clients have to come anew.

        Raises:
            EndpointError: The port can't be had; everything stays as it was.
        """
        async with self._moving:
            reason, before = self.reason, self._tcp
            try:
                url = await self.listen("127.0.0.1", port, token=token)
            except EndpointError:
                self.reason = reason
                raise
            if before is not None:
                self._listeners.remove(before)
                await before.close()
            return url

    async def publish(self) -> None:
        """Open the local way and write where it is; the newest gateway of a user is the one that is found."""
        from desktop.gateway.listener import bind_tcp, bind_unix

        path = self._paths.socket
        if hasattr(socket, "AF_UNIX") and os.name != "nt" and len(str(path)) <= _LONGEST_SOCKET_PATH:
            await self._serve(bind_unix(path), Access(None, trusted=True))
            self._way = f"unix:{path}\n\n"
        else:
            token = secrets.token_urlsafe(32)
            bound = bind_tcp("127.0.0.1", 0)
            await self._serve(bound, Access(token))
            self._way = f"127.0.0.1:{bound.getsockname()[1]}\n{token}\n"
        await self._write()

    async def end_revoked(self) -> None:
        """End the sessions of clients whose tokens are not in force any more; at once, not only when it is noticed."""
        await asyncio.to_thread(self._tokens.refresh)
        for session in tuple(self._gateway.sessions.values()):
            if session.caller is not None and not self._tokens.in_force(session.caller):
                await self._gateway.end_session(session)

    async def close(self) -> None:
        """Stop listening; the endpoint file is removed unless another gateway has taken it over."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None
        if self._published:
            with contextlib.suppress(OSError):
                file = self._paths.endpoint_file
                if file.read_text(encoding="utf-8") == self._published:
                    file.unlink()
        await asyncio.gather(*(listener.close() for listener in self._listeners))
        self._listeners.clear()
        self.url = ""

    async def _write(self) -> None:
        """Say where we are: the local way, its token, and the URL where there is one; nothing before there is a local way."""
        if self._way:
            self._published = f"{self._way}{self.url}\n" if self.url else self._way
            await asyncio.to_thread(write_text, self._paths.endpoint_file, self._published, mode=0o600)

    async def _follow_tokens(self) -> None:
        """End what is revoked at once; where the file can't be watched, whenever it is looked at."""
        while True:
            try:
                await self.end_revoked()
                async with contextlib.aclosing(watch([self._paths.client_tokens.parent])) as batches:
                    async for _ in batches:
                        await self.end_revoked()
            except GatewayError as error:
                log.warning("tokens of clients are only looked at every %g s: %s", _LOOK_AGAIN, error)
            except Exception:  # a token that was revoked must not stay good because of it
                log.exception("tokens of clients are only looked at every %g s", _LOOK_AGAIN)
            await asyncio.sleep(_LOOK_AGAIN)

    async def _serve(self, bound: socket.socket, access: Access) -> HttpListener:
        from desktop.gateway.http_endpoint import HttpEndpoint
        from desktop.gateway.listener import HttpListener

        listener = HttpListener(HttpEndpoint(self._gateway, access, self._ready), bound)
        await listener.start()
        self._listeners.append(listener)
        return listener
