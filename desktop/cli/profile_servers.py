"""``docker-mcp profile server``: the servers of a profile."""

from __future__ import annotations

import sys
from typing import Any, Final

from desktop.catalog.profile import ProfileServer, read_profile
from desktop.catalog.profile_editing import added, removed
from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser
from desktop.cli.profile_lookup import id_argument, records_of, stored_profile, understood
from desktop.errors import UsageError
from desktop.state import yaml_text
from desktop.state.paths import Paths
from desktop.state.profiles import profiles_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["GROUP", "REFERENCE_HELP"]

REFERENCE_HELP: Final = (
    "a server: its name in a catalog, docker://IMAGE, catalog://CATALOG/NAME+NAME, "
    "file://FILE in the folder of catalogs, or its address in a registry (repeatable)"
)


def _list_arguments(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="only this profile")
    parser.option(
        "--filter",
        dest="filters",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only servers with this name= or profile= (part of it)",
    )
    parser.option("--format", choices=("human", "json", "yaml"), default="human", help="human (default), json or yaml")


def _list(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    filters = _filters(arguments.filters)
    problems: list[str] = []
    profiles = [stored_profile(arguments.id, paths)] if arguments.id else profiles_of(paths).all(problems).values()
    for problem in problems:
        output.remark(f"docker-mcp: {problem}.")
    found = [
        (stored.id, server)
        for stored in profiles
        if filters.get("profile", "") in stored.id
        for server in understood(stored).servers.values()
        if filters.get("name", "") in server.name
    ]
    if arguments.format != "human":
        told = [{"profile": id, **_told(server)} for id, server in found]
        if arguments.format == "json":
            output.print_json(told)
        else:
            sys.stdout.write(yaml_text.dump(told))
    elif found:
        rows = [(id, server.name, server.type, _tools(server), server.place) for id, server in found]
        output.print_table(("PROFILE", "NAME", "TYPE", "TOOLS", "FROM"), rows)
    else:
        print("No servers found.")
    return 0


def _filters(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if key not in ("name", "profile") or not equals:
            raise UsageError(f"--filter: {text!r} is no filter", "Use name=TEXT or profile=TEXT")
        found[key] = value
    return found


def _told(server: ProfileServer) -> dict[str, Any]:
    tools = None if server.tools is None else list(server.tools)
    return {
        "name": server.name,
        "type": server.type,
        "from": server.place,
        "title": server.server.title,
        "description": server.server.description.strip(),
        "config": dict(server.values),
        "tools": tools,
    }


def _tools(server: ProfileServer) -> str:
    return "all" if server.tools is None else str(len(server.tools))


def _add_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.option("--server", dest="servers", action="append", default=[], metavar="REF", help=REFERENCE_HELP)
    parser.option("--catalog", metavar="CATALOG", help="the catalog that --catalog-server names servers of")
    parser.option(
        "--catalog-server",
        dest="catalog_servers",
        action="append",
        default=[],
        metavar="NAME",
        help="a server of that catalog (repeatable)",
    )


def _add(arguments: argparse.Namespace) -> int:
    if bool(arguments.catalog) != bool(arguments.catalog_servers):
        raise UsageError("--catalog and --catalog-server belong together", "Give both, or --server")
    references = [*arguments.servers, *(f"catalog://{arguments.catalog}/{name}" for name in arguments.catalog_servers)]
    if not references:
        raise UsageError("which server is to be added?", "Name it with --server")
    paths = Paths.of_user()
    id = stored_profile(arguments.id, paths).id
    records = records_of(references, paths)
    profiles_of(paths).change(id, lambda document: added(document, id, records))
    names = [record["snapshot"]["server"]["name"] for record in records]
    print(f"added {', '.join(names)} to profile {id}")
    return 0


def _remove_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.add_argument("more", metavar="NAME", nargs="*", help="one server or more")
    parser.option("--name", dest="names", action="append", default=[], metavar="NAME", help="a server (repeatable)")


def _remove(arguments: argparse.Namespace) -> int:
    names = list(dict.fromkeys([*arguments.names, *arguments.more]))
    if not names:
        raise UsageError("which server is to be removed?", "Name it with --name")
    paths = Paths.of_user()
    stored = stored_profile(arguments.id, paths)
    profiles_of(paths).change(stored.id, lambda document: removed(read_profile(document, stored.id), names))
    print(f"removed {', '.join(names)} from profile {stored.id}")
    return 0


GROUP: Final = Group(
    "server",
    "The servers of a profile.",
    (
        Command(("ls", "list"), "List the servers of profiles.", "my_profile", _list, _list_arguments),
        Command(
            ("add",),
            "Add servers to a profile; one that is in it is brought up to date.",
            "my_profile --server duckduckgo\nmy_profile --catalog docker-mcp --catalog-server time",
            _add,
            _add_arguments,
        ),
        Command(
            ("rm", "remove"),
            "Take servers out of a profile.",
            "my_profile --name duckduckgo",
            _remove,
            _remove_arguments,
        ),
    ),
    aliases=("servers",),
)
