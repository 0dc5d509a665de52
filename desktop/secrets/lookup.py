"""Where each secret comes from: several sources in a row, asked for every name by itself."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from desktop.errors import GatewayError, StateFileError, UsageError
from desktop.secrets.env_file import read_env_file

__all__ = [
    "EnvFileSource",
    "FoundSecret",
    "SecretLookup",
    "SecretReference",
    "SecretSource",
    "SourceChoice",
    "is_reference",
    "parse_secrets_option",
]

STORE: Final = "docker-desktop"
REFERENCE: Final = "se://docker/mcp/"
log = logging.getLogger(__name__)


class SecretReference(Protocol):
    """What a server needs: the secret's name in the stores, and the environment variable that carries it."""

    @property
    def name(self) -> str:
        """The secret's name."""

    @property
    def env(self) -> str:
        """The variable's name, or empty."""


class SecretSource(Protocol):
    """Something that has secrets."""

    @property
    def label(self) -> str:
        """Its name for people."""

    async def read(self, references: Sequence[SecretReference]) -> dict[str, str]:
        """Values of those it has, by secret name; raises `GatewayError` when it can't be asked."""


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A secret's value, which is never shown, and the label of the source it came from."""

    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """One source of ``--secrets``: the `.env` file, or the store of this machine when there is no file."""

    file: Path | None = None


class EnvFileSource:
    """A `.env` file, read anew each time; keys are secret names or names of environment variables.

    Args:
        path: The file.
        may_be_missing: Whether it is no failure that there is no such file.
    """

    def __init__(self, path: Path, *, may_be_missing: bool = False) -> None:
        self._path = path
        self._may_be_missing = may_be_missing

    @property
    def label(self) -> str:
        """The file's path."""
        return str(self._path)

    async def read(self, references: Sequence[SecretReference]) -> dict[str, str]:
        """Values of those the file has."""
        values = await asyncio.to_thread(self._values)
        found = {reference.name: values.get(reference.name, values.get(reference.env)) for reference in references}
        return {name: value for name, value in found.items() if value is not None}

    def _values(self) -> dict[str, str]:
        return {} if self._may_be_missing and not self._path.exists() else read_env_file(self._path)


class SecretLookup:
    """Asks sources in their order; each name is supplied by the first source that has it.

    Args:
        sources: The sources; one that fails is passed over, and its failure is kept in `failures`.
    """

    def __init__(self, sources: Sequence[SecretSource]) -> None:
        self._sources = tuple(sources)
        self._failures: dict[str, GatewayError] = {}

    @property
    def failures(self) -> Mapping[str, GatewayError]:
        """By label, why a source couldn't be asked the last time; it tells why a secret is missing."""
        return dict(self._failures)

    async def find(self, references: Sequence[SecretReference]) -> dict[str, FoundSecret]:
        """The secrets that were found, by name; a name nobody has is left out."""
        found: dict[str, FoundSecret] = {}
        for source in self._sources:
            missing = [reference for reference in references if reference.name not in found]
            if not missing:
                break
            try:
                values = await source.read(missing)
            except GatewayError as error:
                self._failures[source.label] = error
                log.info("secrets of %s can't be read: %s", source.label, error)
                continue
            self._failures.pop(source.label, None)
            wanted = {reference.name for reference in missing}
            found |= {name: FoundSecret(value, source.label) for name, value in values.items() if name in wanted}
        return found


def is_reference(value: str) -> bool:
    """Whether the value is only the name of a secret that Docker Desktop puts in when it starts the container (spec 5.3)."""
    return value.startswith(REFERENCE)


def parse_secrets_option(
    text: str, *, cwd: Path | None = None, platform: str = sys.platform, must_exist: bool = True
) -> tuple[SourceChoice, ...]:
    """The sources of ``--secrets``, such as ``docker-desktop:./.env``.

    Args:
        text: Sources with colons between them; a drive letter's colon belongs to its path.
        cwd: What relative files are relative to; by default the current folder.
        platform: On Windows ``C:/x`` is a path too, besides ``C:\\x``.
        must_exist: Whether a file that isn't there is an error.

    Raises:
        UsageError: A source is empty.
        StateFileError: There is no such file.
    """
    choices: list[SourceChoice] = []
    for part in _split(text, "\\/" if platform == "win32" else "\\"):
        if not part.strip():
            raise UsageError(f"--secrets={text} names an empty source", f"Write it as {STORE}:./.env.")
        if part == STORE:
            choices.append(SourceChoice())
            continue
        file = (cwd or Path.cwd()) / part
        if must_exist and not file.is_file():
            raise StateFileError(part, "there is no such file", hint="--secrets names it.")
        choices.append(SourceChoice(file))
    return tuple(dict.fromkeys(choices))


def _split(text: str, slashes: str) -> list[str]:
    """The parts between colons; a drive's letter stays with the path behind it."""
    parts: list[str] = []
    for piece in text.split(":"):
        if parts and len(parts[-1]) == 1 and parts[-1].isalpha() and piece.startswith(tuple(slashes)):
            parts[-1] += f":{piece}"
        else:
            parts.append(piece)
    return parts
