"""The stores among the sources of secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from desktop.secrets.lookup import SecretReference
from desktop.secrets.store import SecretStore, is_internal

__all__ = ["StoreSource"]


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
