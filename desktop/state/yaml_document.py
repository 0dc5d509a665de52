"""One YAML file of the reference: a map at its root, read as data, changed under a lock without losing anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from desktop.errors import StateFileError
from desktop.state import yaml_edit, yaml_text
from desktop.state.atomic_file import read_bytes, write_bytes, write_text
from desktop.state.locks import file_lock

__all__ = ["VERSION_KEY", "YamlDocument", "decode", "fault_at", "versioned_entries"]

VERSION_KEY: Final = "schema_version"


def decode(data: bytes, path: Path) -> str:
    """The bytes as text; a byte order mark is dropped."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StateFileError(str(path), "this is not UTF-8 text", line=line) from error


def fault_at(text: str, where: str, key_path: Sequence[str], reason: str) -> StateFileError:
    """An error about the value at ``key_path``, with its line and column where they can be found."""
    node: Any = yaml_text.compose(text, where)
    for key in key_path:
        pairs = node.value if getattr(node, "id", "") == "mapping" else []
        node = next((value for name, value in pairs if name.value == key), node)
    if node is None:
        return StateFileError(where, reason)
    return StateFileError(where, reason, line=node.start_mark.line + 1, column=node.start_mark.column + 1)


def versioned_entries(
    data: dict[str, Any], text: str, where: str, *, root: str, version: int, named: str
) -> dict[str, Any]:
    """The entries of a file of ours by name.

    Args:
        data, text: The file, understood and as it is.
        where: What errors call it.
        root: The key the entries are under.
        version: The version of this program.
        named: What the entries' names are of, for people.

    Raises:
        StateFileError: It is of a newer program, or its entries are no map.
    """
    found = data.get(VERSION_KEY, version)
    if found != version:
        raise StateFileError(where, f"its version {found} is of a newer program", hint="Update this one.")
    entries = data.get(root) or {}
    if not isinstance(entries, dict):
        raise fault_at(text, where, (root,), f"'{root}' should be a map of {named} names")
    return {str(name): entry for name, entry in entries.items()}


class YamlDocument:
    """A YAML file.

    Args:
        path: The file; it may be missing.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self.path = path
        self._lock_path = lock_path

    @property
    def where(self) -> str:
        """The path as text, for errors."""
        return os.fspath(self.path)

    def text(self) -> str:
        """The file's text; a missing file is empty."""
        return decode(read_bytes(self.path), self.path)

    def data(self) -> dict[str, Any]:
        """The root map with text keys; a missing or empty file is an empty map."""
        return self.data_of(self.text())

    def data_of(self, text: str, where: str | None = None) -> dict[str, Any]:
        """The root map of ``text``, as if it were in the file; ``where`` names it in errors when it isn't yet."""
        if not text.strip(" \n"):
            return {}  # spares loading the parser
        where = where or self.where
        data = yaml_text.parse(text, where)
        if data is None:
            return {}
        if not isinstance(data, dict):
            raise fault_at(text, where, (), "a map of names is expected here")
        return {str(key): value for key, value in data.items()}

    def change(self, decide: Callable[[dict[str, Any], str], Sequence[yaml_edit.Change]]) -> bool:
        """Read, decide, edit and write under the lock; returns whether anything was written.

        ``decide`` gets the root map and the text, and may raise; then nothing is written.
        """
        with file_lock(self._lock_path):
            text = self.text()
            edited = yaml_edit.edit(text, decide(self.data_of(text), text), self.where)
            if edited == text:
                return False
            write_text(self.path, edited)
            return True

    def replace(self, text: str, *, backup: Path | None = None) -> None:
        """Write ``text`` as it is; what was there before, whatever it was, is kept in ``backup``."""
        with file_lock(self._lock_path):
            before, data = read_bytes(self.path), text.encode("utf-8")
            if backup is not None and before and before != data:
                write_bytes(backup, before)
            write_bytes(self.path, data)
