"""The connections to one server: shared or one a session, each started once whoever waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from desktop.errors import ServerGoneError
from desktop.servers.upstream import SessionPort, Upstream

__all__ = ["MODERN", "QUIET", "SHARED", "Connections"]

SHARED: Final = ""
QUIET: Final = "quiet"
MODERN: Final = "modern"


class Connections:
    """Open and opening connections by key: `SHARED`, `QUIET` (for clients that can't be asked), `MODERN` or a session's id.

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
        self._open[key if upstream.owner is None else upstream.owner.id] = upstream
        self._started_at[key] = time.monotonic()

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
                raise ServerGoneError(f"{self._server} was stopped while it was starting") from None
            raise

    def hand_over(self, upstream: Upstream, session: SessionPort) -> None:
        """From now on the shared connection is the session's own; calls of others under way on it still end there."""
        if session.id not in self._open and session.id not in self._starting:
            upstream.owner = session
            if self._open.get(SHARED) is upstream:
                del self._open[SHARED]
            self._open[session.id] = upstream

    def take_out(self, upstream: Upstream) -> float | None:
        """A connection broke; returns how many seconds after its start, or None when it is not known here."""
        age = None
        for key, known in tuple(self._open.items()):
            if known is upstream:
                del self._open[key]
                age = time.monotonic() - self._started_at.pop(key, 0.0)
        return age

    async def release(self, session: SessionPort) -> None:
        """A session has ended: cancel its calls, close its own connection."""
        for upstream in self:
            upstream.forget(session)
            if upstream.opener is session:
                upstream.opener = None
        task = self._starting.get(session.id)
        if task is not None:
            task.cancel()
        own = self._open.pop(session.id, None)
        if own is not None:
            await own.close()
            self._changed()

    async def stop_idle(self, limit: float) -> None:
        """Stop the shared ones nothing used for ``limit`` seconds; own ones live as long as their session."""
        for key in (SHARED, QUIET, MODERN):
            upstream = self._open.get(key)
            if upstream is None or upstream.calls:
                continue
            if time.monotonic() - upstream.last_used > limit:
                del self._open[key]
                await upstream.close()
                self._changed()

    def end(self) -> None:
        """Start none any more."""
        self._ended = True

    async def close(self) -> None:
        """Give up every start and close every connection."""
        starting = tuple(self._starting.values())
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        upstreams, self._open = tuple(self._open.values()), {}
        await asyncio.gather(*(upstream.close() for upstream in upstreams), return_exceptions=True)
