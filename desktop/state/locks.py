"""One writer at a time, over all processes of this person."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import filelock

from desktop.errors import StateFileError
from desktop.state.atomic_file import make_directory, reason_of

__all__ = ["file_lock", "held_lock"]

_AGAIN: Final = 0.05


@contextlib.contextmanager
def file_lock(path: Path, *, timeout: float = 10.0) -> Iterator[None]:
    """Hold the lock file ``path`` for the body; a killed holder frees it.

    Raises:
        StateFileError: The lock can't be had within ``timeout`` seconds, or its file can't be created.
    """
    lock = filelock.FileLock(path, timeout=timeout)
    try:
        make_directory(path.parent)
        lock.acquire()
    except filelock.Timeout as error:
        raise StateFileError(
            str(path), f"another program has held this lock for {timeout:g} seconds", hint="Close it and try again."
        ) from error
    except OSError as error:
        raise StateFileError(str(path), f"the lock can't be had ({reason_of(error)})") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.asynccontextmanager
async def held_lock(path: Path, *, timeout: float) -> AsyncIterator[None]:
    """Hold the lock file ``path`` over something that takes its time, without blocking the event loop.

    Raises:
        StateFileError: The lock can't be had within ``timeout`` seconds, or its file can't be created.
    """
    lock = filelock.FileLock(path, thread_local=False)
    deadline = time.monotonic() + timeout

    def taken() -> bool:
        try:
            make_directory(path.parent)
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        except OSError as error:
            raise StateFileError(str(path), f"the lock can't be had ({reason_of(error)})") from error
        return True

    while not await asyncio.to_thread(taken):
        if time.monotonic() > deadline:
            raise StateFileError(str(path), f"another program has held this lock for {timeout:g} seconds")
        await asyncio.sleep(_AGAIN)
    try:
        yield
    finally:
        lock.release()
