"""``docker-mcp server``: which servers are enabled, and what the catalogs say of one."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Final

from desktop.catalog.configuration import Configuration
from desktop.catalog.kinds import kind_of
from desktop.catalog.model import CatalogServer
from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.folder_consent import agree_to_folders
from desktop.cli.parser import Parser, closest
from desktop.cli.server_lookup import configuration, find, registry
from desktop.cli.server_needs import MARKS, ServerNeeds, needs_of, next_steps, stored_names
from desktop.errors import UsageError
from desktop.policy.consent import ConsentStore
from desktop.state.paths import Paths

__all__ = ["GROUP"]

_COLUMNS: Final = ("NAME", "OAUTH", "SECRETS", "CONFIG", "DESCRIPTION")
_UNKNOWN: Final = "No catalog has this server"


def _list_arguments(parser: Parser) -> None:
    parser.switch("json", "print a JSON array")


def _list(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    names = registry(paths).names()
    known = configuration(paths) if names else Configuration()
    servers = [known.servers[name] for name in names if name in known.servers]
    stored, trouble = stored_names(servers)
    if trouble:
        output.remark(f"docker-mcp: {trouble}; secrets count as missing.")
    needs = {server.name: needs_of(server, known.values_of(server), stored) for server in servers}
    descriptions = {server.name: output.one_line(server.description or server.title) for server in servers}
    rows = [(name, descriptions.get(name, _UNKNOWN), needs.get(name, ServerNeeds())) for name in names]
    if arguments.json:
        output.print_json([{"name": name, "description": text, **asdict(need)} for name, text, need in rows])
    elif not rows:
        print("No server is enabled")
    else:
        print(f"MCP Servers ({len(rows)} enabled)\n")
        cells = [(name, MARKS[n.oauth], MARKS[n.secrets], MARKS[n.config], text) for name, text, n in rows]
        output.print_table(_COLUMNS, cells)
        _say_next_steps(servers, known, stored)
    return 0


def _say_next_steps(servers: Iterable[CatalogServer], known: Configuration, stored: Collection[str]) -> None:
    """What is still to be done before servers can be used, as commands."""
    steps: dict[str, str] = {}
    for server in servers:
        for step, command in next_steps(server, known.values_of(server), stored).items():
            steps[f"{step} ({server.name})"] = command
    if steps:
        output.tip("\nNext steps:")
        for step, command in steps.items():
            output.tip(f"  {step}: {command}")


def _enable_arguments(parser: Parser) -> None:
    _names_argument(parser)
    parser.switch("without-container", "agree that these packages run without a container where no engine is there")
    parser.switch("folders", "agree that these servers get the folders their entries name")
    parser.switch("docker-socket", "agree that these servers control Docker itself, as their entries ask")


def _enable(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    known = configuration(paths)
    servers = [find(name, known.servers) for name in arguments.names]
    if arguments.without_container:
        for server in servers:
            if kind_of(server) != "package":
                raise UsageError(
                    f"server {server.name} can't run without a container", "Only packages run by uvx or npx can"
                )
    registry(paths).add(arguments.names)
    consents = ConsentStore(paths.consents)
    for server in servers:  # What follows is imported where it is used: hardly anybody agrees to any of it.
        if arguments.without_container:
            from desktop.servers.stakes import uncontained

            consents.grant("run-without-container", uncontained(server))
        if arguments.docker_socket:
            from desktop.servers.stakes import ENGINE_SOCKET_MATTER

            consents.grant("mount", f"{server.name}: {ENGINE_SOCKET_MATTER}")
    if arguments.folders:
        agree_to_folders(paths, arguments.names)
    if output.is_watched():
        stored, _ = stored_names(servers)
        _say_next_steps(servers, known, stored)
        output.tip(f"See its tools with docker-mcp server inspect {servers[0].name}")
    return 0


def _disable(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    before = registry(paths).names()
    registry(paths).remove(arguments.names)
    for name in arguments.names:
        if name not in before:
            meant = closest(name, before)
            output.tip(f"{name} was not enabled" + (f"; did you mean {meant}?" if meant else "."))
    return 0


def _reset(arguments: argparse.Namespace) -> int:
    registry(Paths.of_user()).clear()
    return 0


def _inspect_arguments(parser: Parser) -> None:
    from desktop.cli.server_inspection import inspect_arguments

    inspect_arguments(parser)


def _inspect(arguments: argparse.Namespace) -> int:
    from desktop.cli.server_inspection import inspect  # here: only inspecting needs what servers have listed

    return inspect(arguments)


def _init_arguments(parser: Parser) -> None:
    from desktop.cli.server_project import init_arguments

    init_arguments(parser)


def _init(arguments: argparse.Namespace) -> int:
    from desktop.cli.server_project import init

    return init(arguments)


def _duplicate_arguments(parser: Parser) -> None:
    from desktop.cli.server_duplicates import duplicate_arguments

    duplicate_arguments(parser)


def _duplicate(arguments: argparse.Namespace) -> int:
    from desktop.cli.server_duplicates import duplicate

    return duplicate(arguments)


def _add_from_arguments(parser: Parser) -> None:
    from desktop.cli.server_adding import add_from_arguments

    add_from_arguments(parser)


def _add_from(arguments: argparse.Namespace) -> int:
    from desktop.cli.server_adding import add_from

    return add_from(arguments)


def _drop_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="a duplicate, or a server that was added with add-from")


def _drop(arguments: argparse.Namespace) -> int:
    from desktop.cli.server_duplicates import drop

    return drop(arguments)


def _names_argument(parser: Parser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="+", help="one server or more")


GROUP: Final = Group(
    "server",
    "Servers: which are enabled, and what they are.",
    (
        Command(("ls", "list"), "List the enabled servers and what they need.", "--json", _list, _list_arguments),
        Command(("enable", "add"), "Enable servers.", "duckduckgo time", _enable, _enable_arguments),
        Command(("disable", "remove", "rm"), "Disable servers.", "duckduckgo", _disable, _names_argument),
        Command(("inspect",), "Show what is known of a server, as JSON.", "duckduckgo", _inspect, _inspect_arguments),
        Command(("reset",), "Disable every server.", "", _reset),
        Command(
            ("duplicate",),
            "Have a server a second time under another name, with secrets of its own.",
            "github-official github-work",
            _duplicate,
            _duplicate_arguments,
        ),
        Command(
            ("add-from",),
            "Add a server from what its page shows: an address, a command, a client's configuration.",
            "https://mcp.example.com/mcp",
            _add_from,
            _add_from_arguments,
        ),
        Command(
            ("drop",), "Forget a duplicate, or a server that was added by hand.", "github-work", _drop, _drop_arguments
        ),
        Command(
            ("init",),
            "Write the files of a new MCP server: its code, its image, and a catalog that names it.",
            "./my-server",
            _init,
            _init_arguments,
        ),
    ),
)
