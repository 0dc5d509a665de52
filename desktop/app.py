"""One run of the program: starts every service, serves clients, and takes everything down in reverse. Both faces start here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import Any, Final

from desktop.catalog.configuration import Configuration
from desktop.catalog.loading import read_entry
from desktop.catalog.official import keep_current
from desktop.catalog.selection import Selection
from desktop.engine.sweep import InstanceLock, sweep
from desktop.errors import EndpointError, EngineError
from desktop.gateway.dynamic_tools import DynamicTools
from desktop.gateway_options import GatewayOptions
from desktop.host import Host
from desktop.running_host import RunningHost
from desktop.secrets.core_dumps import forbid_core_dumps
from desktop.servers.described_image import image_describer
from desktop.services import Services
from desktop.state.features import feature
from desktop.state.paths import Paths

__all__ = ["Application", "GatewayOptions", "hosted_by_tray", "running"]

_ENGINE_LOOK_DELAY: Final = 0.5
_INDEX_DELAY: Final = 2.0
_CLIENTS_DELAY: Final = 1.0
_CLOSE_LIMIT: Final = 9.0
log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def running(options: GatewayOptions, paths: Paths | None = None) -> AsyncIterator[Application]:
    """A running application; everything it started is gone afterwards.

    Raises:
        GatewayError: A chosen file can't be read, an image does not say what server is in it, or our own state can't be written.
    """
    if options.selection.described_images:
        options = await _with_described_images(options)
    application = await Application.create(options, paths if paths is not None else Paths.of_user())
    try:
        await application.start()
        yield application
    finally:
        await application.close()


async def _with_described_images(options: GatewayOptions) -> GatewayOptions:
    """The servers images describe themselves to be, among the chosen ones (``--oci-ref``)."""
    selection, found = options.selection, []
    async with image_describer(None if options.on_pull is None else partial(options.on_pull, "")) as describe:
        for image in selection.described_images:
            entry = await describe(image)
            found.append(read_entry(entry["name"], entry))
    return replace(options, selection=replace(selection, further=(*selection.further, *found)))


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
    options = GatewayOptions(selection=Selection(all_profiles=True), block_secrets="block", records_calls=True)
    async with running(options) as application:
        await application.preferences.load()
        application.questions_are_seen()
        application.keep_search_ready()
        application.keep_catalog_current()
        application.keep_clients_in_view()
        await application.publish_locally()
        with contextlib.suppress(EndpointError):
            port = os.environ.get("MCP_GATEWAY_PORT", "")
            number = int(port) if port.isdecimal() else application.preferences.current.port
            await application.listen("127.0.0.1", number, token=await application.token())
        yield application


class Application(RunningHost):
    """One run, from start to close. Made by `running`.

    Attributes:
        instance: The run's id, as it is on everything the run starts.
        fleet: The servers.
        gateway: The routing.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.instance = services.lock.instance
        self.fleet = services.fleet
        self.gateway = services.gateway
        self._indexes = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self.configuration.changed.subscribe(self._configuration_changed)
        services.monitor.changed.subscribe(lambda _: self._engine_changed())
        services.keychain.answered.subscribe(lambda _: self._spawn(self.configuration.secrets_changed()))

    @classmethod
    async def create(cls, options: GatewayOptions, paths: Paths) -> Application:
        """Build the services; nothing runs yet."""
        forbid_core_dumps()
        lock = await asyncio.to_thread(InstanceLock, paths.own)
        try:
            return cls(Services(options, paths, lock))
        except BaseException:
            lock.release()
            raise

    async def start(self) -> None:
        """Read the configuration and begin; returns before any server has started."""
        options = self.services.options
        if not options.static:
            self._spawn(self._look_for_engine())
        if await asyncio.to_thread(self._offers_dynamic_tools):
            self._offer_dynamic_tools()
        await self.configuration.reload()
        self._spawn(self.services.look_at_sign_ins())
        self._spawn(self.services.tokens.keep_fresh())
        self.fleet.watch_idle()
        if options.watch:
            self._spawn(self.configuration.follow_files())

    async def close(self) -> None:
        """Take everything down, within about ten seconds; what could not be stopped by then is left to the watchdog."""
        services = self.services
        steps: tuple[tuple[str, Callable[[], Coroutine[Any, Any, None]]], ...] = (
            ("sign-ins", services.sign_ins.close),
            ("tasks", self._cancel_tasks),
            ("sessions", self.gateway.close),
            ("servers", self.fleet.close),
            ("networks", services.fence.close),
            ("activity", services.activity.close),
            ("endpoint", self.local_endpoint.close),
            ("engine", services.monitor.close),
            ("watchdog", services.close_watchdog),
        )
        for name, step in steps:
            try:
                async with asyncio.timeout(_CLOSE_LIMIT):
                    await step()
            except TimeoutError:
                log.warning("closing the %s took too long", name)
            except Exception:
                log.exception("closing the %s failed", name)
        services.keychain.close()
        await asyncio.to_thread(services.lock.release)

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
        return await self.local_endpoint.listen(host, port, token=token)

    async def publish_locally(self) -> None:
        """Let shims and the command line of the same user find this gateway."""
        await self.local_endpoint.publish()

    def questions_are_seen(self) -> None:
        """From now on questions to the person are asked; before, they are refused at once."""
        self.services.questions.attend()

    def keep_search_ready(self) -> None:
        """From now on index the catalogs ahead of the first `search`."""
        self._indexes = True
        self._spawn(self._index())

    def keep_catalog_current(self) -> None:
        """From now on fetch the official catalog when it is old."""
        self._spawn(keep_current(self.services.paths))

    def keep_clients_in_view(self) -> None:
        """From now on look after the AI clients' files."""
        self._spawn(self._follow_clients())

    # Inner workings.

    def _configuration_changed(self, configuration: Configuration) -> None:
        if self.services.options.block_secrets:
            found = [configuration.servers[name] for name in configuration.enabled if name in configuration.servers]
            found += [item.server for profile in configuration.profiles.values() for item in profile.servers.values()]
            self._spawn(self.services.launcher.learn_secrets(found))
        if self._indexes:
            self._spawn(self._index())

    async def _follow_clients(self) -> None:
        await asyncio.sleep(_CLIENTS_DELAY)
        await self.connected_clients.follow()

    async def _index(self) -> None:
        await asyncio.sleep(_INDEX_DELAY)
        await self.services.search.index(self.configuration.current.servers)

    def _offers_dynamic_tools(self) -> bool:
        options = self.services.options
        wanted = options.dynamic_tools and options.selection.servers is None
        return wanted and feature(self.services.paths.docker_config, "dynamic-tools", default=True)

    def _offer_dynamic_tools(self) -> None:
        services = self.services
        tools = DynamicTools(
            services.gateway,
            services.fleet,
            search=services.search,
            questions=services.questions,
            check=services.launcher.check,
        )
        self.gateway.offer_own(tools.own)

    async def _look_for_engine(self) -> None:
        # A moment later, so that a client's first answer does not wait for the import of the engine's client.
        await asyncio.sleep(_ENGINE_LOOK_DELAY)
        self.services.monitor.watch()

    def _engine_changed(self) -> None:
        if self.services.monitor.info is not None:
            self._spawn(self._engine_found())

    async def _engine_found(self) -> None:
        services = self.services
        with contextlib.suppress(EngineError):
            engine = await services.monitor.available()
            removed = await sweep(engine, services.paths.own, self.instance)
            if removed:
                log.info("removed %d containers a run that ended had left behind", len(removed))
        self.fleet.retry_missing()
        await self.fleet.list_new_images()

    async def _cancel_tasks(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
