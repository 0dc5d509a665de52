"""The connections to one server: shared or one a session, each started once whoever waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from desktop.errors import ServerGoneError
from desktop.servers.call_sink import SessionPort
from desktop.servers.upstream import Upstream

__all__ = ["MODERN", "QUIET", "SHARED", "Connections"]

SHARED: Final = ""
QUIET: Final = "quiet"
MODERN: Final = "modern"


class Connections:
    """Open and opening connections by key: `SHARED`, `QUIET` (for clients that can't be asked), `MODERN`, a session's id, or
    a call's.

    Args:
        server: Catalog name of the server.
        start: Opens the connection for a key and session; puts it here with `put`.
        changed: Called when one is begun, was started, or could not be.
    """

    def __init__(
        self,
        server: str,
        start: Callable[[str, SessionPort | None], Coroutine[Any, Any, Upstream]],
        changed: Callable[[], None],
    ) -> None:
        self._server = server
        self._start = start
        self._changed = changed
        self._open: dict[str, Upstream] = {}
        self._starting: dict[str, asyncio.Task[Upstream]] = {}
        self._started_at: dict[str, float] = {}
        self._retired: set[Upstream] = set()
        self._ended = False

    def __iter__(self) -> Iterator[Upstream]:
        return iter(tuple(self._open.values()))

    @property
    def starting(self) -> bool:
        """Whether any is being started."""
        return bool(self._starting)

    def alive(self, key: str) -> Upstream | None:
        """The connection with this key if it is up."""
        upstream = self._open.get(key)
        return upstream if upstream is not None and upstream.alive else None

    def put(self, key: str, upstream: Upstream) -> None:
        """A connection was started; one that went over to a session meanwhile is that session's."""
        owner = upstream.owner
        self._open[key if owner is None or key.startswith(owner.id) else owner.id] = upstream
        self._started_at[key] = time.monotonic()

    def key_of(self, upstream: Upstream) -> str | None:
        """The key of an open connection."""
        return next((key for key, known in self._open.items() if known is upstream), None)

    def move(self, old: str, new: str) -> None:
        """Give an open connection another key."""
        self._open[new] = self._open.pop(old)
        if old in self._started_at:
            self._started_at[new] = self._started_at.pop(old)

    def joined(self, key: str) -> asyncio.Task[Upstream] | None:
        """The start under way, for those who want to wait for it too."""
        return self._starting.get(key)

    def begin(self, key: str, session: SessionPort | None) -> asyncio.Task[Upstream]:
        """Start a connection; raises `ServerGoneError` after `end`."""
        if self._ended:
            raise ServerGoneError(f"{self._server} is turned off")
        task = asyncio.get_running_loop().create_task(self._start(key, session))
        self._starting[key] = task
        task.add_done_callback(lambda done: self._start_ended(key, done))
        self._changed()
        return task

    def _start_ended(self, key: str, task: asyncio.Task[Upstream]) -> None:
        if self._starting.get(key) is task:
            del self._starting[key]
        if not task.cancelled():
            task.exception()  # waiters have it, or nobody waits: it is in the status
        if not self._ended:
            self._changed()

    async def started(self, task: asyncio.Task[Upstream]) -> Upstream:
        """Wait for a start without being able to spoil it for others; raises what it raised."""
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # the start was given up, not the wait for it
                raise self.given_up() from None
            raise

    def given_up(self) -> ServerGoneError:
        """What those get who wait for a start that was given up."""
        return ServerGoneError(f"{self._server} was stopped while it was starting")

    def hand_over(self, upstream: Upstream, session: SessionPort) -> None:
        """From now on the shared connection is the session's own; calls of others under way on it still end there."""
        if session.id not in self._open and session.id not in self._starting:
            upstream.owner = session
            if self._open.get(SHARED) is upstream:
                del self._open[SHARED]
            self._open[session.id] = upstream

    def take_out(self, upstream: Upstream) -> float | None:
        """A connection broke or is done with; returns how many seconds after its start, None when it is not known here."""
        age = None
        self._retired.discard(upstream)
        for key, known in tuple(self._open.items()):
            if known is upstream:
                del self._open[key]
                age = time.monotonic() - self._started_at.pop(key, 0.0)
        return age

    def retire(self, needless: Callable[[Upstream], bool]) -> None:
        """Hand out the needless ones no more; `stop_idle` stops each as soon as its calls have ended."""
        for key, upstream in tuple(self._open.items()):
            if needless(upstream):
                del self._open[key]
                self._retired.add(upstream)

    async def release(self, session: SessionPort) -> None:
        """A session has ended: cancel its calls, close its own connections."""
        for upstream in (*self, *self._retired):
            upstream.forget(session)
            if upstream.opener is session:
                upstream.opener = None
        for key, task in tuple(self._starting.items()):
            if key.startswith(session.id):
                task.cancel()
        own = [upstream for upstream in (*self, *self._retired) if upstream.owner is session]
        await asyncio.gather(*(self.stop(upstream) for upstream in own))  # one that is busy may take seconds

    async def stop(self, upstream: Upstream) -> None:
        """Close one connection; it is no longer known here."""
        self.take_out(upstream)
        await upstream.close()
        self._changed()

    async def stop_idle(self, shared: float, own: float) -> None:
        """Stop what nothing used for so many seconds, and what was only waiting for its last calls.

        Args:
            shared: The limit of connections that are nobody's own.
            own: The limit of those that belong to a session, and may keep state for it.
        """
        now = time.monotonic()
        for upstream in (*self, *self._retired):
            limit = shared if upstream.owner is None else own
            if not upstream.calls and (now - upstream.last_used > limit or upstream in self._retired):
                await self.stop(upstream)

    def end(self) -> None:
        """Start none any more."""
        self._ended = True

    async def close(self, reason: str = "") -> None:
        """Give up every start and close every connection; calls under way get an error that gives ``reason``."""
        starting = tuple(self._starting.values())
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        upstreams = (*self, *self._retired)
        self._open.clear()
        self._retired.clear()
        await asyncio.gather(*(upstream.close(reason) for upstream in upstreams), return_exceptions=True)
