"""Commands come in groups; this finds the one that was typed and runs it."""

from __future__ import annotations

from typing import NamedTuple

from desktop.cli.parser import Parser, closest, complain
from desktop.cli.program import NAME, shows_hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Command", "Group", "no_arguments"]


def no_arguments(parser: Parser) -> None:
    """For commands that take none."""


class Command(NamedTuple):
    """One command of a group.

    Attributes:
        names: Its name, then its other names.
        summary: What it does, one line.
        example: Its arguments as an example; further examples on lines of their own.
        run: Does it; returns the exit code.
        arguments: Adds what it understands to its parser.
        is_hidden: It is meant for programs; help leaves it out unless DOCKER_MCP_SHOW_HIDDEN is set.
    """

    names: tuple[str, ...]
    summary: str
    example: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[Parser], None] = no_arguments
    is_hidden: bool = False

    def parser(self, within: str) -> Parser:
        """What reads its arguments; ``within`` is what is typed before its name."""
        name = f"{within} {self.names[0]}"
        example = "\n".join(f"{name} {line}".rstrip() for line in self.example.split("\n"))
        parser = Parser(name, self.summary, example)
        self.arguments(parser)
        parser.take_both_forms_of_json()
        return parser


class Group(NamedTuple):
    """Commands under one name.

    Attributes:
        name: The group's name.
        summary: What it is about, one line.
        commands: Its commands, and groups inside it (``docker-mcp profile server add``).
        leading: Options with a value that may also stand before the command's name.
        aliases: Other names, of a group inside another one.
        is_hidden: Help of the group around it leaves it out unless DOCKER_MCP_SHOW_HIDDEN is set.
        refused: Commands of the reference that are not here, each with why and what to do instead.
    """

    name: str
    summary: str
    commands: tuple[Command | Group, ...]
    leading: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    is_hidden: bool = False
    refused: Mapping[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, then its other names."""
        return (self.name, *self.aliases)

    def run(self, arguments: Sequence[str], within: str = NAME) -> int:
        """Run the command that was typed; ``within`` is what is typed before the group's name. Returns the exit code."""
        path = f"{within} {self.name}"
        before, after = self._split(arguments)
        if not after:
            if before:
                complain(f"unknown option {before[0]}", f"See {path} --help")
                return 2
            print(self.help(within))
            return 0
        command = self.find(after[0])
        if command is None and after[0] in self.refused:
            complain(f'"{path.removeprefix(NAME).lstrip()} {after[0]}" is not available: {self.refused[after[0]]}')
            return 2
        if command is None:
            meant = closest(after[0], [name for command in self.commands for name in command.names])
            hint = f"Did you mean {meant}?" if meant else f"See {path} --help"
            complain(f'unknown command "{path.removeprefix(NAME).lstrip()} {after[0]}"', hint)
            return 2
        rest = [*before, *after[1:]]
        return command.run(rest, path) if isinstance(command, Group) else command.run(command.parser(path).read(rest))

    def find(self, typed: str) -> Command | Group | None:
        """The command of this name."""
        return next((command for command in self.commands if typed in command.names), None)

    def shown(self) -> Iterator[Command | Group]:
        """The commands that help lists."""
        return (command for command in self.commands if shows_hidden() or not command.is_hidden)

    def walk(self, within: str = NAME) -> Iterator[tuple[str, Command]]:
        """Every command of the group and of groups inside it, with what is typed before its name."""
        path = f"{within} {self.name}"
        for command in self.commands:
            if isinstance(command, Group):
                yield from command.walk(path)
            else:
                yield path, command

    def help(self, within: str = NAME) -> str:
        """What the group has."""
        from desktop.cli import help

        path = f"{within} {self.name}"
        commands = help.listing({", ".join(command.names): command.summary for command in self.shown()})
        return (
            f"{help.usage(f'usage: {path} COMMAND [options]')}\n\n{help.paragraph(self.summary)}\n\n"
            f"commands:\n{commands}\n\n{help.examples([self._example(within)])}\n\n"
            f"{help.paragraph(f'{path} COMMAND --help says more about each.')}"
        )

    def _example(self, within: str) -> str:
        path, first = f"{within} {self.name}", self.commands[0]
        if isinstance(first, Group):
            return first._example(path)
        return f"{path} {first.names[0]} {first.example.partition(chr(10))[0]}".rstrip()

    def _split(self, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
        """The options before the command's name, and the rest from the name on; asking for help leaves nothing."""
        position = 0
        while position < len(arguments) and arguments[position].startswith("-"):
            if arguments[position] in ("-h", "--help"):
                return [], []
            position += 2 if arguments[position] in self.leading else 1
        return list(arguments[:position]), list(arguments[position:])
