"""Servers by the names a person types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from desktop.catalog.configuration import Configuration
from desktop.catalog.model import CatalogServer
from desktop.catalog.source import ConfigurationSource
from desktop.cli import output
from desktop.cli.parser import closest
from desktop.errors import ServerNotFoundError
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile

__all__ = ["configuration", "find", "registry"]


def registry(paths: Paths) -> RegistryFile:
    """The file of the enabled servers."""
    return RegistryFile(paths.registry, paths.lock_for(paths.registry))


def configuration(paths: Paths) -> Configuration:
    """The configuration; what is wrong with other files than the registry is only remarked."""
    registry(paths).names()  # a broken registry is an error here, not a remark
    loaded = ConfigurationSource(paths).load()
    for problem in loaded.problems:
        output.remark(f"docker-mcp: {problem}.")
    return loaded


def find(name: str, servers: Mapping[str, CatalogServer]) -> CatalogServer:
    """The server of this name; raises `ServerNotFoundError` that says which was probably meant."""
    if name in servers:
        return servers[name]
    meant = _probably_meant(name, servers.values())
    hint = f"Did you mean {meant}?" if meant else "See docker-mcp catalog search"
    raise ServerNotFoundError(f"server {name} not found in catalog", hint)


def _probably_meant(name: str, servers: Iterable[CatalogServer]) -> str:
    by_word: dict[str, str] = {}
    for server in servers:
        by_word.setdefault(server.title.lower(), server.name)
        by_word[server.name.lower()] = server.name
    return by_word.get(closest(name.lower(), by_word), "")
