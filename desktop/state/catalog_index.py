"""catalog.json: the catalogs that are known, and the names of their files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from desktop.errors import StateFileError
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock
from desktop.state.yaml_document import decode

__all__ = ["CatalogIndex", "CatalogRecord", "catalog_file_name"]

ROOT: Final = "catalogs"
_FORBIDDEN: Final = str.maketrans(dict.fromkeys('<>:"/\\|?*\0', "_"))
_LONGEST_NAME: Final = 250


@dataclass(frozen=True, slots=True)
class CatalogRecord:
    """One known catalog: display name, where it is from (URL, absolute path or empty), last update (RFC 3339)."""

    display_name: str
    url: str = ""
    last_update: str = ""


_KEYS: Final = {"displayName": "display_name", "url": "url", "lastUpdate": "last_update"}


def catalog_file_name(name: str) -> str:
    """The file name, in the folder of catalogs, of the catalog ``name``."""
    plain = name.strip().lower().translate(_FORBIDDEN)
    return plain.encode("utf-8")[:_LONGEST_NAME].decode("utf-8", "ignore") + ".yaml"


class CatalogIndex:
    """The known catalogs. Keys this program doesn't know survive every change.

    Args:
        path: catalog.json.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._path = path
        self._lock_path = lock_path

    def records(self) -> dict[str, CatalogRecord]:
        """The known catalogs by name, in the file's order; a missing or empty file knows none."""
        return {
            name: CatalogRecord(**{field: str(entry.get(key) or "") for key, field in _KEYS.items()})
            for name, entry in self._entries(self._data()).items()
        }

    def put(self, name: str, record: CatalogRecord) -> None:
        """Add a catalog, or bring its record up to date."""
        with file_lock(self._lock_path):
            data = self._data()
            entries = self._entries(data)
            entry = dict(entries.get(name, {}))
            for key, field in _KEYS.items():
                value = getattr(record, field)
                if value or key == "displayName":
                    entry[key] = value
                else:
                    entry.pop(key, None)
            if entries.get(name) != entry:
                self._write({**data, ROOT: {**entries, name: entry}})

    def remove(self, name: str) -> None:
        """Forget a catalog; one that isn't known is fine."""
        with file_lock(self._lock_path):
            data = self._data()
            entries = self._entries(data)
            if name in entries:
                self._write({**data, ROOT: {key: entry for key, entry in entries.items() if key != name}})

    def check(self, text: str, where: str) -> None:
        """Raise `StateFileError` about ``where`` unless ``text`` could be the file's content."""
        self._entries(self._parsed(text, where), where)

    def replace_text(self, text: str) -> None:
        """Make ``text`` the file's content, byte for byte; raises `StateFileError` when it can't be."""
        self.check(text, str(self._path))
        with file_lock(self._lock_path):
            write_text(self._path, text)

    def _data(self) -> dict[str, Any]:
        return self._parsed(decode(read_bytes(self._path), self._path), str(self._path))

    @staticmethod
    def _parsed(text: str, where: str) -> dict[str, Any]:
        if not text.strip():
            return {}
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            reason = f"this is not valid JSON ({error.msg[:1].lower()}{error.msg[1:]})"
            raise StateFileError(where, reason, line=error.lineno, column=error.colno) from error
        except RecursionError as error:
            raise StateFileError(where, "it is nested too deeply") from error
        if not isinstance(data, dict):
            raise StateFileError(where, "a JSON object is expected", line=1, column=1)
        return data

    def _entries(self, data: dict[str, Any], where: str | None = None) -> dict[str, dict[str, Any]]:
        entries = data.get(ROOT) or {}
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise StateFileError(where or str(self._path), f"'{ROOT}' should be an object of objects")
        return entries

    def _write(self, data: dict[str, Any]) -> None:
        write_text(self._path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
