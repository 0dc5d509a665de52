"""All enabled servers: follows the configuration, keeps the rest of the program posted, stops what is idle."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from desktop.catalog.configuration import Configuration
from desktop.catalog.kinds import usual_sharing
from desktop.catalog.model import CatalogServer
from desktop.engine.ports import PullProgress
from desktop.errors import SignInError, SignInRequiredError
from desktop.events import EventStream
from desktop.servers.call_sink import SessionPort
from desktop.servers.holds import Hold, Holds, NoListings
from desktop.servers.launch import server_kind, source_of
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import WAITS_FOR_A_CAUSE, Launching, ManagedServer, ServerListener, Timing
from desktop.servers.running_limit import RunningLimit
from desktop.servers.status import ServerKind, ServerState, ServerStatus
from desktop.servers.stderr_log import StderrLog

__all__ = ["Fleet"]

_IDLE_CHECK: Final = 15.0
_LISTING_AT_ONCE: Final = 4
_FIRST_LISTING: Final = 10.0
log = logging.getLogger(__name__)


class Fleet:
    """The enabled servers by name.

    Args:
        launcher: Starts servers.
        cache: Listings on disk.
        timing: Limits for every server.
        clean: Removes secrets from log lines.
        long_lived: Give every session a container of its own (``--long-lived``).
        most_running: The most containers and processes with a server that run at once.
        echo: Called with server and line for each line on standard error (``--verbose``).

    Attributes:
        changed: The name of a server whose status is new.
        begun: Monotonic seconds at which a server was last added.
        holds: Servers that run for single sessions, besides the enabled ones.
    """

    def __init__(
        self,
        *,
        launcher: Launching,
        cache: ListingCache,
        timing: Timing,
        clean: Callable[[str], str],
        long_lived: bool = False,
        most_running: int = 40,
        echo: Callable[[str, str], None] | None = None,
    ) -> None:
        self.changed: EventStream[str] = EventStream()
        self.begun = 0.0
        self._launcher = launcher
        self._cache = cache
        self._timing = timing
        self._clean = clean
        self._long_lived = long_lived
        self._running = RunningLimit(most_running)
        self._echo = echo
        self._listener: ServerListener | None = None
        self._configuration = Configuration()
        self._servers: dict[str, ManagedServer] = {}
        self._logs: dict[str, StderrLog] = {}
        self._pulls: dict[str, PullProgress] = {}
        self._applying = asyncio.Lock()
        self._paused = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._listing_slots = asyncio.Semaphore(_LISTING_AT_ONCE)
        self._idle_check: asyncio.Task[None] | None = None
        self.holds = Holds(lambda server, values, usual: self._manage(server, values, kept=usual), self._stop_soon)

    def attach(self, listener: ServerListener) -> None:
        """Say who takes what servers say; once, before `apply`."""
        self._listener = listener

    @property
    def configuration(self) -> Configuration:
        """The configuration in force."""
        return self._configuration

    @property
    def servers(self) -> Mapping[str, ManagedServer]:
        """The running set: enabled, known to a catalog, not paused."""
        return self._servers

    @property
    def paused(self) -> bool:
        """Whether everything is stopped although it is enabled."""
        return self._paused

    async def apply(self, configuration: Configuration) -> None:
        """Follow a new configuration: stop what is off or changed, begin what is on. Unchanged servers keep running."""
        async with self._applying:
            self._configuration = configuration
            wanted: dict[str, tuple[CatalogServer, Mapping[str, Any]]] = {}
            if not self._paused:
                for name in configuration.enabled:
                    server = configuration.servers.get(name)
                    if server is not None:
                        wanted[name] = (server, configuration.values_of(server))
            going = [
                running
                for name, running in self._servers.items()
                if name not in wanted or wanted[name] != (running.server, running.values)
            ]
            for running in going:
                del self._servers[running.name]
            if wanted.keys() - self._servers.keys():
                self.begun = time.monotonic()
            for name in sorted(wanted.keys() - self._servers.keys()):
                self._servers[name] = self._manage(*wanted[name])
            self._servers = dict(sorted(self._servers.items()))
            self._tell(*(running.name for running in going), *wanted, offer=True)
            for running in going:
                self._stop_soon(running)
            for running in self._servers.values():
                running.choose(configuration.choice_of(running.name))
                if running.listing is None:
                    self._spawn(self._first_listing(running))

    def _stop_soon(self, server: ManagedServer) -> None:
        """Stop a server without making others wait: a stubborn one takes its time."""
        task = asyncio.get_running_loop().create_task(server.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _manage(self, server: CatalogServer, values: Mapping[str, Any], *, kept: bool = True) -> ManagedServer:
        assert self._listener is not None
        return ManagedServer(
            server,
            values,
            launcher=self._launcher,
            listener=self._listener,
            cache=self._cache if kept else NoListings(),
            timing=self._timing,
            log=self.log_of(server.name),
            running=self._running,
            choice=self._configuration.choice_of(server.name),
            long_lived=self._long_lived,
        )

    async def _first_listing(self, server: ManagedServer) -> None:
        async with self._listing_slots:
            if self._servers.get(server.name) is server:
                await server.ensure_listed()

    async def pause(self, paused: bool) -> None:
        """Stop everything, or begin again what is enabled."""
        self._paused = paused
        self.holds.pause(paused)
        await self.apply(self._configuration)

    @property
    def patience(self) -> float:
        """How many seconds a client may still have to wait for servers that are being listed for the first time."""
        return max(self.begun + _FIRST_LISTING - time.monotonic(), 0.0)

    async def settled(self, time_limit: float, servers: Callable[[], Iterable[ManagedServer]] | None = None) -> bool:
        """Wait until servers were listed or have failed.

        Args:
            time_limit: Seconds.
            servers: Gives them; by default the enabled ones.

        Returns:
            False when the time was not enough.
        """
        done = asyncio.Event()
        those = servers or self._servers.values

        def look(_: str) -> None:
            if all(server.settled for server in those()):
                done.set()

        unsubscribe = self.changed.subscribe(look)
        try:
            look("")
            async with asyncio.timeout(time_limit):
                await done.wait()
        except TimeoutError:
            return False
        finally:
            unsubscribe()
        return True

    async def release(self, session: SessionPort) -> None:
        """A client session has ended."""
        await asyncio.gather(*(server.release(session) for server in self._all()), return_exceptions=True)
        self.holds.leave_all(session.id)

    def hold(self, server: CatalogServer, values: Mapping[str, Any], session: SessionPort) -> Hold:
        """Run a server for one session, until it leaves it (`holds.leave`) or ends; see `Holds.take`."""
        return self.holds.take(server, values, session.id, usual=values == self._configuration.values_of(server))

    def hold_listed(self, server: CatalogServer, values: Mapping[str, Any], session: SessionPort) -> Hold:
        """As `hold`, with settings that are the person's own; a server that was never listed is listed in the background."""
        hold = self.holds.take(server, values, session.id, usual=True)
        running = hold.managed
        if running is not None and running.listing is None and not running.settled:
            self.begun = time.monotonic()
            self._spawn(self._listed(running))
        return hold

    async def _listed(self, server: ManagedServer) -> None:
        async with self._listing_slots:
            await server.ensure_listed()

    def _all(self) -> tuple[ManagedServer, ...]:
        return (*self._servers.values(), *self.holds.running())

    async def restart(self, name: str) -> None:
        """Stop a server's connections, forget its failures, start and list it anew."""
        server = self._servers.get(name)
        if server is not None:
            await server.restart()

    def retry_missing(self) -> None:
        """Something servers were waiting for (the engine, a secret, a consent) may be there now: try those again."""
        for server in self._all():
            waits = isinstance(server.failure, WAITS_FOR_A_CAUSE)
            secret = isinstance(server.failure, SignInRequiredError) and server.kind is not ServerKind.REMOTE
            if waits or secret:
                self._spawn(server.retry())

    def signed_in(self, names: Collection[str]) -> None:
        """There is a token for these servers, or another one than before."""
        for server in self._all():
            if server.name in names:
                if isinstance(server.failure, (*WAITS_FOR_A_CAUSE, SignInError, SignInRequiredError)):
                    self._spawn(server.retry())
                elif server.kind is not ServerKind.REMOTE:
                    server.take_new_secrets()

    def signed_out(self, names: Collection[str], error: SignInRequiredError) -> None:
        """The token of these servers has gone."""
        for server in self._all():
            if server.name in names:
                server.needs_sign_in(error)

    async def list_new_images(self) -> None:
        """The engine was found: servers whose image was replaced since they were listed are listed again."""
        for server in tuple(self._servers.values()):
            async with self._listing_slots:
                await server.list_new_image()

    def run_at_most(self, count: int) -> None:
        """From now on at most this many servers run at once; those beyond it stop when they are not used."""
        self._running.set_limit(count)

    def watch_idle(self) -> None:
        """From now on stop servers nobody has used for a while."""
        if self._idle_check is None:
            self._idle_check = self._spawn(self._stop_idle())

    async def _stop_idle(self) -> None:
        while True:
            await asyncio.sleep(min(_IDLE_CHECK, self._timing.idle))
            for server in self._all():
                await server.stop_idle()

    async def close(self) -> None:
        """Stop everything."""
        for task in tuple(self._tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)
        servers, self._servers = self._all(), {}
        await asyncio.gather(*(server.stop() for server in servers), *self._stopping, return_exceptions=True)

    # What the faces show.

    def log_of(self, name: str) -> StderrLog:
        """Standard error of a server, kept while it is off too."""
        found = self._logs.get(name)
        if found is None:
            echo = self._echo
            found = StderrLog(self._clean, echo=None if echo is None else lambda line: echo(name, line))
            self._logs[name] = found
        return found

    def status(self, name: str) -> ServerStatus | None:
        """The status of any server: running, off, or enabled but unknown to every catalog."""
        running = self._servers.get(name) or next((held for held in self.holds.running() if held.name == name), None)
        if running is not None:
            status = running.status if name in self._servers else dataclasses.replace(running.status, enabled=False)
            pull = self._pulls.get(name)
            if pull is not None and status.state is ServerState.STARTING:
                return _with_pull(status, pull)
            return status
        enabled = name in self._configuration.enabled
        server = self._configuration.servers.get(name)
        if server is None:
            if not enabled:
                return None
            return ServerStatus(
                name=name,
                title=name,
                enabled=True,
                state=ServerState.FAILING,
                reason=f"No catalog has a server called {name}",
                hint="Turn it off, or import the catalog that has it",
            )
        return ServerStatus(
            name=name,
            title=server.title or name,
            description=server.description.strip(),
            kind=server_kind(server),
            source=source_of(server),
            sharing=self._configuration.choice_of(name).sharing or usual_sharing(server),
            enabled=enabled,
            tool_count=len(server.tools) or None,
        )

    def pulled(self, name: str, progress: PullProgress) -> None:
        """A pull for a server got further."""
        self._pulls[name] = progress
        self.changed.publish(name)

    def announce(self, name: str) -> None:
        """Tell the faces that a server's status is new."""
        running = self._servers.get(name)
        if running is None or running.status.state is not ServerState.STARTING:
            self._pulls.pop(name, None)
        self.changed.publish(name)

    def _tell(self, *names: str, offer: bool) -> None:
        assert self._listener is not None
        for name in names:
            self._listener.server_changed(name, offer=offer)

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _with_pull(status: ServerStatus, pull: PullProgress) -> ServerStatus:
    share = f" {pull.done * 100 // pull.total} %" if pull.total else ""
    return dataclasses.replace(status, reason=f"Pulling {pull.image.partition('@')[0]}{share}")
