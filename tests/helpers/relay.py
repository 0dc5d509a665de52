"""A relay between two sockets whose connections a test can cut, as a network or a restarted engine does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

__all__ = ["Relay", "relay_to_port", "relay_to_socket"]


class Relay:
    """Passes bytes on between everyone who connects and one target.

    Attributes:
        refusing: While set, whoever connects is turned away at once.
        passed: Bytes that went from the target to those who connected.
    """

    def __init__(self, target: Path | int) -> None:
        self.refusing = False
        self.passed = 0
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Every connection breaks, on both sides."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.refusing:
            writer.transport.abort()
            return
        try:
            if isinstance(self._target, Path):
                far_reader, far_writer = await asyncio.open_unix_connection(self._target)
            else:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self._writers |= pair
        pumps = [asyncio.create_task(self._pump(*ends)) for ends in ((reader, far_writer), (far_reader, writer))]
        self._pumps.update(pumps)
        try:
            await asyncio.wait(pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._pumps.difference_update(pumps)
            self._writers -= pair
            for end in pair:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    async def close(self) -> None:
        """Cut everything and wait until it is over."""
        self.refusing = True
        self.cut()
        while self._pumps:
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def relay_to_socket(path: Path, target: Path) -> AsyncIterator[Relay]:
    """A relay at the Unix socket ``path``."""
    relay = Relay(target)
    server = await asyncio.start_unix_server(relay.accept, path)
    try:
        yield relay
    finally:
        server.close()
        await relay.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def relay_to_port(port: int, target: int) -> AsyncIterator[Relay]:
    """A relay at a TCP port of this machine."""
    relay = Relay(target)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", port)
    try:
        yield relay
    finally:
        server.close()
        await relay.close()
        await server.wait_closed()
