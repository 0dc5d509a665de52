"""YAML: one entry put into a text or taken out of it."""

from __future__ import annotations

from typing import Any

from desktop.clients.entry import EntryPath, Origin
from desktop.errors import ClientFileError, StateFileError
from desktop.state import yaml_text


def parse(text: str, where: str) -> Any:
    """The data of a YAML text.

    Raises:
        ClientFileError: It is not one YAML document.
    """
    try:
        return yaml_text.parse(text, where)
    except StateFileError as error:
        raise ClientFileError(where, error.reason, line=error.line, column=error.column) from error


def put(text: str, path: EntryPath, value: Any, where: str) -> tuple[str, Origin]:
    raise ClientFileError(where, "YAML can't be edited yet")


def remove(text: str, path: EntryPath, where: str, origin: Origin) -> str:
    raise ClientFileError(where, "YAML can't be edited yet")
