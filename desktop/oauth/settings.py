"""oauth.yaml, a file of our own: clients the person has registered by hand, and what else differs for single apps."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from desktop.state.yaml_document import VERSION_KEY, YamlDocument, fault_at, versioned_entries
from desktop.state.yaml_edit import REMOVED, Change

__all__ = ["AppSettings", "OAuthSettingsFile"]

SCHEMA_VERSION: Final = 1
_ROOT: Final = "apps"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """What is set for one app; empty means: find out, or the usual. The client's secret is in the secret store.

    Attributes:
        client_id: Of a client registered by hand.
        client_metadata_url: Address of a client ID metadata document of one's own.
        scopes: What to ask for, instead of what the server or the catalog says.
        port: The only port the browser may come back to; 0 for the usual one.
        issuer, authorization_endpoint, token_endpoint, device_authorization_endpoint, revocation_endpoint: The provider.
    """

    client_id: str = ""
    client_metadata_url: str = ""
    scopes: tuple[str, ...] = ()
    port: int = 0
    issuer: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    device_authorization_endpoint: str = ""
    revocation_endpoint: str = ""


_KEYS: Final = tuple(field.name for field in fields(AppSettings))


class OAuthSettingsFile:
    """App name -> settings. Comments, unknown keys and apps nobody knows survive every change.

    Args:
        path: oauth.yaml.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._document = YamlDocument(path, lock_path)

    def settings_of(self, app: str) -> AppSettings:
        """What is set for an app.

        Raises:
            StateFileError: The file is broken, has a value that means nothing, or is of a newer program.
        """
        text = self._document.text()
        entries = self._entries(self._document.data_of(text), text)
        return self._settings(app, entries.get(app), text)

    def change(self, app: str, values: dict[str, Any]) -> None:
        """Set some values of an app; None takes one away."""

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            entry = self._entries(data, text).get(app)
            known = entry if isinstance(entry, dict) else {}
            changes = [
                Change((_ROOT, app, key), REMOVED if value is None else value)
                for key, value in values.items()
                if value is not None or key in known
            ]
            version = [] if VERSION_KEY in data or not changes else [Change((VERSION_KEY,), SCHEMA_VERSION)]
            return [*version, *changes]

        self._document.change(decide)

    def _entries(self, data: dict[str, Any], text: str) -> dict[str, Any]:
        where = self._document.where
        return versioned_entries(data, text, where, root=_ROOT, version=SCHEMA_VERSION, named="app")

    def _settings(self, app: str, entry: Any, text: str) -> AppSettings:
        where = self._document.where
        if entry is None:
            return AppSettings()
        if not isinstance(entry, dict):
            raise fault_at(text, where, (_ROOT, app), f"what is set for '{app}' should be a map")
        found: dict[str, Any] = {}
        for key in _KEYS:
            value = entry.get(key)
            if value is None:
                continue
            if key == "port":
                if isinstance(value, bool) or not isinstance(value, int) or not 1025 <= value <= 65535:
                    raise fault_at(text, where, (_ROOT, app, key), f"'{value}' is not a port between 1025 and 65535")
                found[key] = value
            elif key == "scopes":
                words = value.split() if isinstance(value, str) else value
                if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                    raise fault_at(text, where, (_ROOT, app, key), "'scopes' should be a list of words")
                found[key] = tuple(words)
            elif isinstance(value, str | int):
                found[key] = str(value)
            else:
                raise fault_at(text, where, (_ROOT, app, key), f"'{key}' should be text")
        return AppSettings(**found)
