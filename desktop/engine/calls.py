"""Blocking calls of docker-py, made in a few threads, each within a time limit; notices when the engine is lost."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from desktop.engine import connection as contact
from desktop.engine import discovery
from desktop.engine.connection import Connection
from desktop.engine.discovery import EngineCandidate
from desktop.engine.wire import unix_path
from desktop.errors import EngineError, EngineUnavailableError

if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["CALL_LIMIT", "EngineCalls"]

CALL_THREADS: Final = 8
CALL_LIMIT: Final = 30.0
FIND_LIMIT: Final = 20.0

T = TypeVar("T")


class EngineCalls:
    """One engine at a time, found at the first call and again after it was lost.

    Args:
        candidates: Where to look; None looks anew, at every search, at what the environment and the Docker CLI say.
    """

    def __init__(self, candidates: Sequence[EngineCandidate] | None) -> None:
        self._candidates = candidates
        self._connection: Connection | None = None
        self._finding = asyncio.Lock()
        self._threads = concurrent.futures.ThreadPoolExecutor(CALL_THREADS, "engine")

    async def connected(self) -> Connection:
        """The engine in use; looks for one when there's none.

        Raises:
            EngineUnavailableError: None answers.
            EnginePermissionError: One is there, but not for this user.
        """
        return self._connection or await self.find()

    async def find(self) -> Connection:
        """Look for the engine now; raises as `connected` does."""
        async with self._finding:
            candidates = self._candidates
            if candidates is None:
                candidates = discovery.find_candidates(os.environ, Path.home(), sys.platform)
            job = self._submit(contact.find_engine, candidates, self._connection)
            try:
                found = await finished(job, FIND_LIMIT)
            except TimeoutError:
                self._drop()
                raise EngineUnavailableError("Docker does not answer", "Restart it and try again.") from None
            except EngineError:
                self._drop()
                raise
            if found is not self._connection:
                self._drop()
                self._connection = found
            return found

    async def call(
        self,
        what: str,
        function: Callable[[APIClient], T],
        *,
        limit: float = CALL_LIMIT,
        submitted: Callable[[concurrent.futures.Future[T]], None] | None = None,
    ) -> T:
        """Run a blocking call in a thread, which goes on to its end if the caller is cancelled or the time is up.

        Args:
            what: What is done, as in "Docker could not <what>".
            function: The call; gets docker-py's client.
            limit: Seconds.
            submitted: Told the thread's future.

        Raises:
            EngineUnavailableError: The engine is gone.
            EngineError: It refused, or took too long; or whatever `EngineError` the function itself raises.
        """
        connection = await self.connected()
        job = self._submit(_knock_and_call, function, connection)
        if submitted is not None:
            submitted(job)
        try:
            return await finished(job, limit)
        except TimeoutError:
            name = connection.info.name.split(" ", 1)[0]
            raise EngineError(
                f"{name} did not {what} within {limit:g} s", f"Look whether {name} is overloaded or hangs."
            ) from None
        except Exception as error:
            raise self.failed(error, what, connection) from error

    def failed(self, error: Exception, what: str, connection: Connection) -> EngineError:
        """Put an exception into our words, and forget the engine if it's gone, so that the next call looks for it."""
        mapped = contact.translated(error, what, connection.info)
        if isinstance(mapped, EngineUnavailableError) and connection is self._connection:
            self._drop()
        return mapped

    def close(self) -> None:
        """Give back threads and sockets; a call that hangs in its thread is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._drop()

    def _submit(self, function: Callable[..., T], *args: Any) -> concurrent.futures.Future[T]:
        try:
            return self._threads.submit(function, *args)
        except RuntimeError:
            raise EngineUnavailableError("The connection to the container engine is closed") from None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.client.close()
            self._connection = None


def _knock_and_call(function: Callable[[APIClient], T], connection: Connection) -> T:
    # An engine that has gone is noticed here, cleanly: docker-py leaks the socket of a refused Unix connection. Costs
    # some microseconds.
    if unix_path(connection.candidate.address):
        contact.knock(connection.candidate)
    return function(connection.client)


async def finished(job: concurrent.futures.Future[T], limit: float) -> T:
    """Wait for a thread's work without ever cancelling it.

    Raises:
        TimeoutError: The time is up.
        Exception: What the work raised (its own `TimeoutError` comes as `ConnectionError`).
    """
    future = asyncio.wrap_future(job)
    # Retrieved even if nobody waits any more, or the loop would complain about it.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    done, _ = await asyncio.wait({future}, timeout=limit)
    if not done:
        raise TimeoutError
    try:
        return future.result()
    except TimeoutError as error:
        raise ConnectionError(str(error)) from error
