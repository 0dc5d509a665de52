"""The port to the secret store: what the rest of the program asks of it, and what names may look like."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from desktop.errors import UsageError

__all__ = ["Protection", "SecretEntry", "SecretStore", "check_name", "is_internal"]

INTERNAL: Final = ("oauth/", "oauth-client/", "oauth-client-secret/")
LONGEST_NAME: Final = 255
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]+(?:/[A-Za-z0-9._:-]+)*")


class Protection(enum.StrEnum):
    """What keeps the secrets, in the words a person sees."""

    KEYCHAIN = "keychain"
    PASSPHRASE = "passphrase"
    SESSION = "this session only"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretEntry:
    """What may be shown of a secret.

    Attributes:
        name: Its name.
        provider: Who supplies it, as ``secret set --provider`` said; empty for one that was typed in.
        set_at: When it was set last (RFC 3339).
    """

    name: str
    provider: str = ""
    set_at: str = ""


class SecretStore(Protocol):
    """Secrets of this person. No call blocks the event loop.

    What can't be opened is a `SecretStoreError`: `KeychainLockedError`, `KeychainUnavailableError`, `PassphraseError`.
    """

    async def get(self, name: str) -> str | None:
        """The value, or None when there is none."""

    async def set(self, name: str, value: str, *, provider: str = "") -> None:
        """Store a value in place of a former one; raises `UsageError` for a name that can't be one."""

    async def set_many(self, values: Mapping[str, str | None], *, provider: str = "") -> None:
        """Store several at once, all or none; None takes one away."""

    async def delete(self, name: str) -> bool:
        """Take one away; returns whether there was one."""

    async def names(self) -> tuple[str, ...]:
        """The names of all, sorted, those of sign-ins (``oauth/…``) among them; nothing has to be unlocked for it."""

    async def entries(self) -> tuple[SecretEntry, ...]:
        """What may be shown of each, sorted by name; nothing has to be unlocked for it."""


def check_name(name: str) -> None:
    """Names are letters, digits and ``. _ : -`` in parts with ``/`` between (spec 2.4).

    Raises:
        UsageError: This one isn't. The text isn't shown: it may be a value typed at the wrong place.
    """
    if len(name) > LONGEST_NAME or _NAME.fullmatch(name) is None:
        raise UsageError(
            "a secret's name consists of letters, digits and . _ : - with / between its parts",
            "The name stands before the first =, as in github.personal_access_token=ghp_…",
        )


def is_internal(name: str) -> bool:
    """Whether the secret belongs to a sign-in, so that a person never types it."""
    return name.startswith(INTERNAL)
