"""``docker-mcp plugin``: makes this program answer to ``docker mcp`` as well."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser
from desktop.errors import StateFileError
from desktop.state.docker_plugin import DockerPlugin, plugin_folder
from desktop.state.locations import appimage
from desktop.state.paths import Paths

__all__ = ["GROUP", "own_program"]


def own_program(
    called: str = sys.argv[0],
    executable: str = sys.executable,
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Path:
    """The file that starts this program's command line: of a bundle, an AppImage or an environment of Python.

    Args:
        called: How this process was called.
        executable: The interpreter, or the bundle's program.
        environ: Environment variables.
        platform: As in `sys.platform`.

    Raises:
        StateFileError: There is none, since only the source is here.
    """
    name = "docker-mcp.exe" if platform == "win32" else "docker-mcp"
    if getattr(sys, "frozen", False):
        image = appimage(environ, executable)
        bundled = Path(executable).with_name(name)
        return Path(image) if image else bundled if bundled.is_file() else Path(executable)
    beside = Path(executable).with_name(name)  # as it was called: a virtual environment's python is a link
    typed = Path(called).resolve()
    for candidate in (beside, typed):
        if candidate.name == name and candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.absolute()
    raise StateFileError(
        str(beside), "the program is not installed for this Python", hint="Install it with pip or make setup."
    )


def _plugin() -> DockerPlugin:
    return DockerPlugin(Paths.of_user(), plugin_folder(), is_bundle=bool(getattr(sys, "frozen", False)))


def _install_arguments(parser: Parser) -> None:
    parser.switch("force", "put another program's plugin aside; uninstall puts it back")


def _install(arguments: argparse.Namespace) -> int:
    status = _plugin().install(own_program(), force=arguments.force)
    output.remark(f"Installed {status.path}; docker mcp starts {status.program} now.")
    if status.kept:
        output.remark(f"The plugin that was there is kept as {status.kept}.")
    return 0


def _uninstall(arguments: argparse.Namespace) -> int:
    plugin = _plugin()
    kept = plugin.status().kept
    if not plugin.uninstall():
        output.remark("The plugin is not installed.")
        return 0
    output.remark(f"Removed {plugin.place}" + (", and put back the plugin that was there before." if kept else "."))
    return 0


def _status_arguments(parser: Parser) -> None:
    parser.option("--format", choices=["json"], help="print a JSON object")


def _status(arguments: argparse.Namespace) -> int:
    status = _plugin().status()
    if arguments.format == "json":
        output.print_json(asdict(status))
    elif status.installed:
        print(f"installed: {status.path} starts {status.program}")
    elif status.other:
        print(f"not installed: {status.path} belongs to another program")
    elif status.program:
        print(f"not installed: {status.path} leads to {status.program}, which is gone")
    else:
        print("not installed")
    return 0 if status.installed else 1


GROUP: Final = Group(
    "plugin",
    "The plugin of Docker's command line: with it, docker mcp is this program.",
    (
        Command(("install",), "Make docker mcp start this program.", "\n--force", _install, _install_arguments),
        Command(("uninstall", "remove", "rm"), "Take the plugin away, and put back what was there.", "", _uninstall),
        Command(
            ("status",),
            "Say what docker mcp starts; exit code 1 when it isn't this program.",
            "--format json",
            _status,
            _status_arguments,
        ),
    ),
)
