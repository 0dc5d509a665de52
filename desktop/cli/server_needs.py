"""What a server needs before it can be used, in the four words of the table: none, required, partial, done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from desktop.catalog.model import CatalogServer, SecretReference
from desktop.errors import GatewayError
from desktop.secrets.store import is_internal
from desktop.state.paths import Paths

__all__ = ["MARKS", "ServerNeeds", "needs_of", "stored_secrets"]

MARKS: Final = {"none": "-", "required": "▲ required", "partial": "◐ partial", "done": "✓ done"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerNeeds:
    """One word each for sign-in, secrets and values."""

    oauth: str = "none"
    secrets: str = "none"
    config: str = "none"


def needs_of(server: CatalogServer, values: Mapping[str, Any], stored: Collection[str]) -> ServerNeeds:
    """Work out the words.

    Args:
        server: The catalog entry.
        values: Its values in config.yaml.
        stored: Names of the secrets that are stored.
    """
    return ServerNeeds(
        oauth="required" if server.oauth is not None and server.oauth.providers else "none",
        secrets=_secrets(server.secrets, stored),
        config=_config(server.config, values),
    )


def _secrets(references: Iterable[SecretReference], stored: Collection[str]) -> str:
    needed = {reference.name for reference in references if reference.required is not False}
    if not needed:
        return "done" if any(reference.name in stored for reference in references) else "none"
    found = needed & set(stored)
    return "done" if found == needed else "partial" if found else "required"


def _config(schemas: Iterable[Mapping[str, Any]], values: Mapping[str, Any]) -> str:
    if not schemas:
        return "none"
    missing = [
        name
        for schema in schemas
        for name in schema.get("required") or ()
        if name not in values and "default" not in ((schema.get("properties") or {}).get(name) or {})
    ]
    return "done" if not missing else "partial" if values else "required"


def stored_secrets(servers: Iterable[CatalogServer]) -> tuple[frozenset[str], str]:
    """Names of the servers' secrets that have a value, and why that can't be told, or empty.

    Nothing is opened: the keychain may be locked.
    """
    references = [reference for server in servers for reference in server.secrets]
    if not references:
        return frozenset(), ""
    from desktop.secrets.env_file import read_env_file  # here, because most servers have no secret
    from desktop.secrets.sealed_file import entries_in

    paths = Paths.of_user()
    names: set[str] = set()
    trouble = ""
    try:
        names.update(entry.name for entry in entries_in(paths.secrets) if not is_internal(entry.provider))
        if paths.env_file.is_file():
            names.update(read_env_file(paths.env_file))
    except GatewayError as error:
        trouble = error.message
    return frozenset(item.name for item in references if item.name in names or item.env in names), trouble
