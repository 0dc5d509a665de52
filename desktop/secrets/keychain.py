"""The system's keychain, off the event loop and within a time limit: one that shows a prompt blocks without end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from desktop.errors import KeychainLockedError, KeychainUnavailableError, SecretStoreError
from desktop.events import EventStream

__all__ = ["SERVICE", "KeychainStore"]

SERVICE: Final = "mcp-gateway-desktop"

T = TypeVar("T")
TIME_LIMIT: Final = 5.0
USER: Final = "mcp-gateway-desktop"
# Windows keeps 2,560 bytes of UTF-16 in one entry; longer values are kept in parts.
_PART: Final = 1000
_PARTS: Final = "mcp-gateway-desktop parts: "


class KeychainStore:
    """Secrets in the keychain of this person, one entry each.

    Every call has a time limit. While an earlier call still waits for its owner (a prompt nobody answers), further ones
    fail at once.

    Args:
        service: Beginning of the entries' names; keeps them apart from other programs' entries.
        time_limit: Seconds one call may take.
        part_length: Longest value kept in one entry, in characters; 0 means no limit.

    Attributes:
        answered: An event when a call that was given up has got its answer after all, so that it is worth asking again.
    """

    def __init__(
        self,
        service: str,
        *,
        time_limit: float = TIME_LIMIT,
        part_length: int = _PART if sys.platform == "win32" else 0,
    ) -> None:
        self._service = service
        self._time_limit = time_limit
        self._part_length = part_length
        self._worker = _Worker()
        self._overdue: concurrent.futures.Future[Any] | None = None
        self.answered: EventStream[None] = EventStream()

    async def get(self, name: str) -> str | None:
        """The secret's value, or None when there is none.

        Raises:
            KeychainUnavailableError: There is no keychain.
            KeychainLockedError: It is locked, or didn't answer in time.
            SecretStoreError: It failed otherwise.
        """
        return await self._run(lambda: self._read(name))

    async def set(self, name: str, value: str) -> None:
        """Store a secret, in place of a former value; raises as `get` does."""
        await self._run(lambda: self._write(name, value))

    async def delete(self, name: str) -> bool:
        """Take a secret away; returns whether there was one. Raises as `get` does."""
        return await self._run(lambda: self._delete(name))

    def close(self) -> None:
        """End the worker thread once its current call is over."""
        self._worker.close()

    async def _run(self, work: Callable[[], T]) -> T:
        if self._overdue is not None and not self._overdue.done():
            raise _locked("The keychain still waits for an earlier request to be answered")
        future = self._worker.submit(lambda: _translated(work))
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody may be waiting any more
        done, _ = await asyncio.wait({answer}, timeout=self._time_limit)
        if not done:
            self._overdue = future
            answer.add_done_callback(lambda _: self.answered.publish(None))
            raise _locked(f"The keychain hasn't answered for {self._time_limit:g} seconds")
        return done.pop().result()

    def _entry(self, name: str, part: int = 0) -> str:
        return f"{self._service}/{name}" + (f"#{part}" if part else "")

    def _read(self, name: str) -> str | None:
        import keyring  # here, because it takes long to import; on the worker thread

        value = keyring.get_password(self._entry(name), USER)
        if value is None or not value.startswith(_PARTS):
            return value
        parts = [keyring.get_password(self._entry(name, part), USER) for part in range(1, _count(value) + 1)]
        return None if None in parts else "".join(part for part in parts if part is not None)

    def _write(self, name: str, value: str) -> None:
        import keyring  # here, because it takes long to import; on the worker thread

        before = _count(keyring.get_password(self._entry(name), USER))
        size = self._part_length
        parts = [value[start : start + size] for start in range(0, len(value), size)] if 0 < size < len(value) else []
        for part, piece in enumerate(parts, start=1):
            keyring.set_password(self._entry(name, part), USER, piece)
        keyring.set_password(self._entry(name), USER, f"{_PARTS}{len(parts)}" if parts else value)
        for part in range(len(parts) + 1, before + 1):
            self._drop(self._entry(name, part))

    def _delete(self, name: str) -> bool:
        import keyring  # here, because it takes long to import; on the worker thread

        before = keyring.get_password(self._entry(name), USER)
        if before is None:
            return False
        self._drop(self._entry(name))
        for part in range(1, _count(before) + 1):
            self._drop(self._entry(name, part))
        return True

    @staticmethod
    def _drop(entry: str) -> None:
        import keyring  # here, because it takes long to import; on the worker thread
        import keyring.errors

        try:
            keyring.delete_password(entry, USER)
        except keyring.errors.PasswordDeleteError:
            if keyring.get_password(entry, USER) is not None:
                raise


class _Worker:
    """One daemon thread: a call that never returns must not keep the program from ending."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # handed to the one who waits
                    future.set_exception(error)

        self._jobs.put(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="keychain", daemon=True)
            self._thread.start()
        return future

    def close(self) -> None:
        self._jobs.put(None)

    def _loop(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _count(value: str | None) -> int:
    number = (value or "").removeprefix(_PARTS)
    return int(number) if value and value.startswith(_PARTS) and number.isdecimal() else 0


def _translated(work: Callable[[], T]) -> T:
    """Run on the worker thread; whatever a backend raises becomes one of our errors, without its text."""
    import keyring.errors  # here, because it takes long to import

    try:
        return work()
    except keyring.errors.NoKeyringError as error:
        raise KeychainUnavailableError(
            "There is no keychain in this session", "Install or start one, such as GNOME Keyring or KWallet."
        ) from error
    except (keyring.errors.KeyringLocked, keyring.errors.InitError) as error:
        raise _locked("The keychain is locked") from error
    except Exception as error:  # backends raise their own kinds (Windows: pywintypes.error)
        raise SecretStoreError(f"The keychain failed ({type(error).__name__})") from error


def _locked(message: str) -> KeychainLockedError:
    return KeychainLockedError(message, "Unlock it and try again.")
