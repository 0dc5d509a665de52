"""Puts the secret store of this person together from its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from desktop.secrets.encrypted_store import EncryptedStore
from desktop.secrets.keychain import SERVICE, TIME_LIMIT, KeychainStore
from desktop.secrets.master_key import MasterKeys, PassphraseAsker
from desktop.secrets.passphrase import GivenPassphrase
from desktop.state.paths import Paths

__all__ = ["opened", "store_over"]


def store_over(keychain: KeychainStore, paths: Paths, asker: PassphraseAsker | None = None) -> EncryptedStore:
    """The store of this person.

    Args:
        keychain: The keychain, which also holds what earlier versions kept there; the caller closes it.
        paths: Where the file lies.
        asker: Who is asked for a passphrase where there is no keychain and the environment gives none.
    """
    keys = MasterKeys(keychain, GivenPassphrase(asker=asker))
    return EncryptedStore(paths.secrets, paths.lock_for(paths.secrets), keys, former=keychain)


@contextlib.contextmanager
def opened(
    paths: Paths, asker: PassphraseAsker | None = None, *, time_limit: float = TIME_LIMIT
) -> Iterator[EncryptedStore]:
    """The store of this person for a short while; see `store_over`.

    Args:
        time_limit: Seconds one call of the keychain may take.
    """
    keychain = KeychainStore(SERVICE, time_limit=time_limit)
    try:
        yield store_over(keychain, paths, asker)
    finally:
        keychain.close()
