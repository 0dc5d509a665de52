"""``docker-mcp template``: profiles to begin with."""

from __future__ import annotations

import re
from typing import Final

from desktop.catalog.profile_editing import new_document, profile_id
from desktop.catalog.profile_templates import TEMPLATES, ProfileTemplate
from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser, closest
from desktop.cli.profile_lookup import records_of
from desktop.errors import ProfileError, UsageError
from desktop.state.paths import Paths
from desktop.state.profiles import profiles_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["GROUP", "create", "find"]


def find(id: str) -> ProfileTemplate:
    """A template; raises `ProfileError`."""
    found = next((template for template in TEMPLATES if template.id == id), None)
    if found is None:
        meant = closest(id, [template.id for template in TEMPLATES])
        hint = f"Did you mean {meant}?" if meant else "See docker-mcp template ls"
        raise ProfileError(f"template {id} not found", hint)
    return found


def create(paths: Paths, name: str, id: str | None, references: Sequence[str]) -> str:
    """Make a profile and say so.

    Args:
        paths: Where it goes.
        name: What people call it.
        id: What commands call it; None makes one from the name, and another where that is taken.
        references: Its servers.

    Returns:
        The id.
    """
    profiles = profiles_of(paths)
    wanted = id or profile_id(name)
    if not re.fullmatch(r"(?=.*[A-Za-z0-9])[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", wanted):
        raise UsageError(f"{wanted!r} can't be an id", "Choose one of letters and digits with --id")
    records = records_of(references, paths)
    number, free = 2, wanted
    while id is None and profiles.find(free) is not None:
        number, free = number + 1, f"{wanted}_{number}"
    profiles.create(free, new_document(free, name, records))
    print(f"created profile {free} with {len(records)} server{'' if len(records) == 1 else 's'}")
    output.tip(f"Run it with docker-mcp gateway run --profile {free}.")
    return free


def _list_arguments(parser: Parser) -> None:
    parser.option("--format", choices=["json"], help="print a JSON array")


def _list(arguments: argparse.Namespace) -> int:
    if arguments.format == "json":
        output.print_json([template._asdict() for template in TEMPLATES])
        return 0
    rows = [(template.id, ", ".join(template.servers), template.description) for template in TEMPLATES]
    output.print_table(("ID", "SERVERS", "DESCRIPTION"), rows, whole=True)
    return 0


def _use_arguments(parser: Parser) -> None:
    parser.add_argument("template", metavar="TEMPLATE", help="the template")
    parser.option("--name", metavar="NAME", help="what people call the profile (default: the template's title)")
    parser.option("--id", metavar="ID", help="what commands call it (made from the name)")


def _use(arguments: argparse.Namespace) -> int:
    template = find(arguments.template)
    create(Paths.of_user(), arguments.name or template.title, arguments.id, template.servers)
    return 0


GROUP: Final = Group(
    "template",
    "Templates: profiles to begin with.",
    (
        Command(("ls", "list"), "List the templates.", "", _list, _list_arguments),
        Command(("use",), "Make a profile from a template.", "ai-coding --name Work", _use, _use_arguments),
    ),
    aliases=("templates",),
)
