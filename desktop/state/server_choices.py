"""servers.yaml, a file of our own: what the person has chosen for single servers beyond what the reference's files can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from desktop.errors import StateFileError
from desktop.sharing import Sharing
from desktop.state.yaml_document import VERSION_KEY, YamlDocument, fault_at, versioned_entries
from desktop.state.yaml_edit import REMOVED, Change

__all__ = ["ServerChoice", "ServerChoicesFile"]

SCHEMA_VERSION: Final = 1
_ROOT: Final = "servers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerChoice:
    """What was chosen for one server.

    Attributes:
        sharing: Who shares it; None leaves that to its catalog entry.
        call_timeout: Seconds one of its calls may take; None means no limit.
        duplicate_of: The server it is a second time; empty for one that a catalog has.
        secrets: For a duplicate, name of a secret of the original -> name of the one it uses instead.
    """

    sharing: Sharing | None = None
    call_timeout: float | None = None
    duplicate_of: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)


class ServerChoicesFile:
    """Server name -> choice. Comments, unknown keys and servers nobody knows survive every change.

    Args:
        path: servers.yaml.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._document = YamlDocument(path, lock_path)

    def choices(self) -> dict[str, ServerChoice]:
        """Every choice; a missing or empty file has none.

        Raises:
            StateFileError: The file is broken, holds a word or number that means nothing, or is of a newer program.
        """
        text = self._document.text()
        entries = self._entries(self._document.data_of(text), text)
        return {name: self._choice(name, entry, text) for name, entry in entries.items()}

    def set_sharing(self, server: str, sharing: Sharing | None) -> None:
        """Choose who shares a server; None goes back to what its catalog entry says."""
        self._set(server, "sharing", None if sharing is None else sharing.value)

    def set_call_timeout(self, server: str, seconds: float | None) -> None:
        """Choose how long a call may take; None takes the limit away."""
        self._set(server, "call_timeout", seconds)

    def add_duplicate(self, name: str, of: str, secrets: Mapping[str, str]) -> None:
        """Let a server be there a second time under ``name``."""

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            if name in self._entries(data, text):
                raise StateFileError(self._document.where, f"there is something chosen for '{name}' already")
            version = [] if VERSION_KEY in data else [Change((VERSION_KEY,), SCHEMA_VERSION)]
            entry: dict[str, Any] = {"duplicate_of": of, **({"secrets": dict(secrets)} if secrets else {})}
            return [*version, Change((_ROOT, name), entry)]

        self._document.change(decide)

    def remove(self, name: str) -> None:
        """Forget everything that was chosen for a server."""
        self._document.change(
            lambda data, text: [Change((_ROOT, name), REMOVED)] if name in self._entries(data, text) else []
        )

    def _set(self, server: str, key: str, value: Any) -> None:
        def decide(data: dict[str, Any], text: str) -> list[Change]:
            entry = self._entries(data, text).get(server)
            if value is not None:
                version = [] if VERSION_KEY in data else [Change((VERSION_KEY,), SCHEMA_VERSION)]
                return [*version, Change((_ROOT, server, key), value)]
            if not isinstance(entry, dict) or key not in entry:
                return []
            return [Change((_ROOT, server) if len(entry) == 1 else (_ROOT, server, key), REMOVED)]

        self._document.change(decide)

    def _entries(self, data: dict[str, Any], text: str) -> dict[str, Any]:
        where = self._document.where
        return versioned_entries(data, text, where, root=_ROOT, version=SCHEMA_VERSION, named="server")

    def _choice(self, name: str, entry: Any, text: str) -> ServerChoice:
        where = self._document.where
        if entry is None:
            return ServerChoice()
        if not isinstance(entry, dict):
            raise fault_at(text, where, (_ROOT, name), f"what is chosen for '{name}' should be a map")
        word, seconds = entry.get("sharing"), entry.get("call_timeout")
        try:
            sharing = None if word is None else Sharing(word)
        except ValueError:
            known = ", ".join(each.value for each in Sharing)
            raise fault_at(text, where, (_ROOT, name, "sharing"), f"'{word}' is none of {known}") from None
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0):
            reason = f"'{seconds}' is not a number of seconds"
            raise fault_at(text, where, (_ROOT, name, "call_timeout"), reason)
        original, secrets = entry.get("duplicate_of", ""), entry.get("secrets") or {}
        if not isinstance(original, str):
            raise fault_at(text, where, (_ROOT, name, "duplicate_of"), f"'{original}' is not the name of a server")
        if not isinstance(secrets, dict) or not all(isinstance(item, str) for pair in secrets.items() for item in pair):
            raise fault_at(text, where, (_ROOT, name, "secrets"), "'secrets' should be a map of names of secrets")
        return ServerChoice(
            sharing=sharing,
            call_timeout=None if seconds is None else float(seconds),
            duplicate_of=original,
            secrets=secrets,
        )
