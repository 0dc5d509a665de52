"""What a face may see of the person's secrets, and ask of them."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["EnvLine", "KeptSecret", "SecretDesk", "SecretNeed", "SecretPlace", "SecretUse", "SecretsStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNeed:
    """A secret that a server declares.

    Attributes:
        name: Its name in the store.
        variable: The environment variable that carries it, or empty.
        about: What the catalog says of where to get it, or an example; may be empty.
        is_required: False for one the server can do without.
        is_set: Whether there is a value; it is never shown.
    """

    name: str
    variable: str = ""
    about: str = ""
    is_required: bool = True
    is_set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsStatus:
    """How the secrets are kept: ``keychain``, ``passphrase`` or ``this session only``; why they can't be read now, or empty, and
    what to do about it."""

    protection: str
    reason: str = ""
    hint: str = ""


class SecretPlace(enum.Enum):
    """Where a secret is kept."""

    NOWHERE = "not set"
    STORE = "sealed file"
    SESSION = "this session only"
    ENV_FILE = ".env file"
    SIGN_IN = "sign-in"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """A server that declares a secret; see `SecretNeed`."""

    server: str
    title: str
    enabled: bool = False
    variable: str = ""
    about: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecret:
    """A secret by name; its value is never shown.

    Attributes:
        name: Its name in the store.
        uses: The servers that declare it, those that are on first.
        place: Where it is kept.
        set_at: Wall-clock seconds at which it was set last; None when that is not known.
        app: Whose sign-in supplies it; empty otherwise.
    """

    name: str
    uses: tuple[SecretUse, ...] = ()
    place: SecretPlace = SecretPlace.NOWHERE
    set_at: float | None = None
    app: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether a server that is on can't do without it, and it is not set."""
        return self.place is SecretPlace.NOWHERE and any(use.enabled and use.is_required for use in self.uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvLine:
    """What a line of a `.env` file would set.

    Attributes:
        variable: The name in the file.
        name: The name in the store.
        servers: Titles of the servers that use it.
        alternatives: Secrets it may stand for, where there are several, so that it is none of them.
        replaces: Whether there is a value already.
        refused: Why it can't be stored; empty otherwise.
    """

    variable: str
    name: str
    servers: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    replaces: bool = False
    refused: str = ""


class SecretDesk(Protocol):
    """The secrets of this person by name."""

    async def overview(self) -> tuple[KeptSecret, ...]:
        """What is stored, and what enabled servers want, by name; nothing has to be unlocked for it.

        Raises `SecretStoreError` when the file isn't one.
        """

    async def read_env(self, path: Path) -> tuple[EnvLine, ...]:
        """What a `.env` file would set; raises `StateFileError`."""

    async def import_env(self, path: Path, names: Collection[str]) -> int:
        """Set these secrets of a `.env` file, all or none; returns how many.

        Raises `StateFileError`, and `SecretStoreError` when they can't be kept.
        """
