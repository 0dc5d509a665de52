"""``docker-mcp catalog``: the catalogs that are known and what is in them."""

from __future__ import annotations

import argparse
import asyncio
import sys
import textwrap
from pathlib import Path
from typing import Final

from desktop.catalog.loading import load_catalog
from desktop.catalog.model import CatalogServer
from desktop.catalog.official import OFFICIAL_NAME, fetch_official
from desktop.catalog.search import SearchIndex
from desktop.catalog.source import ConfigurationSource
from desktop.catalog.starter import starter_path
from desktop.cli import output
from desktop.cli.commands import Command, Group, no_arguments
from desktop.cli.parser import Parser, closest
from desktop.errors import CatalogError, StateFileError, UsageError
from desktop.state import yaml_text
from desktop.state.atomic_file import read_bytes
from desktop.state.catalog_index import CatalogIndex, CatalogRecord, catalog_file_name
from desktop.state.paths import Paths
from desktop.state.yaml_document import decode

__all__ = ["GROUP"]

_STARTER_NAME: Final = "starter"
_HOW_TO_FETCH: Final = "docker-mcp catalog init fetches the official catalog"


def _list_arguments(parser: Parser) -> None:
    parser.option("--format", choices=["json"], help="print catalog.json on one line")
    parser.switch("json", "the same as --format json")


def _list(arguments: argparse.Namespace) -> int:
    records = _records(Paths.of_user())
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
    data = yaml_text.parse(text, str(file))
    if arguments.format == "json":
        output.print_json(data)
    else:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
    return 0


def _file_of(name: str, paths: Paths) -> Path:
    file = paths.catalogs / catalog_file_name(name)
    if file.is_file():
        return file
    if name == OFFICIAL_NAME:
        output.remark(f"The catalog {name} is not here, so this is the starter catalog; {_HOW_TO_FETCH}.")
    if name in (OFFICIAL_NAME, _STARTER_NAME):
        return starter_path()
    known = _records(paths)
    if name in known:
        raise StateFileError(str(file), "there is no such file", hint="catalog.json names it; import it again.")
    meant = closest(name, [*known, OFFICIAL_NAME, _STARTER_NAME])
    raise CatalogError(
        f'catalog "{name}" not found', f"Did you mean {meant}?" if meant else "See docker-mcp catalog ls"
    )


def _print_servers(name: str, file: Path, paths: Paths) -> None:
    catalog = load_catalog(file, paths.cache)
    count = len(catalog.servers)
    print(output.bold(f"{catalog.display_name or name} ({count} server{'' if count == 1 else 's'})"))
    for server in sorted(catalog.servers.values(), key=lambda server: server.name.casefold()):
        print()
        _print_server(server)
    for problem in catalog.problems:
        output.remark(f"- {problem}")


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
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"only {OFFICIAL_NAME} can be updated")


def _update(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    for name in arguments.names:
        if name != OFFICIAL_NAME:
            known = name in _records(paths)
            raise CatalogError(
                f'catalog "{name}" can\'t be updated, only {OFFICIAL_NAME}' if known else f'unknown catalog "{name}"'
            )
    is_new = _fetch(paths, force=True)
    print(f"{'updated' if is_new else 'unchanged'}: {OFFICIAL_NAME}")
    return 0


def _init(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    _fetch(paths, force=False)
    count = len(load_catalog(paths.catalogs / catalog_file_name(OFFICIAL_NAME), paths.cache).servers)
    output.remark(f"The official catalog is here, with {count} servers.")
    return 0


def _fetch(paths: Paths, *, force: bool) -> bool:
    progress = _Progress()
    try:
        return asyncio.run(fetch_official(paths, progress=progress, force=force))
    finally:
        progress.end()


class _Progress:
    """How far the download is, on one line of a terminal; nothing where nobody watches."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._shown = False

    def __call__(self, received: int, total: int) -> None:
        if self._watched:
            share = f" of {total // 1024} KiB ({received * 100 // total} %)" if total else " KiB"
            print(f"\rFetching the official catalog: {received // 1024}{share} ", end="", file=sys.stderr, flush=True)
            self._shown = True

    def end(self) -> None:
        if self._shown:
            print(file=sys.stderr)


def _records(paths: Paths) -> dict[str, CatalogRecord]:
    return CatalogIndex(paths.catalog_index, paths.lock_for(paths.catalog_index)).records()


GROUP: Final = Group(
    "catalog",
    "Catalogs: lists of servers that can be enabled.",
    (
        Command(("ls", "list"), "List the known catalogs.", "--format json", _list, _list_arguments),
        Command(("show",), "Show the servers of a catalog.", "docker-mcp --format yaml", _show, _show_arguments),
        Command(
            ("search",), "Find servers in all catalogs, best first.", "weather forecast", _search, _search_arguments
        ),
        Command(("update",), "Fetch the official catalog again.", OFFICIAL_NAME, _update, _update_arguments),
        Command(("init",), "Fetch the official catalog unless a fresh one is here.", "", _init, no_arguments),
    ),
)
