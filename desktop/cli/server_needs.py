"""What a server needs before it can be used, in the four words of the table: none, required, partial, done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from desktop.catalog.kinds import kind_of
from desktop.catalog.model import CatalogServer
from desktop.errors import GatewayError
from desktop.secrets.store import is_internal
from desktop.state.paths import Paths

__all__ = ["MARKS", "ServerNeeds", "needs_of", "next_steps", "stored_names"]

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
        stored: What `stored_names` found.
    """
    apps, open_apps = _apps(server), _open_apps(server, stored)
    return ServerNeeds(
        oauth=_word(len(apps), len(open_apps)), secrets=_secrets(server, stored), config=_config(server.config, values)
    )


def next_steps(server: CatalogServer, values: Mapping[str, Any], stored: Collection[str]) -> dict[str, str]:
    """What is still to be done for a server: in words, and as a command."""
    steps = {}
    for app in _open_apps(server, stored)[:1]:
        steps["Sign in"] = f"docker-mcp oauth authorize {app}"
    waiting = _needed_without_sign_in(server)
    for name in [name for name in waiting if name not in _supplied(server, stored)][:1]:
        steps["Set its secret"] = f"docker-mcp secret set {name}"
    for name in _missing(server.config, values)[:1]:
        steps["Set what it needs"] = f"docker-mcp config set {server.name}.{name}=VALUE"
    return steps


def _word(all_of_them: int, open_ones: int) -> str:
    if not all_of_them:
        return "none"
    return "done" if not open_ones else "required" if open_ones == all_of_them else "partial"


def _apps(server: CatalogServer) -> list[str]:
    """What one signs in to: a remote server itself, else the providers whose tokens it gets (spec 1.7.5)."""
    if server.oauth is None or not server.oauth.providers:
        return []
    if kind_of(server) == "remote":
        return [server.name]
    return list(dict.fromkeys(item.provider for item in server.oauth.providers if item.provider))


def _open_apps(server: CatalogServer, stored: Collection[str]) -> list[str]:
    apps = _apps(server)
    if not apps:
        return []
    from desktop.oauth.records import token_name  # here, because most servers have no sign-in

    return [app for app in apps if token_name(app) not in stored]


def _supplied(server: CatalogServer, stored: Collection[str]) -> frozenset[str]:
    """The secrets that have a value: stored ones, and those a sign-in stands in for."""
    open_apps = _open_apps(server, stored)
    providers = server.oauth.providers if server.oauth is not None and kind_of(server) != "remote" else []
    return frozenset(stored) | {item.secret for item in providers if item.provider and item.provider not in open_apps}


def _needed(server: CatalogServer) -> list[str]:
    return list(dict.fromkeys(item.name for item in server.secrets if item.required is not False))


def _needed_without_sign_in(server: CatalogServer) -> list[str]:
    providers = server.oauth.providers if server.oauth is not None else []
    by_sign_in = {item.secret for item in providers if item.provider}
    return [name for name in _needed(server) if name not in by_sign_in]


def _secrets(server: CatalogServer, stored: Collection[str]) -> str:
    needed, supplied = _needed(server), _supplied(server, stored)
    if not needed:
        return "done" if any(item.name in supplied for item in server.secrets) else "none"
    return _word(len(needed), len([name for name in needed if name not in supplied]))


def _config(schemas: Iterable[Mapping[str, Any]], values: Mapping[str, Any]) -> str:
    if not schemas:
        return "none"
    return "done" if not _missing(schemas, values) else "partial" if values else "required"


def _missing(schemas: Iterable[Mapping[str, Any]], values: Mapping[str, Any]) -> list[str]:
    return [
        name
        for schema in schemas
        for name in schema.get("required") or ()
        if name not in values and "default" not in ((schema.get("properties") or {}).get(name) or {})
    ]


def stored_names(servers: Iterable[CatalogServer]) -> tuple[frozenset[str], str]:
    """Names of the servers' secrets and sign-ins that have a value, and why that can't be told, or empty.

    Nothing is opened: the keychain may be locked.
    """
    references = [reference for server in servers for reference in server.secrets]
    if not references and not any(map(_apps, servers)):
        return frozenset(), ""
    from desktop.secrets.env_file import read_env_file  # here, because most servers have no secret
    from desktop.secrets.sealed_file import entries_in

    paths = Paths.of_user()
    names: set[str] = set()
    trouble = ""
    try:
        names.update(entry.name for entry in entries_in(paths.secrets) if not is_internal(entry.provider))
        if paths.env_file.is_file():
            written = read_env_file(paths.env_file)
            names.update(written, (item.name for item in references if item.env in written))
    except GatewayError as error:
        trouble = error.message
    return frozenset(names), trouble
