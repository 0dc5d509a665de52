"""``docker-mcp server inspect``: everything that is known of one server."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from desktop.catalog.configuration import Configuration
from desktop.catalog.kinds import usual_sharing
from desktop.catalog.model import CatalogServer
from desktop.cli import output
from desktop.cli.parser import Parser
from desktop.cli.server_lookup import configuration, find
from desktop.servers.listing import ListingCache, configuration_hash
from desktop.state.paths import Paths

__all__ = ["inspect", "inspect_arguments"]


def inspect_arguments(parser: Parser) -> None:
    """One server."""
    parser.add_argument("name", metavar="NAME", help="the server")
    parser.switch("fetch", "leave out its readme and what else would have to be fetched", default=True)


def inspect(arguments: argparse.Namespace) -> int:
    """Print the entry, with the tools as the server listed them, else as its toolsUrl or the catalog describes them."""
    paths = Paths.of_user()
    known = configuration(paths)
    server = find(arguments.name, known.servers)
    entry: dict[str, Any] = msgspec.to_builtins(server)
    allowed = known.tools.get(server.name)
    tools = _listed_tools(server, known, paths)
    entry["readmeUrl"], entry["readme"] = server.readme, ""
    if arguments.fetch and (server.readme or server.toolsUrl):
        import asyncio  # here: many servers have neither

        from desktop.catalog.documents import documents_of

        is_known = tools is not None or (server.dynamic is not None and server.dynamic.tools)
        documents = asyncio.run(documents_of(server, with_tools=not is_known))
        entry["readme"] = documents.readme
        tools = tools if tools is not None else list(documents.tools) or None
        for problem in documents.problems:
            output.remark(f"docker-mcp: {problem}.")
    tools = tools if tools is not None else entry.get("tools", [])
    entry["enabled"] = server.name in known.enabled
    choice = known.choice_of(server.name)
    entry["sharing"] = (choice.sharing or usual_sharing(server)).value
    if choice.call_timeout is not None:
        entry["callTimeout"] = choice.call_timeout
    entry["tools"] = [{**tool, "enabled": allowed is None or tool.get("name") in allowed} for tool in tools]
    output.print_json(entry)
    return 0


def _listed_tools(server: CatalogServer, known: Configuration, paths: Paths) -> list[dict[str, Any]] | None:
    """The tools the server itself listed the last time it ran with these values; None when it hasn't."""
    listing = ListingCache(paths.listings).load(server.name, configuration_hash(server, known.values_of(server)))
    return None if listing is None else [msgspec.json.decode(tool) for tool in listing.tools]
