"""The resources clients follow at one server: every new connection is told them, and a server that broke is started for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any

from desktop import jsonrpc
from desktop.errors import GatewayError
from desktop.servers.back_off import BackOff
from desktop.servers.upstream import Upstream

__all__ = ["Following"]

_ANSWER = 10.0
log = logging.getLogger(__name__)


class Following:
    """What is followed, wherever the server's connection goes.

    Args:
        over: URIs that are followed over a connection.
        start: Gives the shared connection, started when necessary.
        back_off: When the server may be tried again.
        spawn: Runs a coroutine as a task of the server.

    Attributes:
        uris: What is followed over the shared connection.
    """

    def __init__(
        self,
        over: Callable[[Upstream], Collection[str]],
        start: Callable[[], Awaitable[object]],
        back_off: BackOff,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self.uris: set[str] = set()
        self._over = over
        self._start = start
        self._back_off = back_off
        self._spawn = spawn

    def again(self, upstream: Upstream) -> None:
        """What clients follow was known to the connection before this one."""
        for uri in self._over(upstream):
            self._spawn(self._follow(upstream, uri))

    async def _follow(self, upstream: Upstream, uri: str) -> None:
        try:
            await upstream.request("resources/subscribe", jsonrpc.encode({"uri": uri}), time_limit=_ANSWER)
        except (GatewayError, TimeoutError) as error:
            log.info("%s can't be followed any more: %s", uri, error)

    def lost(self) -> None:
        """The shared connection broke: start anew what a client follows something of, as nobody may be about to call."""
        if self.uris:
            self._spawn(self._come_back())

    async def _come_back(self) -> None:
        while self.uris:
            await asyncio.sleep(max(self._back_off.retry_at - time.monotonic(), 0) + 0.01)
            try:
                await self._start()
                return
            except GatewayError:
                if not self._back_off.retry_at:
                    return  # it waits for something else than time
