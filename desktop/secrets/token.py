"""The bearer token of our own endpoint: the same at every start, so clients can keep it."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import secrets
import stat
import string
from collections.abc import Mapping
from typing import Final

from desktop.errors import SecretStoreError
from desktop.secrets.keychain import KeychainStore
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock
from desktop.state.paths import Paths

__all__ = ["GatewayToken", "same_token"]

VARIABLE: Final = "MCP_GATEWAY_AUTH_TOKEN"
ENTRY: Final = "gateway-token"
LENGTH: Final = 50
_ALPHABET: Final = string.ascii_lowercase + string.digits
log = logging.getLogger(__name__)


def same_token(given: str, expected: str) -> bool:
    """Whether two tokens are equal, in a time that tells nothing about them; an empty token equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


class GatewayToken:
    """The token in force: the environment's, else the keychain's, else that of a file only this person can read.

    Args:
        paths: Where the file is.
        keychain: The keychain; None where there is none to be used.
        environ: The environment.
    """

    def __init__(
        self, paths: Paths, keychain: KeychainStore | None, *, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._paths = paths
        self._keychain = keychain
        self._environ = environ
        self._lock = asyncio.Lock()
        self._value = ""
        self._source = ""

    @property
    def source(self) -> str:
        """Where the token is from: "environment", "keychain" or "file"; empty before `value` was asked."""
        return self._source

    async def value(self) -> str:
        """The token; made and stored the first time. A keychain that is locked or slow never delays it for long.

        Raises:
            StateFileError: It can't be stored anywhere.
        """
        async with self._lock:
            if not self._value:
                self._value, self._source = await self._find()
            return self._value

    async def _find(self) -> tuple[str, str]:
        if given := self._environ.get(VARIABLE, "").strip():
            return given, "environment"
        if (kept := await self._of_keychain()) is not None:
            return kept, "keychain"
        return await asyncio.to_thread(self._of_file), "file"

    async def _of_keychain(self) -> str | None:
        if self._keychain is None:
            return None
        try:
            if kept := await self._keychain.get(ENTRY):
                return kept
            if await asyncio.to_thread(self._paths.token.is_file):
                return None  # clients know the file's token already
            await self._keychain.set(ENTRY, _new_token())
            return await self._keychain.get(ENTRY) or None
        except SecretStoreError as error:
            log.info("the gateway's token is kept in a file: %s", error)
            return None

    def _of_file(self) -> str:
        path = self._paths.token
        with file_lock(self._paths.lock_for(path)):
            kept = read_bytes(path).decode("utf-8", "replace").strip()
            if not kept:
                kept = _new_token()
                write_text(path, kept + "\n", mode=0o600)
            elif os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(0o600)
            return kept


def _new_token() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
