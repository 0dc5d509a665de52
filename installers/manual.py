"""``python installers/manual.py FOLDER`` writes the manual pages; what they say is asked of the program itself.

One page for the tray, one for ``docker-mcp``, and one for each group of commands (``docker-mcp-server(1)``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from desktop import __version__
from desktop.cli import main as program
from desktop.cli.commands import Command, Group

ENVIRONMENT = {
    "DOCKER_HOST": "the container engine to use",
    "DOCKER_CONTEXT": "the context of Docker's command line to use",
    "DOCKER_CONFIG": "the folder of Docker's own settings and plugins; ~/.docker without it",
    "MCP_GATEWAY_PORT": "the port of the tray's gateway",
}
FILES = {
    "~/.docker/mcp": "catalogs, enabled servers and their settings, shared with Docker's own gateway",
    "~/.local/state/mcp-gateway-desktop": "settings, sealed secrets and records of this program",
    "~/.cache/mcp-gateway-desktop": "listings of servers; may be deleted at any time",
}


def escaped(text: str) -> str:
    """A text as roff takes it: no escapes, no control line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def _head(name: str, summary: str) -> list[str]:
    title = f'.TH "{name.upper()}" 1 "" "MCP Gateway Desktop {__version__}" "User Commands"'
    return [title, ".SH NAME", f"{escaped(name)} \\- {escaped(summary.rstrip('.'))}"]


def _items(items: dict[str, str]) -> Iterator[str]:
    for name, text in items.items():
        yield from (".TP", f".B {escaped(name)}", escaped(text))


def _arguments(command: Command, path: str) -> Iterator[str]:
    parser = command.parser(path)
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or action.help is None:
            continue
        value = action.metavar or action.dest.upper()
        value = " ".join(value) if isinstance(value, tuple) else value
        if not action.option_strings:
            name = value
        elif action.nargs == 0:
            name = ", ".join(action.option_strings)
        else:
            name = f"{', '.join(action.option_strings)} {value}"
        default = {"default": action.default, "prog": path, "choices": ", ".join(map(str, action.choices or ()))}
        yield from (".TP", f".B {escaped(name)}", escaped(action.help % default))


def group_page(group: Group) -> str:
    """The page of one group of commands."""
    name = f"docker-mcp-{group.name}"
    lines = [
        *_head(name, group.summary),
        ".SH SYNOPSIS",
        f".B docker\\-mcp {escaped(group.name)}",
        ".I COMMAND",
        "[options]",
    ]
    lines.append(".SH COMMANDS")
    for path, command in group.walk():
        if command.is_hidden:
            continue
        words = f"{path.removeprefix('docker-mcp ')} {command.names[0]}"
        lines += [f".SS {escaped(words)}", escaped(command.summary)]
        if len(command.names) > 1:
            lines += [".PP", f"Also: {escaped(', '.join(command.names[1:]))}"]
        lines += list(_arguments(command, f"docker-mcp {words.rpartition(' ')[0]}"))
        example = [f"docker-mcp {words} {line}".rstrip() for line in command.example.split("\n")]
        lines += [".PP", "Example:", ".PP", ".nf", *(f"    {escaped(line)}" for line in example), ".fi"]
    lines += [".SH SEE ALSO", ".BR docker\\-mcp (1)"]
    return "\n".join(lines) + "\n"


def command_line_page() -> str:
    """The page of ``docker-mcp``."""
    lines = _head("docker-mcp", "many MCP servers behind one endpoint, from the command line")
    lines += [".SH SYNOPSIS", ".B docker\\-mcp", "[\\-v]", ".I COMMAND", "[options]", ".SH DESCRIPTION"]
    lines.append(
        "Runs MCP servers, most of them in containers, and offers the tools of all of them to AI clients at one address. "
        "It works with the gateway of the tray when that runs, and by itself when not. With Docker's command line, "
        "docker mcp is the same program."
    )
    shown = {name: program.commands()[name] for name in program.commands() if name in (*program.GROUPS, "completion")}
    lines += [".SH COMMANDS", *_items({**shown, "version": program.commands()["version"]})]
    lines += [".SH EXIT STATUS", *_items({"0": "it worked", "1": "it failed", "2": "the command line is wrong"})]
    lines += [".SH ENVIRONMENT", *_items(ENVIRONMENT), ".SH FILES", *_items(FILES), ".SH SEE ALSO"]
    names = [f".BR docker\\-mcp\\-{escaped(name)} (1)," for name in program.GROUPS]
    lines += [*names, ".BR mcp\\-gateway\\-desktop (1)"]
    return "\n".join(lines) + "\n"


def tray_page() -> str:
    """The page of the tray."""
    lines = _head("mcp-gateway-desktop", "many MCP servers behind one endpoint, from the tray")
    lines += [".SH SYNOPSIS", ".B mcp\\-gateway\\-desktop", "[\\-\\-hidden]", ".SH DESCRIPTION"]
    lines.append(
        "Shows an icon in the tray, runs the gateway, and opens a window with servers, the catalog, AI clients, what "
        "happened, and settings. A second start shows the window of the first."
    )
    lines += [".SH OPTIONS", *_items({"--hidden": "start without showing the window, as at login"})]
    lines += [".SH FILES", *_items(FILES), ".SH SEE ALSO", ".BR docker\\-mcp (1)"]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """All pages by their file names."""
    found = {"docker-mcp.1": command_line_page(), "mcp-gateway-desktop.1": tray_page()}
    for name in program.GROUPS:
        group = program.group(name)
        assert group is not None
        found[f"docker-mcp-{name}.1"] = group_page(group)
    return found


def main(folder: Path) -> None:
    """Write all files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        folder.joinpath(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
