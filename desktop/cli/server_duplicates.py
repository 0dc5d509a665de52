"""``docker-mcp server duplicate`` and ``drop``: one server under two names, for two accounts of one service."""

from __future__ import annotations

import argparse
import re
from typing import Final

from desktop.catalog.duplicates import duplicate as duplicate_of
from desktop.cli import output
from desktop.cli.parser import Parser
from desktop.cli.server_lookup import configuration, find, registry
from desktop.errors import UsageError
from desktop.secrets.store import check_name
from desktop.state.config_file import ConfigFile
from desktop.state.paths import Paths
from desktop.state.server_choices import ServerChoicesFile
from desktop.state.tools_file import ToolsFile

__all__ = ["drop", "duplicate", "duplicate_arguments"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def duplicate_arguments(parser: Parser) -> None:
    """What ``duplicate`` understands."""
    parser.add_argument("name", metavar="NAME", help="the server")
    parser.add_argument("new_name", metavar="NEW-NAME", help="what it is called the second time")
    parser.option(
        "--secret",
        action="append",
        default=[],
        metavar="SECRET=OTHER",
        help="use the secret OTHER where the server says SECRET; by default each gets a name of its own",
    )


def duplicate(arguments: argparse.Namespace) -> int:
    """Add it, with the settings and the choice of tools the original has now, and enable it."""
    paths = Paths.of_user()
    known = configuration(paths)
    server, name = find(arguments.name, known.servers), arguments.new_name
    if _NAME.fullmatch(name) is None:
        raise UsageError(f"{name} can't be the name of a server", "Use letters, digits, dots, dashes and underscores")
    if name in known.servers:
        raise UsageError(f"there is a server called {name} already", "Choose another name")
    values = known.values_of(server)
    # A duplicate of a duplicate is one of the same original, with secrets of its own.
    server = find(known.choice_of(server.name).duplicate_of or server.name, known.servers)
    secrets = _chosen(arguments.secret, [item.name for item in server.secrets])
    _choices(paths).add_duplicate(name, server.name, secrets)
    if values:
        ConfigFile(paths.config, paths.lock_for(paths.config)).set_values(name, dict(values))
    if arguments.name in known.tools:
        tools = sorted(known.tools[arguments.name])
        ToolsFile(paths.tools, paths.lock_for(paths.tools)).allow_only(name, tools)
    registry(paths).add([name])
    for item in duplicate_of(server, name, secrets).secrets:
        output.tip(f"Set its secret with: docker-mcp secret set {item.name}")
    return 0


def drop(arguments: argparse.Namespace) -> int:
    """Take it out of every file; its secrets stay, since others may use them."""
    paths, name = Paths.of_user(), arguments.name
    chosen = _choices(paths).choices().get(name)
    if chosen is None or not chosen.duplicate_of:
        raise UsageError(f"{name} is not a duplicate", "docker-mcp server disable turns a server off")
    registry(paths).remove([name])
    _choices(paths).remove(name)
    ConfigFile(paths.config, paths.lock_for(paths.config)).set_values(name, {})
    ToolsFile(paths.tools, paths.lock_for(paths.tools)).forget(name)
    return 0


def _chosen(texts: list[str], declared: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for text in texts:
        secret, _, other = text.partition("=")
        if secret not in declared:
            # What was typed isn't shown: it may be a value.
            raise UsageError(
                "--secret names a secret the server doesn't declare", f"It has {', '.join(declared) or 'none'}"
            )
        check_name(other)
        chosen[secret] = other
    return chosen


def _choices(paths: Paths) -> ServerChoicesFile:
    return ServerChoicesFile(paths.server_choices, paths.lock_for(paths.server_choices))
