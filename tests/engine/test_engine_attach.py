"""The attach connection: hijacking, back pressure, ends of every kind, on every event loop."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop.engine import wire
from desktop.engine.attach import HIGH_WATER, AttachStream, PipeAttach
from desktop.engine.discovery import EngineCandidate
from desktop.engine.frames import STDOUT, Capture
from desktop.errors import EngineError, EngineUnavailableError

CLIENT: Any = SimpleNamespace(api_version="1.41")
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\n\r\n"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Sink(Capture):
    def __init__(self) -> None:
        super().__init__(1 << 30)
        self.ends = 0

    def end(self) -> None:
        self.ends += 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "qasync"])
def test_ten_megabytes_go_there_and_back_on_every_loop(loop: str) -> None:
    if importlib.util.find_spec(loop) is None:
        pytest.skip(f"{loop} is not installed")
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "QT_QPA_PLATFORM": "offscreen"}
    script = Path(__file__).with_name("attach_on_loop.py")
    done = subprocess.run(
        [sys.executable, script, loop], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr


async def attach_to(path: Path, handler: Handler, sink: Sink) -> AttachStream:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await handler(reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        where = EngineCandidate(address=f"unix://{path}", source="test")
        return await wire.attach(CLIENT, where, "c" * 64, sink, stdin=True)
    finally:
        server.close()


async def test_output_that_comes_with_the_answer_s_head_is_not_lost(tmp_path: Path) -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in UPGRADED + b"\1\0\0\0\0\0\0\2hi":
            writer.write(bytes([byte]))
            await writer.drain()

    sink = Sink()
    stream = await attach_to(tmp_path / "s", handler, sink)
    await asyncio.wait_for(stream.wait_closed(), 5)
    assert (sink.content(STDOUT), sink.ends) == (b"hi", 1)


async def test_a_refused_attach_is_an_error(tmp_path: Path) -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")

    with pytest.raises(EngineError, match="404 Not Found"):
        await attach_to(tmp_path / "s", handler, Sink())


async def test_an_engine_that_hangs_up_is_an_error(tmp_path: Path) -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1")

    with pytest.raises(EngineError, match="hung up"):
        await attach_to(tmp_path / "s", handler, Sink())


async def test_an_engine_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    where = EngineCandidate(address=f"unix://{tmp_path / 'none'}", source="test")
    with pytest.raises(EngineUnavailableError):
        await wire.attach(CLIENT, where, "c" * 64, Sink(), stdin=True)


async def test_drain_waits_for_a_slow_reader_and_ends_with_the_stream(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPGRADED)
        await go_on.wait()

    stream = await attach_to(tmp_path / "s", handler, Sink())
    stream.write(b"x" * (8 * HIGH_WATER))
    draining = asyncio.create_task(stream.drain())
    done, _ = await asyncio.wait({draining}, timeout=0.1)
    assert not done
    go_on.set()
    await asyncio.wait_for(draining, 5)


async def test_the_exit_code_comes_from_the_wait_request(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        await writer.drain()
        await ended.wait()
        writer.write(b'{"StatusCode":3}\n')
        writer.close()

    ended = asyncio.Event()
    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    watch = await wire.watch_exit(CLIENT, EngineCandidate(address=f"unix://{tmp_path / 's'}", source="test"), "c" * 64)
    assert b"/v1.41/containers/" in asked[0]
    assert not watch.done()
    ended.set()
    assert await asyncio.wait_for(watch, 5) == 3
    server.close()


@pytest.mark.parametrize(
    ("body", "code"),
    [(b'{"StatusCode":137}', 137), (b'12\r\n{"StatusCode": 0}\r\n0\r\n\r\n', 0), (b"", -1), (b"{}", -1), (b"}{", -1)],
)
def test_exit_codes_are_read_with_and_without_chunk_framing(body: bytes, code: int) -> None:
    assert wire.exit_code(body) == code


async def test_the_exit_code_of_a_lost_engine_is_unknown(tmp_path: Path) -> None:
    watch = await wire.watch_exit(CLIENT, EngineCandidate(address=f"unix://{tmp_path / 's'}", source="test"), "c" * 64)
    assert await watch == wire.EXIT_UNKNOWN


async def test_the_pipe_variant_reads_writes_and_ends_like_the_socket() -> None:
    """A socket pair stands in for the named pipe."""
    ours, theirs = socket.socketpair()
    sink = Sink()
    stream = PipeAttach(ours, sink)
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    stream.write(b"x" * (2 * HIGH_WATER))
    stream.write(b"end")
    received = b""
    while not received.endswith(b"end"):
        received += await asyncio.wait_for(loop.sock_recv(theirs, 65536), 5)
    await asyncio.wait_for(stream.drain(), 5)
    assert len(received) == 2 * HIGH_WATER + 3
    await loop.sock_sendall(theirs, b"\1\0\0\0\0\0\0\3abc")
    assert not stream.close_stdin()
    theirs.close()
    await asyncio.wait_for(stream.wait_closed(), 5)
    stream.write(b"late")
    stream.close()
    assert (sink.content(STDOUT), sink.ends) == (b"abc", 1)
