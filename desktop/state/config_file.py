"""config.yaml: the values of each server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.state.yaml_document import YamlDocument, fault_at
from desktop.state.yaml_edit import REMOVED, Change, differences

__all__ = ["ConfigFile"]


class ConfigFile:
    """Server name -> nested map of values. A change touches only the lines of the values that differ.

    Args:
        path: config.yaml.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._document = YamlDocument(path, lock_path)
        self._backup = path.with_name(path.name + ".bak")

    def values(self) -> dict[str, dict[str, Any]]:
        """Every server's values; a missing or empty file has none.

        Raises:
            StateFileError: The file is not a map of maps.
        """
        return self._values_of(self.text())

    def set_values(self, server: str, values: dict[str, Any]) -> None:
        """Make ``values`` the server's only ones; an empty map takes the server's entry away."""

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            before = self._values_of(text).get(server)
            if not values:
                return [Change((server,), REMOVED)] if server in data else []
            return differences(before, values, (server,)) if before else [Change((server,), values)]

        self._document.change(decide)

    def text(self) -> str:
        """The file's text as it is."""
        return self._document.text()

    def replace_text(self, text: str) -> None:
        """Make ``text`` the file's content, byte for byte; the former content is kept in config.yaml.bak.

        Raises:
            StateFileError: ``text`` is not a map of maps; then nothing is written.
        """
        self._values_of(text)
        self._document.replace(text, backup=self._backup)

    def _values_of(self, text: str) -> dict[str, dict[str, Any]]:
        result: dict[str, dict[str, Any]] = {}
        for server, values in self._document.data_of(text).items():
            if values is not None and not isinstance(values, dict):
                raise fault_at(text, self._document.where, (server,), f"the values of '{server}' should be a map")
            result[server] = values or {}
        return result
