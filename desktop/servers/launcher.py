"""Makes the way to each kind of server: resolves secrets, pulls images, asks for consent, and says what is missing."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from desktop.catalog.model import CatalogServer, ToolEntry
from desktop.engine.labels import container_labels
from desktop.engine.monitor import EngineMonitor
from desktop.engine.ports import ContainerEngine, ContainerSpec, PullProgress
from desktop.errors import (
    EngineError,
    EngineUnavailableError,
    PackageConsentError,
    ServerStartError,
)
from desktop.policy.consent import ConsentStore
from desktop.policy.questions import Questions
from desktop.servers import launch
from desktop.servers.authorization import Authorization
from desktop.servers.container import ContainerTransport
from desktop.servers.image_signatures import ImageSignatures
from desktop.servers.mount_consent import MountConsent
from desktop.servers.network_fence import NetworkFence
from desktop.servers.poci import PociTransport
from desktop.servers.process import ProcessGuard, ProcessTransport, child_environment
from desktop.servers.remote import RemoteTransport, transport_type
from desktop.servers.server_secrets import ServerSecrets
from desktop.servers.sign_in_apps import with_sign_in_secrets
from desktop.servers.stakes import uncontained
from desktop.servers.static import StaticTransport
from desktop.servers.status import ServerKind
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import Transport

__all__ = ["RUN_WITHOUT_CONTAINER", "Launcher"]

RUN_WITHOUT_CONTAINER = "run-without-container"
P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Launcher:
    """The only place that knows how a catalog entry becomes a running server.

    Args:
        engine: Tells whether there is an engine.
        secrets: Finds the secrets that a server declares.
        consent: What the person has agreed to.
        questions: Where they are asked for more.
        instance: Our run's id, for labels.
        limits: Limits of a container.
        guard: Watches over child processes.
        before_start: Awaited before anything is started that could be left behind.
        on_pull: Is told how far a pull is.
        fence: Keeps servers from the network.
        signatures: Checks images before they are used; None uses them unchecked.
        tokens: Gives the access token of a remote server.
        static: Containers are somebody else's: they are connected to, and none is started.
    """

    def __init__(
        self,
        *,
        engine: EngineMonitor,
        secrets: ServerSecrets,
        consent: ConsentStore,
        questions: Questions,
        instance: str,
        limits: launch.ContainerLimits,
        guard: ProcessGuard | None,
        before_start: Callable[[], Awaitable[None]],
        on_pull: Callable[[str, PullProgress], None],
        fence: NetworkFence | None = None,
        signatures: ImageSignatures | None = None,
        tokens: Callable[[str], Authorization] | None = None,
        static: bool = False,
    ) -> None:
        self._engine = engine
        self._secrets = secrets
        self._consent = consent
        self._mounts = MountConsent(questions, consent)
        self._instance = instance
        self._limits = limits
        self._guard = guard
        self._before_start = before_start
        self._on_pull = on_pull
        self._fence = fence or NetworkFence("", instance)
        self._signatures = signatures
        self._tokens = tokens
        self._static = static
        self._image_ids: dict[str, str] = {}
        self._pulls: dict[str, _Pull] = {}

    def image_id(self, server: CatalogServer) -> str:
        """Content id of the image last used for the server; empty when unknown."""
        return self._image_ids.get(server.image, "")

    def reveals_secrets(self, server: CatalogServer) -> bool:
        """Whether the server's secrets can be seen through the container engine (docs/decisions/0012)."""
        images = {server.image, *(tool.container.image for tool in server.tools if tool.container is not None)}
        return bool(server.secrets) and any(map(self._engine.reveals, images))

    async def current_image_id(self, server: CatalogServer) -> str:
        """Content id of the server's image as it is on this machine now; empty when it isn't, or the server has none."""
        if self._static or launch.server_kind(server) not in (ServerKind.CONTAINER, ServerKind.PACKAGE):
            return ""
        return await (await self._engine.available()).image_id(server.image) or ""

    async def transport(self, server: CatalogServer, values: Mapping[str, Any], log: StderrLog) -> Transport:
        """The way to a server, not started yet.

        Raises:
            MissingSettingError: A secret or value has to be set first.
            SignInRequiredError: A secret comes from a sign-in, and nobody is signed in.
            EngineError: There is no engine, or the image can't be had.
        """
        kind = launch.server_kind(server)
        if self._static and kind is not ServerKind.REMOTE:
            return _static(server, kind, log)
        secrets = await self._secrets.find(server, values)
        server = with_sign_in_secrets(server)
        if kind is ServerKind.REMOTE:
            remote = server.remote
            url = remote.url if remote is not None and remote.url else server.sseEndpoint
            wanted = remote.transport_type if remote is not None and remote.url else "sse"
            authorization = self._tokens(server.name) if self._tokens is not None else None
            headers = launch.remote_headers(server, secrets)
            return RemoteTransport(server.name, url, headers, transport_type(wanted), authorization)
        if kind is ServerKind.TOOLS:
            return PociTransport(server, self._poci(server, values, secrets), log)
        try:
            engine = await self._engine.available()
        except EngineError as error:
            if kind is not ServerKind.PACKAGE:
                raise
            return await self._process(server, values, secrets, log, error)

        async def prepare() -> ContainerSpec:
            await self._have_image(engine, server.name, server.image)
            await self._before_start()
            networks = await engine.own_networks()
            spec = launch.container_spec(
                server, values, secrets, instance=self._instance, limits=self._limits, networks=networks
            )
            await self._mounts.agreed(server, spec.binds, named=launch.binds_of_entry(server, values))
            return await self._fence.placed(engine, server, spec)

        return ContainerTransport(server.name, engine, self._noticing_loss(prepare), log)

    async def check(self, server: CatalogServer, values: Mapping[str, Any]) -> None:
        """Raise `MissingSettingError` unless everything the server needs is set."""
        await self._secrets.find(server, values)

    async def has_other_secrets(self, server: CatalogServer) -> bool:
        """Whether a secret of the server was changed since it was given to it."""
        return await self._secrets.are_other(server)

    async def learn_secrets(self, servers: Iterable[CatalogServer]) -> None:
        """Tell the redactor the stored secrets of servers that may not have been started yet."""
        await self._secrets.learn(servers)

    async def run_to_end(
        self, name: str, image: str, command: Sequence[str], stdin: bytes, *, time_limit: float
    ) -> tuple[int, bytes, bytes]:
        """Run a container that is no server, its image pulled if it isn't here.

        Args:
            name: For its labels, in a server's place.
            image, command: What to run.
            stdin: Its whole standard input.
            time_limit: Seconds from its start to its end.

        Returns:
            Exit code, standard output and standard error.

        Raises:
            EngineError: There is no engine, or it can't run the container, or the time is up.
        """
        engine = await self._engine.available()
        await self._have_image(engine, name, image)
        await self._before_start()
        spec = ContainerSpec(
            image=image,
            command=tuple(command),
            env={},
            labels=container_labels(instance=self._instance, server=name),
            cpus=self._limits.cpus,
            memory=self._limits.memory,
            pids=self._limits.pids,
        )
        return await engine.run_once(spec, time_limit=time_limit, stdin=stdin)

    async def _process(
        self,
        server: CatalogServer,
        values: Mapping[str, Any],
        secrets: Mapping[str, str],
        log: StderrLog,
        error: EngineError,
    ) -> Transport:
        granted = await asyncio.to_thread(self._consent.granted, RUN_WITHOUT_CONTAINER, uncontained(server))
        if not granted:
            raise PackageConsentError(
                f"{error.message}, and {server.name} may not run without a container",
                f"Start Docker, or allow it: docker-mcp server enable {server.name} --without-container",
            )
        await self._before_start()
        env = child_environment(os.environ, launch.environment(server, values, secrets))
        return ProcessTransport(server.name, launch.process_command(server, values, secrets), env, log, self._guard)

    def _poci(
        self, server: CatalogServer, values: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> Callable[[ToolEntry, dict[str, Any], float], Awaitable[tuple[int, bytes, bytes]]]:
        async def run(tool: ToolEntry, arguments: dict[str, Any], time_limit: float) -> tuple[int, bytes, bytes]:
            assert tool.container is not None
            engine = await self._engine.available()
            if tool.container.volumes:
                binds = await asyncio.to_thread(launch.poci_binds, tool.container, arguments)
                await self._mounts.agreed(server, (), named=binds.fixed, chosen=binds.chosen)
            await self._have_image(engine, server.name, tool.container.image)
            await self._before_start()
            spec = await asyncio.to_thread(
                launch.poci_spec,
                server,
                tool.container,
                arguments,
                values,
                secrets,
                instance=self._instance,
                limits=self._limits,
                networks=await engine.own_networks(),
            )
            return await engine.run_once(await self._fence.placed(engine, server, spec), time_limit=time_limit)

        return self._noticing_loss(run)

    def _noticing_loss(self, work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        async def wrapped(*arguments: P.args, **named: P.kwargs) -> T:
            try:
                return await work(*arguments, **named)
            except EngineUnavailableError as error:
                self._engine.lost(error)
                raise

        return wrapped

    async def _have_image(self, engine: ContainerEngine, server: str, image: str) -> None:
        """Pull the image if it isn't here; one pull of an image at a time, whoever waits for it."""
        if self._signatures is not None:
            await self._signatures.check(image)
        image_id = await engine.image_id(image)
        if image_id is None:
            await self._pulled(engine, server, image)
            image_id = await engine.image_id(image)
        self._image_ids[image] = image_id or ""

    async def _pulled(self, engine: ContainerEngine, server: str, image: str) -> None:
        pull = self._pulls.get(image)
        if pull is None:
            task = asyncio.get_running_loop().create_task(
                engine.pull(image, lambda progress: self._on_pull(server, progress))
            )
            pull = self._pulls[image] = _Pull(task)
            task.add_done_callback(lambda _: self._pulls.pop(image, None))
        pull.waiting += 1
        try:
            await asyncio.shield(pull.task)
        finally:
            pull.waiting -= 1
            if not pull.waiting:
                pull.task.cancel()  # nobody wants it any more; one that is done does not mind


@dataclass(slots=True)
class _Pull:
    """A pull under way, and how many wait for it."""

    task: asyncio.Task[None]
    waiting: int = 0


def _static(server: CatalogServer, kind: ServerKind, log: StderrLog) -> Transport:
    if kind is ServerKind.TOOLS:
        raise ServerStartError(
            f"{server.name} needs a container for each call, and with --static none is started",
            "Run the gateway without --static to use it",
        )
    return StaticTransport(server.name, log)
