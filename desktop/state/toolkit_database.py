"""mcp-toolkit.db, the reference's database: its profiles are read, nothing is ever written (docs/decisions/0017)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from desktop.errors import StateFileError

__all__ = ["from_json_spelling", "profiles_in", "to_json_spelling"]

_SPELLINGS = {"catalogRef": "catalog_ref"}
_VERSION = 1


def profiles_in(database: Path) -> dict[str, dict[str, Any]]:
    """The profile documents by id; none where there is no database, or it has no profiles.

    Raises:
        StateFileError: It can't be read, or a profile in it can't be understood.
    """
    if not database.is_file():
        return {}
    found: dict[str, dict[str, Any]] = {}
    for id, name, servers, secrets in _rows(database):
        try:
            entries, stores = json.loads(servers or "[]") or [], json.loads(secrets or "{}") or {}
        except (ValueError, RecursionError, TypeError) as error:
            raise StateFileError(str(database), f"its profile {id} can't be understood") from error
        document = {"version": _VERSION, "id": str(id), "name": str(name or id), "servers": entries, "secrets": stores}
        found[str(id)] = from_json_spelling(document)
    return found


def _rows(database: Path) -> list[tuple[Any, ...]]:
    import sqlite3  # here: hardly anybody has this file

    failure: sqlite3.Error | None = None
    # Where its journal can't be opened for reading only, the file by itself is read as it is.
    for manner in ("mode=ro", "immutable=1"):
        try:
            connection = sqlite3.connect(f"{database.absolute().as_uri()}?{manner}", uri=True, timeout=2.0)
        except sqlite3.Error as error:
            failure = error
            continue
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'working_set'").fetchone():
                return []
            return connection.execute("SELECT id, name, servers, secrets FROM working_set ORDER BY id").fetchall()
        except sqlite3.Error as error:
            failure = error
        finally:
            connection.close()
    raise StateFileError(str(database), f"it can't be read ({failure})") from failure


def from_json_spelling(document: dict[str, Any]) -> dict[str, Any]:
    """A profile document as YAML spells it, from what JSON spells otherwise (``catalogRef``)."""
    return _respelled(document, _SPELLINGS)


def to_json_spelling(document: dict[str, Any]) -> dict[str, Any]:
    """The other way round."""
    return _respelled(document, {yaml: json for json, yaml in _SPELLINGS.items()})


def _respelled(document: dict[str, Any], spellings: dict[str, str]) -> dict[str, Any]:
    servers = document.get("servers")
    if not isinstance(servers, list):
        return document
    entries = [
        {spellings.get(key, key): value for key, value in entry.items()} if isinstance(entry, dict) else entry
        for entry in servers
    ]
    return {**document, "servers": entries}
