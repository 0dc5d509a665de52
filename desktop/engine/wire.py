"""The two long-lived requests of the Engine API, attach and wait, spoken on the event loop: no thread per container.

docker-py would hold a thread for each, and hands out the hijacked socket only through private attributes. Everything
else goes through docker-py; on Windows named pipes these two do as well.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from desktop.engine.attach import AttachStream, PipeAttach, SocketAttach
from desktop.engine.discovery import EngineCandidate, TlsFiles
from desktop.engine.frames import StreamSink
from desktop.errors import EngineUnavailableError

if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["EXIT_UNKNOWN", "attach", "tcp_address", "unix_path", "watch_exit"]

EXIT_UNKNOWN: Final = -1
ANSWER_LIMIT: Final = 20.0
REGISTERED_LIMIT: Final = 5.0
PROTOCOL = TypeVar("PROTOCOL", bound=asyncio.BaseProtocol)


def unix_path(address: str) -> str:
    """Path of a ``unix://`` address, empty for any other."""
    return address.removeprefix("unix://") if address.startswith("unix://") else ""


def tcp_address(address: str) -> tuple[str, int]:
    """Host and port of a ``tcp://`` (or ``http[s]://``) address; the port defaults to Docker's 2375."""
    parts = urlsplit(address)
    return parts.hostname or "localhost", parts.port or 2375


async def attach(
    client: APIClient, candidate: EngineCandidate, container_id: str, sink: StreamSink, *, stdin: bool
) -> AttachStream:
    """Attach to a container that is created and not yet started, so that nothing it writes is lost.

    Args:
        client: docker-py's client; used on named pipes alone.
        candidate: Where the engine is.
        container_id: Full id.
        sink: Gets the output.
        stdin: Whether stdin is attached.

    Raises:
        EngineError: The engine refused.
        EngineUnavailableError: The engine doesn't answer.
    """
    query = f"stream=1&stdout=1&stderr=1&stdin={int(stdin)}"
    if candidate.address.startswith("npipe:"):
        parameters = {"stream": 1, "stdout": 1, "stderr": 1, "stdin": int(stdin)}
        pipe = await asyncio.to_thread(client.attach_socket, container_id, parameters)
        return PipeAttach(pipe, sink)
    path = f"/v{client.api_version}/containers/{container_id}/attach?{query}"
    request = (
        f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
    )
    protocol: SocketAttach | None = None
    try:
        async with asyncio.timeout(ANSWER_LIMIT):
            protocol = await _connect(candidate, lambda: SocketAttach(request.encode("ascii"), sink))
            await protocol.attached()
    except OSError as error:
        if protocol is not None:
            protocol.close()
        raise EngineUnavailableError(
            "The container engine does not answer while a container is being attached", "See that Docker is running."
        ) from error
    except BaseException:
        if protocol is not None:
            protocol.close()
        raise
    return protocol


async def watch_exit(client: APIClient, candidate: EngineCandidate, container_id: str) -> asyncio.Task[int]:
    """Ask the engine, before the container is started, to tell its exit code once it has ended and is removed.

    Returns:
        A task that is done with the exit code, or with `EXIT_UNKNOWN` when the engine went away without telling. It
        never raises but for cancellation.
    """
    loop = asyncio.get_running_loop()
    if candidate.address.startswith("npipe:"):
        return asyncio.create_task(_wait_in_thread(client, container_id))
    registered: asyncio.Future[None] = loop.create_future()
    path = f"/v{client.api_version}/containers/{container_id}/wait?condition=removed"
    # HTTP/1.0: the answer ends with the connection and needs no chunk parser.
    request = f"POST {path} HTTP/1.0\r\nHost: engine\r\nContent-Length: 0\r\n\r\n"
    task = asyncio.create_task(_wait_on_loop(candidate, request.encode("ascii"), registered))
    try:
        # Docker and Podman send the head as soon as the wait stands; an engine that doesn't must not hold up the start.
        await asyncio.wait({registered}, timeout=REGISTERED_LIMIT)
    except BaseException:
        task.cancel()
        raise
    return task


async def _wait_on_loop(candidate: EngineCandidate, request: bytes, registered: asyncio.Future[None]) -> int:
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await _open_streams(candidate)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        _done(registered)
        return exit_code(await reader.read())
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return EXIT_UNKNOWN
    finally:
        _done(registered)
        if writer is not None:
            writer.transport.abort()


def exit_code(body: bytes) -> int:
    """Read the status code out of a wait answer (``{"StatusCode": 0}``, chunk framing around it is passed over)."""
    try:
        code = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])["StatusCode"]
    except (ValueError, KeyError, TypeError):
        return EXIT_UNKNOWN
    return code if isinstance(code, int) else EXIT_UNKNOWN


async def _wait_in_thread(client: APIClient, container_id: str) -> int:
    """Named pipes: a daemon thread per container, outside the engine's pool. Never run, as all of the pipe code."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[int] = loop.create_future()

    def wait() -> None:
        try:
            code = int(client.wait(container_id, condition="removed")["StatusCode"])
        except Exception:
            # Whatever the pipe or the engine raised, the code is not to be had.
            code = EXIT_UNKNOWN
        loop.call_soon_threadsafe(lambda: None if result.done() else result.set_result(code))

    threading.Thread(target=wait, name="wait", daemon=True).start()
    return await result


async def _connect(candidate: EngineCandidate, factory: Callable[[], PROTOCOL]) -> PROTOCOL:
    loop = asyncio.get_running_loop()
    if path := unix_path(candidate.address):
        return (await loop.create_unix_connection(factory, path))[1]
    host, port = tcp_address(candidate.address)
    return (await loop.create_connection(factory, host, port, ssl=_tls(candidate.tls)))[1]


async def _open_streams(candidate: EngineCandidate) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if path := unix_path(candidate.address):
        return await asyncio.open_unix_connection(path)
    host, port = tcp_address(candidate.address)
    return await asyncio.open_connection(host, port, ssl=_tls(candidate.tls))


def _tls(files: TlsFiles | None) -> ssl.SSLContext | None:
    if files is None:
        return None
    context = ssl.create_default_context(cafile=files.ca or None)
    if not files.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if files.certificate:
        context.load_cert_chain(files.certificate, files.key or None)
    return context


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
