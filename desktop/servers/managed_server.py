"""One server's life: started when needed, shared or one a session, listed, restarted with back-off, stopped when idle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from desktop.catalog.kinds import usual_sharing
from desktop.catalog.model import CatalogServer
from desktop.errors import (
    GatewayError,
    MissingSettingError,
    PackageConsentError,
    ServerStartError,
    SignInRequiredError,
)
from desktop.jsonrpc import Envelope
from desktop.servers.back_off import WAITS_FOR_A_CAUSE, BackOff
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.connecting import Eras
from desktop.servers.connections import SHARED, Connections
from desktop.servers.following import Following
from desktop.servers.launch import server_kind, source_of
from desktop.servers.listing import Listing, ListingCache, configuration_hash
from desktop.servers.offering import Offering
from desktop.servers.opening import Opening
from desktop.servers.places import Places
from desktop.servers.ports import Launching, ServerListener, Timing
from desktop.servers.running_limit import RunningLimit
from desktop.servers.single_use import SingleUse, Spares
from desktop.servers.status import ServerKind, ServerState, ServerStatus, state_of
from desktop.servers.stderr_log import StderrLog
from desktop.servers.upstream import Upstream
from desktop.sharing import Sharing
from desktop.state.server_choices import ServerChoice

__all__ = ["WAITS_FOR_A_CAUSE", "Launching", "ManagedServer", "ServerListener", "Timing"]

_CRASH_WINDOW: Final = 10.0
_RUNS_HERE: Final = (ServerKind.CONTAINER, ServerKind.PACKAGE)
_CLOSING: Final = "closing a connection"
log = logging.getLogger(__name__)


class ManagedServer:
    """All connections to one enabled server.

    Which of them a session's calls go over, `Places` says.

    Attributes:
        call_timeout: Seconds a call may take; None means no limit.
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
        running: RunningLimit,
        choice: ServerChoice,
        long_lived: bool = False,
    ) -> None:
        self.server = server
        self.values = values
        self.name = server.name
        self.kind = server_kind(server)
        self.log = log
        self.last_used = 0.0
        self._launcher = launcher
        self._listener = listener
        self._timing = timing
        self._running = running
        self._usual = Sharing.PER_CLIENT if long_lived and self.kind is ServerKind.CONTAINER else usual_sharing(server)
        self.call_timeout = choice.call_timeout
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopped = False
        self._back_off = BackOff(timing.longest_pause)
        self._following = Following(listener.followed, lambda: self.acquire(None), self._back_off, self._spawn)
        self.subscribed = self._following.uris
        self._connections = Connections(self.name, self._start, self._changed)
        self._spares = Spares(self._connections)
        self._offering = Offering(
            self.name,
            cache=cache,
            of_hash=configuration_hash(server, values),
            time_limit=timing.listing,
            image_id=lambda: launcher.image_id(server),
            spawn=self._spawn,
            reader=self,
        )
        self._places = Places(self.kind, choice.sharing or self._usual, self._offering, self._connections)
        self._opening = Opening(
            server,
            values,
            launcher=launcher,
            timing=timing,
            log=log,
            places=self._places,
            offering=self._offering,
            listener=self,
            close_soon=self._close_soon,
            used_up=self._used_up,
        )
        if self.kind is ServerKind.TOOLS:
            self._offering.eras = Eras(handshake=True, modern=False)

    # State.

    @property
    def status(self) -> ServerStatus:
        """The server as shown."""
        listing = self.listing
        failure = self.failure
        return ServerStatus(
            name=self.name,
            title=self.server.title or self.name,
            description=self.server.description.strip(),
            kind=self.kind,
            source=source_of(self.server),
            enabled=True,
            state=ServerState.OFF
            if self._stopped
            else state_of(
                failure,
                listed=listing is not None,
                up=any(upstream.alive for upstream in self._connections),
                starting=self._connections.starting,
            ),
            reason=failure.message if failure is not None else "",
            hint=failure.hint if failure is not None else "",
            tool_count=len(listing.tools) if listing is not None else None,
            prompt_count=len(listing.prompts) if listing is not None else None,
            resource_count=len(listing.resources) + len(listing.templates) if listing is not None else None,
            last_used=self.last_used,
            sharing=self._places.sharing,
            reveals_secrets=self._launcher.reveals_secrets(self.server),
            needs_consent=isinstance(failure, PackageConsentError),
        )

    @property
    def listing(self) -> Listing | None:
        """What it offers; None until it was listed for the first time."""
        return self._offering.listing

    def listing_for(self, abilities: str) -> Listing | None:
        """What a client with these abilities is offered; see `Offering.for_abilities`."""
        return self._offering.for_abilities(abilities)

    @property
    def failure(self) -> GatewayError | None:
        """Why it can't be used now, if it can't."""
        return self._back_off.failure

    @property
    def settled(self) -> bool:
        """Whether the first listing is there or has failed, so that nothing more is to be expected soon."""
        return self.listing is not None or self.failure is not None

    # Connections.

    def choose(self, choice: ServerChoice) -> None:
        """Follow what was chosen for the server from now on; calls under way end where they are."""
        self.call_timeout = choice.call_timeout
        sharing = choice.sharing or self._usual
        if sharing is not self._places.sharing:
            self._places.sharing = sharing
            if not self._places.single_calls:
                self._spares.close()
            self._stop_needless()
            self._changed()

    def _stop_needless(self) -> None:
        """Hand out no more what the sharing in force has no use for, and stop what of it is idle."""
        self._connections.retire(self._places.is_needless)
        self._spawn(self._connections.stop_idle(math.inf, math.inf))

    def ready(self, session: SessionPort | None) -> Upstream | None:
        """The session's connection if it is up; the fast path of a call."""
        return self._connections.alive(self._places.of(session)) if not self._places.single_calls else None

    def known(self, session: SessionPort) -> Upstream | None:
        """The connection messages of a session went over so far, if it is up."""
        return self._places.known(session)

    async def acquire(self, session: SessionPort | None) -> Upstream:
        """The session's connection, started when necessary.

        Raises:
            GatewayError: It can't be started now; while a back-off lasts, the last reason is given at once.
        """
        if self._places.single_calls and session is not None:
            self._back_off.check()
            return await self._spares.take(session)
        key, modern = self._places.of(session), self._places.wants_modern(session)
        upstream = self._connections.alive(key)
        if upstream is not None:
            return upstream
        task = self._connections.joined(key)
        if task is None:
            self._back_off.check()
            task = self._connections.begin(key, session)
        upstream = await self._connections.started(task)
        # Which era the server speaks may be known only now; and another call may have waited for the same start.
        taken = session is not None and session.modern and not upstream.modern and upstream.owner is session
        if upstream.modern is not modern or (taken and upstream.has_call):
            return await self.acquire(session)
        return upstream

    async def _start(self, key: str, session: SessionPort | None) -> Upstream:
        modern = self._places.wants_modern(session)
        if self.kind in _RUNS_HERE:
            await self._reserve()
        try:
            upstream = await self._opening.open(key, session)
        except BaseException as error:
            if isinstance(error, GatewayError):
                self._failed(error)
            if self.kind in _RUNS_HERE:
                self._running.failed()
            raise
        if self.kind in _RUNS_HERE:
            self._running.started(upstream, self)
        self._back_off.failure = None
        if upstream.modern is not modern and not self._places.single_calls:
            key = self._places.of(session)  # another one than thought, since the era is known now
            there = self._connections.alive(key)
            if there is not None:
                self._close_soon(upstream)
                return there
        self._connections.put(key, upstream)
        once = isinstance(upstream, SingleUse) and self.listing is not None
        lacking = self._offering.lacks(upstream.abilities) and not upstream.modern
        if (upstream.owner is None and not once) or lacking:
            self._offering.refresh_soon(upstream)
        self._following.again(upstream)
        return upstream

    async def _reserve(self) -> None:
        try:
            await self._running.reserve()
        except GatewayError as error:
            self.log.note(str(error))
            raise

    def _close_soon(self, upstream: Upstream) -> None:
        self._spawn(upstream.close(), name=_CLOSING)

    def _used_up(self, upstream: SingleUse) -> None:
        self._connections.take_out(upstream)
        if not upstream.closed_reason:
            self._close_soon(upstream)
            self._changed()

    def _failed(self, error: GatewayError) -> None:
        pause = self._back_off.failed(error)
        if pause is None:
            return
        self.log.note(str(error))
        if self.listing is None and not self._stopped:
            self._spawn(self._retry_later(pause))

    async def _retry_later(self, pause: float) -> None:
        await asyncio.sleep(pause + 0.01)
        if self.failure is not None and not self._connections.starting:
            await self.ensure_listed()

    async def ensure_listed(self) -> None:
        """Start the server once to read its listing, unless there is one; failures are in the status."""
        if self.listing is None:
            with contextlib.suppress(GatewayError):
                await self._offering.refreshed(await self.acquire(None))

    async def list_new_image(self) -> None:
        """Read the listing anew if it is of an image that has been replaced since; what runs is listed when it starts."""
        if self.listing is None or not self.listing.image_id or any(upstream.alive for upstream in self._connections):
            return
        with contextlib.suppress(GatewayError):
            current = await self._launcher.current_image_id(self.server)
            if current and current != self.listing.image_id:
                await self._offering.refreshed(await self.acquire(None))

    async def retry(self) -> None:
        """Forget a failure and the back-off, and try again what was wanted; what is missing still stays the failure."""
        failure = self.failure
        if isinstance(failure, MissingSettingError) and self.listing is not None:
            try:
                await self._launcher.transport(self.server, self.values, self.log)
            except MissingSettingError:
                return
            except GatewayError:
                pass  # it would fail for another reason, which the next start finds out
        self._back_off.reset()
        if failure is not None:
            await self.ensure_listed()
            self._changed()

    async def release(self, session: SessionPort) -> None:
        """A session has ended: cancel its calls, close its own connection."""
        await self._connections.release(session)

    async def stop_idle(self) -> None:
        """Stop what nothing used for the idle time; what a session has for itself may be idle for longer."""
        if not self.subscribed:
            endless = self.kind not in _RUNS_HERE  # a session with a remote server costs nothing here
            await self._connections.stop_idle(self._timing.idle, math.inf if endless else self._timing.own_idle)

    def may_stop(self, upstream: Upstream) -> bool:
        """Whether nobody misses a connection (`Keeper`)."""
        return not self.subscribed

    async def stop_one(self, upstream: Upstream) -> None:
        """Stop a connection to make room for another (`Keeper`)."""
        await self._connections.stop(upstream)

    async def restart(self) -> None:
        """Stop every connection, forget any failure, start and list anew."""
        await self._close_all()
        self._back_off.reset()
        if self.kind is not ServerKind.TOOLS:
            self._offering.learned(Eras())
        with contextlib.suppress(GatewayError):
            await self._offering.refreshed(await self.acquire(None))

    def needs_sign_in(self, error: SignInRequiredError) -> None:
        """There is no token any more: end what was begun with it. What is just being started finds out by itself."""
        self._failed(error)
        for upstream in tuple(self._connections):
            self._connections.take_out(upstream)
            self._spawn(upstream.close(str(error)), name=_CLOSING)
        self._changed()

    def take_new_secrets(self) -> None:
        """What runs was started with secrets that are others by now: calls under way end there, the next ones do not go there."""
        self._spares.close()
        self._connections.retire(lambda upstream: True)
        self._spawn(self._connections.stop_idle(math.inf, math.inf))

    async def stop(self) -> None:
        """Take everything down for good."""
        self._stopped = True
        self._connections.end()
        await self._close_all(f"{self.name} was turned off")
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close_all(self, reason: str = "") -> None:
        await self._connections.close(reason)
        earlier = [task for task in self._tasks if task.get_name() == _CLOSING]
        await asyncio.gather(*earlier, return_exceptions=True)

    # How readings of the listing end (Reader).

    def reading_failed(self, upstream: Upstream, error: ServerStartError) -> None:
        """Without any listing the server is failing; else the last one stays in force."""
        if not upstream.alive and self.failure is not None:
            return
        self.log.note(str(error))
        if self.listing is None:
            self._failed(error)
        self._changed()

    def listing_read(self, upstream: Upstream, *, new: bool) -> None:
        """Tell of a new offer."""
        if upstream.alive:
            self._back_off.failure = None
        self._back_off.worked()
        if self._places.is_needless(upstream):  # another sharing was chosen while it started or was read
            self._stop_needless()
        if new:
            self._listener.server_changed(self.name, offer=True)

    # What connections report (UpstreamListener).

    def server_request(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """A server asks a client: find out whose question it is, and remember that this server asks."""
        session = sink.session if sink is not None else upstream.sole_session()
        if not upstream.modern:  # there a question is part of a call, and needs no connection of its own
            self._offering.remember_interactive()
            if (
                upstream.owner is None
                and session is not None
                and session.abilities
                and self._places.sharing is Sharing.SHARED
            ):
                self._connections.hand_over(upstream, session)
        self._listener.server_request(upstream, message, sink, session)

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """Changed lists are read again; everything else is the gateway's."""
        if message.method is not None and message.method.endswith("/list_changed"):
            self._offering.refresh_soon(upstream)
        else:
            self._listener.server_notification(upstream, message, sink)

    def upstream_closed(self, upstream: Upstream, reason: str) -> None:
        """A connection broke: clean up behind it; a server that breaks soon after its start is failing."""
        was_shared = self._connections.alive(SHARED) is None and upstream.owner is None
        age = self._connections.take_out(upstream)
        if age is not None:
            if isinstance(upstream.cause, SignInRequiredError):
                self._failed(upstream.cause)
            elif age < _CRASH_WINDOW:
                self._failed(ServerStartError(reason))
            else:
                self.log.note(reason)
        self._close_soon(upstream)
        if was_shared:
            self._following.lost()
        self._changed()

    def upstream_renewed(self, upstream: Upstream) -> None:
        """A server that has forgotten the session may be another version by now."""
        self._following.again(upstream)
        if upstream.owner is None or self._offering.listing is None:
            self._offering.refresh_soon(upstream)

    def upstream_ended(self, upstream: Upstream) -> None:
        """Its questions go unanswered."""
        self._listener.connection_ended(upstream)

    def _changed(self) -> None:
        self._listener.server_changed(self.name, offer=False)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any], *, name: str | None = None) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
