"""registry.yaml: which servers are enabled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from desktop.state.yaml_document import YamlDocument, fault_at
from desktop.state.yaml_edit import REMOVED, Change

__all__ = ["RegistryFile"]

ROOT = "registry"
# A file without anything but names that any YAML version reads as text.
_AS_WE_WRITE_IT = re.compile(
    r'registry:\n(?:  (?!(?:true|false|null|yes|no|on|off|y|n):)[A-Za-z][\w.-]*:\n    ref: (?:""|' ")\n)*",
    re.ASCII | re.IGNORECASE,
)
_NAME = re.compile(r"^  ([^ ]+):$", re.MULTILINE)


class RegistryFile:
    """The enabled servers. Comments, entries of servers nobody knows and unknown keys survive every change.

    Args:
        path: registry.yaml.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._document = YamlDocument(path, lock_path)

    def names(self) -> tuple[str, ...]:
        """The enabled servers, sorted; a missing or empty file enables none."""
        text = self._document.text()
        if _AS_WE_WRITE_IT.fullmatch(text):  # a hundredth of a second less than loading the parser
            return tuple(sorted(set(_NAME.findall(text))))
        return tuple(sorted(map(str, self._entries(self._document.data_of(text), text))))

    def add(self, names: Iterable[str]) -> None:
        """Enable servers; those that are enabled already stay as they are."""
        wanted = tuple(dict.fromkeys(names))

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            entries = self._entries(data, text)
            return [Change((ROOT, name), {"ref": ""}) for name in wanted if name not in entries]

        self._document.change(decide)

    def remove(self, names: Iterable[str]) -> None:
        """Disable servers; those that are not enabled are passed over."""
        wanted = tuple(dict.fromkeys(names))

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            entries = self._entries(data, text)
            return [Change((ROOT, name), REMOVED) for name in wanted if name in entries]

        self._document.change(decide)

    def clear(self) -> None:
        """Disable every server."""

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            return [Change((ROOT, name), REMOVED) for name in self._entries(data, text)]

        self._document.change(decide)

    def check(self, text: str, where: str) -> None:
        """Raise `StateFileError` about ``where`` unless ``text`` is a registry."""
        self._entries(self._document.data_of(text, where), text, where)

    def replace_text(self, text: str) -> None:
        """Make ``text`` the file's content, byte for byte; raises `StateFileError` when it is no registry."""
        self.check(text, self._document.where)
        self._document.replace(text)

    def _entries(self, data: dict[str, Any], text: str, where: str | None = None) -> dict[str, Any]:
        entries = data.get(ROOT)
        if entries is None:
            return {}
        if not isinstance(entries, dict):
            raise fault_at(text, where or self._document.where, (ROOT,), f"'{ROOT}' should be a map of server names")
        return entries
