"""``docker-mcp catalog``: the commands that change catalogs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from desktop.catalog.collection import CatalogCollection, export, named, refuse_official
from desktop.catalog.download import is_url, shown
from desktop.catalog.official import OFFICIAL_NAME
from desktop.catalog.sample import SAMPLE
from desktop.catalog.starter import STARTER_NAME, starter_path
from desktop.cli import output
from desktop.cli.catalog_fetching import fetch_managed, text_from
from desktop.cli.parser import Parser
from desktop.errors import CatalogError, UsageError
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.catalog_index import CatalogRecord
from desktop.state.paths import Paths
from desktop.state.yaml_document import decode

__all__ = [
    "add",
    "add_arguments",
    "bootstrap",
    "create",
    "export_arguments",
    "export_catalog",
    "file_argument",
    "fork",
    "fork_arguments",
    "import_arguments",
    "import_catalog",
    "name_argument",
    "remove",
    "reset",
]


def name_argument(parser: Parser) -> None:
    """One catalog."""
    parser.add_argument("name", metavar="NAME", help="the catalog")


def file_argument(parser: Parser) -> None:
    """One file."""
    parser.add_argument("file", metavar="FILE", help="the file")


def import_arguments(parser: Parser) -> None:
    """Where a catalog is from."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help=f"{OFFICIAL_NAME} for the official catalog, the address of one, or a file; "
        "with --mcp-registry the name of the catalog the servers go to",
    )
    parser.option(
        "--mcp-registry", metavar="URL", help="a community registry, or one of its servers, in place of a catalog"
    )
    parser.switch("dry-run", "say what would be imported, and change nothing")


def import_catalog(arguments: argparse.Namespace) -> int:
    """Bring a catalog here; what an import says is for the person, on standard error."""
    paths, source = Paths.of_user(), arguments.source
    if arguments.mcp_registry:
        from desktop.cli.registry_import import import_registry

        return import_registry(paths, source, arguments.mcp_registry, is_dry=arguments.dry_run)
    if source is None:
        raise UsageError("which catalog is to be imported?", f"Name {OFFICIAL_NAME}, an address or a file")
    if source == OFFICIAL_NAME and not Path(source).is_file():
        if arguments.dry_run:
            output.remark("The official catalog would be fetched; nothing was changed.")
        else:
            fetch_managed(paths, force=True)
        return 0
    # Not `resolve`: a link that leads to the file stays the way to it.
    origin = source if is_url(source) else os.path.abspath(Path(source).expanduser())  # noqa: PTH100
    where = shown(source) if is_url(source) else origin
    text = text_from(origin)
    name = named(text, "", where)[1].name or _ask_for_a_name(where)
    text, catalog = named(text, name, where)
    for problem in catalog.problems:
        output.remark(f"docker-mcp: {problem}.")
    count = f"{len(catalog.servers)} server{'' if len(catalog.servers) == 1 else 's'}"
    if arguments.dry_run:
        output.remark(f'Catalog "{name}" with {count} would be imported; nothing was changed.')
        return 0
    collection = CatalogCollection(paths)
    # The file of a catalog itself: registering it must not make it a copy of something else.
    is_own = not is_url(source) and collection.body(name).exists() and collection.body(name).samefile(origin)
    collection.put(name, text, CatalogRecord(catalog.display_name or name, "" if is_own else origin))
    output.tip(f'Imported catalog "{name}" with {count}.')
    return 0


def _ask_for_a_name(where: str) -> str:
    print("Please provide a name for the catalog: ", end="", file=sys.stderr, flush=True)
    name = sys.stdin.readline().strip() if sys.stdin is not None else ""
    if not sys.stdin.isatty():
        print(file=sys.stderr)
    if not name:
        raise CatalogError(f"the catalog {where} has no name", "Type one when asked, or add a line 'name: …' to it")
    return name


def export_arguments(parser: Parser) -> None:
    """A catalog and a file."""
    name_argument(parser)
    file_argument(parser)


