"""Run by test_engine_attach.py for each event loop: 10 MB there and back on a hijacked connection, half-close, end."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from desktop.engine import wire
from desktop.engine.discovery import EngineCandidate
from desktop.engine.frames import LineOutput

SIZE = 10_000_000


class Lines:
    def __init__(self) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self.ended = asyncio.Event()

    def stdout_line(self, line: bytes) -> None:
        self.lines.put_nowait(line)

    def stderr_line(self, line: bytes) -> None:
        raise AssertionError(line)

    def closed(self) -> None:
        self.ended.set()


def echo_engine(listener: socket.socket) -> None:
    """Accept one attach request and send back what comes, framed, until the other side half-closes."""
    connection, _ = listener.accept()
    with connection:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n")
        while data := connection.recv(65536):
            connection.sendall(b"\1\0\0\0" + len(data).to_bytes(4, "big") + data)


async def talk(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threading.Thread(target=echo_engine, args=(listener,), daemon=True).start()
    lines = Lines()
    client: Any = SimpleNamespace(api_version="1.41")
    where = EngineCandidate(address=f"unix://{path}", source="test")
    stream = await wire.attach(client, where, "0" * 64, LineOutput(lines), stdin=True)
    line = b"x" * SIZE
    stream.write(line + b"\n")
    await stream.drain()
    assert await lines.lines.get() == line
    assert stream.close_stdin()
    stream.write(b"dropped\n")
    await lines.ended.wait()
    await stream.wait_closed()
    stream.write(b"dropped as well\n")
    stream.close()
    assert lines.lines.empty()
    listener.close()


def run(loop: str, main: Coroutine[Any, Any, None]) -> None:
    if loop == "uvloop":
        import uvloop

        uvloop.run(main)
    elif loop == "qasync":
        import os

        os.environ["QT_API"] = "pyside6"
        import qasync
        from PySide6.QtCore import QCoreApplication

        application = QCoreApplication([])
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
            runner.run(main)
    else:
        asyncio.run(main)


async def within_limit() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with asyncio.timeout(30):
            await talk(Path(folder) / "engine.sock")


if __name__ == "__main__":
    run(sys.argv[1], within_limit())
    print("ok")
