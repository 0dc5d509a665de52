"""``docker-mcp registry``: documents of the community registry, turned into catalog entries."""

from __future__ import annotations

from typing import Final

from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["GROUP"]


def _convert_arguments(parser: Parser) -> None:
    parser.option("--file", required=True, metavar="FILE", help="a server.json; - reads standard input")
    parser.option("--format", choices=["json", "yaml"], default="json", help="how the entry is printed (default json)")


def _convert(arguments: argparse.Namespace) -> int:
    import msgspec

    from desktop.catalog.registry_conversion import catalog_entry
    from desktop.catalog.registry_document import read_document
    from desktop.cli import output
    from desktop.errors import StateFileError
    from desktop.state import yaml_text

    text = _content(arguments.file)
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateFileError(arguments.file, f"this is not valid JSON ({str(error).rstrip('.').lower()})") from error
    entry = catalog_entry(read_document(data))
    if arguments.format == "json":
        output.print_json(entry)
    else:
        print(yaml_text.dump(entry), end="")
    return 0


def _content(file: str) -> bytes:
    import sys
    from pathlib import Path

    from desktop.errors import StateFileError
    from desktop.state.atomic_file import reason_of

    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise StateFileError(file, f"it can't be read ({reason_of(error)})") from error


GROUP: Final = Group(
    "registry",
    "Documents of the community registry of MCP servers.",
    (
        Command(
            ("convert",),
            "Print the catalog entry a server.json makes.",
            "--file server.json\n--file server.json --format yaml",
            _convert,
            _convert_arguments,
        ),
    ),
)
