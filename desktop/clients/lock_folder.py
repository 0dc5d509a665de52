"""The lock some clients take on their file: a folder beside it, made and removed, and stale when nobody renews it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from desktop.errors import ClientFileError
from desktop.state.atomic_file import reason_of

__all__ = ["lock_folder"]

_STALE_AFTER: Final = 10.0
_POLL: Final = 0.05


@contextlib.contextmanager
def lock_folder(folder: Path, where: str, *, timeout: float = 15.0) -> Iterator[None]:
    """Hold the lock for the body.

    Args:
        folder: The folder that is the lock.
        where: The guarded file, for errors.
        timeout: How long to wait for another holder, in seconds; longer than a lock left behind stays valid.

    Raises:
        ClientFileError: Another program holds it all the time, or it can't be made.
    """
    deadline = time.monotonic() + timeout
    while not _taken(folder, where):
        if time.monotonic() >= deadline:
            raise ClientFileError(where, "its client holds it locked", hint="Close the client and try again.")
        time.sleep(_POLL)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # somebody took it for stale; it is theirs now
            folder.rmdir()


def _taken(folder: Path, where: str) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        with contextlib.suppress(OSError):  # another waiter was quicker
            if time.time() - folder.stat().st_mtime > _STALE_AFTER:
                folder.rmdir()
        return False
    except OSError as error:
        raise ClientFileError(where, f"its lock can't be had ({reason_of(error)})") from error
    return True
