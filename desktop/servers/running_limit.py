"""How many servers run on this machine at once; the one idle longest makes room for the next."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

from desktop.errors import ServerStartError
from desktop.servers.upstream import Upstream

__all__ = ["Keeper", "RunningLimit"]

_LOOK: Final = 0.1
_JUST_USED: Final = 1.0


class Keeper(Protocol):
    """The owner of running connections."""

    def may_stop(self, upstream: Upstream) -> bool:
        """Whether nothing is lost when it is stopped now."""

    async def stop_one(self, upstream: Upstream) -> None:
        """Stop it; it is started again when somebody needs it."""


class RunningLimit:
    """Counts connections with a container or process of their own.

    Args:
        limit: The most that may run at once.
        patience: Seconds a start waits for room.
    """

    def __init__(self, limit: int, patience: float = 60.0) -> None:
        self._limit = limit
        self._patience = patience
        self._reserved = 0
        self._running: dict[Upstream, Keeper] = {}
        self._turn = asyncio.Lock()

    def set_limit(self, limit: int) -> None:
        """Another limit from now on."""
        self._limit = limit

    async def reserve(self) -> None:
        """Wait for room for one more; to be followed by `started` or `failed`.

        Raises:
            ServerStartError: All are busy, and stayed so.
        """
        try:
            async with asyncio.timeout(self._patience), self._turn:
                while self._count() + self._reserved >= self._limit:
                    await self._make_room()
                self._reserved += 1
        except TimeoutError:
            raise ServerStartError(
                f"{self._limit} servers run at once at most, and all of them are busy",
                "Try again when one of the running calls has ended",
            ) from None

    def started(self, upstream: Upstream, keeper: Keeper) -> None:
        """The reserved one runs."""
        self._reserved -= 1
        self._running[upstream] = keeper

    def failed(self) -> None:
        """The reserved one does not run."""
        self._reserved -= 1

    def _count(self) -> int:
        self._running = {upstream: keeper for upstream, keeper in self._running.items() if not upstream.closed_reason}
        return len(self._running)

    async def _make_room(self) -> None:
        recent = time.monotonic() - _JUST_USED  # one that was just started may not have got its call yet
        idle = [
            upstream
            for upstream, keeper in self._running.items()
            if not upstream.calls and upstream.last_used < recent and keeper.may_stop(upstream)
        ]
        if idle:  # a shared one keeps nothing for anybody, so it goes first
            longest = min(idle, key=lambda upstream: (upstream.owner is not None, upstream.last_used))
            await self._running[longest].stop_one(longest)
        else:
            await asyncio.sleep(_LOOK)
