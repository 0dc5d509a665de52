"""One server's life: started when needed, shared or one a session, listed, restarted with back-off, stopped when idle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from desktop import jsonrpc
from desktop.catalog.model import CatalogServer
from desktop.errors import (
    ConsentRequiredError,
    EnginePermissionError,
    EngineUnavailableError,
    GatewayError,
    MissingSettingError,
    ServerGoneError,
    ServerStartError,
    SignInRequiredError,
)
from desktop.jsonrpc import Envelope
from desktop.servers.launch import server_kind, source_of
from desktop.servers.listing import Listing, ListingCache, configuration_hash, read_listing
from desktop.servers.status import ServerKind, ServerState, ServerStatus
from desktop.servers.stderr_log import StderrLog
from desktop.servers.upstream import EVERY_CAPABILITY, CallSink, SessionPort, Transport, Upstream

__all__ = ["WAITS_FOR_A_CAUSE", "Launching", "ManagedServer", "ServerListener", "Timing"]

_SHARED: Final = ""
_QUIET: Final = "quiet"
_ALL_ABILITIES: Final = "elicitation,roots,sampling"
_CRASH_WINDOW: Final = 10.0
_CLOSING: Final = "closing a connection"
# Failures that are over when something else has changed; they are not tried again by the clock.
WAITS_FOR_A_CAUSE: Final = (EngineUnavailableError, EnginePermissionError, MissingSettingError)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Limits in seconds: answer to initialize (a package may have to be downloaded first), one page of a listing, idle stop."""

    start: float = 60.0
    package_start: float = 240.0
    listing: float = 30.0
    idle: float = 600.0
    longest_pause: float = 300.0


class Launching(Protocol):
    """Makes the way to a server."""

    async def transport(self, server: CatalogServer, values: Mapping[str, Any], log: StderrLog) -> Transport:
        """A transport, not started yet; raises `GatewayError` when something is missing."""

    def image_id(self, server: CatalogServer) -> str:
        """Content id of the image last used for the server; empty when unknown."""


class ServerListener(Protocol):
    """Takes what servers say, and changes of their state."""

    def server_request(
        self, upstream: Upstream, message: Envelope, sink: CallSink | None, session: SessionPort | None
    ) -> None:
        """A server asks the client of ``session``."""

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """A server tells something."""

    def server_changed(self, name: str, *, offer: bool) -> None:
        """The state of a server is new; ``offer``: its listing is new as well."""