def export_catalog(arguments: argparse.Namespace) -> int:
    """Copy a catalog of the person's own to a file."""
    refuse_official(arguments.name, "exported")
    export(CatalogCollection(Paths.of_user()).text(arguments.name), Path(arguments.file).expanduser())
    output.tip(f'Catalog "{arguments.name}" is in {arguments.file} now.')
    return 0


def fork_arguments(parser: Parser) -> None:
    """A catalog and a new name."""
    parser.add_argument("source", metavar="CATALOG", help="the catalog to copy")
    parser.add_argument("name", metavar="NEW-NAME", help="the name of the copy")


def fork(arguments: argparse.Namespace) -> int:
    """Copy a catalog under a new name."""
    CatalogCollection(Paths.of_user()).fork(arguments.source, arguments.name)
    output.tip(f"Put servers into it with docker-mcp catalog add {arguments.name} CATALOG/SERVER.")
    return 0


def create(arguments: argparse.Namespace) -> int:
    """Begin an empty catalog."""
    CatalogCollection(Paths.of_user()).create(arguments.name)
    print(f"created empty catalog {arguments.name.strip()}")
    output.tip(f"Put servers into it with docker-mcp catalog add {arguments.name} CATALOG/SERVER.")
    return 0


def add_arguments(parser: Parser) -> None:
    """Both forms: catalog/server, or server and file."""
    parser.add_argument("catalog", metavar="CATALOG", help="a catalog of your own")
    parser.add_argument("server", metavar="SERVER", help="OTHER-CATALOG/SERVER, or the name of a server in FILE")
    parser.add_argument("file", metavar="FILE", nargs="?", help="a catalog file that has the server")
    parser.switch("force", "overwrite a server of the same name")


def add(arguments: argparse.Namespace) -> int:
    """Copy a server into a catalog of the person's own."""
    paths = Paths.of_user()
    collection = CatalogCollection(paths)
    refuse_official(arguments.catalog, "added to")
    if arguments.file is None:
        source, server = _source_and_server(arguments.server, collection)
        if source == arguments.catalog:
            raise UsageError("a server can't be copied from a catalog to itself", "Name another catalog")
        text, where = _text_of(source, collection), f'catalog "{source}"'
    else:
        source, server = arguments.file, arguments.server
        text, where = text_from(source), source
    collection.text(arguments.catalog)  # which of the two is missing is said in the order they were typed
    collection.add(arguments.catalog, server, collection.entry(text, server, where), is_forced=arguments.force)
    origin = f'file "{source}"' if arguments.file is not None else where
    print(f'copied server "{server}" from {origin} to "{arguments.catalog}"')
    return 0


def _source_and_server(text: str, collection: CatalogCollection) -> tuple[str, str]:
    """Both names may have slashes in them, so the catalogs that are known decide where to cut."""
    known = collection.records()
    cuts = [place for place, character in enumerate(text) if character == "/"]
    if not cuts or text.startswith("/") or text.endswith("/"):
        raise UsageError(f"{text!r} is not of the form CATALOG/SERVER", "Or name a file that has the server, too")
    cut = next((place for place in cuts if text[:place] in known), cuts[0])
    return text[:cut], text[cut + 1 :]


def _text_of(source: str, collection: CatalogCollection) -> str:
    if source == STARTER_NAME and source not in collection.records():
        return decode(read_bytes(starter_path()), starter_path())
    return collection.text(source)


def remove(arguments: argparse.Namespace) -> int:
    """Forget a catalog."""
    CatalogCollection(Paths.of_user()).remove(arguments.name)
    print(f'removed catalog "{arguments.name}"')
    return 0


def reset(arguments: argparse.Namespace) -> int:
    """Forget all catalogs but the official one, which is fetched."""
    paths = Paths.of_user()
    CatalogCollection(paths).clear()
    fetch_managed(paths, force=True)
    return 0


def bootstrap(arguments: argparse.Namespace) -> int:
    """Write a catalog to begin with; a file that is there is left alone."""
    file = Path(arguments.file).expanduser()
    if file.exists() or file.is_symlink():
        raise CatalogError(f"{file} is there already", "Choose another file")
    write_text(file, SAMPLE)
    output.tip(f"Change {file} as you need it, then: docker-mcp catalog import {file}")
    return 0
