"""Listening sockets: bound before anything slow happens, served by uvicorn on the loop that is there."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import Any

from desktop.errors import EndpointError
from desktop.gateway.http_endpoint import HttpEndpoint

__all__ = ["HttpListener", "bind_tcp", "bind_unix"]


def bind_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Args:
        host: Address or name to listen on; empty means every interface.
        port: Port number; 0 lets the system choose.

    Raises:
        EndpointError: The port is in use, or the address isn't ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every connection. asyncio sets it only where the socket names its protocol, which accepted ones need
        # not; without it the body of an answer waits up to 40 ms for the acknowledgement of its head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except (OSError, OverflowError) as error:
        listening.close()
        raise _bind_error(error, host, port) from error
    listening.setblocking(False)
    return listening


def bind_unix(path: Path) -> socket.socket:
    """A listening Unix socket only this user can reach; a stale one of a process that died is replaced.

    Raises:
        EndpointError: The path can't be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise EndpointError(f"The socket {path} can't be opened: {error.strerror or error}") from error
    listening.setblocking(False)
    return listening


class HttpListener:
    """Serves one endpoint on one bound socket.

    Args:
        endpoint: The application.
        listening: A bound, listening socket; closed with the listener.
    """

    def __init__(self, endpoint: HttpEndpoint, listening: socket.socket) -> None:
        self._endpoint = endpoint
        self._socket = listening
        self._server: Any = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to serve; returns when requests are taken."""
        import uvicorn

        from desktop.gateway.http_protocol import HttpProtocol

        config = uvicorn.Config(
            self._endpoint,
            http=HttpProtocol,
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=75,
        )
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        self._server = server
        self._task = asyncio.get_running_loop().create_task(server.serve(sockets=[self._socket]))
        while not server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn offers no event for this
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """End all streams, then stop listening; at most about three seconds."""
        await self._endpoint.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._socket.close()


def _bind_error(error: Exception, host: str, port: int) -> EndpointError:
    where = f"{host or 'every interface'}:{port}"
    number = getattr(error, "errno", None)
    if number in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", -1)):
        return EndpointError(f"Port {port} is in use by another program", "Choose another one with --port")
    if number == errno.EACCES:
        return EndpointError(f"You may not listen on port {port}", "Choose a port above 1023 with --port")
    if number in (errno.EADDRNOTAVAIL,) or isinstance(error, socket.gaierror):
        return EndpointError(f"{host} is not an address of this computer", "Choose another one with --host")
    return EndpointError(f"{where} can't be listened on: {error}")
