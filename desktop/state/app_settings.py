"""What the person has chosen for the program itself; one small JSON file of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from desktop.errors import StateFileError
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock

__all__ = ["LANGUAGES", "LOOKS", "AppSettings", "AppSettingsFile"]

SCHEMA_VERSION: Final = 1
LOOKS: Final = ("system", "light", "dark")
LANGUAGES: Final = ("", "en", "de")
_SECRETS: Final = ("block", "redact", "")
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """The choices.

    Attributes:
        look: ``system``, ``light`` or ``dark``.
        language: A language's code; empty follows the system.
        port: Where clients reach the gateway.
        block_secrets: What happens to a call with a secret in it: ``block``, ``redact``, or empty for nothing.
        most_running: The most servers that run at once.
        keep_calls, keep_details: Whether calls are kept for Activity, and with arguments and results.
        keep_days: For how long.
        welcomed: Whether the first steps were shown.
    """

    look: str = "system"
    language: str = ""
    port: int = 8811
    block_secrets: str = "block"
    most_running: int = 40
    keep_calls: bool = True
    keep_details: bool = True
    keep_days: int = 7
    welcomed: bool = False


_RIGHT: Final[dict[str, Callable[[Any], bool]]] = {
    "look": lambda value: value in LOOKS,
    "language": lambda value: value in LANGUAGES,
    "port": lambda value: 0 < value <= _HIGHEST_PORT,
    "block_secrets": lambda value: value in _SECRETS,
    "most_running": lambda value: 1 <= value <= 1000,
    "keep_days": lambda value: 1 <= value <= 3650,
}


class AppSettingsFile:
    """The file. A value that isn't right counts as not chosen; what this version doesn't know survives every change.

    Args:
        path: The file.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._path = path
        self._lock_path = lock_path

    def read(self) -> AppSettings:
        """The choices; a missing file has none.

        Raises:
            StateFileError: The file can't be understood, or is of a newer version of this program.
        """
        return _chosen(self._data())

    def read_or_usual(self) -> AppSettings:
        """The choices, or the usual ones when the file can't be understood: the program starts all the same."""
        try:
            return self.read()
        except StateFileError:
            return AppSettings()

    def change(self, **changes: Any) -> AppSettings:
        """Choose anew; returns all choices.

        Raises:
            ValueError: There is no such choice, or the value isn't right.
            StateFileError: The file can't be understood or written; it is left as it is.
        """
        known = {field.name for field in fields(AppSettings)}
        for name, value in changes.items():
            if name not in known or not _is_right(name, value):
                raise ValueError(f"{name} can't be {value!r}")
        with file_lock(self._lock_path):
            data = self._data()
            chosen = replace(_chosen(data), **changes)
            written = {**data, **asdict(chosen), "schema_version": SCHEMA_VERSION}
            write_text(self._path, json.dumps(written, indent=2, ensure_ascii=False) + "\n")
        return chosen

    def _data(self) -> dict[str, Any]:
        text = read_bytes(self._path)
        if not text.strip():
            return {}
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None)
            raise StateFileError(str(self._path), "this is not valid JSON", line=line) from error
        if not isinstance(data, dict):
            raise StateFileError(str(self._path), "a JSON object is expected")
        version = data.get("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            reason = f"its version {version} is of a newer program"
            raise StateFileError(str(self._path), reason, hint="Update this one.")
        return data


def _chosen(data: dict[str, Any]) -> AppSettings:
    right = {
        field.name: data[field.name]
        for field in fields(AppSettings)
        if field.name in data and _is_right(field.name, data[field.name])
    }
    return AppSettings(**right)


def _is_right(name: str, value: Any) -> bool:
    usual = getattr(AppSettings(), name)
    if type(value) is not type(usual):
        return False
    return _RIGHT.get(name, lambda _: True)(value)
