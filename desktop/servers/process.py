"""A package server (uvx, npx) as a child process, for when no container engine is there and the person agreed to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from desktop.errors import ServerStartError
from desktop.servers.container import end_reason
from desktop.servers.stderr_log import StderrLog
from desktop.servers.stdout_garbage import StdoutGarbage
from desktop.servers.transport import MessageReceiver

__all__ = ["ProcessGuard", "ProcessTransport", "child_environment"]

_PASSED_ON = (
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TEMP", "TMP", "TMPDIR", "TZ", "USER",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "SYSTEMROOT", "USERPROFILE", "COMSPEC", "PATHEXT",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
_PREFIXES_PASSED_ON = ("UV_", "PIP_", "npm_config_", "NPM_CONFIG_", "NODE_EXTRA_CA_CERTS")


class ProcessGuard(Protocol):
    """Ends process groups when this program dies without cleaning up."""

    def process_started(self, pgid: int) -> None:
        """Watch over a process group."""

    def process_ended(self, pgid: int) -> None:
        """The group has ended."""


def child_environment(environ: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The environment of a package server: what a program needs to run and reach its index, and its declared variables.

    Variables that a frozen application adds for itself (library path, PyInstaller's own) are taken out again.
    """
    passed = {
        name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith(_PREFIXES_PASSED_ON)
    }
    if "LD_LIBRARY_PATH_ORIG" in environ:
        passed["LD_LIBRARY_PATH"] = environ["LD_LIBRARY_PATH_ORIG"]
    return {**passed, **own}


class ProcessTransport(asyncio.SubprocessProtocol):
    """MCP over a child process's stdin and stdout, in a process group of its own.

    Args:
        server: Catalog name, for messages.
        command: Program and arguments.
        env: The complete environment of the child.
        log: Receives standard error.
        guard: Is told of the process group.
    """

    def __init__(
        self, server: str, command: Sequence[str], env: Mapping[str, str], log: StderrLog, guard: ProcessGuard | None
    ) -> None:
        self._server = server
        self._command = tuple(command)
        self._env = dict(env)
        self._log = log
        self._guard = guard
        self._since = log.mark
        self._garbage = StdoutGarbage(log)
        self._receiver: MessageReceiver | None = None
        self._process: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._buffers = {1: bytearray(), 2: bytearray()}
        self._writable = asyncio.Event()
        self._writable.set()
        self._exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, receiver: MessageReceiver) -> None:
        """Start the process; raises `ServerStartError` when the program isn't on this machine."""
        self._receiver = receiver
        program = shutil.which(self._command[0], path=self._env.get("PATH"))
        if program is None:
            tool = "uv" if self._command[0] == "uvx" else "Node.js"
            raise ServerStartError(
                f"{self._server} needs {self._command[0]}, which is not on this computer",
                f"Install {tool}, or start Docker, which needs neither",
            )
        options: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: self, program, *self._command[1:], env=self._env, **options
        )
        self._process = transport
        self._stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
        if self._guard is not None:
            self._guard.process_started(transport.get_pid())

    def negotiated(self, protocol_version: str) -> None:
        """Nothing to do on stdio."""

    def send(self, message: bytes, call: int | None) -> None:
        """Write one line."""
        if self._stdin is not None and not self._stdin.is_closing():
            if b"\n" in message or b"\r" in message:
                message = message.replace(b"\n", b" ").replace(b"\r", b" ")
            self._stdin.write(message + b"\n")

    async def drain(self) -> None:
        """Wait for room in the pipe."""
        await self._writable.wait()

    async def close(self) -> None:
        """Close stdin, wait 2 s, terminate the group, wait 2 s, kill it."""
        self._receiver = None
        if self._process is None:
            return
        if self._stdin is not None:
            self._stdin.close()
        for step in (None, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            if step is not None:
                self._signal_group(step)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await asyncio.shield(self._exited)
                    break
        self._signal_group(getattr(signal, "SIGKILL", signal.SIGTERM))  # grandchildren that outlived their parent
        self._process.close()

    def last_words(self) -> str:
        """The newest line on standard error, or of text on standard output."""
        return self._log.last(self._since)

    def _signal_group(self, number: int) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.get_pid(), number)

    # What asyncio reports (SubprocessProtocol).

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Split into lines; only the new part is searched."""
        buffer = self._buffers[fd]
        start = len(buffer)
        buffer += data
        end = buffer.rfind(b"\n", start)
        if end < 0:
            return
        chunk = bytes(buffer[:end])
        del buffer[: end + 1]
        for line in chunk.split(b"\n"):
            if fd == 2:
                self._log.add(line)
            elif self._garbage.is_message(line) and self._receiver is not None:
                self._receiver.message(line, None)

    def pause_writing(self) -> None:
        """The pipe is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The pipe has room again."""
        self._writable.set()

    def process_exited(self) -> None:
        """The child has ended; `connection_lost` follows when its pipes are drained."""
        if not self._exited.done():
            self._exited.set_result(None)
        if self._process is not None and self._guard is not None:
            self._guard.process_ended(self._process.get_pid())

    def connection_lost(self, exc: Exception | None) -> None:
        """Everything it wrote has been read."""
        self._writable.set()
        if self._buffers[2]:
            self._log.add(bytes(self._buffers[2]))  # last words without a line break
        if self._receiver is not None and self._process is not None:
            code = self._process.get_returncode()
            self._receiver.closed(end_reason(self._server, code, self.last_words()))