class ManagedServer:
    """All connections to one enabled server.

    A server is shared by all sessions unless its entry says ``longLived``, it is remote, or it has once asked something of a
    client; then every session that can answer has a connection of its own. See docs/decisions/0002-sharing.md.

    Attributes:
        listing: What it offers; None until it was listed for the first time.
        subscribed: Resources clients follow over the shared connection; while there are any, it isn't stopped as idle.
        log: Its standard error.
    """

    def __init__(
        self,
        server: CatalogServer,
        values: Mapping[str, Any],
        *,
        launcher: Launching,
        listener: ServerListener,
        cache: ListingCache,
        timing: Timing,
        log: StderrLog,
        per_session: bool = False,
    ) -> None:
        self.server = server
        self.values = values
        self.name = server.name
        self.kind = server_kind(server)
        self.log = log
        self.last_used = 0.0
        self.subscribed: set[str] = set()
        self._launcher = launcher
        self._listener = listener
        self._cache = cache
        self._timing = timing
        self._per_session = (
            self.kind is ServerKind.REMOTE or per_session or (server.longLived and self.kind is ServerKind.CONTAINER)
        )
        self._hash = configuration_hash(server, values)
        self.listing: Listing | None = cache.load(self.name, self._hash)
        self._interactive = self.listing is not None and self.listing.interactive
        self._upstreams: dict[str, Upstream] = {}
        self._starting: dict[str, asyncio.Task[Upstream]] = {}
        self._started_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failure: GatewayError | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self._to_read: dict[Upstream, None] = {}
        self._stopped = False

    # State.

    @property
    def status(self) -> ServerStatus:
        """The server as shown."""
        listing = self.listing
        failure = self._failure
        return ServerStatus(
            name=self.name,
            title=self.server.title or self.name,
            description=self.server.description.strip(),
            kind=self.kind,
            source=source_of(self.server),
            enabled=True,
            state=self._state(),
            reason=failure.message if failure is not None else "",
            hint=failure.hint if failure is not None else "",
            tool_count=len(listing.tools) if listing is not None else None,
            prompt_count=len(listing.prompts) if listing is not None else None,
            resource_count=len(listing.resources) + len(listing.templates) if listing is not None else None,
            last_used=self.last_used,
            needs_consent=isinstance(failure, ConsentRequiredError),
        )

    def _state(self) -> ServerState:
        if self._stopped:
            return ServerState.OFF
        listed = self.listing is not None or self._failure is None
        if listed and any(upstream.alive for upstream in self._upstreams.values()):
            return ServerState.READY
        if self._starting:
            return ServerState.STARTING
        if isinstance(self._failure, SignInRequiredError):
            return ServerState.NEEDS_SIGN_IN
        if isinstance(self._failure, MissingSettingError):
            return ServerState.NEEDS_SETTING
        if self._failure is not None:
            return ServerState.FAILING
        return ServerState.IDLE if self.listing is not None else ServerState.STARTING

    @property
    def failure(self) -> GatewayError | None:
        """Why it can't be used now, if it can't."""
        return self._failure

    @property
    def settled(self) -> bool:
        """Whether the first listing is there or has failed, so that nothing more is to be expected soon."""
        return self.listing is not None or self._failure is not None

    # Connections.

    def ready(self, session: SessionPort | None) -> Upstream | None:
        """The session's connection if it is up; the fast path of a call."""
        upstream = self._upstreams.get(self._key(session))
        return upstream if upstream is not None and upstream.alive else None

    def known(self, session: SessionPort) -> Upstream | None:
        """The connection messages of a session went over so far, if it is up."""
        for key in (session.id, _QUIET, _SHARED):
            upstream = self._upstreams.get(key)
            if upstream is not None and upstream.alive:
                return upstream
        return None

    async def acquire(self, session: SessionPort | None) -> Upstream:
        """The session's connection, started when necessary.

        Raises:
            GatewayError: It can't be started now; while a back-off lasts, the last reason is given at once.
        """
        upstream = self.ready(session)
        if upstream is not None:
            return upstream
        key = self._key(session)
        task = self._starting.get(key)
        if task is None:
            left = self._retry_at - time.monotonic()
            if self._failure is not None and left > 0:
                raise self._failure.with_traceback(None)
            task = self._begin(key, session)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # the start was given up, not the wait for it
                raise ServerGoneError(f"{self.name} was stopped while it was starting") from None
            raise

    def _key(self, session: SessionPort | None) -> str:
        if session is None:
            return _SHARED
        if self._per_session:
            return session.id
        if not self._interactive:
            return _SHARED
        return session.id if session.abilities else _QUIET

    def _begin(self, key: str, session: SessionPort | None) -> asyncio.Task[Upstream]:
        if self._stopped:
            raise ServerGoneError(f"{self.name} is turned off")
        task = asyncio.get_running_loop().create_task(self._start(key, session))
        self._starting[key] = task
        task.add_done_callback(lambda done: self._start_ended(key, done))
        self._listener.server_changed(self.name, offer=False)
        return task

    def _start_ended(self, key: str, task: asyncio.Task[Upstream]) -> None:
        if self._starting.get(key) is task:
            del self._starting[key]
        if not task.cancelled():
            task.exception()  # waiters have it, or nobody waits: it is in the status
        if not self._stopped:
            self._listener.server_changed(self.name, offer=False)

    async def _start(self, key: str, session: SessionPort | None) -> Upstream:
        owner = session if key not in (_SHARED, _QUIET) else None
        upstream: Upstream | None = None
        try:
            transport = await self._launcher.transport(self.server, self.values, self.log)
            capabilities = b"{}" if key == _QUIET else EVERY_CAPABILITY
            upstream = Upstream(self.name, transport, self, owner, capabilities)
            upstream.abilities = owner.abilities if owner is not None else "" if key == _QUIET else _ALL_ABILITIES
            upstream.opener = session
            limit = self._timing.package_start if self.kind is ServerKind.PACKAGE else self._timing.start
            await upstream.open(time_limit=limit)
        except BaseException as error:
            if upstream is not None:
                self._spawn(upstream.close(), name=_CLOSING)
            if isinstance(error, GatewayError):
                self._failed(error)
            elif isinstance(error, Exception):
                log.exception("starting %s failed", self.name)
                failure = ServerStartError(f"{self.name} could not be started: {type(error).__name__}")
                self._failed(failure)
                raise failure from error
            raise
        self._failure = None
        self._upstreams[key if upstream.owner is None else upstream.owner.id] = upstream
        self._started_at[key] = time.monotonic()
        if (
            owner is None
            or self.listing is None
            or (self._interactive and owner.abilities not in self.listing.variants)
        ):
            self._refresh_soon(upstream)
        return upstream

    def _failed(self, error: GatewayError) -> None:
        self._failure = error
        self._failures += 1
        if isinstance(error, (*WAITS_FOR_A_CAUSE, SignInRequiredError)):
            self._retry_at = 0.0  # tried again as soon as somebody asks, or when the cause has gone
            return
        pause = min(2.0 ** min(self._failures, 12) / 2, self._timing.longest_pause)
        self._retry_at = time.monotonic() + pause
        self.log.note(str(error))
        if self.listing is None and not self._stopped:
            self._spawn(self._retry_later(pause))

    async def _retry_later(self, pause: float) -> None:
        await asyncio.sleep(pause + 0.01)
        if self._failure is not None and not self._starting:
            await self.ensure_listed()

    async def ensure_listed(self) -> None:
        """Start the server once to read its listing, unless there is one; failures are in the status."""
        if self.listing is None:
            with contextlib.suppress(GatewayError):
                await self._refreshed(await self.acquire(None))

    async def retry(self) -> None:
        """Forget a failure and the back-off, and try again what was wanted."""
        self._retry_at, self._failures = 0.0, 0
        if self._failure is not None:
            self._failure = None
            await self.ensure_listed()
            self._listener.server_changed(self.name, offer=False)

    async def release(self, session: SessionPort) -> None:
        """A session has ended: cancel its calls, close its own connection."""
        for upstream in self._upstreams.values():
            upstream.forget(session)
            if upstream.opener is session:
                upstream.opener = None
        task = self._starting.get(session.id)
        if task is not None:
            task.cancel()
        upstream_of_session = self._upstreams.pop(session.id, None)
        if upstream_of_session is not None:
            await upstream_of_session.close()
            self._listener.server_changed(self.name, offer=False)

    async def stop_idle(self) -> None:
        """Stop the shared connection when nothing used it for the idle time; own ones live as long as their session."""
        for key in (_SHARED, _QUIET):
            upstream = self._upstreams.get(key)
            if upstream is None or upstream.calls or self.subscribed:
                continue
            if time.monotonic() - upstream.last_used > self._timing.idle:
                del self._upstreams[key]
                await upstream.close()
                self._listener.server_changed(self.name, offer=False)

    async def restart(self) -> None:
        """Stop every connection, forget any failure, start and list anew."""
        await self._close_all()
        self._failure, self._failures, self._retry_at = None, 0, 0.0
        with contextlib.suppress(GatewayError):
            await self._refreshed(await self.acquire(None))

    async def stop(self) -> None:
        """Take everything down for good."""
        self._stopped = True
        await self._close_all()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close_all(self) -> None:
        starting = tuple(self._starting.values())
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        upstreams, self._upstreams = tuple(self._upstreams.values()), {}
        closing = [upstream.close() for upstream in upstreams]
        earlier = [task for task in self._tasks if task.get_name() == _CLOSING]
        await asyncio.gather(*closing, *earlier, return_exceptions=True)

    # Listings.

    def _refresh_soon(self, upstream: Upstream) -> asyncio.Task[None]:
        """Read the listing; where that is going on already, once more afterwards, so that no change is missed."""
        self._to_read[upstream] = None
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = self._spawn(self._refresh())
        return self._refreshing

    async def _refreshed(self, upstream: Upstream) -> None:
        """Wait for the reading under way, or begin one."""
        running = self._refreshing
        await asyncio.shield(self._refresh_soon(upstream) if running is None or running.done() else running)

    async def _refresh(self) -> None:
        while self._to_read:
            upstream = next(iter(self._to_read))
            del self._to_read[upstream]
            await self._read(upstream)

    async def _read(self, upstream: Upstream) -> None:
        try:
            listing = await read_listing(upstream, time_limit=self._timing.listing)
        except TimeoutError:
            self._listing_failed(ServerStartError(f"{self.name} did not answer tools/list in time"))
            return
        except (ServerGoneError, jsonrpc.MalformedMessageError) as error:
            if upstream.alive:
                self._listing_failed(ServerStartError(f"{self.name} can't be listed: {error}"))
            elif self._failure is None:
                self._listing_failed(ServerStartError(str(error)))
            return
        if upstream.alive:
            self._failure = None
        await self._take(listing, upstream.abilities)

    def _listing_failed(self, error: ServerStartError) -> None:
        self.log.note(str(error))
        if self.listing is None:
            self._failed(error)
        self._listener.server_changed(self.name, offer=False)

    def listing_for(self, abilities: str) -> Listing | None:
        """What a client with these abilities (`SessionPort.abilities`) is offered.

        A server that asks clients may offer less to one that can't be asked; that is known once it was started for such a one.
        """
        listing = self.listing
        return listing.variants.get(abilities, listing) if listing is not None and listing.variants else listing

    async def _take(self, listing: Listing, abilities: str = _ALL_ABILITIES) -> None:
        old = self.listing
        listing = msgspec.structs.replace(
            listing, interactive=self._interactive, image_id=self._launcher.image_id(self.server)
        )
        variants = dict(old.variants) if old is not None else {}
        if old is not None and self._interactive and abilities != _ALL_ABILITIES:
            variants[abilities] = msgspec.structs.replace(listing, variants={})
            listing = old
        self.listing = listing = msgspec.structs.replace(listing, interactive=self._interactive, variants=variants)
        self._failures = 0
        if old is None or jsonrpc.encode(old) != jsonrpc.encode(listing):
            self._listener.server_changed(self.name, offer=True)
            await self._cache.store(self.name, self._hash, listing)

    # What connections report (UpstreamListener).

    def server_request(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """A server asks a client: find out whose question it is, and remember that this server asks."""
        session = sink.session if sink is not None else upstream.sole_session()
        self._remember_interactive()
        if upstream.owner is None and session is not None and session.abilities and not self._per_session:
            self._hand_over(upstream, session)
        self._listener.server_request(upstream, message, sink, session)

    def _remember_interactive(self) -> None:
        if not self._interactive:
            self._interactive = True
            if self.listing is not None:
                self.listing = msgspec.structs.replace(self.listing, interactive=True)
                self._spawn(self._cache.store(self.name, self._hash, self.listing))

    def _hand_over(self, upstream: Upstream, session: SessionPort) -> None:
        """From now on the shared connection is the session's own; calls of others under way on it still end there."""
        if session.id not in self._upstreams and session.id not in self._starting:
            upstream.owner = session
            if self._upstreams.get(_SHARED) is upstream:
                del self._upstreams[_SHARED]
            self._upstreams[session.id] = upstream

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """Changed lists are read again; everything else is the gateway's."""
        if message.method is not None and message.method.endswith("/list_changed"):
            self._refresh_soon(upstream)
        else:
            self._listener.server_notification(upstream, message, sink)

    def upstream_closed(self, upstream: Upstream, reason: str) -> None:
        """A connection broke: clean up behind it; a server that breaks soon after its start is failing."""
        for key, known in tuple(self._upstreams.items()):
            if known is upstream:
                del self._upstreams[key]
                if time.monotonic() - self._started_at.pop(key, 0.0) < _CRASH_WINDOW:
                    self._failed(ServerStartError(reason))
                else:
                    self.log.note(reason)
        self._spawn(upstream.close(), name=_CLOSING)
        self._listener.server_changed(self.name, offer=False)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any], *, name: str | None = None) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
