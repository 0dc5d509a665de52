"""``docker-mcp catalog``: the catalogs that are known, what is in them, and the table of all its commands."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Final

from desktop.catalog.collection import CatalogCollection
from desktop.catalog.loading import load_catalog
from desktop.catalog.model import CatalogServer
from desktop.catalog.official import OFFICIAL_NAME
from desktop.catalog.search import SearchIndex
from desktop.catalog.source import ConfigurationSource
from desktop.catalog.starter import STARTER_NAME, starter_path
from desktop.cli import catalog_editing as editing
from desktop.cli import output
from desktop.cli.catalog_fetching import bring_up_to_date, fetch_managed, update
from desktop.cli.commands import Command, Group, no_arguments
from desktop.cli.parser import Parser
from desktop.errors import GatewayError, UsageError
from desktop.state import yaml_text
from desktop.state.atomic_file import read_bytes
from desktop.state.catalog_index import CatalogRecord
from desktop.state.paths import Paths
from desktop.state.yaml_document import decode

__all__ = ["GROUP"]

_IN_IMAGES: Final = "catalogs are files here, none are kept in images"
_HOW_TO_FETCH: Final = "docker-mcp catalog init fetches the official catalog"


def _list_arguments(parser: Parser) -> None:
    parser.option("--format", choices=["json"], help="print catalog.json on one line")
    parser.switch("json", "the same as --format json")


def _list(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    if OFFICIAL_NAME not in (records := CatalogCollection(paths).records()):
        bring_up_to_date(OFFICIAL_NAME, paths)
        records = CatalogCollection(paths).records()
    if arguments.json or arguments.format == "json":
        output.print_json({"catalogs": {name: _entry(record) for name, record in records.items()}}, compact=True)
    elif records:
        for name, record in sorted(records.items()):
            print(output.printable(f"{name}: {record.display_name or name}"))
    else:
        print("No catalogs configured.")
        output.remark(f"The starter catalog of this program is in use; {_HOW_TO_FETCH}.")
    return 0


def _entry(record: CatalogRecord) -> dict[str, str]:
    optional = {"url": record.url, "lastUpdate": record.last_update}
    return {"displayName": record.display_name, **{key: value for key, value in optional.items() if value}}


def _show_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", default=OFFICIAL_NAME, help=f"by default {OFFICIAL_NAME}")
    parser.option("--format", choices=["json", "yaml"], help="print the whole catalog")


def _show(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    file = _file_of(arguments.name, paths)
    if arguments.format is None:
        _print_servers(arguments.name, file, paths)
        return 0
    text = decode(read_bytes(file), file)
    if arguments.format == "json":
        output.print_json(yaml_text.parse(text, str(file)))
    else:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
    return 0


def _file_of(name: str, paths: Paths) -> Path:
    """The catalog's file, or the starter catalog's while no official one can be had."""
    bring_up_to_date(name, paths)
    collection = CatalogCollection(paths)
    if collection.body(name).is_file() and (name == OFFICIAL_NAME or name in collection.records()):
        return collection.body(name)
    if name == OFFICIAL_NAME:
        output.remark(f"This is the starter catalog of this program; {_HOW_TO_FETCH}.")
    if name in (OFFICIAL_NAME, STARTER_NAME):
        return starter_path()
    collection.text(name)  # raises, and knows why
    return collection.body(name)


def _print_servers(name: str, file: Path, paths: Paths) -> None:
    catalog = load_catalog(file, paths.cache)
    count = len(catalog.servers)
    print(output.bold(f"{catalog.display_name or name} ({count} server{'' if count == 1 else 's'})"))
    for server in sorted(catalog.servers.values(), key=lambda server: server.name.casefold()):
        print()
        _print_server(server)
    for problem in catalog.problems:
        output.remark(f"- {problem}")
    if count:
        first = next(iter(catalog.servers))
        output.tip(f"\nEnable one with docker-mcp server enable NAME, such as {first}.")


def _print_server(server: CatalogServer) -> None:
    print(f"  {output.bold(output.printable(server.name))}")
    description = output.printable(output.one_line(server.description or server.title))
    for line in textwrap.wrap(description, min(output.width(), 100) - 4):
        print(f"    {line}")


def _search_arguments(parser: Parser) -> None:
    parser.add_argument("words", metavar="WORD", nargs="+", help="what is needed: a name, a product, a task, a tool")
    parser.option("--limit", type=_at_least_one, default=10, metavar="N", help="how many servers at most (default 10)")
    parser.option("--format", choices=["json"], help="print name, title and description of each as JSON")


def _search(arguments: argparse.Namespace) -> int:
    servers = ConfigurationSource(Paths.of_user()).load().servers
    index, text = SearchIndex(servers.values()), " ".join(arguments.words)
    found = index.search(text) or index.find(text)
    shown = found[: arguments.limit]
    if arguments.format == "json":
        told = [{"name": item.name, "title": item.title, "description": item.description.strip()} for item in shown]
        output.print_json(told)
        return 0
    for server in shown:
        _print_server(server)
    if not found:
        print("No server fits.")
    elif len(found) > len(shown):
        output.remark(f"{len(found) - len(shown)} more; see them with --limit {len(found)}.")
    return 0


def _at_least_one(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--limit: {text!r} is not a number from 1 upwards")
    return int(text)


def _update_arguments(parser: Parser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="catalogs; without any, all that are from elsewhere")


def _update(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    known = CatalogCollection(paths).records()
    failures = []
    for name in dict.fromkeys(arguments.names) or _all_from_elsewhere(known):
        try:
            print(f"{'updated' if update(name, paths) else 'unchanged'}: {name}", flush=True)
        except GatewayError as error:
            failures.append(error)
    if failures:
        raise GatewayError("; ".join(error.message for error in failures), failures[-1].hint)
    return 0


def _all_from_elsewhere(records: dict[str, CatalogRecord]) -> list[str]:
    return sorted({OFFICIAL_NAME, *(name for name, record in records.items() if record.url)})


def _init(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    fetch_managed(paths, force=False)
    count = len(load_catalog(CatalogCollection(paths).body(OFFICIAL_NAME), paths.cache).servers)
    output.remark(f"The official catalog is here, with {count} servers.")
    return 0


GROUP: Final = Group(
    "catalog",
    "Catalogs: lists of servers that can be enabled.",
    (
        Command(("ls", "list"), "List the known catalogs.", "--format json", _list, _list_arguments),
        Command(("show",), "Show the servers of a catalog.", "docker-mcp --format yaml", _show, _show_arguments),
        Command(
            ("search",), "Find servers in all catalogs, best first.", "weather forecast", _search, _search_arguments
        ),
        Command(
            ("import",),
            "Add a catalog from an address or a file.",
            "https://example.com/catalog.yaml",
            editing.import_catalog,
            editing.import_arguments,
        ),
        Command(
            ("export",),
            "Copy a catalog of your own to a file.",
            "my-catalog ./my-catalog.yaml",
            editing.export_catalog,
            editing.export_arguments,
        ),
        Command(
            ("fork",),
            "Make a catalog of your own out of another.",
            "docker-mcp my-catalog",
            editing.fork,
            editing.fork_arguments,
        ),
        Command(("create",), "Begin an empty catalog.", "my-catalog", editing.create, editing.name_argument),
        Command(
            ("add",),
            "Copy a server into a catalog of your own, from another catalog or from a file.",
            "my-catalog docker-mcp/duckduckgo",
            editing.add,
            editing.add_arguments,
        ),
        Command(("rm", "remove"), "Remove a catalog.", "my-catalog", editing.remove, editing.name_argument),
        Command(
            ("reset", "empty"),
            "Remove every catalog, and fetch the official one.",
            "",
            editing.reset,
            no_arguments,
        ),
        Command(
            ("update",),
            "Take catalogs again from where they are from.",
            OFFICIAL_NAME,
            _update,
            _update_arguments,
        ),
        Command(("init",), "Fetch the official catalog unless a fresh one is here.", "", _init, no_arguments),
        Command(
            ("bootstrap",),
            "Write a catalog file to begin your own with.",
            "./my-catalog.yaml",
            editing.bootstrap,
            editing.file_argument,
        ),
    ),
    refused={
        "push": f"{_IN_IMAGES}. Share the file that docker-mcp catalog export writes",
        "pull": f"{_IN_IMAGES}. docker-mcp catalog import takes one from an address or a file",
        "tag": f"{_IN_IMAGES}. docker-mcp catalog fork copies one under a new name",
        "server": "servers of a catalog are seen and changed by catalog show, catalog add and server inspect",
    },
)
