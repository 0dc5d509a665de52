"""TOML: one entry put into a text or taken out of it."""

from __future__ import annotations

import tomllib
from typing import Any

from desktop.clients.entry import EntryPath, Origin
from desktop.errors import ClientFileError


def parse(text: str, where: str) -> Any:
    """The data of a TOML text.

    Raises:
        ClientFileError: It is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ClientFileError(where, f"this is not valid TOML ({error})") from error


def put(text: str, path: EntryPath, value: Any, where: str) -> tuple[str, Origin]:
    raise ClientFileError(where, "TOML can't be edited yet")


def remove(text: str, path: EntryPath, where: str, origin: Origin) -> str:
    raise ClientFileError(where, "TOML can't be edited yet")
