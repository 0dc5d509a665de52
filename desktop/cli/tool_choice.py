"""``docker-mcp tools enable`` and ``disable``: which tools of a server may be used."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping

import msgspec
from msgspec import Raw

from desktop.catalog.configuration import Configuration
from desktop.catalog.model import CatalogServer
from desktop.catalog.source import ConfigurationSource
from desktop.cli import output
from desktop.cli.parser import closest
from desktop.errors import GatewayError, ServerNotFoundError, UsageError
from desktop.servers.listing import ListingCache, configuration_hash
from desktop.state.paths import Paths
from desktop.state.tools_file import ToolsFile

__all__ = ["disable", "enable"]


def enable(arguments: argparse.Namespace) -> int:
    """Let tools be used."""
    return _choose(arguments, is_on=True)


def disable(arguments: argparse.Namespace) -> int:
    """Let tools no longer be used."""
    return _choose(arguments, is_on=False)


def _choose(arguments: argparse.Namespace, *, is_on: bool) -> int:
    paths = Paths.of_user()
    file = ToolsFile(paths.tools, paths.lock_for(paths.tools))
    limited = file.allowed()  # a broken file is an error here, not a remark
    configuration = ConfigurationSource(paths).load()
    tools = _Tools(configuration, paths)
    chosen: dict[str, list[str]] = {}
    for typed in arguments.tools:
        server, tool = tools.find(typed, arguments.server, limited)
        chosen.setdefault(server.name, []).append(tool)
    for name, names in chosen.items():
        known = tools.of(configuration.servers[name])
        if is_on:
            file.enable(name, names, known)
        else:
            file.disable(name, names, known)
    sleeping = [name for name in chosen if name not in configuration.enabled]
    if sleeping:
        output.tip(f"{', '.join(sleeping)} is not enabled; docker-mcp server enable {sleeping[0]} enables it.")
    return 0


def _name_of(tool: Raw) -> str:
    name: str = msgspec.json.decode(tool)["name"]
    return name


class _Tools:
    """The tools the servers are known to have."""

    def __init__(self, configuration: Configuration, paths: Paths) -> None:
        self._configuration = configuration
        self._listings = ListingCache(paths.listings)
        self._found: dict[str, tuple[str, ...]] = {}

    def of(self, server: CatalogServer) -> tuple[str, ...]:
        """What the server listed the last time it ran, else what its catalog entry says; empty when neither is known."""
        if server.name not in self._found:
            wanted = configuration_hash(server, self._configuration.values_of(server))
            listing = self._listings.load(server.name, wanted)
            names = [tool.name for tool in server.tools] if listing is None else list(map(_name_of, listing.tools))
            self._found[server.name] = tuple(dict.fromkeys(names))
        return self._found[server.name]

    def find(self, typed: str, wanted: str | None, limited: Mapping[str, Collection[str]]) -> tuple[CatalogServer, str]:
        """The server and the tool's name there; raises `GatewayError` where there is none, or more than one."""
        servers = self._configuration.servers
        if wanted is not None:
            if wanted not in servers:
                meant = closest(wanted, servers)
                hint = f"Did you mean {meant}?" if meant else "See docker-mcp catalog show"
                raise ServerNotFoundError(f"server {wanted} not found in catalog", hint)
            if typed in limited.get(wanted, ()):
                return servers[wanted], typed
            return servers[wanted], self._tool(servers[wanted], typed)
        enabled = [servers[name] for name in self._configuration.enabled if name in servers]
        for candidates in (enabled, servers.values()):
            found = [(server, name) for server in candidates if (name := self._name_in(server, typed))]
            if len(found) > 1:
                names = [server.name for server, _ in found]
                raise UsageError(
                    f"the tool {typed} is in several servers: {', '.join(sorted(names))}",
                    f"Say which, such as --server {sorted(names)[0]}",
                )
            if found:
                return found[0]
        meant = closest(typed, [name for server in enabled for name in self.of(server)])
        hint = f"Did you mean {meant}?" if meant else "Say which server it is of with --server"
        raise GatewayError(f"tool {typed} not found", hint)

    def _tool(self, server: CatalogServer, typed: str) -> str:
        known = self.of(server)
        name = self._name_in(server, typed)
        if name is None and known:
            meant = closest(typed, known)
            hint = f"Did you mean {meant}?" if meant else f"It has {output.clipped(', '.join(known), 200)}"
            raise GatewayError(f"tool {typed} not found in server {server.name}", hint)
        return name or typed

    def _name_in(self, server: CatalogServer, typed: str) -> str | None:
        known = self.of(server)
        if typed in known:
            return typed
        prefix, _, rest = typed.partition("__")  # as it is offered where several servers have such a tool
        return rest if rest in known and prefix in (server.name, server.prefix) else None
