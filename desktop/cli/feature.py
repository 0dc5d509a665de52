"""``docker-mcp feature``: the reference's features, kept in the configuration of Docker's command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser, closest
from desktop.errors import GatewayError, StateFileError
from desktop.state.features import KNOWN, feature
from desktop.state.paths import Paths

__all__ = ["GROUP"]

_PRIVATE: Final = 0o600  # logins of Docker may be in this file
_TRIES: Final = 5


def _name_argument(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help=", ".join(KNOWN))


def _enable(arguments: argparse.Namespace) -> int:
    return _say(arguments.name, "enabled")


def _disable(arguments: argparse.Namespace) -> int:
    return _say(arguments.name, "disabled")


def _say(name: str, word: str) -> int:
    if name not in KNOWN:
        meant = closest(name, KNOWN)
        hint = f"Did you mean {meant}?" if meant else f"There are {', '.join(KNOWN)}"
        raise GatewayError(f"feature {name} not found", hint)
    paths = Paths.of_user()
    _write(paths.docker_config, paths.lock_for(paths.docker_config), name, word)
    output.tip(f"{name} is {word}. {KNOWN[name].summary}.")
    return 0


def _write(config: Path, lock: Path, name: str, word: str) -> None:
    """Put the word in, and leave everything else byte for byte; Docker writes this file too, and takes no lock of ours."""
    from desktop.clients import document  # here: looking needs none of it
    from desktop.state.atomic_file import read_bytes, write_bytes
    from desktop.state.locks import file_lock

    with file_lock(lock):
        for _ in range(_TRIES):
            before = read_bytes(config)
            after = document.put(before, document.Format.JSON, ("features", name), word, str(config))
            if after == before:
                return
            if read_bytes(config) == before:
                write_bytes(config, after, mode=None if config.exists() else _PRIVATE)
                return
    raise StateFileError(str(config), "another program keeps changing it", hint="Try again")


def _list_arguments(parser: Parser) -> None:
    parser.switch("json", "print a JSON object")


def _list(arguments: argparse.Namespace) -> int:
    config = Paths.of_user().docker_config
    found = {name: feature(config, name, default=known.default) for name, known in KNOWN.items()}
    words = {name: "enabled" if is_on else "disabled" for name, is_on in found.items()}
    if arguments.json:
        output.print_json(words)
        return 0
    output.print_table(
        ("NAME", "STATE", "DESCRIPTION"), [(*item, KNOWN[item[0]].summary) for item in words.items()], whole=True
    )
    return 0


GROUP: Final = Group(
    "feature",
    "Features of the reference, kept in ~/.docker/config.json.",
    (
        Command(("ls", "list"), "List the features, and whether each is on.", "--json", _list, _list_arguments),
        Command(("enable",), "Turn a feature on.", "dynamic-tools", _enable, _name_argument),
        Command(("disable",), "Turn a feature off.", "dynamic-tools", _disable, _name_argument),
    ),
)
