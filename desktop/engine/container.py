"""A started container: its streams, its exit, its stop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from desktop.engine.attach import AttachStream
from desktop.engine.labels import INSTANCE, OWNER, OWNER_VALUE, SERVER
from desktop.engine.ports import ContainerSpec
from desktop.engine.wire import EXIT_UNKNOWN
from desktop.errors import EngineError, EngineUnavailableError

__all__ = ["DockerContainer", "container_configuration", "container_name", "environment"]

GONE_LIMIT: Final = 15.0
BY_ITSELF: Final = 0.5


class DockerContainer:
    """`RunningContainer` over a hijacked attach stream and a wait request.

    Args:
        container_id: Full id.
        stream: Attached streams.
        watch: Done with the exit code once the container is removed; `EXIT_UNKNOWN` when the engine went away first.
        terminate: Sends SIGTERM.
        remove: Kills and removes.
    """

    def __init__(
        self,
        container_id: str,
        stream: AttachStream,
        watch: asyncio.Task[int],
        *,
        terminate: Callable[[str], Awaitable[None]],
        remove: Callable[[str], Awaitable[None]],
    ) -> None:
        self._id = container_id
        self._stream = stream
        self._watch = watch
        self._terminate = terminate
        self._remove = remove
        self._stopping: asyncio.Task[None] | None = None
        # Apart from the watch itself, so that someone who cancels their waiting does not end ours.
        self._exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        watch.add_done_callback(self._ended)

    @property
    def id(self) -> str:
        """The engine's full container id."""
        return self._id

    @property
    def exited(self) -> asyncio.Future[int]:
        """Done with the exit code when the container has ended and is removed; -1 when the engine went away first."""
        return self._exited

    def write(self, data: bytes) -> None:
        """Queue bytes for the container's stdin; silently dropped once the stream is closed."""
        self._stream.write(data)

    def feed(self, data: bytes) -> None:
        """Write all there is for stdin, then end it."""
        self._stream.write(data)
        self._stream.close_stdin()

    async def drain(self) -> None:
        """Wait until the stdin buffer is below its high-water mark."""
        await self._stream.drain()

    async def stop(self, grace: float = 5.0) -> None:
        """Close stdin, give the container ``grace`` seconds in all to end by itself and by SIGTERM, then kill it.

        Returns when it is removed. May be called more than once; being cancelled does not stop the stopping.

        Args:
            grace: Seconds; 0 kills at once.

        Raises:
            EngineError: The engine would not remove it.
        """
        stopping = self._stopping
        if stopping is None or (stopping.done() and (stopping.cancelled() or stopping.exception() is not None)):
            stopping = self._stopping = asyncio.create_task(self._stop(grace))
        await asyncio.shield(stopping)

    async def wait_output(self, limit: float) -> None:
        """Wait until all output has come, ``limit`` seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._stream.wait_closed()

    async def _stop(self, grace: float) -> None:
        try:
            if grace > 0 and not self._watch.done():
                by_itself = self._stream.close_stdin()
                if not (by_itself and await self._gone(grace * BY_ITSELF)):
                    # An engine that refuses (the container has just ended) is answered by the kill below.
                    with contextlib.suppress(EngineError):
                        await self._terminate(self._id)
                    await self._gone(grace * (1 - BY_ITSELF if by_itself else 1))
            if not self._watch.done() or self._watch.result() == EXIT_UNKNOWN:
                with contextlib.suppress(EngineUnavailableError):
                    await self._remove(self._id)
                if not await self._gone(GONE_LIMIT):
                    raise EngineError(
                        f"A container did not go away within {GONE_LIMIT:.0f} s of being killed",
                        f"Remove it by hand: docker rm -f {self._id[:12]}",
                    )
        finally:
            self._stream.close()

    async def _gone(self, limit: float) -> bool:
        await asyncio.wait({self._watch}, timeout=limit)
        return self._watch.done()

    def _ended(self, watch: asyncio.Task[int]) -> None:
        if not self._exited.done():
            self._exited.set_result(EXIT_UNKNOWN if watch.cancelled() else watch.result())


def container_configuration(spec: ContainerSpec, *, instance: str, stdin: bool) -> dict[str, Any]:
    """Body of the create request, with all variables in the open.

    Args:
        spec: What to run.
        instance: Id of this run of the program, for the labels every container of ours carries.
        stdin: Whether stdin is attached; it then ends with us (``StdinOnce``), and a server that reads it ends too.
    """
    host: dict[str, Any] = {
        "AutoRemove": True,
        "Init": True,
        "SecurityOpt": ["no-new-privileges"],
        "CapDrop": ["ALL"],
        "CapAdd": list(spec.cap_add),
        "NanoCpus": int(spec.cpus * 1e9),
        "Memory": spec.memory,
        "NetworkMode": spec.network or "default",
        "Binds": list(spec.binds),
        "ExtraHosts": list(spec.extra_hosts),
        # What a server says is read from the attach stream; the engine need not write every message to its disk too.
        "LogConfig": {"Type": "none"},
    }
    if spec.pids:
        host["PidsLimit"] = spec.pids
    return {
        "Image": spec.image,
        "Cmd": list(spec.command) or None,
        "Env": environment({**spec.env, **spec.hidden_env}),
        "Labels": {OWNER: OWNER_VALUE, INSTANCE: instance, **spec.labels},
        "User": spec.user,
        "OpenStdin": stdin,
        "StdinOnce": stdin,
        "AttachStdin": stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "HostConfig": host,
    }


def environment(variables: Mapping[str, str]) -> list[str]:
    """Variables as the engine takes them."""
    return [f"{name}={value}" for name, value in variables.items()]


def container_name(spec: ContainerSpec) -> str:
    """A name known before the engine answers, so that a container can be taken back whatever becomes of the answer."""
    server = re.sub(r"[^a-zA-Z0-9_.-]+", "-", spec.labels.get(SERVER, ""))[:40] or "run"
    return f"mcp-{server}-{secrets.token_hex(6)}"
