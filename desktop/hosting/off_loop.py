"""Work that reads and writes many files and keeps secrets in between, done beside the core's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from desktop.secrets.encrypted_store import EncryptedStore

__all__ = ["SecretsFromAfar", "off_loop"]

T = TypeVar("T")


class SecretsFromAfar:
    """The secret store of the core's loop, for work on another thread.

    Args:
        store: The store.
        loop: The loop it belongs to.
    """

    def __init__(self, store: EncryptedStore, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop

    async def set_many(self, values: Mapping[str, str | None]) -> None:
        """Store several at once, all or none; None takes one away."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._store.set_many(values), self._loop))

    async def names(self) -> tuple[str, ...]:
        """The names of all."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._store.names(), self._loop))


async def off_loop(store: EncryptedStore, work: Callable[[SecretsFromAfar], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a worker thread; it ends even when whoever waits for it does not.

    Args:
        store: Where secrets go.
        work: What to do, with the way to the store.
    """
    secrets = SecretsFromAfar(store, asyncio.get_running_loop())
    return await asyncio.to_thread(lambda: asyncio.run(work(secrets)))
