"""config.yaml: the values of each server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from desktop.state import yaml_text
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

    def set_value(self, names: Sequence[str], path: Sequence[str], value: Any) -> None:
        """Set one value, whatever another process sets meanwhile.

        Args:
            names: What the server may be called; the first that has an entry is used, else the last.
            path: The keys that lead to the value; maps on the way are made.
            value: The value, or `REMOVED` to take it away; a map that becomes empty by it goes too.
        """

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            entries = self._values_of(text)
            name = next((name for name in names if name in entries), names[-1])
            whole = (name, *path)
            if value is not REMOVED:
                return [Change(whole, value)]
            maps: list[Any] = [data]
            for key in whole[:-1]:
                maps.append(maps[-1].get(key) if isinstance(maps[-1], dict) else None)
            if not isinstance(maps[-1], dict) or whole[-1] not in maps[-1]:
                return []
            keep = next((depth for depth in range(len(maps) - 1, 0, -1) if len(maps[depth]) > 1), 0)
            return [Change(whole[: keep + 1], REMOVED)]

        self._document.change(decide)

    def text(self) -> str:
        """The file's text as it is."""
        return self._document.text()

    def check(self, text: str, where: str) -> None:
        """Raise `StateFileError` about ``where`` unless ``text`` is a map of maps, in which no key comes twice."""
        self._values_of(text, where)
        yaml_text.refuse_repeated_keys(text, where)

    def replace_text(self, text: str, *, where: str | None = None) -> None:
        """Make ``text`` the file's content, byte for byte; the former content is kept in config.yaml.bak.

        Args:
            text: The new content.
            where: What an error calls it.

        Raises:
            StateFileError: ``text`` is not a map of maps; then nothing is written.
        """
        self.check(text, where or self._document.where)
        self._document.replace(text, backup=self._backup)

    def _values_of(self, text: str, where: str | None = None) -> dict[str, dict[str, Any]]:
        where = where or self._document.where
        result: dict[str, dict[str, Any]] = {}
        for server, values in self._document.data_of(text, where).items():
            if values is not None and not isinstance(values, dict):
                raise fault_at(text, where, (server,), f"the values of '{server}' should be a map")
            result[server] = values or {}
        return result
