"""Servers that run once for each call: a connection that ends with its answer, and the next one started ahead."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from functools import partial

from msgspec import Raw

from desktop.jsonrpc import Envelope
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.connections import SHARED, Connections
from desktop.servers.modern import ModernUpstream
from desktop.servers.upstream import Upstream

__all__ = ["ModernSingleUse", "SingleUse", "Spares"]


class SingleUse(Upstream):
    """A connection for one request of a client.

    Attributes:
        used_up: Called with the connection when the request was answered or cancelled.
    """

    used_up: Callable[[SingleUse], None]

    def forward(self, message: Envelope, sink: CallSink) -> int:
        """Send a request; the answer to a client's is the last thing that is wanted."""
        return super().forward(message, sink if sink.session is None else _LastCall(sink, self))

    def cancel(self, call: int, params: dict[str, Raw]) -> None:
        """Pass a cancellation on, and end."""
        super().cancel(call, params)
        self.used_up(self)


class ModernSingleUse(SingleUse, ModernUpstream):
    """The same to a server of the modern era; all rounds of a handshake client's call are one request."""


class _LastCall:
    """Stands in for the sink of the one request."""

    def __init__(self, sink: CallSink, upstream: SingleUse) -> None:
        self._sink = sink
        self._upstream = upstream

    @property
    def session(self) -> SessionPort | None:
        return self._sink.session

    def send(self, message: bytes) -> None:
        self._sink.send(message)

    def finish(self, message: bytes) -> None:
        self._sink.finish(message)
        self._upstream.used_up(self._upstream)


class Spares:
    """Hands out connections for one call each, and keeps one ready, so that only the first call waits for a start.

    Args:
        connections: Where they are started and kept.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._waiting: deque[asyncio.Future[Upstream]] = deque()
        self._free: list[str] = []
        self._starting: dict[str, asyncio.Task[Upstream]] = {}
        self._numbers = itertools.count(1)

    async def take(self, session: SessionPort) -> Upstream:
        """A connection nobody has used, from now on the session's; raises what its start raises."""
        upstream = self._take_free()
        if upstream is None:
            waiting: asyncio.Future[Upstream] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            self._fill()
            try:
                upstream = await waiting
            except asyncio.CancelledError:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)
                elif not waiting.cancelled() and waiting.exception() is None:
                    self._hand_out(waiting.result())
                raise
        upstream.owner = upstream.opener = session
        self._fill()
        return upstream

    def _take_free(self) -> Upstream | None:
        while self._free:
            upstream = self._connections.alive(self._free.pop(0))
            if upstream is not None:
                return upstream
        listed = self._connections.alive(SHARED)  # it was started to be listed, and is as good as new
        if isinstance(listed, SingleUse) and not listed.calls:
            self._connections.move(SHARED, self._key())
            return listed
        return None

    def _fill(self) -> None:
        """As many starts under way as calls wait for, and one more where none is ready."""
        while len(self._starting) < len(self._waiting) + (0 if self._free else 1):
            key = self._key()
            self._starting[key] = self._connections.begin(key, None)
            self._starting[key].add_done_callback(partial(self._started, key))

    def _started(self, key: str, task: asyncio.Task[Upstream]) -> None:
        del self._starting[key]
        waiting = self._next_waiting()
        if task.cancelled():
            if waiting is not None:
                waiting.set_exception(self._connections.given_up())
        elif (error := task.exception()) is not None:
            if waiting is not None:
                waiting.set_exception(error)
        elif waiting is not None:
            waiting.set_result(task.result())
        else:
            self._free.append(key)

    def _hand_out(self, upstream: Upstream) -> None:
        """To the next who waits; else it is ready for the next call."""
        waiting = self._next_waiting()
        if waiting is not None:
            waiting.set_result(upstream)
        elif (key := self._connections.key_of(upstream)) is not None:
            self._free.append(key)

    def _next_waiting(self) -> asyncio.Future[Upstream] | None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                return waiting
        return None

    def _key(self) -> str:
        return f"call {next(self._numbers)}"

    def close(self) -> None:
        """Nobody wants single calls any more: give up what is being started ahead."""
        self._free.clear()
        for task in tuple(self._starting.values())[len(self._waiting) :]:
            task.cancel()
