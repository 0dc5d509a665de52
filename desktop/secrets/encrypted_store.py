"""The secret store: one sealed file, whose key lies in the keychain or comes from a passphrase (docs/decisions/0011)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from desktop.errors import GatewayError, KeychainUnavailableError, SecretFileError, SecretStoreError, StateFileError
from desktop.secrets.master_key import Keychain, MasterKey, MasterKeyLostError, MasterKeys
from desktop.secrets.sealed_file import SealedFile, UnsealError, seal
from desktop.secrets.store import Protection, SecretEntry, check_name, is_internal
from desktop.state.atomic_file import read_bytes, reason_of, write_bytes
from desktop.state.locks import file_lock

__all__ = ["EncryptedStore"]

_MODE: Final = 0o600
log = logging.getLogger(__name__)


class EncryptedStore:
    """Implements `SecretStore`. Several processes may use the same file; each call reads it anew.

    Where there is neither a keychain nor a passphrase and no file yet, secrets live in this process only; `protection`
    says so. They move into the file with the first change after a passphrase was given. A file that can't be opened any
    more is an error for whoever reads; whoever writes finds it moved aside under a name that `set_aside` tells, and begins
    a new one.

    Args:
        path: The sealed file.
        lock_path: The lock file that guards its changes.
        keys: Finds and makes the key.
        former: The keychain in which earlier versions kept an entry for each secret; each is taken over when asked for.
    """

    def __init__(self, path: Path, lock_path: Path, keys: MasterKeys, *, former: Keychain | None = None) -> None:
        self._path = path
        self._lock_path = lock_path
        self._keys = keys
        self._former = former
        self._not_former: set[str] = set()
        self._session = _Content()
        self._writing = asyncio.Lock()
        self._set_aside: Path | None = None

    @property
    def set_aside(self) -> Path | None:
        """Where a file that could not be opened was moved to, since this object was made."""
        return self._set_aside

    async def protection(self) -> Protection:
        """What keeps the secrets, or would keep the first one.

        Raises:
            SecretStoreError: The keychain can't be asked.
        """
        try:
            sealed = await asyncio.to_thread(self._read)
        except UnsealError:  # the next change begins a new file
            sealed = None
        if sealed is not None:
            return Protection(sealed.key.kind)
        return Protection(await self._keys.usual_kind() or Protection.SESSION)

    async def unlock(self) -> None:
        """Find the key of the secrets that are there; raises as `get` does."""
        sealed = await asyncio.to_thread(self._read)
        if sealed is not None:
            await self._keys.find(sealed.key)

    async def get(self, name: str) -> str | None:
        """The value, or None when there is none.

        Raises:
            SecretStoreError: The file can't be opened: the keychain is locked, the passphrase missing, the file damaged.
        """
        if name in self._session.values:
            return self._session.values[name]
        sealed = await asyncio.to_thread(self._read)
        if sealed is None or name not in sealed.entries:
            return await self._taken_over(name)
        key = await self._keys.find(sealed.key)
        values = await asyncio.to_thread(sealed.open, key.key, str(self._path))
        return values.get(name)

    async def set(self, name: str, value: str, *, provider: str = "") -> None:
        """Store a value; raises `UsageError` for a name that can't be one, and as `get` does."""
        await self.set_many({name: value}, provider=provider)

    async def set_many(self, values: Mapping[str, str | None], *, provider: str = "") -> None:
        """Store or take away several at once, all or none; raises as `set` does."""
        for name, value in values.items():
            if value is not None:
                check_name(name)
        now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")

        def change(content: _Content) -> None:
            for name, value in values.items():
                content.entries.pop(name, None)
                content.values.pop(name, None)
                if value is not None:
                    content.entries[name] = SecretEntry(name=name, provider=provider, set_at=now)
                    content.values[name] = value

        await self._change(change)
        for name in values:
            try:
                await self._forget_former(name)
            except SecretStoreError as error:  # the new value is in force whatever becomes of the former one
                log.info("the former entry of %s stays in the keychain: %s", name, error)

    async def delete(self, name: str) -> bool:
        """Take one away; returns whether there was one. Raises as `get` does."""
        had = await self._forget_former(name)
        if name in self._session.values or name in await self.names():
            await self.set_many({name: None})
            return True
        return had

    async def names(self) -> tuple[str, ...]:
        """The names of all, sorted; nothing has to be unlocked for it."""
        return tuple(entry.name for entry in await self.entries())

    async def entries(self) -> tuple[SecretEntry, ...]:
        """What may be shown of each, sorted by name; nothing has to be unlocked for it."""
        sealed = await asyncio.to_thread(self._read)
        found = {**(sealed.entries if sealed is not None else {}), **self._session.entries}
        return tuple(found[name] for name in sorted(found))

    async def rotate(self) -> None:
        """Seal everything with a new key and forget the former one; raises as `get` does."""
        async with self._writing:
            while (sealed := await asyncio.to_thread(self._read)) is not None:
                former = await self._keys.find(sealed.key)
                new = await self._keys.renewed(former)
                # Named in the file until they are gone, so that a crash in between leaves no key behind for good.
                retired = (*sealed.retired, former.description.id)
                if await asyncio.to_thread(self._write, former, new, lambda content: None, retired):
                    await self._forget_keys(retired)
                    return
                await self._forget_keys([new.description.id])

    # Inner workings.

    async def _change(self, change: Callable[[_Content], None]) -> None:
        async with self._writing:
            while True:
                data = await asyncio.to_thread(self._bytes)
                try:
                    if await self._changed(self._parse(data), change):
                        return
                except (UnsealError, MasterKeyLostError) as error:
                    await asyncio.to_thread(self._put_aside, data, error)

    async def _changed(self, sealed: SealedFile | None, change: Callable[[_Content], None]) -> bool:
        """Change the file unless another process has changed its key meanwhile."""
        session = self._session

        def change_all(content: _Content) -> None:  # what was kept in this process alone moves into the file
            content.entries.update(session.entries)
            content.values.update(session.values)
            change(content)

        if sealed is not None:
            key = await self._keys.find(sealed.key)
            await self._forget_keys(sealed.retired)
            if not await asyncio.to_thread(self._write, key, key, change_all):
                return False
            self._session = _Content()
            return True
        try:
            key = await self._keys.make()
        except KeychainUnavailableError:
            change(self._session)
            return True
        if await asyncio.to_thread(self._write, None, key, change_all):
            self._session = _Content()
            return True
        await self._forget_keys([key.description.id])
        return False

    async def _forget_keys(self, ids: Iterable[str]) -> None:
        for key_id in ids:
            try:
                await self._keys.forget(key_id)
            except SecretStoreError as error:
                log.info("a key that is no longer used stays in the keychain: %s", error)

    def _bytes(self) -> bytes:
        with _as_store_error():
            return read_bytes(self._path)

    def _read(self) -> SealedFile | None:
        return self._parse(self._bytes())

    def _parse(self, data: bytes) -> SealedFile | None:
        with _as_store_error():
            return SealedFile.parse(data, str(self._path)) if data.strip() else None

    def _write(
        self,
        former: MasterKey | None,
        key: MasterKey,
        change: Callable[[_Content], None],
        retired: tuple[str, ...] = (),
    ) -> bool:
        """Read, change and write under the lock; False when the file is no longer sealed with ``former``."""
        with _as_store_error(), file_lock(self._lock_path):
            sealed = self._read()
            if (sealed.key if sealed is not None else None) != (former.description if former is not None else None):
                return False
            content = _Content()
            if sealed is not None and former is not None:
                content = _Content(dict(sealed.entries), sealed.open(former.key, str(self._path)))
            change(content)
            data = seal(key.key, key.description, content.entries, content.values, retired)
            write_bytes(self._path, data, mode=_MODE)
            return True

    def _put_aside(self, data: bytes, reason: SecretStoreError) -> None:
        """Move the file away, unless somebody has replaced it meanwhile."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        place = self._path.with_name(f"{self._path.stem}-unreadable-{stamp}{self._path.suffix}")
        with _as_store_error(), file_lock(self._lock_path):
            if read_bytes(self._path) != data:
                return
            try:
                self._path.rename(place)
            except OSError as error:
                raise StateFileError(str(self._path), f"it can't be moved aside ({reason_of(error)})") from error
        self._set_aside = place
        log.warning("%s; it is kept as %s", reason.message, place)

    async def _taken_over(self, name: str) -> str | None:
        """The value from the former entry of its own, which then moves here."""
        if self._former is None or name in self._not_former or is_internal(name):
            return None
        try:
            value = await self._former.get(name)
        except KeychainUnavailableError:
            value = None
        if value is None:
            self._not_former.add(name)
            return None
        try:
            await self.set(name, value)
        except GatewayError as error:
            log.info("%s stays in its former entry of the keychain: %s", name, error)
        return value

    async def _forget_former(self, name: str) -> bool:
        if self._former is None or name in self._not_former or is_internal(name):
            return False
        try:
            had = await self._former.delete(name)
        except KeychainUnavailableError:
            had = False
        self._not_former.add(name)
        return had


@contextlib.contextmanager
def _as_store_error() -> Iterator[None]:
    """What is wrong with the file is a `SecretStoreError` to whoever asks for secrets."""
    try:
        yield
    except SecretStoreError:
        raise
    except StateFileError as error:
        raise SecretFileError(
            error.path, error.reason, line=error.line, column=error.column, hint=error.hint
        ) from error


@dataclass(slots=True)
class _Content:
    """The secrets while they are changed."""

    entries: dict[str, SecretEntry] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict, repr=False)
