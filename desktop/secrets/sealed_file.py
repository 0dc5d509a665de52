"""The file of the secrets: names in the open, values sealed with AES-256-GCM, both bound together (docs/decisions/0011)."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from desktop.errors import SecretStoreError, StateFileError
from desktop.secrets.store import SecretEntry
from desktop.state.atomic_file import read_bytes

__all__ = ["KeyDescription", "SealedFile", "UnsealError", "entries_in", "is_sealed_with_passphrase", "seal"]

SCHEMA_VERSION: Final = 1
_NONCE: Final = 12


class UnsealError(SecretStoreError):
    """The key is the right one, but the content isn't what was sealed with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDescription:
    """Which key a file is sealed with.

    Attributes:
        kind: ``keychain`` or ``passphrase``.
        id: A one-way mark of the key, by which the right one is told from a wrong one.
        salt: For a passphrase, what the key was derived with.
        cost: For a passphrase, scrypt's cost.
    """

    kind: str
    id: str
    salt: str = ""
    cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """The file as read: the values are not open yet.

    Attributes:
        key: What it is sealed with.
        entries: What may be shown of each secret.
        retired: Ids of former keys that may still lie in the keychain.
    """

    key: KeyDescription
    entries: Mapping[str, SecretEntry]
    retired: tuple[str, ...] = ()
    _nonce: bytes = field(repr=False)
    _data: bytes = field(repr=False)

    @classmethod
    def parse(cls, data: bytes, where: str) -> SealedFile:
        """Read the file's bytes.

        Raises:
            StateFileError: It is of a newer program.
            UnsealError: It isn't such a file.
        """
        try:
            document: dict[str, Any] = json.loads(data)
            version = document["schema_version"]
            if isinstance(version, int) and version > SCHEMA_VERSION:
                raise StateFileError(where, f"its version {version} is of a newer program", hint="Update this one.")
            return cls(
                key=KeyDescription(**document["key"]),
                entries={entry["name"]: SecretEntry(**entry) for entry in document["secrets"]},
                retired=tuple(document["retired"]),
                _nonce=base64.b64decode(document["nonce"], validate=True),
                _data=base64.b64decode(document["values"], validate=True),
            )
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise _damaged(where) from error

    def open(self, key: bytes, where: str) -> dict[str, str]:
        """The values; raises `UnsealError` when something was changed since they were sealed."""
        # Here, because they take long to import and a list of names needs neither.
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        bound = _bound(self.key, self.entries, self.retired)
        try:
            values: dict[str, str] = json.loads(AESGCM(key).decrypt(self._nonce, self._data, bound))
        except (InvalidTag, ValueError) as error:
            raise _damaged(where) from error
        return values


def entries_in(path: Path) -> tuple[SecretEntry, ...]:
    """What may be shown of each secret in a file, sorted by name; nothing is opened, so that it costs next to nothing.

    Raises:
        StateFileError: It can't be read, or is of a newer program.
        UnsealError: It isn't such a file.
    """
    data = read_bytes(path)
    entries = SealedFile.parse(data, str(path)).entries if data.strip() else {}
    return tuple(entries[name] for name in sorted(entries))


def is_sealed_with_passphrase(path: Path) -> bool:
    """Whether a file is there that needs a passphrase; one that can't be read doesn't."""
    try:
        data = read_bytes(path)
        return bool(data.strip()) and SealedFile.parse(data, str(path)).key.kind == "passphrase"
    except (StateFileError, UnsealError):  # whoever needs a secret out of it will say what is wrong
        return False


def seal(
    key: bytes,
    description: KeyDescription,
    entries: Mapping[str, SecretEntry],
    values: Mapping[str, str],
    retired: tuple[str, ...] = (),
) -> bytes:
    """The bytes of a file with these secrets."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # here, because it takes long to import

    nonce = os.urandom(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, json.dumps(dict(values)).encode(), _bound(description, entries, retired))
    document = {
        **_head(description, entries, retired),
        "nonce": base64.b64encode(nonce).decode("ascii"),
        "values": base64.b64encode(sealed).decode("ascii"),
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _head(key: KeyDescription, entries: Mapping[str, SecretEntry], retired: tuple[str, ...]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "key": {"kind": key.kind, "id": key.id, "salt": key.salt, "cost": key.cost},
        "retired": list(retired),
        "secrets": [
            {"name": entry.name, "provider": entry.provider, "set_at": entry.set_at}
            for entry in sorted(entries.values(), key=lambda entry: entry.name)
        ],
    }


def _bound(key: KeyDescription, entries: Mapping[str, SecretEntry], retired: tuple[str, ...]) -> bytes:
    """What is in the open and still can't be changed without the values becoming unreadable."""
    return json.dumps(_head(key, entries, retired), sort_keys=True, separators=(",", ":")).encode()


def _damaged(where: str) -> UnsealError:
    return UnsealError(
        f"{where} was damaged or changed by another program, so its secrets can't be read",
        "Put back an older copy of it, or set the secrets again: the damaged file is then kept beside it",
    )
