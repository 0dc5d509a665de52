"""Commands come in groups; this finds the one that was typed and runs it."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from desktop.cli.parser import Parser, closest, complain

__all__ = ["Command", "Group", "no_arguments"]


def no_arguments(parser: Parser) -> None:
    """For commands that take none."""


class Command(NamedTuple):
    """One command of a group.

    Attributes:
        names: Its name, then its other names.
        summary: What it does, one line.
        example: Its arguments as an example.
        run: Does it; returns the exit code.
        arguments: Adds what it understands to its parser.
    """

    names: tuple[str, ...]
    summary: str
    example: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[Parser], None] = no_arguments


class Group(NamedTuple):
    """Commands under one name.

    Attributes:
        name: The group's name.
        summary: What it is about, one line.
        commands: Its commands.
        leading: Options with a value that may also stand before the command's name.
    """

    name: str
    summary: str
    commands: tuple[Command, ...]
    leading: frozenset[str] = frozenset()

    def run(self, arguments: Sequence[str]) -> int:
        """Run the command that was typed; returns the exit code."""
        before, after = self._split(arguments)
        if not after:
            print(self.help())
            return 0
        typed, rest = after[0], after[1:]
        command = next((command for command in self.commands if typed in command.names), None)
        if command is None:
            meant = closest(typed, [name for command in self.commands for name in command.names])
            hint = f"Did you mean {meant}?" if meant else f"See docker-mcp {self.name} --help"
            complain(f'unknown command "{self.name} {typed}"', hint)
            return 2
        name = f"docker-mcp {self.name} {command.names[0]}"
        parser = Parser(name, command.summary, f"{name} {command.example}".rstrip())
        command.arguments(parser)
        return command.run(parser.read([*before, *rest]))

    def help(self) -> str:
        """What the group has."""
        names = [", ".join(command.names) for command in self.commands]
        width = max(map(len, names)) + 2
        lines = [
            textwrap.fill(command.summary, 100, initial_indent=f"  {name:{width}}", subsequent_indent=" " * (width + 2))
            for name, command in zip(names, self.commands, strict=True)
        ]
        example = f"docker-mcp {self.name} {self.commands[0].names[0]} {self.commands[0].example}".rstrip()
        head = f"usage: docker-mcp {self.name} COMMAND [options]\n\n{self.summary}\n\ncommands:\n"
        return head + "\n".join(lines) + f"\n\nexample:\n  {example}"

    def _split(self, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
        """The options before the command's name, and the rest from the name on; asking for help leaves nothing."""
        position = 0
        while position < len(arguments) and arguments[position].startswith("-"):
            if arguments[position] in ("-h", "--help"):
                return [], []
            position += 2 if arguments[position] in self.leading else 1
        return list(arguments[:position]), list(arguments[position:])
