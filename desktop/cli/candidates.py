"""``docker-mcp __complete WORD…``: what may stand in place of the last word, for shells and for Docker's command line.

One candidate a line, a tab and what it means behind it, and at the end a line with a colon and a number, as programs
made with cobra print it: 2 says that no space follows, 4 that no file names are meant.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from typing import Any, Final, NamedTuple

from desktop.cli import subjects
from desktop.cli.commands import Command, Group
from desktop.cli.main import commands, group
from desktop.cli.parser import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["is_file", "run"]

_TIME_LIMIT: Final = 3.0
_FILES: Final = 0
_NO_SPACE: Final = 2
_NO_FILES: Final = 4
_FILE_NAMES: Final = frozenset({"FILE", "SOURCE", "FOLDER", "DIR", "DIRECTORY", "PATH"})
_DIRECTIVES: Final = {0: "Default", 2: "NoSpace", 4: "NoFileComp"}


class _Offer(NamedTuple):
    """Candidates and what they mean, and how the shell goes on."""

    words: Mapping[str, str]
    directive: int = _NO_FILES


def run(words: Sequence[str], *, described: bool = True) -> int:
    """Print the candidates; an error makes none, since a person is in the middle of typing.

    Args:
        words: What was typed after the program's name; the last one, maybe empty, is to be completed.
        described: Print also what the candidates mean.
    """
    limit = threading.Timer(_TIME_LIMIT, _give_up)
    limit.daemon = True
    limit.start()
    *before, last = words or [""]
    try:
        offer = _offer(before, last)
    except Exception:  # whatever is wrong with a file or a gateway is not said in the middle of a line
        offer = _Offer({})
    limit.cancel()
    for word, meaning in offer.words.items():
        if word.startswith(last):
            print(f"{word}\t{' '.join(meaning.split())}" if described and meaning else word)
    print(f":{offer.directive}")
    names = ", ".join(f"ShellCompDirective{name}" for bit, name in _DIRECTIVES.items() if bit and offer.directive & bit)
    print(f"Completion ended with directive: {names or 'ShellCompDirectiveDefault'}", file=sys.stderr)
    return 0


def _give_up() -> None:
    """A gateway or a keychain doesn't answer; a person who pressed the tab key waits no longer."""
    print(f":{_NO_FILES}", flush=True)
    os._exit(0)


def _offer(before: list[str], last: str) -> _Offer:
    if before[:1] == ["help"]:
        before = before[1:]
    if not before:
        first = {**commands(), "help": "Say more about a command"}
        return _Offer({"--help": "", "--version": ""} if last.startswith("-") else first)
    if before[0] == "completion":
        from desktop.cli.completion import SHELLS

        return _Offer(dict.fromkeys(SHELLS, "") if len(before) == 1 else {})
    found = group(before[0])
    return _Offer({}) if found is None else _in_group(found, before[1:], last, found.name)


def _in_group(found: Group, before: list[str], last: str, path: str) -> _Offer:
    position = 0
    while position < len(before) and before[position].startswith("-"):
        position += 2 if before[position] in found.leading else 1
    if position > len(before):  # the value of an option before the command
        return _Offer({})
    if position == len(before):
        if last.startswith("-"):
            return _Offer({"--help": ""})
        return _Offer({command.names[0]: command.summary for command in found.shown()})
    command = found.find(before[position])
    rest = before[position + 1 :]
    if command is None:
        return _Offer({})
    path = f"{path} {command.names[0]}"
    if isinstance(command, Group):
        return _in_group(command, rest, last, path)
    return _in_command(command, rest, last, path)


def _in_command(command: Command, before: list[str], last: str, path: str) -> _Offer:
    parser = command.parser("docker-mcp")
    options = {name: action for action in parser._actions for name in action.option_strings}
    given, waiting, ended = _given(before, options)
    if waiting is not None:
        return _values(waiting, subjects.of_option(waiting.option_strings, path), given, last)
    if last.startswith("-") and not ended:
        name, equals, _ = last.partition("=")
        if equals:
            action = options.get(name)
            return (
                _Offer({})
                if action is None
                else _values(action, subjects.of_option(action.option_strings, path), given, last, f"{name}=")
            )
        return _Offer(_option_names(parser, options, before))
    found = _positional(parser, len(given))
    if found is None:
        return _Offer({})
    position, positional = found
    return _values(positional, subjects.of_argument(path, position), given, last)


def _given(before: Iterable[str], options: Mapping[str, Any]) -> tuple[list[str], argparse.Action | None, bool]:
    """Names that are typed already, the option whose value comes next, and whether ``--`` has ended the options."""
    given: list[str] = []
    waiting: argparse.Action | None = None
    ended = False
    for word in before:
        if waiting is not None:
            waiting = None
        elif ended or not word.startswith("-") or word == "-":
            given.append(word)
        elif word == "--":
            ended = True
        elif "=" not in word and (action := options.get(word)) is not None and action.nargs != 0:
            waiting = action
    return given, waiting, ended


def _positional(parser: Parser, given: int) -> tuple[int, argparse.Action] | None:
    """The argument that the next name would be, and which of the command's arguments that is, from 0."""
    arguments = [action for action in parser._actions if not action.option_strings]
    for position, action in enumerate(arguments):
        if position == given or action.nargs in ("*", "+"):
            return position, action
    return None


def _option_names(parser: Parser, options: Mapping[str, Any], before: list[str]) -> dict[str, str]:
    repeatable = ("_AppendAction", "_Extend")
    found: dict[str, str] = {}
    for name in parser.known_options():
        action = options[name]
        is_again = any(word.partition("=")[0] in action.option_strings for word in before)
        if name.startswith("--") and not (is_again and type(action).__name__ not in repeatable):
            found[name] = "" if action.help in (None, argparse.SUPPRESS) else str(action.help).replace("%%", "%")
    return found


def _values(
    action: argparse.Action, kind: subjects.Kind | None, given: list[str], last: str, prefix: str = ""
) -> _Offer:
    """Values of an option or an argument; after a comma the next of several."""
    typed = last.removeprefix(prefix)
    if action.choices is not None:
        return _Offer({f"{prefix}{choice}": "" for choice in action.choices})
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if "|" in metavar:
        return _Offer({f"{prefix}{word}": "" for word in metavar.split("|")})
    if kind is None:
        return _Offer({}, _FILES if is_file(action) else _NO_FILES)
    listed, comma, _ = typed.rpartition(",") if kind.in_lists else ("", "", "")
    taken = {*given, *listed.split(",")} if kind.once else set()
    found = {
        f"{prefix}{listed}{comma}{word}": meaning for word, meaning in kind.words(given).items() if word not in taken
    }
    directive = _NO_FILES
    if is_file(action):
        directive = _FILES
    elif any(word.endswith(("=", ":")) for word in found):
        directive |= _NO_SPACE
    return _Offer(found, directive)


def is_file(action: argparse.Action) -> bool:
    """Whether a file or a folder is meant, which the shell completes."""
    return action.metavar in _FILE_NAMES
