"""One writer at a time, over all processes of this person."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from desktop.errors import StateFileError
from desktop.state.atomic_file import make_directory, reason_of

__all__ = ["file_lock"]


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
