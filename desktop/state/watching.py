"""Folders watched for changes, so that files replaced by other programs are seen at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop.errors import StateFileError
from desktop.state.atomic_file import TEMPORARY_SUFFIX, make_directory, reason_of

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

__all__ = ["watch"]

log = logging.getLogger(__name__)

DEBOUNCE_MS: Final = 100
STEP_MS: Final = 40
POLL_MS: Final = 250


async def watch(directories: Sequence[Path], *, make: bool = True) -> AsyncGenerator[frozenset[Path], None]:
    """Yield the paths that changed directly in ``directories``, a batch at a time.

    The first batch is empty and says that the watch is up: what is read from then on misses no change. Missing folders
    are made; one that is removed or replaced later is made and watched again, and is then itself among the changes.
    Temporary and lock files of ours are passed over. Ends when cancelled or closed, and leaves no thread behind.

    Args:
        directories: The folders.
        make: Without it no folder is made: the watch ends, after a last batch, when one is removed or replaced.

    Raises:
        StateFileError: A folder can't be made or watched.
    """
    folders = tuple(dict.fromkeys(directories))
    changed: frozenset[Path] = frozenset()
    while True:
        watcher = _Watcher(folders, make)
        try:
            yield changed
            while True:
                changed = await watcher.next_batch()
                if watcher.is_stale():
                    break
                if changed:
                    yield changed
        finally:
            await watcher.close()
        changed |= frozenset(folders)
        if not make:
            yield changed
            return


class _Watcher:
    """One native watcher and the thread that waits for it."""

    def __init__(self, folders: tuple[Path, ...], make: bool) -> None:
        self._folders = folders
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._batches: asyncio.Queue[frozenset[Path] | None] = asyncio.Queue()
        self._stop = threading.Event()
        self._ended = asyncio.Event()
        self._stamps = self._make_folders()
        self._notify = self._open()
        threading.Thread(target=self._wait, name="watch files", daemon=True).start()

    async def next_batch(self) -> frozenset[Path]:
        batch = await self._batches.get()
        if batch is None:
            raise StateFileError(", ".join(map(str, self._folders)), "the system no longer reports changes")
        return batch

    def is_stale(self) -> bool:
        """Whether a folder is no longer the one that is watched."""
        return self._stamps != [_stamp(folder) for folder in self._folders]

    async def close(self) -> None:
        self._stop.set()
        await self._ended.wait()

    def _make_folders(self) -> list[tuple[int, int] | None]:
        for folder in self._folders if self._make else ():
            try:
                make_directory(folder)
            except OSError as error:
                raise StateFileError(str(folder), f"the folder can't be made ({reason_of(error)})") from error
        return [_stamp(folder) for folder in self._folders]

    def _open(self) -> RustNotify:
        from watchfiles._rust_notify import RustNotify  # slow to import; a first answer need not wait for it

        paths = [str(folder) for folder in self._folders]
        try:
            return RustNotify(paths, False, False, POLL_MS, False, True)
        except OSError as error:  # such as: this user's limit of watches is used up
            log.info("files are looked at %d times a second: %s", 1000 // POLL_MS, reason_of(error))
        try:
            return RustNotify(paths, False, True, POLL_MS, False, True)
        except OSError as error:
            raise StateFileError(", ".join(paths), f"changes can't be watched ({reason_of(error)})") from error

    def _wait(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed without closing the watch
            try:
                while True:
                    found = self._notify.watch(DEBOUNCE_MS, STEP_MS, 0, self._stop)
                    if isinstance(found, str):
                        break
                    batch = frozenset(path for path in (Path(text) for _, text in found) if not _is_ours(path))
                    self._loop.call_soon_threadsafe(self._batches.put_nowait, batch)
            finally:
                self._notify.close()
                self._loop.call_soon_threadsafe(self._batches.put_nowait, None)
                self._loop.call_soon_threadsafe(self._ended.set)


def _is_ours(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith((TEMPORARY_SUFFIX, ".lock"))


def _stamp(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
