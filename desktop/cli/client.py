"""``docker-mcp client``: AI clients that are here, and our entry in their files (spec 2.8 and 6)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser
from desktop.cli.program import as_typed
from desktop.errors import GatewayError, UsageError

if TYPE_CHECKING:
    import argparse

    from desktop.cli.client_list import SeenClient
    from desktop.clients.description import Client
    from desktop.clients.roster import Roster, Wish
    from desktop.state.paths import Paths

__all__ = ["GROUP"]

_WAYS: Final = ("http", "stdio")


def _where_arguments(parser: Parser) -> None:
    parser.add_argument("-g", "--global", dest="is_global", action="store_true", help="the files of all you do")
    parser.option("--project", metavar="DIR", help="the files of the project in this folder")


def _list_arguments(parser: Parser) -> None:
    _where_arguments(parser)
    parser.switch("json", "print JSON")
    parser.switch("all", "show clients too that are not here")


def _list(arguments: argparse.Namespace) -> int:
    _show(_project(arguments), as_json=arguments.json, show_all=arguments.all)
    return 0


def _connect_arguments(parser: Parser) -> None:
    parser.add_argument("client", metavar="CLIENT", help="the client; docker-mcp client ls --all shows them")
    _where_arguments(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print no list afterwards")
    parser.option("-p", "--profile", metavar="ID", default="", help="the profile the client is to have")
    parser.option("--way", metavar="|".join(_WAYS), default="", help="how the client is to reach the gateway")
    parser.switch("replace", "take out the entry of Docker's own gateway; it comes back when you disconnect")
    parser.switch("dry-run", "print what would change, and change nothing")
    parser.switch("json", "print what was done as JSON")


def _connect(arguments: argparse.Namespace) -> int:
    from desktop.cli import client_results as results

    client, project, roster, wish = _client(arguments), _project(arguments), _roster(), _wish(arguments)
    if arguments.dry_run:
        results.show_plans((roster.plan_connect(client, project, wish),), as_json=arguments.json)
        return 0
    done = roster.connect(client, project, wish)
    if arguments.json:
        output.print_json(results.connected_value(done))
        return 0
    output.remark(results.connected_text(done))
    for remark in done.remarks:
        output.remark(f"- {remark}.")
    if (reason := results.unreachable(done)) and not arguments.quiet:
        output.remark(f"- {reason}.")
    if not arguments.quiet:
        _show(project)
        print(f"You might have to restart '{client.id}'.")
        if client.restart:
            output.remark(f"{client.restart}.")
    return 0


def _disconnect_arguments(parser: Parser) -> None:
    parser.add_argument("client", metavar="CLIENT", help="the client")
    _where_arguments(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print no list afterwards")
    parser.switch("dry-run", "print what would change, and change nothing")
    parser.switch("json", "print what was done as JSON")


def _disconnect(arguments: argparse.Namespace) -> int:
    from desktop.cli import client_results as results

    client, project, roster = _client(arguments), _project(arguments), _roster()
    if arguments.dry_run:
        results.show_plans(roster.plan_disconnect(client, project), as_json=arguments.json)
        return 0
    removed = roster.disconnect(client, project)
    if arguments.json:
        output.print_json([results.removed_value(one) for one in removed])
        return 0
    for one in removed:
        output.remark(f"{one.name} is out of {one.file.path}: {one.outcome.value}.")
    if not removed:
        output.remark(f"{client.name} was not connected.")
    if not arguments.quiet:
        _show(project)
        print(f"You might have to restart '{client.id}'.")
    return 0


def _import_arguments(parser: Parser) -> None:
    from desktop.cli.client_import import import_arguments

    import_arguments(parser)


def _import(arguments: argparse.Namespace) -> int:
    from desktop.cli.client_import import import_servers

    return import_servers(arguments, _roster())


def _manual_arguments(parser: Parser) -> None:
    parser.add_argument(
        "client", metavar="CLIENT", nargs="?", default="", help="a client, for what it needs in particular"
    )
    parser.option("--bundle", metavar="FILE", default="", help="write a bundle (.mcpb) for Claude Desktop to open")
    parser.switch("json", "print the command as a JSON array")


def _manual(arguments: argparse.Namespace) -> int:
    from desktop.clients.instructions import instructions, manual_client
    from desktop.clients.shim_command import shim_command, shim_environment

    command = shim_command()
    if arguments.bundle:
        from desktop.clients.bundle import write_bundle

        if not arguments.client or not _client(arguments).takes_bundle:
            raise UsageError("--bundle is for claude-desktop")
        write_bundle(Path(arguments.bundle), command, shim_environment())
        output.remark(f"Open {arguments.bundle} with Claude Desktop, and agree there.")
    elif arguments.json:
        output.print_json(list(command), compact=True)
    elif arguments.client:
        print(as_typed(instructions(manual_client(arguments.client) or _client(arguments), command)))
    else:
        import shlex

        print(shlex.join(command))
    return 0


# What is shown.


def _show(project: Path | None, *, as_json: bool = False, show_all: bool = False) -> None:
    from desktop.cli import client_list
    from desktop.clients.inspection import Inspection
    from desktop.clients.machine import Machine
    from desktop.state.paths import Paths

    paths = Paths.of_user()
    url, seen = _url(paths), _seen(paths)
    statuses = Inspection(paths, url, Machine(), runs=seen is not None).statuses(project)
    if as_json:
        output.print_json(client_list.as_json(statuses, seen))
    else:
        client_list.print_list(statuses, seen, project, show_all=show_all)


def _seen(paths: Paths) -> tuple[SeenClient, ...] | None:
    """The clients that have come to the running gateway; None when none runs."""
    from desktop.cli.client_list import SeenClient
    from desktop.gateway.local_client import LocalClient

    try:
        gateway = LocalClient.connect(paths)
        if gateway is None:
            return None
        try:
            listed = gateway.request("mcp-gateway/clients", {})["clients"]
        finally:
            gateway.close()
    except (GatewayError, KeyError, TypeError):
        return None  # an older gateway, or one that ends just now
    return tuple(SeenClient(**client) for client in listed)


# What was typed.


def _roster() -> Roster:
    from desktop.clients.roster import Roster
    from desktop.state.paths import Paths

    paths = Paths.of_user()
    return Roster(paths, _url(paths))


def _url(paths: Paths) -> str:
    """Where the running gateway listens, or one that is started as usual would."""
    from desktop.gateway.local_client import gateway_url, usual_url

    return gateway_url(paths) or usual_url()


def _client(arguments: argparse.Namespace) -> Client:
    from desktop.clients.instructions import manual_client
    from desktop.clients.known import CLIENTS, find_client, similar_id

    client = find_client(arguments.client)
    if client is None and (manual := manual_client(arguments.client)) is not None:
        raise GatewayError(
            f"{manual.name} keeps its servers where only it can write",
            f"See docker-mcp client manual-instructions {manual.id}",
        )
    if client is None:
        meant = similar_id(arguments.client)
        known = ", ".join(client.id for client in CLIENTS)
        raise GatewayError(
            f"client {arguments.client} not found", f"Did you mean {meant}?" if meant else f"Known are {known}"
        )
    return client


def _wish(arguments: argparse.Namespace) -> Wish:
    from desktop.clients.gateway_entry import Way
    from desktop.clients.roster import Wish

    if arguments.way and arguments.way not in _WAYS:
        raise UsageError(f"--way is http or stdio, not {arguments.way!r}")
    way = Way(arguments.way) if arguments.way else None
    return Wish(profile=arguments.profile, way=way, replace=arguments.replace)


def _project(arguments: argparse.Namespace) -> Path | None:
    """The project's folder; None for the user's own files. Without either option, what Git says is the project counts."""
    if arguments.is_global and arguments.project:
        raise UsageError("--global and --project exclude each other")
    if arguments.is_global:
        return None
    if arguments.project:
        folder = Path(arguments.project).absolute()
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder")
        return folder
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return folder
    raise UsageError(
        f"{here} is in no Git repository, so there is no project",
        "Use --global for the files of all you do, or --project DIR",
    )


GROUP: Final = Group(
    "client",
    "AI clients: which are here, and whether they reach the gateway.",
    (
        Command(("ls", "list"), "List the clients and the servers they have.", "--global", _list, _list_arguments),
        Command(("connect",), "Put the gateway into a client's file.", "cursor --global", _connect, _connect_arguments),
        Command(("disconnect",), "Take the gateway out of it.", "cursor --global", _disconnect, _disconnect_arguments),
        Command(
            ("import",),
            "Move servers that clients have into the gateway, and their keys into the secret store.",
            "github",
            _import,
            _import_arguments,
        ),
        Command(
            ("manual-instructions",),
            "Print what to tell a client that is not listed.",
            "warp",
            _manual,
            _manual_arguments,
            is_hidden=True,
        ),
    ),
)
