"""Programs of the person that see, change or replace tool calls: ``--interceptor when:type:argument`` (spec 3.12)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from desktop.errors import GatewayError, InterceptorError, UsageError

__all__ = ["TIME_LIMIT", "ContainerRunner", "Interceptor", "InterceptorRunner", "parse_interceptor"]

TIME_LIMIT: Final = 30.0
_WHEN: Final = ("before", "after")
_KINDS: Final = ("exec", "docker", "http")
_CLOSE_LIMIT: Final = 2.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interceptor:
    """One interceptor.

    Attributes:
        when: ``before`` or ``after`` the call.
        kind: ``exec``, ``docker`` or ``http``.
        argument: Shell command, image with its arguments, or URL; may hold secrets, so it is not shown.
        number: Its place among the interceptors, from 1.
    """

    when: str
    kind: str
    argument: str
    number: int = 1

    @property
    def label(self) -> str:
        """Its name in the log and in errors."""
        return f"interceptor {self.number} ({self.when}:{self.kind})"


def parse_interceptor(text: str, number: int = 1) -> Interceptor:
    """Understand ``when:type:argument``; raises `UsageError`."""
    when, first, rest = text.partition(":")
    kind, second, argument = rest.partition(":")
    when, kind = when.strip().lower(), kind.strip().lower()
    if not first or not second:
        raise UsageError(f"invalid interceptor spec '{text}', expected format is 'when:type:argument'")
    if when not in _WHEN:
        raise UsageError(f"invalid interceptor spec '{text}': '{when}' is not a moment, expected 'before' or 'after'")
    if kind not in _KINDS:
        raise UsageError(
            f"invalid interceptor spec '{text}': '{kind}' is not a type, expected 'exec', 'docker' or 'http'"
        )
    if not argument.strip():
        raise UsageError(f"invalid interceptor spec '{text}': there is nothing to run after '{when}:{kind}:'")
    if kind == "http" and not argument.startswith(("http://", "https://")):
        raise UsageError(f"invalid interceptor spec '{text}': '{argument}' is not an http or https URL")
    if kind == "docker":
        try:
            shlex.split(argument)
        except ValueError as error:
            raise UsageError(f"invalid interceptor spec '{text}': {error}") from None
    return Interceptor(when=when, kind=kind, argument=argument, number=number)


class ContainerRunner(Protocol):
    """Runs a container to its end."""

    async def run_to_end(
        self, name: str, image: str, command: Sequence[str], stdin: bytes, *, time_limit: float
    ) -> tuple[int, bytes, bytes]:
        """Exit code, standard output and standard error; ``name`` is for its labels. Raises `GatewayError`."""


class InterceptorRunner:
    """Runs interceptors.

    Args:
        containers: Runs those that are containers.
        on_stderr: Told the label of an interceptor and a line it wrote to its standard error.
        time_limit: Seconds each of them may take.
    """

    def __init__(
        self, containers: ContainerRunner, on_stderr: Callable[[str, str], None], *, time_limit: float = TIME_LIMIT
    ) -> None:
        self._containers = containers
        self._on_stderr = on_stderr
        self._time_limit = time_limit

    async def run(self, interceptor: Interceptor, payload: bytes) -> bytes:
        """Hand it the message.

        Returns:
            What it says, without white space around it; empty when it has nothing to say.

        Raises:
            InterceptorError: It failed, or its time is up.
        """
        run = {"exec": self._shell, "docker": self._container, "http": self._post}[interceptor.kind]
        try:
            async with asyncio.timeout(self._time_limit):
                output = await run(interceptor, payload)
        except TimeoutError:
            raise _failed(interceptor, f"it took longer than {self._time_limit:g} s") from None
        return output.strip()

    async def _shell(self, interceptor: Interceptor, payload: bytes) -> bytes:
        # `exec` in a shell of the person's own: the whole environment is theirs, as for the reference.
        command = ("/bin/sh", "-c", interceptor.argument)
        options: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            command = (os.environ.get("COMSPEC", "cmd.exe"), "/c", interceptor.argument)
            options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        try:
            transport, program = await asyncio.get_running_loop().subprocess_exec(_Program, *command, **options)
        except OSError as error:
            raise _failed(interceptor, f"it can't be started: {error.strerror or error}") from error
        try:
            stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
            with contextlib.suppress(RuntimeError):  # uvloop's, where it has ended already without reading
                stdin.write(payload + b"\n")
                stdin.write_eof()
            await asyncio.shield(program.ended)
        finally:
            if not program.ended.done():
                _kill(transport)
                await _gone(program)
            transport.close()
        self._tell(interceptor, bytes(program.streams[2]))
        if transport.get_returncode() != 0:
            raise _failed(interceptor, f"it ended with exit code {transport.get_returncode()}")
        return bytes(program.streams[1])

    async def _container(self, interceptor: Interceptor, payload: bytes) -> bytes:
        image, *command = shlex.split(interceptor.argument)
        try:
            code, output, words = await self._containers.run_to_end(
                "interceptor", image, command, payload + b"\n", time_limit=self._time_limit
            )
        except GatewayError as error:
            raise _failed(interceptor, error.message, error.hint) from error
        self._tell(interceptor, words)
        if code != 0:
            raise _failed(interceptor, f"it ended with exit code {code}")
        return output

    async def _post(self, interceptor: Interceptor, payload: bytes) -> bytes:
        import aiohttp  # here, because it takes long to import

        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=15), trust_env=True
                ) as http,
                http.post(interceptor.argument, data=payload, headers={"Content-Type": "application/json"}) as answer,
            ):
                output = await answer.read()
        except (OSError, aiohttp.ClientError, ValueError) as error:
            raise _failed(interceptor, f"its URL can't be reached ({type(error).__name__})") from error
        if not answer.ok:
            raise _failed(interceptor, f"its URL answered with HTTP status {answer.status}")
        return output

    def _tell(self, interceptor: Interceptor, words: bytes) -> None:
        for line in words.decode("utf-8", "replace").splitlines():
            self._on_stderr(interceptor.label, line)


def _failed(interceptor: Interceptor, reason: str, hint: str = "") -> InterceptorError:
    return InterceptorError(f"executing interceptor: {interceptor.label} failed: {reason}", hint)


class _Program(asyncio.SubprocessProtocol):
    """Keeps what a program writes.

    Attributes:
        streams: Standard output (1) and standard error (2).
        ended: Done when it has ended and all it wrote is here.
    """

    def __init__(self) -> None:
        self.streams = {1: bytearray(), 2: bytearray()}
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It has written something."""
        self.streams[fd] += data

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, and so have its pipes."""
        if not self.ended.done():
            self.ended.set_result(None)


async def _gone(program: _Program) -> None:
    """Wait for the end of a killed program, however often we are cancelled meanwhile; it is near."""
    until = time.monotonic() + _CLOSE_LIMIT
    while not program.ended.done() and (left := until - time.monotonic()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({program.ended}, timeout=left)


def _kill(transport: asyncio.SubprocessTransport) -> None:
    """Kill a program with all it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            transport.kill()
        else:
            os.killpg(transport.get_pid(), signal.SIGKILL)
