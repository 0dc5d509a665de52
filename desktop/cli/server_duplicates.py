"""``docker-mcp server duplicate`` and ``drop``: one server under two names, for two accounts of one service."""

from __future__ import annotations

import argparse

from desktop.catalog.duplicating import Duplicates
from desktop.cli import output
from desktop.cli.parser import Parser
from desktop.cli.server_lookup import configuration, find
from desktop.errors import UsageError
from desktop.secrets.store import check_name
from desktop.state.paths import Paths

__all__ = ["drop", "duplicate", "duplicate_arguments"]


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
    """Add it, and say which secrets it wants."""
    paths = Paths.of_user()
    known = configuration(paths)
    server = find(arguments.name, known.servers)
    original = known.servers.get(known.choice_of(server.name).duplicate_of, server)
    secrets = _chosen(arguments.secret, [item.name for item in original.secrets])
    made = Duplicates(paths).add(known, server.name, arguments.new_name, secrets)
    for item in made.secrets:
        output.tip(f"Set its secret with: docker-mcp secret set {item.name}")
    return 0


def drop(arguments: argparse.Namespace) -> int:
    """Take it out of every file."""
    from desktop.cli.server_adding import forget

    paths = Paths.of_user()
    if not forget(paths, arguments.name):
        Duplicates(paths).drop(arguments.name)
    return 0


def _chosen(texts: list[str], declared: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for text in texts:
        secret, _, other = text.partition("=")
        if secret not in declared:
            # What was typed isn't shown: it may be a value.
            has = ", ".join(declared) or "none"
            raise UsageError("--secret names a secret the server doesn't declare", f"It has {has}")
        check_name(other)
        chosen[secret] = other
    return chosen
