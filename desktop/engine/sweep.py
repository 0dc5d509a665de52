"""Which runs of this program are alive, and the removal of containers and networks that dead ones left behind.

Each run holds a lock on a file of its own, `<directory>/instances/<instance>.lock`; the operating system gives the lock
back when the process ends, however it ends. The first half of an instance id belongs to the directory: people, or tests
may share one engine, and whether their runs are alive can't be seen from here, so their containers are left alone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from desktop.engine.ports import ContainerEngine
from desktop.errors import EngineError, EngineUnavailableError, StateFileError

__all__ = ["InstanceLock", "is_alive", "sweep"]

HALF: Final = 6
ATTEMPTS: Final = 20

log = logging.getLogger(__name__)


class InstanceLock:
    """Makes an instance id of 12 hexadecimal characters and holds its lock until `release`.

    To be kept for the life of the program: the lock goes with the object.

    Args:
        directory: Our own directory; ``instances`` is made in it.

    Raises:
        StateFileError: The lock file can't be made.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "instances"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _remove_stale(self._folder)
            self._lock, self._instance = _take(self._folder, _scope(self._folder))
        except OSError as error:
            raise StateFileError(
                str(self._folder),
                f"a lock file can't be made: {error.strerror}",
                hint="See that the directory is yours and the disk isn't full.",
            ) from error

    @property
    def instance(self) -> str:
        """The id of this run."""
        return self._instance

    def release(self) -> None:
        """Give the lock back and remove its file; from now on what is left of this instance counts as left behind."""
        _remove(Path(self._lock.lock_file), self._lock)


def is_alive(directory: Path, instance: str) -> bool:
    """Whether a run of this program with this directory still goes on.

    Args:
        directory: Our own directory.
        instance: The run's id.
    """
    path = directory / "instances" / f"{instance}.lock"
    return path.exists() and _held(path)


async def sweep(engine: ContainerEngine, directory: Path, own_instance: str) -> tuple[str, ...]:
    """Remove the containers of runs of this program (with this directory) that are no longer alive.

    Args:
        engine: The engine.
        directory: Our own directory.
        own_instance: Id of this run; its containers are not touched.

    Returns:
        Server names of the containers removed, in alphabetical order.

    Raises:
        EngineUnavailableError: The engine is gone. That one container could not be removed is only logged.
    """
    scope = own_instance[:HALF]
    removed: list[str] = []

    def left_behind(instance: str) -> bool:
        if instance == own_instance or not instance.startswith(scope) or not instance.isalnum():
            return False
        return not is_alive(directory, instance)

    for container in await engine.owned_containers():
        if not left_behind(container.instance):
            continue
        try:
            await engine.remove(container.id)
        except EngineUnavailableError:
            raise
        except EngineError as error:
            log.warning("A container left behind by %s could not be removed: %s", container.server or "a server", error)
        else:
            removed.append(container.server)
    for network in await engine.networks.owned():
        if left_behind(network.instance):
            try:
                await engine.networks.remove(network.name)
            except EngineUnavailableError:
                raise
            except EngineError as error:
                log.warning("A network left behind could not be removed: %s", error)
    return tuple(sorted(removed))


def _scope(folder: Path) -> str:
    """The directory's half of every instance id, made once."""
    path = folder / "scope"
    for _ in range(ATTEMPTS):
        if scope := _read_scope(path):
            return scope
        # A whole file under the final name or none: a second instance may start at the same moment.
        new = folder / f"scope.{secrets.token_hex(4)}"
        new.write_text(secrets.token_hex(HALF // 2), encoding="ascii")
        try:
            os.link(new, path)
        except FileExistsError:
            # Another instance was faster, or what is there is damaged.
            if not _read_scope(path):
                path.unlink(missing_ok=True)
        except OSError:
            # No hard links on this file system.
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    raise OSError(None, f"{path} can't be written")


def _read_scope(path: Path) -> str:
    try:
        text = path.read_bytes().strip().decode("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if len(text) == HALF and text.isalnum() else ""


def _take(folder: Path, scope: str) -> tuple[FileLock, str]:
    for _ in range(ATTEMPTS):
        instance = scope + secrets.token_hex(HALF // 2)
        path = folder / f"{instance}.lock"
        if path.exists():
            continue
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            # A sweeper looked at the file in the moment between its making and its locking, and takes it for dead.
            continue
        if path.exists():
            return lock, instance
        lock.release()
    raise OSError(None, "no free name was found")


def _held(path: Path) -> bool:
    """Whether somebody holds the lock; a file nobody holds is removed on the way."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        # Not ours to open: then it isn't ours to call dead either.
        return True
    _remove(path, lock)
    return False


def _remove(path: Path, lock: FileLock) -> None:
    # Unlinked while it's held, so that nobody can lock a name that is about to go; Windows only allows it afterwards.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    lock.release()
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _remove_stale(folder: Path) -> None:
    for path in folder.glob("*.lock"):
        _held(path)
