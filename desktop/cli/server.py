"""``docker-mcp server``: which servers are enabled, and what the catalogs say of one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop.catalog.configuration import Configuration
from desktop.catalog.kinds import kind_of, usual_sharing
from desktop.catalog.model import CatalogServer
from desktop.catalog.source import ConfigurationSource
from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser, closest
from desktop.cli.server_needs import MARKS, ServerNeeds, needs_of, stored_secrets
from desktop.errors import ServerNotFoundError, UsageError
from desktop.policy.consent import ConsentStore
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile

__all__ = ["GROUP"]

_COLUMNS: Final = ("NAME", "OAUTH", "SECRETS", "CONFIG", "DESCRIPTION")
_UNKNOWN: Final = "No catalog has this server"


def _list_arguments(parser: Parser) -> None:
    parser.switch("json", "print a JSON array")


def _list(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    names = _registry(paths).names()
    configuration = _configuration(paths) if names else Configuration()
    known = [configuration.servers[name] for name in names if name in configuration.servers]
    stored, trouble = stored_secrets(known)
    if trouble:
        output.remark(f"docker-mcp: {trouble}; secrets count as missing.")
    needs = {server.name: needs_of(server, configuration.values_of(server), stored) for server in known}
    descriptions = {server.name: output.one_line(server.description or server.title) for server in known}
    rows = [(name, descriptions.get(name, _UNKNOWN), needs.get(name, ServerNeeds())) for name in names]
    if arguments.json:
        output.print_json([{"name": name, "description": text, **asdict(need)} for name, text, need in rows])
    elif not rows:
        print("No server is enabled")
    else:
        print(f"MCP Servers ({len(rows)} enabled)\n")
        cells = [(name, MARKS[n.oauth], MARKS[n.secrets], MARKS[n.config], text) for name, text, n in rows]
        output.print_table(_COLUMNS, cells)
    return 0


def _enable_arguments(parser: Parser) -> None:
    _names_argument(parser)
    parser.switch("without-container", "agree that these packages run without a container where no engine is there")


def _enable(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    configuration = _configuration(paths)
    servers = [_find(name, configuration) for name in arguments.names]
    if arguments.without_container:
        for server in servers:
            if kind_of(server) != "package":
                raise UsageError(
                    f"server {server.name} can't run without a container", "Only packages run by uvx or npx can"
                )
    _registry(paths).add(arguments.names)
    if arguments.without_container:
        for server in servers:
            ConsentStore(paths.consents).grant("run-without-container", server.name)
    return 0


def _disable(arguments: argparse.Namespace) -> int:
    _registry(Paths.of_user()).remove(arguments.names)
    return 0


def _reset(arguments: argparse.Namespace) -> int:
    _registry(Paths.of_user()).clear()
    return 0


def _inspect_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the server")


def _inspect(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    configuration = _configuration(paths)
    server = _find(arguments.name, configuration)
    entry: dict[str, Any] = msgspec.to_builtins(server)
    allowed = configuration.tools.get(server.name)
    tools = _listed_tools(server, configuration, paths.listings) or entry.get("tools", [])
    entry["enabled"] = server.name in configuration.enabled
    choice = configuration.choice_of(server.name)
    entry["sharing"] = (choice.sharing or usual_sharing(server)).value
    if choice.call_timeout is not None:
        entry["callTimeout"] = choice.call_timeout
    entry["tools"] = [{**tool, "enabled": allowed is None or tool.get("name") in allowed} for tool in tools]
    output.print_json(entry)
    return 0


def _listed_tools(server: CatalogServer, configuration: Configuration, listings: Path) -> list[dict[str, Any]]:
    """The tools the server itself listed the last time it ran with these values; empty when it hasn't."""
    from desktop.servers.listing import ListingCache, configuration_hash  # here: only inspecting needs it

    wanted = configuration_hash(server, configuration.values_of(server))
    listing = ListingCache(listings).load(server.name, wanted)
    return [] if listing is None else [msgspec.json.decode(tool) for tool in listing.tools]


def _names_argument(parser: Parser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="+", help="one server or more")


def _registry(paths: Paths) -> RegistryFile:
    return RegistryFile(paths.registry, paths.lock_for(paths.registry))


def _configuration(paths: Paths) -> Configuration:
    """The configuration; what is wrong with other files than the registry is only remarked."""
    _registry(paths).names()  # a broken registry is an error here, not a remark
    configuration = ConfigurationSource(paths).load()
    for problem in configuration.problems:
        output.remark(f"docker-mcp: {problem}.")
    return configuration


def _find(name: str, configuration: Configuration) -> CatalogServer:
    server = configuration.servers.get(name)
    if server is None:
        meant = _probably_meant(name, configuration.servers.values())
        hint = f"Did you mean {meant}?" if meant else "See docker-mcp catalog show"
        raise ServerNotFoundError(f"server {name} not found in any catalog", hint)
    return server


def _probably_meant(name: str, servers: Iterable[CatalogServer]) -> str:
    by_word: dict[str, str] = {}
    for server in servers:
        by_word.setdefault(server.title.lower(), server.name)
        by_word[server.name.lower()] = server.name
    return by_word.get(closest(name.lower(), by_word), "")


GROUP: Final = Group(
    "server",
    "Servers: which are enabled, and what they are.",
    (
        Command(("list", "ls"), "List the enabled servers and what they need.", "--json", _list, _list_arguments),
        Command(("enable", "add"), "Enable servers.", "duckduckgo time", _enable, _enable_arguments),
        Command(("disable", "remove", "rm"), "Disable servers.", "duckduckgo", _disable, _names_argument),
        Command(("inspect",), "Show what is known of a server, as JSON.", "duckduckgo", _inspect, _inspect_arguments),
        Command(("reset",), "Disable every server.", "", _reset),
    ),
)
