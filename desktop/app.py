"""The composition root: builds every service once, in order, and takes them down in reverse. Both faces start here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from desktop.catalog.configuration import Configuration
from desktop.catalog.official import keep_current
from desktop.catalog.search import CatalogSearch
from desktop.catalog.source import ConfigurationSource
from desktop.engine.docker_engine import DockerEngine
from desktop.engine.monitor import EngineMonitor
from desktop.engine.ports import PullProgress
from desktop.engine.sweep import InstanceLock, sweep
from desktop.engine.watchdog_process import Watchdog
from desktop.errors import (
    EndpointError,
    EngineError,
    EnginePermissionError,
    GatewayError,
    ServerNotFoundError,
    UsageError,
)
from desktop.events import EventStream
from desktop.gateway.call_guard import CallGuard, SecretScreen
from desktop.gateway.dynamic_tools import DynamicTools
from desktop.gateway.gateway import Gateway
from desktop.gateway.interceptors import InterceptorRunner
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.gateway.offered_tools import offered_tools
from desktop.gateway_options import GatewayOptions
from desktop.host import (
    EndpointStatus,
    EngineState,
    EngineStatus,
    Host,
    HostEvent,
    ProblemsChanged,
    QuestionsChanged,
    RunningCall,
    ServersChanged,
    StatusChanged,
)
from desktop.policy.consent import ConsentStore
from desktop.policy.question import Question
from desktop.policy.questions import Questions
from desktop.secrets.keychain import SERVICE, KeychainStore
from desktop.secrets.lookup import EnvFileSource, KeychainSource, SecretLookup, SecretSource, parse_secrets_option
from desktop.secrets.redaction import Redactor
from desktop.secrets.scanner import SecretScanner
from desktop.secrets.token import gateway_token
from desktop.servers.fleet import Fleet
from desktop.servers.launch import ContainerLimits, server_kind
from desktop.servers.launcher import RUN_WITHOUT_CONTAINER, Launcher
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import Timing
from desktop.servers.status import OfferedTool, ServerKind, ServerStatus
from desktop.sharing import Sharing
from desktop.state.features import feature
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile
from desktop.state.server_choices import ServerChoicesFile
from desktop.state.watching import watch

__all__ = ["Application", "GatewayOptions", "hosted_by_tray", "running"]

_DEFAULT_PORT: Final = 8811
_ENV_FILE: Final = ".env"
_ENGINE_LOOK_DELAY: Final = 0.5
_INDEX_DELAY: Final = 2.0
_CLOSE_LIMIT: Final = 9.0
log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def running(options: GatewayOptions, paths: Paths | None = None) -> AsyncIterator[Application]:
    """A running application; everything it started is gone afterwards.

    Raises:
        GatewayError: A chosen file can't be read, or our own state can't be written.
    """
    application = await Application.create(options, paths if paths is not None else Paths.of_user())
    try:
        await application.start()
        yield application
    finally:
        await application.close()


def hosted_by_tray(*, in_thread: bool = True) -> AbstractAsyncContextManager[Host]:
    """The application as the tray runs it, on a thread with an event loop of its own (docs/decisions/0008).

    Args:
        in_thread: The switch; False keeps everything on the tray's own loop.
    """
    if not in_thread:
        return _published()
    from desktop.core_thread import in_core_thread

    return in_core_thread(_published)


@contextlib.asynccontextmanager
async def _published() -> AsyncIterator[Application]:
    """On its port (MCP_GATEWAY_PORT, else 8811) and findable by shims.

    A port that is in use does not keep it from starting; the reason is in its endpoint status.
    """
    async with running(GatewayOptions(block_secrets="block")) as application:
        application.questions_are_seen()
        application.keep_search_ready()
        application.keep_catalog_current()
        await application.publish_locally()
        with contextlib.suppress(EndpointError):
            port = os.environ.get("MCP_GATEWAY_PORT", "")
            number = int(port) if port.isdigit() else _DEFAULT_PORT
            await application.listen("127.0.0.1", number, token=await application.token())
        yield application


class Application:
    """All services of one run; implements `desktop.host.Host`. Made by `running`.

    Attributes:
        paths: Where files are.
        fleet: The servers.
        gateway: The routing.
    """

    def __init__(self, options: GatewayOptions, paths: Paths, lock: InstanceLock) -> None:
        self.paths = paths
        self._options = options
        self._lock = lock
        self._events: EventStream[HostEvent] = EventStream()
        self._source = ConfigurationSource(paths, options.selection)
        self._registry = RegistryFile(paths.registry, paths.lock_for(paths.registry))
        self._choices = ServerChoicesFile(paths.server_choices, paths.lock_for(paths.server_choices))
        self._consent = ConsentStore(paths.consents)
        self._questions = Questions(self._consent)
        self._search = CatalogSearch()
        self._indexes = False
        self._keychain = KeychainStore(SERVICE)
        self._redactor = Redactor()
        self._monitor = EngineMonitor(DockerEngine(lock.instance))
        self._watchdog = Watchdog(lock.instance)
        self._watchdog_started: asyncio.Task[None] | None = None
        self._launcher = launcher = Launcher(
            engine=self._monitor,
            secrets=SecretLookup(self._secret_sources(options.secrets)),
            redactor=self._redactor,
            consent=self._consent,
            questions=self._questions,
            env_file=str(paths.docker_mcp / _ENV_FILE),
            instance=lock.instance,
            limits=ContainerLimits(cpus=options.cpus, memory=options.memory),
            guard=self._watchdog,
            before_start=self._guarded,
            on_pull=self._pulled,
            static=options.static,
        )
        self.fleet = Fleet(
            launcher=launcher,
            cache=ListingCache(paths.listings),
            timing=Timing(start=options.start_timeout),
            clean=self._redactor.clean,
            long_lived=options.long_lived,
            most_running=options.most_running,
            echo=options.on_stderr,
        )
        self.gateway = Gateway(
            self.fleet, patterns=options.tools, call_log=options.call_log, guard=self._call_guard(options)
        )
        self._endpoint = LocalEndpoint(self.gateway, paths, ready=lambda: self._loaded)
        self._configuration = Configuration()
        self._loaded = False
        self._reloading = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.fleet.changed.subscribe(lambda name: self._events.publish(ServersChanged(names=frozenset({name}))))
        self._questions.changed.subscribe(lambda _: self._events.publish(QuestionsChanged()))
        self.gateway.changed.subscribe(lambda _: self._events.publish(StatusChanged()))
        self._monitor.changed.subscribe(lambda _: self._engine_changed())

    @classmethod
    async def create(cls, options: GatewayOptions, paths: Paths) -> Application:
        """Build the services; nothing runs yet."""
        lock = await asyncio.to_thread(InstanceLock, paths.own)
        try:
            return cls(options, paths, lock)
        except BaseException:
            lock.release()
            raise

    async def start(self) -> None:
        """Read the configuration and begin; returns before any server has started."""
        if not self._options.static:
            self._spawn(self._look_for_engine())
        if await asyncio.to_thread(self._offers_dynamic_tools):
            self._offer_dynamic_tools()
        await self.reload()
        self._loaded = True
        self.fleet.watch_idle()
        if self._options.watch:
            self._spawn(self._follow_files())

    async def close(self) -> None:
        """Take everything down, within about ten seconds; what could not be stopped by then is left to the watchdog."""
        steps: tuple[tuple[str, Callable[[], Coroutine[Any, Any, None]]], ...] = (
            ("tasks", self._cancel_tasks),
            ("sessions", self.gateway.close),
            ("servers", self.fleet.close),
            ("endpoint", self._endpoint.close),
            ("engine", self._monitor.close),
            ("watchdog", self._close_watchdog),
        )
        for name, step in steps:
            try:
                async with asyncio.timeout(_CLOSE_LIMIT):
                    await step()
            except TimeoutError:
                log.warning("closing the %s took too long", name)
            except Exception:
                log.exception("closing the %s failed", name)
        self._keychain.close()
        await asyncio.to_thread(self._lock.release)

    async def reload(self) -> None:
        """Read the files again and follow what changed; a broken file is named, its last good state stays in force."""
        async with self._reloading:
            configuration = await asyncio.to_thread(self._source.load)
            if configuration is self._configuration and self._loaded:
                return
            problems = configuration.problems != self._configuration.problems
            self._configuration = configuration
            await self.fleet.apply(configuration)
            self.gateway.configuration_changed()
            self.fleet.retry_missing()
            if self._options.block_secrets:
                enabled = [
                    configuration.servers[name] for name in configuration.enabled if name in configuration.servers
                ]
                self._spawn(self._launcher.learn_secrets(enabled))
        if self._indexes:
            self._spawn(self._index())
        self._events.publish(ServersChanged())
        if problems:
            self._events.publish(ProblemsChanged())

    # Serving clients.

    async def settled(self, time_limit: float) -> bool:
        """Wait until every enabled server was listed or has failed; False when the time was not enough."""
        return await self.gateway.settled(time_limit)

    async def serve_stdio(self) -> None:
        """Serve one client on our standard streams until its end of input."""
        from desktop.gateway.stdio_endpoint import serve_stdio

        await serve_stdio(self.gateway)

    async def listen(self, host: str, port: int, *, token: str | None) -> str:
        """Serve HTTP.

        Args:
            host: Address; empty for every interface.
            port: Port; 0 for any free one.
            token: The bearer token to ask for; None admits everyone.

        Returns:
            The URL of the streamable HTTP endpoint.

        Raises:
            EndpointError: The port is in use or the address isn't ours.
        """
        return await self._endpoint.listen(host, port, token=token)

    async def publish_locally(self) -> None:
        """Let shims and the command line of the same user find this gateway."""
        await self._endpoint.publish()

    def questions_are_seen(self) -> None:
        """From now on questions to the person are asked; before, they are refused at once."""
        self._questions.attend()

    def keep_search_ready(self) -> None:
        """From now on index the catalogs ahead of the first `search`."""
        self._indexes = True
        self._spawn(self._index())

    def keep_catalog_current(self) -> None:
        """From now on fetch the official catalog when it is old."""
        self._spawn(keep_current(self.paths))

    # Host: what the faces see and ask.

    @property
    def events(self) -> EventStream[HostEvent]:
        """Changes."""
        return self._events

    @property
    def paused(self) -> bool:
        """Whether everything is paused."""
        return self.fleet.paused

    def servers(self) -> tuple[ServerStatus, ...]:
        """Every known server."""
        names = {*self._configuration.servers, *self._configuration.enabled}
        found = [status for name in names if (status := self.fleet.status(name)) is not None]
        return tuple(sorted(found, key=lambda status: (status.title.casefold(), status.name)))

    def server(self, name: str) -> ServerStatus | None:
        """One server."""
        return self.fleet.status(name)

    def search(self, text: str) -> tuple[str, ...]:
        """Catalog servers that fit, best first."""
        index = self._search.ready(self._configuration.servers)
        return tuple(server.name for server in index.search(text)) if index is not None else ()

    def tools(self, name: str) -> tuple[OfferedTool, ...]:
        """A server's tools with the names clients see."""
        server = self.fleet.servers.get(name)
        return offered_tools(server.listing, name, self.gateway.offer) if server is not None and server.listing else ()

    def engine(self) -> EngineStatus:
        """The container engine."""
        monitor = self._monitor
        if monitor.info is not None:
            return EngineStatus(state=EngineState.CONNECTED, name=monitor.info.name)
        if monitor.error is None:
            return EngineStatus()
        denied = isinstance(monitor.error, EnginePermissionError)
        state = EngineState.NO_PERMISSION if denied else EngineState.NOT_RUNNING
        return EngineStatus(state=state, reason=monitor.error.message, hint=monitor.error.hint)

    def endpoint(self) -> EndpointStatus:
        """Our endpoint."""
        sessions = tuple(self.gateway.sessions.values())
        return EndpointStatus(
            url=self._endpoint.url,
            reason=self._endpoint.reason,
            clients=sum(1 for session in sessions if session.protocol_version),
            tools=len(self.gateway.offer.tool_routes),
            calls=sum(len(session.calls) for session in sessions),
        )

    def running_calls(self) -> tuple[RunningCall, ...]:
        """The tool calls under way."""
        return self.gateway.open_calls.running()

    def problems(self) -> tuple[str, ...]:
        """Sentences about broken files."""
        return self._configuration.problems

    def stderr(self, name: str) -> tuple[str, ...]:
        """The last lines of a server's standard error."""
        return self.fleet.log_of(name).lines()

    def questions(self) -> tuple[Question, ...]:
        """What waits for the person's answer."""
        return self._questions.open()

    async def answer(self, question: int, allowed: bool) -> None:
        """Take the person's answer."""
        self._questions.answer(question, allowed=allowed)

    async def set_enabled(self, name: str, enabled: bool) -> None:
        """Turn a server on or off."""
        if enabled and name not in self._configuration.servers:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        change = self._registry.add if enabled else self._registry.remove
        await asyncio.to_thread(change, [name])
        await self.reload()

    async def set_paused(self, paused: bool) -> None:
        """Pause or resume everything."""
        await self.fleet.pause(paused)
        self.gateway.configuration_changed()
        self._events.publish(ServersChanged())
        self._events.publish(StatusChanged())

    async def retry_engine(self) -> None:
        """Look for the engine again."""
        await self._monitor.look()
        self.fleet.retry_missing()

    async def restart(self, name: str) -> None:
        """Start a server anew."""
        await self.fleet.restart(name)

    async def set_sharing(self, name: str, sharing: Sharing | None) -> None:
        """Choose who shares a server."""
        server = self._configuration.servers.get(name)
        if server is None:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        if server_kind(server) is ServerKind.TOOLS and sharing not in (None, Sharing.PER_CALL):
            raise UsageError(f"{name} can't be shared: each of its tools runs in a container of its own, once a call")
        await asyncio.to_thread(self._choices.set_sharing, name, sharing)
        await self.reload()

    async def allow_without_container(self, name: str) -> None:
        """Record the consent to run a package without a container, and try it."""
        await asyncio.to_thread(self._consent.grant, RUN_WITHOUT_CONTAINER, name)
        self.fleet.retry_missing()

    async def cancel_call(self, number: int) -> None:
        """End a call the person does not want to wait for."""
        self.gateway.open_calls.cancel(number)

    async def token(self) -> str:
        """The bearer token of the endpoint."""
        return await asyncio.to_thread(gateway_token, self.paths)

    # Inner workings.

    async def _index(self) -> None:
        await asyncio.sleep(_INDEX_DELAY)
        await self._search.index(self._configuration.servers)

    def _offers_dynamic_tools(self) -> bool:
        wanted = self._options.dynamic_tools and self._options.selection.servers is None
        return wanted and feature(self.paths.docker_config, "dynamic-tools", default=True)

    def _offer_dynamic_tools(self) -> None:
        tools = DynamicTools(
            self.gateway, self.fleet, search=self._search, questions=self._questions, check=self._launcher.check
        )
        self.gateway.offer_own(tools.own)

    def _call_guard(self, options: GatewayOptions) -> CallGuard | None:
        """What stands around calls; nothing where nothing was asked for."""
        screen = None
        if options.block_secrets:
            redact = options.block_secrets == "redact"
            screen = SecretScreen(SecretScanner(self._redactor), redact=redact, tell=options.on_scan)
        elif not options.interceptors:
            return None
        runner = InterceptorRunner(self._launcher, self._interceptor_says, time_limit=options.interceptor_timeout)
        return CallGuard(interceptors=options.interceptors, runner=runner, screen=screen)

    def _interceptor_says(self, name: str, line: str) -> None:
        tell = self._options.on_interceptor or (lambda name, line: log.info("%s: %s", name, line))
        tell(name, self._redactor.clean(line))

    def _secret_sources(self, text: str) -> list[SecretSource]:
        """The chosen sources; after them a file in the folder all others are in, where a person may write secrets too."""
        chosen: list[SecretSource] = [
            KeychainSource(self._keychain) if choice.file is None else EnvFileSource(choice.file)
            for choice in parse_secrets_option(text)
        ]
        return [*chosen, EnvFileSource(self.paths.docker_mcp / _ENV_FILE)]

    async def _guarded(self) -> None:
        """Before anything is started, the watchdog runs, so that nothing can be left behind."""
        if self._watchdog_started is None:
            self._watchdog_started = asyncio.get_running_loop().create_task(self._watchdog.start())
        await asyncio.shield(self._watchdog_started)
        if self._monitor.info is not None:
            self._watchdog.engine_found(self._monitor.info.address)

    async def _close_watchdog(self) -> None:
        if self._watchdog_started is not None:
            await self._watchdog_started
            await self._watchdog.close()

    async def _look_for_engine(self) -> None:
        # A moment later, so that a client's first answer does not wait for the import of the engine's client.
        await asyncio.sleep(_ENGINE_LOOK_DELAY)
        self._monitor.watch()

    def _engine_changed(self) -> None:
        self._events.publish(StatusChanged())
        if self._monitor.info is not None:
            self._spawn(self._engine_found())

    async def _engine_found(self) -> None:
        with contextlib.suppress(EngineError):
            engine = await self._monitor.available()
            removed = await sweep(engine, self.paths.own, self._lock.instance)
            if removed:
                log.info("removed %d containers a run that ended had left behind", len(removed))
        self.fleet.retry_missing()
        await self.fleet.list_new_images()

    async def _follow_files(self) -> None:
        while True:
            try:
                async with contextlib.aclosing(watch(self._source.watched_directories())) as batches:
                    async for _ in batches:
                        await self.reload()
                        self.fleet.retry_missing()  # a secret may stand in one of the files now
            except GatewayError as error:
                log.warning("changes of the files are not noticed for now: %s", error)
            await asyncio.sleep(5)

    def _pulled(self, server: str, progress: PullProgress) -> None:
        self.fleet.pulled(server, progress)
        if self._options.on_pull is not None:
            self._options.on_pull(server, progress)

    async def _cancel_tasks(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
