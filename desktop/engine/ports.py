"""What the rest of the program needs from a container engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = [
    "ContainerEngine",
    "ContainerOutput",
    "ContainerSpec",
    "ContainerStats",
    "EngineInfo",
    "InternalNetwork",
    "Networks",
    "OwnedContainer",
    "OwnedNetwork",
    "PullProgress",
    "RunningContainer",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The engine that answers: display name ("Docker 28.2"), API version, where it was found (socket or context)."""

    name: str
    version: str
    api_version: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How far a pull is. `done`/`total` are bytes over all layers known so far; `total` 0 when unknown."""

    image: str
    status: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One container to run, attached to its stdin, stdout and stderr, without a TTY, removed when it ends.

    Attributes:
        image: Image reference as the catalog names it.
        command: Arguments after the image (the image's entry point stays in force).
        env: Environment variables.
        hidden_env: Variables with secrets: kept from whoever may look at the engine where the image allows it, and out of
            every log.
        hides_command: The command holds a secret too.
        labels: Added to the labels every container of ours gets.
        binds: ``source:target[:mode]`` strings, host paths or named volumes.
        user: ``-u`` value or empty.
        network: Network mode; empty means the engine's default bridge.
        extra_hosts: ``host:ip`` strings.
        cpus: CPU limit in CPUs; 0 means no limit.
        memory: Bytes; 0 means no limit.
        pids: Process limit; 0 means no limit.
        cap_add: Capabilities kept although all are dropped.
    """

    image: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str]
    hidden_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    hides_command: bool = False
    labels: Mapping[str, str]
    binds: tuple[str, ...] = ()
    user: str = ""
    network: str = ""
    extra_hosts: tuple[str, ...] = ()
    cpus: float = 1.0
    memory: int = 2 * 1024**3
    pids: int = 512
    cap_add: tuple[str, ...] = ()


class ContainerOutput(Protocol):
    """Receives what a container writes. Called on the event loop, in order, never after `closed`."""

    def stdout_line(self, line: bytes) -> None:
        """One line of standard output, without its newline (a trailing carriage return is removed too)."""

    def stderr_line(self, line: bytes) -> None:
        """One line of standard error, without its newline; over-long lines arrive in pieces of 64 KiB."""

    def closed(self) -> None:
        """The attach stream ended; called exactly once."""


class RunningContainer(Protocol):
    """A started container with its attached streams."""

    @property
    def id(self) -> str:
        """The engine's full container id."""

    @property
    def exited(self) -> asyncio.Future[int]:
        """Done with the exit code when the container has ended (137 after a kill)."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the container's stdin; silently dropped once the stream is closed."""

    async def drain(self) -> None:
        """Wait until the stdin buffer is below its high-water mark."""

    async def stop(self, grace: float = 5.0) -> None:
        """Close stdin, give it ``grace`` seconds to end by itself and by SIGTERM, then kill; returns when removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedContainer:
    """A container that carries our owner label."""

    id: str
    instance: str
    server: str
    running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStats:
    """What a container has used so far (seconds of processors), and uses now (bytes of memory)."""

    cpu_seconds: float
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalNetwork:
    """A network without a way out: its name, and this machine's address on it."""

    name: str
    gateway: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNetwork:
    """A network that carries our owner label."""

    name: str
    instance: str


class Networks(Protocol):
    """Networks of an engine that are ours."""

    async def make(self, name: str, *, server: str) -> InternalNetwork:
        """Make an internal network for a server."""

    async def remove(self, name: str) -> None:
        """Remove a network; one that is gone, or still in use, is fine."""

    async def owned(self) -> tuple[OwnedNetwork, ...]:
        """Every network with our owner label, of this and other instances."""


class ContainerEngine(Protocol):
    """Docker, Podman or a compatible engine. Every call has a time limit and raises `EngineError` or a subclass."""

    @property
    def networks(self) -> Networks:
        """The engine's networks."""

    async def ping(self) -> EngineInfo:
        """Find the engine (again), ask for its version; raises `EngineUnavailableError` or `EnginePermissionError`."""

    async def image_id(self, image: str) -> str | None:
        """The local image's content id (``sha256:…``), or None when the image isn't here."""

    async def image_labels(self, image: str) -> Mapping[str, str] | None:
        """The local image's labels, or None when the image isn't here."""

    async def pull(self, image: str, progress: Callable[[PullProgress], None] | None = None) -> None:
        """Fetch an image; raises `ImageUnavailableError`. ``progress`` is called on the event loop."""

    async def run(self, spec: ContainerSpec, output: ContainerOutput) -> RunningContainer:
        """Create, attach, then start a container; at most four starts are under way at once."""

    async def run_once(
        self, spec: ContainerSpec, *, time_limit: float, stdin: bytes | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run a container to its end, ``stdin`` as its input; returns exit code, stdout, stderr (10 MiB of each at most)."""

    def reveals(self, image: str) -> bool:
        """Whether hidden variables of this image's containers can be seen through the engine (``docker inspect``)."""

    async def own_networks(self) -> tuple[str, ...]:
        """Networks of the container this program runs in, or empty on a host."""

    async def owned_containers(self) -> tuple[OwnedContainer, ...]:
        """Every container with our owner label, of this and other instances, ended ones included."""

    async def stats(self, container_id: str) -> ContainerStats | None:
        """What a container uses, in one reading; None when it has ended or gone."""

    async def remove(self, container_id: str) -> None:
        """Kill and remove a container; one that is already gone is fine."""

    async def close(self) -> None:
        """Give back sockets and threads."""
