"""A server in a container: MCP over the attached stdin and stdout."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from desktop.engine.ports import ContainerEngine, ContainerSpec, RunningContainer
from desktop.servers.stderr_log import StderrLog
from desktop.servers.stdout_garbage import StdoutGarbage
from desktop.servers.transport import MessageReceiver

__all__ = ["ContainerTransport"]


class ContainerTransport:
    """Runs one container for the life of one connection.

    Args:
        server: Catalog name, for messages.
        engine: Runs it.
        prepare: Gives the container to run; may pull the image, may raise `GatewayError`.
        log: Receives standard error.
    """

    def __init__(
        self, server: str, engine: ContainerEngine, prepare: Callable[[], Awaitable[ContainerSpec]], log: StderrLog
    ) -> None:
        self._server = server
        self._engine = engine
        self._prepare = prepare
        self._log = log
        self._since = log.mark
        self._garbage = StdoutGarbage(log)
        self._container: RunningContainer | None = None
        self._receiver: MessageReceiver | None = None
        self._closing = False
        self._ending: asyncio.Task[None] | None = None

    async def start(self, receiver: MessageReceiver) -> None:
        """Create, attach and start the container."""
        self._receiver = receiver
        spec = await self._prepare()
        self._container = await self._engine.run(spec, self)

    def negotiated(self, protocol_version: str) -> None:
        """Nothing to do on stdio."""

    def send(self, message: bytes, call: int | None) -> None:
        """Write one line."""
        if self._container is not None:
            if b"\n" in message or b"\r" in message:
                message = message.replace(b"\n", b" ").replace(b"\r", b" ")
            self._container.write(message + b"\n")

    async def drain(self) -> None:
        """Wait for room in the pipe."""
        if self._container is not None:
            await self._container.drain()

    async def close(self) -> None:
        """Stop and remove the container."""
        self._closing = True
        if self._container is not None:
            await self._container.stop()
        if self._ending is not None:
            await self._ending

    def last_words(self) -> str:
        """The newest line on standard error, or of text on standard output."""
        return self._log.last(self._since)

    # What the container writes (ContainerOutput).

    def stdout_line(self, line: bytes) -> None:
        """A message, or text that does not belong there."""
        if self._garbage.is_message(line) and self._receiver is not None:
            self._receiver.message(line, None)

    def stderr_line(self, line: bytes) -> None:
        """Into the log."""
        self._log.add(line)

    def closed(self) -> None:
        """The container has ended, or is about to."""
        if not self._closing:
            self._ending = asyncio.get_running_loop().create_task(self._report_end())

    async def _report_end(self) -> None:
        code: int | None = None
        container = self._container
        if container is None:  # ended while the engine was still starting it
            await asyncio.sleep(0)
            container = self._container
        if container is not None:
            try:
                async with asyncio.timeout(5):
                    code = await asyncio.shield(container.exited)
            except TimeoutError:
                await container.stop(0)
        if self._receiver is not None:
            self._receiver.closed(end_reason(self._server, code, self.last_words()))


def end_reason(server: str, code: int | None, words: str) -> str:
    """One sentence on why a server's process ended: exit code, and its own last words."""
    ended = f"{server} ended" if code is None else f"{server} ended with exit code {code}"
    return f"{ended}: {words[:300]}" if words else ended
