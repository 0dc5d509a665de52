"""The stores among the sources of secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from desktop.secrets.lookup import SecretReference
from desktop.secrets.store import SecretStore, is_internal

__all__ = ["SignInSource", "StoreSource"]

_SIGN_IN: Final = "oauth/"


class StoreSource:
    """The secret store of this program.

    Args:
        store: Where the secrets are kept.
    """

    label: Final = "the secret store"

    def __init__(self, store: SecretStore) -> None:
        self._store = store

    async def read(self, references: Sequence[SecretReference]) -> dict[str, str]:
        """Values of those the store has; one that a sign-in supplies has none here.

        The tokens of sign-ins are no server's to ask for by their names in the store.
        """
        found: dict[str, str] = {}
        for name in dict.fromkeys(reference.name for reference in references):
            value = None if is_internal(name) else await self._store.get(name)
            if value:
                found[name] = value
        return found


class SignInSource:
    """Secrets that a sign-in supplies (``secret set NAME --provider oauth/APP``).

    Args:
        store: Knows which these are.
        token: Gives the access token of an app, or None; raises `GatewayError` when there is none to be had.
    """

    label: Final = "the sign-in"

    def __init__(self, store: SecretStore, token: Callable[[str], Awaitable[str | None]]) -> None:
        self._store = store
        self._token = token

    async def read(self, references: Sequence[SecretReference]) -> dict[str, str]:
        """Tokens by the names of the secrets they stand in for."""
        wanted = {reference.name for reference in references}
        found: dict[str, str] = {}
        for entry in await self._store.entries():
            app = entry.provider.removeprefix(_SIGN_IN)
            if entry.name in wanted and app != entry.provider and (token := await self._token(app)):
                found[entry.name] = token
        return found
