"""``docker-mcp``: finds the group of commands that was typed, runs it, and turns whatever happens into an exit code.

Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong, 130 interrupted, 141 the reader of our output has gone.
"""

from __future__ import annotations

import os
import sys

from desktop.cli import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from desktop.cli.commands import Group

__all__ = ["GROUPS", "commands", "group", "leave", "main"]

GROUPS = {
    "catalog": "Catalogs: lists of servers that can be enabled",
    "client": "AI clients: which are here, and whether they reach the gateway",
    "config": "Config: settings of servers; all that is set as one document",
    "feature": "Features of the reference: turn them on and off",
    "gateway": "The gateway: run it, find it, its token",
    "oauth": "Sign-ins: to servers on the web and to services, in your browser",
    "plugin": "The plugin of Docker's command line: docker mcp",
    "policy": "Policy: which server may have which secret, which tools may be called",
    "profile": "Profiles: named sets of servers with their settings and tools",
    "secret": "Secrets: values that only the servers that declare them get",
    "server": "Servers: enable, disable, look at them",
    "template": "Templates: profiles to begin with",
    "tools": "Tools of the enabled servers: list, inspect and call them",
}
_HIDDEN: dict[str, str] = {
    "registry": "Documents of the community registry, turned into catalog entries",
}
_ALIASES = {
    "catalogs": "catalog",
    "clients": "client",
    "features": "feature",
    "policies": "policy",
    "profiles": "profile",
    "secrets": "secret",
    "servers": "server",
    "templates": "template",
    "tool": "tools",
}
_ALONE = {
    "completion": "What a shell needs to complete commands and names",
    "version": "The version of this program",
}
_FEW = 4
_METADATA = "docker-cli-plugin-metadata"


def group(name: str) -> Group | None:
    """The group of commands of this name, or of this other name."""
    name = _ALIASES.get(name, name)
    if name not in GROUPS and name not in _HIDDEN:
        return None
    import importlib

    from desktop.cli import deferred

    deferred.defer()
    found: Group = importlib.import_module(f"desktop.cli.{name}").GROUP
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Its arguments without the program's name; by default those of this process.

    Returns:
        The exit code.
    """
    _prepare_streams()
    try:
        code = _answer(list(sys.argv[1:] if argv is None else argv))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _forget_output()
        return 141
    except Exception as error:
        return _explain(error)


def leave(code: int) -> NoReturn:
    """End the process as its end would be, but without taking every module apart, which takes as long as some commands.

    Args:
        code: The exit code.
    """
    import atexit
    import threading

    if threading.active_count() == 1 and sys.stdout is not None and sys.stderr is not None:
        atexit._run_exitfuncs()
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody reads it any more
            code = code or 1
        os._exit(code)
    sys.exit(code)


def _answer(arguments: list[str]) -> int:
    called = program.plugin_arguments(arguments)
    if called is not None:
        variables, arguments = called
        program.apply_docker_options(variables)
    try:
        return _dispatch(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else "--help"
    if first == "help":
        return _dispatch([*arguments[1:], "--help"])
    if first in ("-h", "--help"):
        print(_help())
        return 0
    if first in ("-v", "--version", "version"):
        return _print_version(arguments[1:])
    if first == _METADATA:
        return _print_metadata()
    if first == "completion":
        from desktop.cli import completion

        return completion.run(arguments[1:])
    if first in ("__complete", "__completeNoDesc"):
        from desktop.cli import candidates

        return candidates.run(arguments[1:], described=first == "__complete")
    found = group(first)
    return _unknown(first) if found is None else found.run(arguments[1:])


def commands() -> dict[str, str]:
    """Everything that may be typed first, with what it is about; groups come first."""
    hidden = {**_HIDDEN, _METADATA: "What Docker asks of its plugins"} if program.shows_hidden() else {}
    return {**GROUPS, **_ALONE, **hidden}


def _help() -> str:
    from desktop.cli import help

    return (
        f"{help.usage('usage: docker-mcp [-v] COMMAND [options]')}\n\n"
        f"{help.paragraph('Many MCP servers behind one endpoint.')}\n\n"
        f"commands:\n{help.listing(commands())}\n\noptions:\n{help.listing({'-v, --version': 'print the version'})}\n\n"
        f"{help.examples(['docker-mcp server enable duckduckgo'])}\n\n"
        f"{help.paragraph('docker-mcp COMMAND --help says more about each.')}"
    )


def _unknown(typed: str) -> int:
    from desktop.cli.parser import closest, complain

    within = [f"{name} {typed}" for name in GROUPS if (found := group(name)) and found.find(typed)]
    few = " or ".join(within) if len(within) <= _FEW else ""
    meant = few or closest(typed, [*GROUPS, *_ALIASES, *_ALONE])
    hint = f"Did you mean {meant}?" if meant else "See docker-mcp --help"
    complain(f"unknown option {typed}" if typed.startswith("-") else f'unknown command "{typed}"', hint)
    return 2


def _print_version(arguments: list[str]) -> int:
    from desktop import __version__

    if not arguments:
        print(__version__)
        return 0
    from desktop.cli.parser import Parser

    Parser("docker-mcp version", "Print the version of this program.", "docker-mcp version").read(arguments)
    return _print_version([])


def _print_metadata() -> int:
    """What Docker asks of every file that could be its plugin."""
    import json

    from desktop import __version__

    metadata = {
        "SchemaVersion": "0.1.0",
        "Vendor": "MCP Gateway Desktop",
        "Version": __version__,
        "ShortDescription": "Docker MCP Plugin",
    }
    print(json.dumps(metadata))
    return 0


def _prepare_streams() -> None:
    """What other programs read is UTF-8 everywhere; a terminal that lacks a character shows another one."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace", encoding=None if stream.isatty() else "utf-8")


def _explain(error: Exception) -> int:
    from desktop.cli.parser import complain
    from desktop.errors import GatewayError, UsageError

    if isinstance(error, GatewayError):
        complain(error.message, error.hint)
        return 2 if isinstance(error, UsageError) else 1
    if isinstance(error, OSError):
        complain((error.strerror or type(error).__name__) + (f": {error.filename}" if error.filename else ""))
        return 1
    # The text of an unforeseen error may hold anything, a secret too; its kind and its place help to find the fault.
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "" if place is None else f" in {place.tb_frame.f_globals.get('__name__')}, line {place.tb_lineno}"
    complain(f"this is a fault of the program ({type(error).__name__}{where})", "Please report it")
    return 1


def _forget_output() -> None:
    """Nobody reads our output any more; what is left of it must not cause another complaint at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
