"""Tokens and registrations in the secret store: ``oauth/NAME``, ``oauth-client/NAME``, ``oauth-client-secret/NAME``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol, TypeVar

import msgspec

from desktop.oauth.grant import Registration, Token

__all__ = ["Records", "Vault", "client_name", "token_name"]

_TOKEN: Final = "oauth/"
_CLIENT: Final = "oauth-client/"
_SECRET: Final = "oauth-client-secret/"
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]")
T = TypeVar("T", Token, Registration)


class Vault(Protocol):
    """Where secrets are kept; what fails raises `SecretStoreError`."""

    async def get(self, name: str) -> str | None:
        """A value, or None."""

    async def set_many(self, values: Mapping[str, str | None]) -> None:
        """Store several at once, all or none; None takes one away."""

    async def names(self) -> tuple[str, ...]:
        """The names of all; nothing has to be unlocked for it."""


class Records:
    """Reads and writes what belongs to one app.

    Args:
        vault: The secret store.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def token(self, app: str) -> Token | None:
        """The app's token; None when nobody is signed in. Raises `SecretStoreError`."""
        return _decoded(await self._vault.get(_TOKEN + _plain(app)), Token)

    async def registration(self, app: str) -> Registration | None:
        """How this program is registered for the app; raises `SecretStoreError`."""
        return _decoded(await self._vault.get(_CLIENT + _plain(app)), Registration)

    async def save(self, app: str, token: Token | None, registration: Registration | None) -> None:
        """Store both at once; None takes one away. Raises `SecretStoreError`."""
        await self._vault.set_many(
            {_TOKEN + _plain(app): _encoded(token), _CLIENT + _plain(app): _encoded(registration)}
        )

    async def save_token(self, app: str, token: Token | None) -> None:
        """Store the token alone."""
        await self._vault.set_many({_TOKEN + _plain(app): _encoded(token)})

    async def save_registration(self, app: str, registration: Registration | None) -> None:
        """Store the registration alone."""
        await self._vault.set_many({_CLIENT + _plain(app): _encoded(registration)})

    async def client_secret(self, app: str) -> str:
        """The secret of the client the person has registered by hand; empty when there is none."""
        return await self._vault.get(_SECRET + _plain(app)) or ""

    async def save_client_secret(self, app: str, secret: str) -> None:
        """Store that secret; an empty one takes it away."""
        await self._vault.set_many({_SECRET + _plain(app): secret or None})

    async def signed_in(self, apps: tuple[str, ...]) -> frozenset[str]:
        """Those of the apps that have a token; nothing has to be unlocked for it."""
        names = frozenset(await self._vault.names())
        return frozenset(app for app in apps if _TOKEN + _plain(app) in names)

    async def known(self, apps: tuple[str, ...]) -> frozenset[str]:
        """Those of the apps that have a registration, so that somebody was signed in there once or is now."""
        names = frozenset(await self._vault.names())
        return frozenset(app for app in apps if _CLIENT + _plain(app) in names)


def client_name(app: str) -> str:
    """The name of the secret that holds how this program is registered for an app."""
    return _CLIENT + _plain(app)


def token_name(app: str) -> str:
    """The name of the secret that is the app's token."""
    return _TOKEN + _plain(app)


def _plain(app: str) -> str:
    """The app's name in the characters secrets' names may have."""
    return _ODD.sub(lambda match: f":{ord(match[0]):x}:", app)


def _encoded(record: Token | Registration | None) -> str | None:
    return None if record is None else msgspec.json.encode(record).decode()


def _decoded(text: str | None, kind: type[T]) -> T | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(text.encode(), type=kind)
    except msgspec.MsgspecError:
        return None  # of a program that is not ours; a new sign-in replaces it
