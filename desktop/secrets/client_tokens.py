"""Bearer tokens of single clients: issued when one is connected, revoked when it is disconnected (docs/decisions/0015).

The token itself stands in the client's own file alone. We keep its SHA-256 hash, in a file only this person can read, so
that the gateway can check it without a keychain, and nobody can read it out of our files.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import string
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NamedTuple

from desktop.errors import StateFileError
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock
from desktop.state.paths import Paths

__all__ = ["Caller", "ClientToken", "ClientTokens", "TokenCheck", "token_hash"]

PREFIX: Final = "mcpgw_"
LENGTH: Final = 48
_ALPHABET: Final = string.ascii_letters + string.digits
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientToken:
    """One token that was issued.

    Attributes:
        client: Id of the client it was issued to.
        file: The file it was written into.
        hash: SHA-256 of the token, hexadecimal.
        issued: When, seconds since 1970.
    """

    client: str
    file: str
    hash: str
    issued: int


def token_hash(token: str | bytes) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode() if isinstance(token, str) else token).hexdigest()


class Caller(NamedTuple):
    """Who has shown a token: the client it was issued to, and the token's hash."""

    client: str
    hash: bytes


class ClientTokens:
    """The tokens in force. Its methods read and write the disk.

    Args:
        paths: Where the file is.
    """

    def __init__(self, paths: Paths) -> None:
        self._path = paths.client_tokens
        self._lock = paths.lock_for(self._path)

    def all(self) -> tuple[ClientToken, ...]:
        """Every token in force.

        Raises:
            StateFileError: The file can't be read or understood.
        """
        return _read(self._path)

    def issue(self, client: str, file: Path) -> str:
        """A new token for a client; one it had for the same file is not valid any more."""
        token = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
        issued = ClientToken(client=client, file=str(file), hash=token_hash(token), issued=int(time.time()))
        with file_lock(self._lock):
            kept = [other for other in _read(self._path) if (other.client, other.file) != (client, str(file))]
            self._write([*kept, issued])
        return token

    def revoke(self, client: str, file: Path) -> bool:
        """Make a client's token for a file invalid; False when it had none."""
        with file_lock(self._lock):
            tokens = _read(self._path)
            kept = [other for other in tokens if (other.client, other.file) != (client, str(file))]
            if len(kept) == len(tokens):
                return False
            self._write(kept)
        return True

    def holds(self, token: str, client: str, file: Path) -> bool:
        """Whether a token is in force for this client and file."""
        known = [other.hash for other in self.all() if (other.client, other.file) == (client, str(file))]
        wanted = token_hash(token)
        return any(hmac.compare_digest(wanted, hash) for hash in known)

    def _write(self, tokens: Iterable[ClientToken]) -> None:
        document = {"version": _VERSION, "tokens": [asdict(token) for token in tokens]}
        write_text(self._path, json.dumps(document, indent=2) + "\n", mode=0o600)


class TokenCheck:
    """The tokens in force as the gateway checks them: in memory, read again when the file has changed.

    Attributes:
        generation: Grows with every change, so that what was let in before can be looked at again.
    """

    def __init__(self, paths: Paths) -> None:
        self._path = paths.client_tokens
        self._stamp: tuple[int, int, int] | None = None
        self._known: tuple[Caller, ...] = ()
        self._refreshing = threading.Lock()
        self.generation = 0

    def caller(self, token: bytes) -> Caller | None:
        """Who has this token; None when it isn't in force. Takes the same time whichever it is."""
        wanted = hashlib.sha256(token).digest()
        found = None
        for known in self._known:
            if hmac.compare_digest(known.hash, wanted):
                found = known
        return found

    def in_force(self, caller: Caller) -> bool:
        """Whether what somebody has shown earlier would let them in now."""
        return caller in self._known

    def refresh(self) -> bool:
        """Read the file again if it has changed; whether it had. Reads the disk.

        A file that can't be understood lets nobody in.
        """
        with self._refreshing:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return False
            try:
                tokens = _read(self._path)
            except StateFileError:
                tokens = ()
            self._stamp = stamp
            self._known = tuple(Caller(token.client, bytes.fromhex(token.hash)) for token in tokens)
            self.generation += 1
            return True


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path) -> tuple[ClientToken, ...]:
    data = read_bytes(path)
    if not data.strip():
        return ()
    try:
        document = json.loads(data)
        if document["version"] > _VERSION:
            raise StateFileError(str(path), "a newer version of this program wrote it", hint="Update this program.")
        tokens = tuple(
            ClientToken(
                client=str(token["client"]),
                file=str(token["file"]),
                hash=bytes.fromhex(token["hash"]).hex(),
                issued=int(token["issued"]),
            )
            for token in document["tokens"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StateFileError(
            str(path),
            "it does not hold the tokens of clients",
            hint="Move it away and connect your clients again.",
        ) from error
    return tokens
