"""The one key all secrets are sealed with: a random one in the keychain, or one derived from a passphrase."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Final, Protocol

from desktop.errors import KeychainUnavailableError, PassphraseError, SecretStoreError
from desktop.secrets.sealed_file import KeyDescription

__all__ = ["Keychain", "MasterKey", "MasterKeyLostError", "MasterKeys", "PassphraseAsker"]

LENGTH: Final = 32
COST: Final = 2**16
_BLOCK: Final = 8
_ENTRY: Final = "master key "
_HINT: Final = "Give it in MCP_GATEWAY_PASSPHRASE or MCP_GATEWAY_PASSPHRASE_FD"


class Keychain(Protocol):
    """A keychain's entries; raises `KeychainUnavailableError` or `KeychainLockedError`."""

    async def get(self, name: str) -> str | None:
        """An entry."""

    async def set(self, name: str, value: str) -> None:
        """Write an entry."""

    async def delete(self, name: str) -> bool:
        """Remove an entry; returns whether there was one."""


class PassphraseAsker(Protocol):
    """Asks the person for the passphrase, or knows it."""

    async def passphrase(self, *, is_new: bool) -> str | None:
        """The passphrase, or None where nobody can be asked.

        Args:
            is_new: It is chosen now, so that it should be asked for twice.
        """


class MasterKeyLostError(SecretStoreError):
    """The keychain answers, but no longer has the key."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key and what a file says of it."""

    description: KeyDescription
    key: bytes = field(repr=False)


class MasterKeys:
    """Finds and makes keys; keeps those it has found in memory.

    Args:
        keychain: Keeps random keys.
        asker: Knows the passphrase where there is no keychain.
        cost: scrypt's cost for a new passphrase.
    """

    def __init__(self, keychain: Keychain, asker: PassphraseAsker | None = None, *, cost: int = COST) -> None:
        self._keychain = keychain
        self._asker = asker
        self._cost = cost
        self._known: dict[str, MasterKey] = {}
        self._chosen: MasterKey | None = None

    async def find(self, description: KeyDescription) -> MasterKey:
        """The key a file is sealed with.

        Raises:
            MasterKeyLostError: The keychain no longer has it.
            PassphraseError: Nobody gave the passphrase, or a wrong one.
            SecretStoreError: The keychain can't be asked.
        """
        known = self._known.get(description.id)
        if known is not None and known.description == description:
            return known
        derived = description.kind == "passphrase"
        key = await (self._derived(description) if derived else self._kept(description.id))
        found = self._known[description.id] = MasterKey(description, key)
        return found

    async def usual_kind(self) -> str:
        """The kind of key that `make` would make: ``keychain``, ``passphrase``, or empty when neither is to be had."""
        try:
            await self._keychain.get(_ENTRY + "none")
        except KeychainUnavailableError:
            return "passphrase" if await self._chosen_key() is not None else ""
        return "keychain"

    async def make(self) -> MasterKey:
        """A new key: in the keychain, or from a passphrase where there is no keychain.

        Raises:
            KeychainUnavailableError: There is no keychain, and nobody gave a passphrase.
            SecretStoreError: The keychain can't be asked.
        """
        key = os.urandom(LENGTH)
        made = MasterKey(KeyDescription(kind="keychain", id=_mark(key)), key)
        try:
            await self._keychain.set(_ENTRY + made.description.id, base64.b64encode(key).decode("ascii"))
        except KeychainUnavailableError:
            chosen = await self._chosen_key()
            if chosen is None:
                raise
            made = chosen
        self._known[made.description.id] = made
        return made

    async def renewed(self, former: MasterKey) -> MasterKey:
        """A new key of the same kind, for rotation; raises `PassphraseError` when nobody gave a new passphrase."""
        if former.description.kind == "keychain":
            return await self.make()
        self._chosen = None
        new = await self._chosen_key()
        if new is None:
            raise PassphraseError("A new passphrase is needed", _HINT)
        self._known[new.description.id] = new
        return new

    async def forget(self, key_id: str) -> None:
        """Remove a key from the keychain; one that isn't there is fine."""
        self._known.pop(key_id, None)
        await self._keychain.delete(_ENTRY + key_id)

    async def _kept(self, key_id: str) -> bytes:
        text = await self._keychain.get(_ENTRY + key_id)
        key = b"" if text is None else _decoded(text)
        if _mark(key) != key_id:
            raise MasterKeyLostError(
                "The key of the stored secrets is no longer in the keychain",
                "Restore the keychain, or set the secrets again: the file that can't be opened is then kept aside",
            )
        return key

    async def _derived(self, description: KeyDescription) -> bytes:
        given = await self._asker.passphrase(is_new=False) if self._asker is not None else None
        if not given:
            raise PassphraseError("The secrets are protected by a passphrase, and nobody gave it", _HINT)
        key = await asyncio.to_thread(_derive, given, base64.b64decode(description.salt), description.cost)
        if _mark(key) != description.id:
            raise PassphraseError("This is not the passphrase of the stored secrets", "Try again")
        return key

    async def _chosen_key(self) -> MasterKey | None:
        """The key of a new passphrase, which is asked for once."""
        if self._chosen is None and self._asker is not None:
            given = await self._asker.passphrase(is_new=True)
            if given:
                salt = os.urandom(16)
                key = await asyncio.to_thread(_derive, given, salt, self._cost)
                text = base64.b64encode(salt).decode("ascii")
                description = KeyDescription(kind="passphrase", id=_mark(key), salt=text, cost=self._cost)
                self._chosen = MasterKey(description, key)
        return self._chosen


def _derive(passphrase: str, salt: bytes, cost: int) -> bytes:
    memory = 128 * cost * _BLOCK
    return hashlib.scrypt(passphrase.encode("utf-8"), salt=salt, n=cost, r=_BLOCK, p=1, maxmem=2 * memory, dklen=LENGTH)


def _mark(key: bytes) -> str:
    """Tells keys apart and gives nothing away: they are random or cost much to derive."""
    return hmac.new(key, b"mcp-gateway-desktop master key", hashlib.sha256).hexdigest()[:32]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
